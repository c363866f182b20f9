"""A name in the other script, as a machine spells it: beside the name on a page, never in its place. Pure.

Arabic does not write short vowels: only names of the table below have theirs, any other word is spelled letter by
letter. What a person's own documents say is another name of the record, and goes before this.
"""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher
from functools import cache, lru_cache

LONGEST = 120
NEAR = 0.6
"""How much of a Latin word must be as in the table, vowels included, to be spelled as its Arabic name."""
ARABIC, LATIN = "ar", "en"
_ARABIC = re.compile(r"[\u0620-\u064a\u066e-\u06d3]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_MARKS = re.compile(r"[\u0640\u064b-\u065f\u0670\u200c-\u200f\u202a-\u202e\u2066-\u2069]")

_NAMES = """
محمد Muḥammad|أحمد Aḥmad|محمود Maḥmūd|حامد Ḥāmid|حميد Ḥamīd|مصطفى Muṣṭafā|علي ʿAlī|عمر ʿUmar|عثمان ʿUthmān
حسن Ḥasan|حسين Ḥusayn|الحسن al-Ḥasan|الحسين al-Ḥusayn|يوسف Yūsuf|يونس Yūnus|يعقوب Yaʿqūb|إبراهيم Ibrāhīm
إسماعيل Ismāʿīl|إسحاق Isḥāq|موسى Mūsā|عيسى ʿĪsā|داود Dāwūd|سليمان Sulaymān|زكرياء Zakarīyāʾ|يحيى Yaḥyā
إدريس Idrīs|أيوب Ayyūb|نوح Nūḥ|آدم Ādam|عبد ʿAbd|الله Allāh|الرحمن ar-Raḥmān|الرحمان ar-Raḥmān
الرحيم ar-Raḥīm|الكريم al-Karīm|العزيز al-ʿAzīz|القادر al-Qādir|المجيد al-Majīd|اللطيف al-Laṭīf|الحق al-Ḥaqq
الواحد al-Wāḥid|الصمد aṣ-Ṣamad|الحميد al-Ḥamīd|المالك al-Mālik|الإله al-Ilāh|الغني al-Ghanī|السلام as-Salām
النور an-Nūr|الدين ad-Dīn|نور Nūr|صلاح Ṣalāḥ|جمال Jamāl|كمال Kamāl|عماد ʿImād|عز ʿIzz|سعد Saʿd|بدر Badr
شمس Shams|خالد Khālid|طارق Ṭāriq|رشيد Rashīd|سعيد Saʿīd|السعيد as-Saʿīd|كريم Karīm|ياسين Yāsīn|أمين Amīn
أنس Anas|بلال Bilāl|هشام Hishām|هاشم Hāshim|قاسم Qāsim|مالك Mālik|نبيل Nabīl|جواد Jawād|فؤاد Fuʾād
مراد Murād|عادل ʿĀdil|عزيز ʿAzīz|لطفي Luṭfī|منير Munīr|نجيب Najīb|وليد Walīd|زيد Zayd|زياد Ziyād|سمير Samīr
سامي Sāmī|رضا Riḍā|حمزة Ḥamza|أسامة Usāma|طه Ṭāhā|عباس ʿAbbās|جعفر Jaʿfar|ربيع Rabīʿ|عربي ʿArabī
العربي al-ʿArabī|المهدي al-Mahdī|مهدي Mahdī|الطيب aṭ-Ṭayyib|الصديق aṣ-Ṣiddīq|التهامي at-Tihāmī|فاطمة Fāṭima
خديجة Khadīja|عائشة ʿĀʾisha|مريم Maryam|زينب Zaynab|أمينة Amīna|سميرة Samīra|سلمى Salmā|ليلى Laylā
نادية Nādiya|نجاة Najāt|حنان Ḥanān|رشيدة Rashīda|كريمة Karīma|سعيدة Saʿīda|ياسمين Yāsamīn|هدى Hudā|منى Munā
سناء Sanāʾ|جميل Jamīl|سليم Salīm|سالم Sālim|كامل Kāmil|كميل Kamīl|عمار ʿAmmār|كرم Karam|رشاد Rashād|أنيس Anīs
سامية Sāmiya|مليكة Malīka|أسماء Asmāʾ|إيمان Īmān|بن bin|ابن ibn|بنت bint|أبو Abū|أبي Abī|أم Umm|آل Āl|ولد wuld
المغربي al-Maghribī|الفاسي al-Fāsī|الطنجاوي aṭ-Ṭanjāwī|الإدريسي al-Idrīsī|العلوي al-ʿAlawī
التطواني at-Tiṭwānī|الحدادي al-Ḥaddādī|حداد Ḥaddād|الحداد al-Ḥaddād|النجار an-Najjār|زهرة Zahra
الزهراء az-Zahrāʾ|عبدو ʿAbdū|بوعزة Būʿazza|طنجة Ṭanja|تطوان Tiṭwān|الرباط ar-Ribāṭ|فاس Fās|مراكش Marrākush
أكادير Agādīr|سلا Salā|وجدة Wajda|الناظور an-Nāẓūr|الحسيمة al-Ḥusayma|العرائش al-ʿArāʾish
القنيطرة al-Qunayṭira|مكناس Miknās|سبتة Sabta|مليلية Malīliya|الدار ad-Dār|البيضاء al-Bayḍāʾ
الجزيرة al-Jazīra|الخضراء al-Khaḍrāʾ|مالقة Mālaqa|مدريد Madrīd|برلين Barlīn|باريس Bārīs|المغرب al-Maghrib
الجزائر al-Jazāʾir
"""
"""Hand-made from general knowledge: names and places as Moroccan papers write them, with their vowels."""
VOWELLED: dict[str, str] = {
    arabic: latin
    for line in _NAMES.split("\n")
    for each in line.split("|")
    if each
    for arabic, latin in [each.split(" ")]
}
_CONSONANTS = {
    **{"ب": "b", "ت": "t", "ث": "th", "ج": "j", "ح": "ḥ", "خ": "kh", "د": "d", "ذ": "dh", "ر": "r", "ز": "z", "س": "s"},
    **{"ش": "sh", "ص": "ṣ", "ض": "ḍ", "ط": "ṭ", "ظ": "ẓ", "ع": "ʿ", "غ": "gh", "ف": "f", "ق": "q", "ك": "k", "ل": "l"},
    **{"م": "m", "ن": "n", "ه": "h", "ء": "ʾ", "ئ": "ʾ", "ؤ": "ʾ", "پ": "p", "چ": "ch", "ژ": "zh", "گ": "g", "ڤ": "v"},
    **{"ڭ": "g", "ک": "k", "ی": "y", "ہ": "h"},
}
_LONG = {"ا": "ā", "و": "ū", "ي": "ī", "ى": "ā", "آ": "ā", "ة": "a", "أ": "a", "إ": "i", "ی": "ī"}
_FIRST = {"ا": "a", "و": "w", "ي": "y", "ى": "y", "آ": "ā", "أ": "a", "إ": "i", "ی": "y"}
_SUN = frozenset("تثدذرزسشصضطظلن")
_ARTICLE = "ال"

_GROUPS = {
    **{"tsch": "تش", "dsch": "ج", "sch": "ش", "tch": "تش", "ch": "ش", "sh": "ش", "kh": "خ", "gh": "غ", "th": "ث"},
    **{"dh": "ذ", "dj": "ج", "ph": "ف", "ck": "ك", "qu": "ك", "ou": "و", "oo": "و", "ee": "ي", "ei": "ي", "ai": "اي"},
    **{"ay": "اي", "ey": "ي", "au": "او", "gu": "غ", "ll": "ل", "ss": "س", "zz": "ز", "b": "ب", "c": "ك", "d": "د"},
    **{"f": "ف", "g": "غ", "h": "ه", "j": "ج", "k": "ك", "l": "ل", "m": "م", "n": "ن", "p": "ب", "q": "ق", "r": "ر"},
    **{"s": "س", "t": "ت", "v": "ف", "w": "و", "x": "كس", "y": "ي", "z": "ز", "a": "ا", "i": "ي", "o": "و", "u": "و"},
    **{"e": "", "'": "", "’": ""},
}
_PIECE = re.compile("|".join(sorted(map(re.escape, _GROUPS), key=len, reverse=True)))
_SOFT = re.compile(r"c(?=[ei])")
_INITIAL = {"a": "أ", "e": "إ", "i": "إ", "o": "أو", "u": "أو"}
_APART = {"abd": "عبد", "ben": "بن", "bin": "بن", "bou": "بو", "abu": "أبو", "abou": "أبو", "ibn": "ابن"}
_FUSED = re.compile(r"^(abd|ben|bin)(?=\w{3})")
_ALIKE = (("ph", "f"), ("ck", "k"), ("qu", "k"), ("ch", "sh"), ("ou", "u"), ("q", "k"), ("c", "k"))


def script_of(text: str) -> str:
    """`ar`, `en` (Latin), or nothing where both or neither stand in it."""
    arabic, latin = bool(_ARABIC.search(text)), bool(_LATIN.search(text))
    return ARABIC if arabic and not latin else LATIN if latin and not arabic else ""


def transcribed(text: str, reader: str) -> str:
    """The name in the script that a reader of this language reads; nothing where it stands in that already."""
    wanted, written = ARABIC if reader == "ar" else LATIN, script_of(text)
    if not written or written == wanted or len(text) > LONGEST:
        return ""
    return _in_latin(text) if wanted == LATIN else _in_arabic(text)


@lru_cache(maxsize=2048)
def _in_latin(text: str) -> str:
    words = _MARKS.sub("", unicodedata.normalize("NFKC", text)).split()
    return " ".join(_latin_word(w) for w in words)


def _latin_word(word: str) -> str:
    if known := VOWELLED.get(word):
        return known
    if word.startswith(_ARTICLE) and len(word) > len(_ARTICLE) + 1:
        rest = word.removeprefix(_ARTICLE)
        spelled = VOWELLED.get(rest) or _letters(rest)
        first = _CONSONANTS.get(rest[0], "")
        return f"{'a' + first if rest[0] in _SUN else 'al'}-{_capital(spelled)}"
    return _capital(_letters(word))


def _letters(word: str) -> str:
    """Letter by letter. و and ي are consonants at the beginning and before an alif, long vowels elsewhere."""
    found = []
    for n, c in enumerate(word):
        following = word[n + 1 : n + 2]
        if n == 0 and c in _FIRST:
            found.append(_FIRST[c])
        elif c in "وييی" and following in ("ا", "ة", "آ"):
            found.append("w" if c == "و" else "y")
        else:
            found.append(_LONG.get(c) or _CONSONANTS.get(c, c))
    return "".join(found)


def _capital(word: str) -> str:
    """The first letter that has a capital: not the sign of an ayn."""
    at = next((n for n, c in enumerate(word) if c.upper() != c), -1)
    return word if at < 0 else word[:at] + word[at].upper() + word[at + 1 :]


@lru_cache(maxsize=2048)
def _in_arabic(text: str) -> str:
    pieces = re.split(r"[\s-]+", unicodedata.normalize("NFKC", text))
    words = [w for piece in pieces if piece for w in _arabic_words(piece)]
    found: list[str] = []
    for word in words:
        # An article is written onto its word: El Haddadi, الحدادي.
        found.append(found.pop() + word if found and found[-1] == _ARTICLE else word)
    return " ".join(found)


def _plain(word: str) -> str:
    """Without accents, dots and the signs of ayn and hamza."""
    letters = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in letters if not unicodedata.combining(c) and c not in "ʿʾ'’")


def _arabic_words(word: str) -> list[str]:
    plain = _plain(word)
    if plain in ("al", "el"):
        return [_ARTICLE]
    if plain in _APART:
        return [_APART[plain]]
    if known := _known(plain):
        return [known]
    fused = _FUSED.match(plain)
    if fused is not None and (fused[1] == "abd" or _known(plain[fused.end() :])):  # Benjamin is no son of Jamin
        return [_APART[fused[1]], *_after(plain[fused.end() :], servant=fused[1] == "abd")]
    return [_spelled(plain)]


def _after(rest: str, *, servant: bool) -> list[str]:
    """What was written onto `Ben` and `Abd`: behind the latter stands an article, in one of its Latin forms."""
    for skipped in range(3 if servant else 1):
        if known := _known(rest[skipped:]):
            return [known if known.startswith(_ARTICLE) or not servant else _ARTICLE + known]
    return [_spelled(rest)]


def _sound(plain: str) -> str:
    """The consonants, and the vowel at the end: what spellings of one name share."""
    for written, read in _ALIKE:
        plain = plain.replace(written, read)
    plain = re.sub(r"(.)\1", r"\1", plain)
    return re.sub(r"[aeiou]", "", plain[:-1]) + plain[-1:].replace("e", "i").replace("o", "u")


@cache
def _by_sound() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for arabic, latin in VOWELLED.items():
        plain = _plain(latin.rpartition("-")[2])
        bare = arabic.removeprefix(_ARTICLE) if "-" in latin else arabic
        found.setdefault(_sound(plain), []).append((plain, bare))
    return found


def _known(plain: str) -> str:
    """The Arabic name of the table whose Latin spelling is nearest, where one is near and no other is as near.

    Hazard: names of the same consonants are other persons' names (Jamil, Jamal), so the vowels may not contradict.
    """
    if len(plain) < 3:
        return ""
    near: dict[str, float] = {}
    for latin, arabic in _by_sound().get(_sound(plain), ()):
        if _same_vowels(plain, latin):
            near[arabic] = max(near.get(arabic, 0.0), SequenceMatcher(None, plain, latin).ratio())
    best = max(near.values(), default=0.0)
    nearest = [arabic for arabic, ratio in near.items() if ratio == best]
    # One name in two Arabic spellings (الرحمن, الرحمان) is one; two names of one Latin spelling (سالم, سليم) are not.
    one = len({VOWELLED.get(arabic) or VOWELLED[_ARTICLE + arabic] for arabic in nearest}) == 1
    return nearest[0] if best >= NEAR and one else ""


def _same_vowels(plain: str, latin: str) -> bool:
    """Whether both have the same vowels in the same order; an e is any of them, an o is a u."""
    x, y = (re.findall(r"[aeiu]", w.replace("ou", "u").replace("o", "u")) for w in (plain, latin))
    return len(x) == len(y) and all(a == b or "e" in (a, b) for a, b in zip(x, y, strict=True))


def _spelled(plain: str) -> str:
    plain = _SOFT.sub("s", re.sub(r"([bcdfghjkmnpqrtvwxy])\1", r"\1", plain))
    begun, rest = ("", plain)
    if plain[:1] in _INITIAL and plain[:2] not in ("ou", "ai", "ay", "au"):
        begun, rest = _INITIAL[plain[0]], plain[1:]
    elif plain[:2] in ("ou", "ai", "ay", "au"):
        begun, rest = {"ou": "و", "ai": "أي", "ay": "أي", "au": "أو"}[plain[:2]], plain[2:]
    return begun + _PIECE.sub(lambda m: _GROUPS[m.group()], rest)
