"""Identifiers in their one written form, each by its own grammar; None when the text does not follow it.

`country` is ISO 3166-1 alpha-2, upper or lower case, and may be empty where the text says it itself (+212..., an IBAN).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

import phonenumbers
from stdnum import bic, iban, imei, imo, luhn
from stdnum.es import dni, nie
from stdnum.exceptions import ValidationError
from stdnum.it import codicefiscale
from stdnum.pt import cc as pt_card

from tansiq.matching.plates import plate
from tansiq.matching.text import load
from tansiq.matching.wallets import wallet

MAX = 120
_SPACE = re.compile(r"[\s\-_./·–—‐‑]+")


def _plain(text: str) -> str:
    """NFKC, any script's digits as ASCII digits, format characters gone, upper case."""
    out = []
    for c in unicodedata.normalize("NFKC", text[:MAX]):
        if unicodedata.category(c) in {"Cf", "Cc"} and c not in "\t\n ":
            continue
        digit = unicodedata.digit(c, None)
        out.append(str(digit) if digit is not None else c)
    return "".join(out).strip().upper()


def _compact(text: str) -> str:
    return _SPACE.sub("", _plain(text))


_PHONE_WORD = re.compile(
    r"^\s*(?:TEL|TÉL|TELEPHONE|TÉLÉPHONE|TELÉFONO|TELEFON|TELEFONO|TELEFONE|PHONE|MOBILE|MOBIL|MÓVIL|PORTABLE|CELL|GSM"
    r"|WHATSAPP|FAX|HANDY|هاتف|الهاتف|محمول|نقال|جوال)\s*[.:]?\s*"
)
_EXTENSION = re.compile(
    r"(?:\s*[,;]?\s*(?:EXTENSION|EXT|POSTE|INTERNO|INT|DURCHWAHL|DW|RAMAL|تحويلة|داخلي|X|#)\s*[.:]?\s*\d{1,6}|;EXT=\d{1,6})$"
)
_WHOLE = re.compile(r"^\+[1-9]\d{6,14}$", re.ASCII)
_WHATSAPP = re.compile(r"^(?:HTTPS?://)?(?:WA\.ME/|API\.WHATSAPP\.COM/SEND/?\?PHONE=)\+?(\d{8,15})\b.*$")


def normal_phone(text: str, country: str = "") -> str | None:
    """E.164 (`+212612345678`), or None. An extension is no part of the number; letters make it something else."""
    # Whole as it stands, it is the same number wherever it is dialled.
    return _normal_phone(text, "" if _WHOLE.match(text) else country)


@lru_cache(maxsize=8192)  # the same few numbers are compared with every candidate, and the grammar is slow
def _normal_phone(text: str, country: str) -> str | None:
    plain = _WHATSAPP.sub(r"+\1", _plain(text))
    plain = _EXTENSION.sub("", _PHONE_WORD.sub("", plain)).strip()
    if plain.endswith("+") and not plain.startswith("+"):
        plain = f"+{plain[:-1]}"  # typed right to left
    if re.search(r"[^\d+\s().,/\-–—‐‑·|*_]", plain):
        return None
    bare = re.sub(r"[^\d+]", "", re.sub(r"^(\+|00)(\d{1,3})\s*\(0\)", r"\1\2", plain))
    bare = re.sub(r"^00(?=[1-9])", "+", bare)
    try:
        number = phonenumbers.parse(bare, country.upper() or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def normal_plate(text: str, country: str = "") -> str | None:
    """`CC:plate`, e.g. `MA:12345-A-6`, `ES:1234BCD`; unknown countries keep letters and digits; None if neither."""
    return plate(_plain(text), country.upper())


_DOCUMENTS: dict[tuple[str, str], re.Pattern[str]] = {
    ("MA", "passport"): re.compile(r"^[A-Z]{1,2}\d{6,7}$"),
    ("ES", "passport"): re.compile(r"^([A-Z]{3}\d{6}|[A-Z]{2}\d{6,7})$"),
    ("FR", "passport"): re.compile(r"^\d{2}[A-Z]{2}\d{5}$"),
    ("IT", "identity_card"): re.compile(r"^([A-Z]{2}\d{5}[A-Z]{2}|[A-Z]{2}\d{7}|\d{7}[A-Z]{2})$"),
    ("IT", "passport"): re.compile(r"^([A-Z]{2}\d{7}|[A-Z]\d{6})$"),
    ("PT", "passport"): re.compile(r"^[A-Z]{1,2}\d{6}$"),
}


def normal_document(text: str, country: str = "", kind: str = "") -> str | None:
    """`CC:NUMBER` of a passport, identity card or permit; what has a check digit is checked."""
    cc, number = country.upper(), _compact(text)
    if cc == "DE":
        number = number.replace("<", "")
    if not 4 <= len(number) <= 24 or not number.isascii() or not number.isalnum() or number.isalpha():
        return None
    own = _OWN.get(cc)
    if own is not None:
        found = own(number, kind)
        if found is not None:
            return f"{cc}:{found}" if found else None
    grammar_of = _DOCUMENTS.get((cc, kind))
    if grammar_of and not grammar_of.match(number):
        return None
    return f"{cc}:{number}" if cc else number


_SPANISH_NAMED = frozenset({"", "identity_card", "residence_permit"})


def _spanish(number: str, kind: str) -> str | None:
    """DNI and NIE with their check letter, which a DNI of bare digits gets; support numbers (`AAA000000`) stay."""
    if kind not in _SPANISH_NAMED:
        return None
    for grammar in (dni, nie):
        whole = number.zfill(9) if number[0].isdigit() else number
        if grammar.is_valid(whole):
            return str(grammar.compact(whole))
    if kind == "identity_card" and re.fullmatch(r"\d{7,8}", number):
        digits = number.zfill(8)
        return digits + str(dni.calc_check_digit(digits))
    if re.fullmatch(r"(IDESP)?[A-Z]{3}\d{6}", number):
        return number.removeprefix("IDESP")
    return "" if kind or re.fullmatch(r"\d{8}[A-Z]|[XYZ]\d{7}[A-Z]", number) else None


def _moroccan(number: str, kind: str) -> str | None:
    """The CNIE is written with and without leading zeros."""
    if kind != "identity_card":
        return None
    if not re.fullmatch(r"[A-Z]{1,2}\d{1,7}", number):
        return ""
    return re.sub(r"^([A-Z]+)0+(?=\d)", r"\1", number)


def _german(number: str, kind: str) -> str | None:
    """Nine signs without vowels, then the check digit of ICAO Doc 9303 and `D` where they were copied along."""
    m = re.fullmatch(r"([CFGHJKLMNPRTVWXYZ0-9]{9})(\d?)D?", number)
    if not m:
        return "" if kind in {"identity_card", "passport"} else None
    if m[2] and _mrz_digit(m[1]) != m[2]:
        return "" if kind in {"identity_card", "passport"} else None
    return m[1]


def _french(number: str, kind: str) -> str | None:
    """CNI until 2021: year, month, place, serial (12 digits) and a check digit; since then nine signs and one."""
    if kind != "identity_card":
        return None
    if re.fullmatch(r"\d{2}(0[1-9]|1[0-2])[0-9AB]{3}\d{5}\d?", number):
        return number[:12] if len(number) == 12 or _mrz_digit(number[:12]) == number[12] else ""
    if re.fullmatch(r"[A-Z0-9]{9}\d?", number) and not number[:9].isalpha():
        return number[:9] if len(number) == 9 or _mrz_digit(number[:9]) == number[9] else ""
    return ""


def _italian(number: str, kind: str) -> str | None:
    """A codice fiscale is checked wherever it stands; cards and passports by their form."""
    if len(number) == 16 and re.match(r"[A-Z]{6}", number):
        return number if codicefiscale.is_valid(number) else ""
    return None


def _portuguese(number: str, kind: str) -> str | None:
    """The citizen card's number with its two check digits, or the civil number alone: both give the civil number."""
    if kind not in {"", "identity_card"}:
        return None
    if re.fullmatch(r"\d{9}[A-Z0-9]{2}\d", number):
        return number[:8] if pt_card.is_valid(number) else ""
    if kind and re.fullmatch(r"\d{7,8}", number):
        return number.zfill(8)
    if kind and re.fullmatch(r"\d{9}", number):
        total = sum(int(d) * (9 - i) for i, d in enumerate(number[:8]))
        return number[:8] if number[8] == str((11 - total % 11) % 11 % 10) else ""
    return "" if kind else None


_OWN: dict[str, Callable[[str, str], str | None]] = {
    "DE": _german,
    "ES": _spanish,
    "FR": _french,
    "IT": _italian,
    "MA": _moroccan,
    "PT": _portuguese,
}
"""Grammars that do more than fit a form: the number, `` where it breaks its own rules, None where it is another's."""


def _mrz_digit(text: str) -> str:
    """ICAO Doc 9303-3 section 4.9: weights 7, 3, 1."""
    values = (int(c, 36) if c.isalnum() else 0 for c in text)
    return str(sum(v * (7, 3, 1)[i % 3] for i, v in enumerate(values)) % 10)


def _checked(text: str, grammar: Callable[[str], str]) -> str | None:
    try:
        return str(grammar(text))
    except (ValidationError, ValueError, IndexError, KeyError):
        return None


_UNLISTED_IBAN = {"MA": 26, "DZ": 24}
"""Digits behind the country code where banks write IBANs that the registry does not list: only the check sum holds."""


def normal_iban(text: str, country: str = "") -> str | None:
    """An IBAN with a right check sum."""
    plain = re.sub("^IBAN:?", "", _compact(text))
    if country and not plain.startswith(country.upper()):
        return None
    digits = _UNLISTED_IBAN.get(plain[:2])
    if digits is not None:
        whole = plain[4:] + plain[:4]
        fits = re.fullmatch(rf"[A-Z]{{2}}\d{{{digits}}}", plain)
        return plain if fits and int("".join(str(int(c, 36)) for c in whole)) % 97 == 1 else None
    return _checked(plain, lambda t: iban.validate(t, check_country=False))


def normal_bic(text: str, country: str = "") -> str | None:
    """A BIC of 8 or 11 characters."""
    return _checked(_compact(text), bic.validate)


def normal_imei(text: str, country: str = "") -> str | None:
    """The 14 digits that name the device (a written check digit must be right; a software version is dropped)."""
    digits = re.sub(r"\D", "", re.sub("^IMEI:?", "", _compact(text)))
    if len(digits) == 15 and not imei.is_valid(digits):
        return None
    return digits[:14] if len(digits) in {14, 15, 16} else None


_VIN = {
    c: v
    for v, letters in {1: "AJ", 2: "BKS", 3: "CLT", 4: "DMU", 5: "ENV", 6: "FW", 7: "GPX", 8: "HY", 9: "RZ"}.items()
    for c in letters
}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def normal_vin(text: str, country: str = "") -> str | None:
    """ISO 3779: 17 signs without I, O, Q; the check digit is required where the maker's region uses it (1-5)."""
    number = _compact(text)
    if not re.fullmatch(r"[A-HJ-NPR-Z0-9]{17}", number):
        return None
    total = sum(w * (int(c) if c.isdigit() else _VIN[c]) for w, c in zip(_VIN_WEIGHTS, number, strict=True)) % 11
    if number[0] in "12345" and number[8] != ("X" if total == 10 else str(total)):
        return None
    return number


_MMSI = re.compile(r"[2-7]\d{8}|00[2-7]\d{6}|0[2-7]\d{7}|111[2-7]\d{5}|9[789]\d{7}")
"""ITU-R M.585: ships, coast stations, groups, aircraft, craft and beacons."""


def normal_vessel(text: str, country: str = "") -> str | None:
    """`IMO1234567` with its check digit, or `MMSI123456789`."""
    plain = _compact(text)
    number = re.sub("^(IMO|MMSI)(NO|NUMBER|NR)?:?", "", plain)
    if not plain.startswith("IMO") and _MMSI.fullmatch(number):
        return f"MMSI{number}"
    found = None if plain.startswith("MMSI") else _checked(number, imo.validate)
    return f"IMO{found}" if found else None


def normal_callsign(text: str, country: str = "") -> str | None:
    """A ship's or station's call sign (ITU Radio Regulations art. 19): `CNA2345`, `3EAB7`."""
    number = re.sub("^(CALL ?SIGN|C/S):?", "", _compact(text))
    return number if re.fullmatch(r"(?:[A-Z]{2}|[A-Z]\d|\d[A-Z])(?=.*[A-Z0-9])[A-Z0-9]{1,5}", number) else None


def normal_imsi(text: str, country: str = "") -> str | None:
    """14 or 15 digits that begin with a mobile country code (ITU-T E.212)."""
    number = re.sub("^IMSI:?", "", _compact(text))
    return number if re.fullmatch(r"[2-79]\d{13,14}", number) else None


def normal_aircraft(text: str, country: str = "") -> str | None:
    """A registration mark (ICAO Annex 7) without its hyphen: `CNRGA`, `N12345`; or `ICAO24:020123` where it says so."""
    plain = _compact(text)
    code = re.fullmatch(r"(?:ICAO24|ICAO|MODES|HEX|0X):?((?=.*[1-9A-F])[0-9A-F]{6})", plain)
    if code:
        return f"ICAO24:{code[1]}"
    number = re.sub("^(REG|REGISTRATION):?", "", plain)
    if re.fullmatch(r"N[0-9].*", number):
        # the United States count: up to five signs, no zero first, no I and O
        return (
            number
            if re.fullmatch(r"N[1-9]\d{0,4}|N[1-9]\d{0,3}[A-HJ-NP-Z]|N[1-9]\d{0,2}[A-HJ-NP-Z]{2}", number)
            else None
        )
    return number if re.fullmatch(r"(?=.*[A-Z])(?:[A-Z]{1,2}|[A-Z]\d|\d[A-Z])[A-Z0-9]{3,5}", number) else None


def normal_email(text: str, country: str = "") -> str | None:
    """Lower case; the domain in its ASCII form; `mailto:` and display name dropped."""
    plain = unicodedata.normalize("NFKC", text[:320]).strip()
    m = re.fullmatch(r"(?:mailto:|[^<>]*<)?\s*([^\s<>@]{1,64})@([^\s<>@]{3,253}?)\s*>?", plain, re.IGNORECASE)
    if not m or m.group(1).startswith(".") or m.group(1).endswith(".") or ".." in m.group(1):
        return None
    try:
        domain = m.group(2).rstrip(".").encode("idna").decode("ascii").lower()
    except (UnicodeError, IndexError):
        return None
    if not re.fullmatch(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", domain):
        return None
    return f"{m.group(1).casefold()}@{domain}"


_SITES = load("platforms.json")
_HOSTS: dict[str, str] = _SITES["hosts"]
_NAMED: dict[str, str] = _SITES["names"]
_PAGES = frozenset(_SITES["pages"])


def normal_username(text: str, country: str = "") -> str | None:
    """`platform:name` when a link or a word names the platform, else the bare name in lower case without its @."""
    plain = unicodedata.normalize("NFKC", text[:200]).strip().casefold()
    plain = "".join(c for c in plain if unicodedata.category(c) != "Cf")
    link = re.fullmatch(
        r"(?:https?://)?(?:www\.|m\.|mobile\.)?([a-z.]+(?:/(?:add|in|user))?)/@?([\w.\-]{2,64})/?(?:[?#].*)?", plain
    )
    if link and link[1] in _HOSTS:
        return f"{_HOSTS[link[1]]}:{link[2]}" if link[2] not in _PAGES and not link[2].endswith(".php") else None
    told = re.fullmatch(r"(.{1,12}?)\s*[:：]\s*@?([\w.\-]{2,64})", plain)
    if not told:
        after = re.fullmatch(r"@?([\w.\-]{2,64})\s*\((.{1,12})\)", plain)
        told = re.fullmatch(r"(.+)\n(.+)", f"{after[2]}\n{after[1]}") if after else None
    if told and told[1].strip() in _NAMED:
        return f"{_NAMED[told[1].strip()]}:{told[2]}"
    bare = plain.removeprefix("@")
    return bare if re.fullmatch(r"[\w.\-]{2,64}", bare) and any(c.isalnum() for c in bare) else None


def normal_crypto(text: str, country: str = "") -> str | None:
    """The network and the address (`btc:`, `eth:`, `tron:`, `xmr:`, `ltc:`, `doge:`); check sums are verified."""
    plain = unicodedata.normalize("NFKC", text[:MAX]).strip()
    plain = re.sub(r"^(bitcoin|ethereum|tron|monero|litecoin|dogecoin):", "", plain, flags=re.IGNORECASE)
    return wallet(plain.partition("?")[0])


def normal_card(text: str, country: str = "") -> str | None:
    """A payment card or SIM (ICCID) number with a right Luhn digit."""
    digits = _compact(text)
    return digits if re.fullmatch(r"\d{12,20}", digits) and luhn.is_valid(digits) else None


NORMAL: dict[str, Callable[[str, str], str | None]] = {
    "phone": normal_phone,
    "plate": normal_plate,
    "document": normal_document,
    "iban": normal_iban,
    "bic": normal_bic,
    "imei": normal_imei,
    "vin": normal_vin,
    "vessel": normal_vessel,
    "callsign": normal_callsign,
    "imsi": normal_imsi,
    "aircraft": normal_aircraft,
    "email": normal_email,
    "username": normal_username,
    "crypto": normal_crypto,
    "card": normal_card,
}


@lru_cache(maxsize=8192)
def normal_identifier(kind: str, text: str, country: str = "") -> str | None:
    """By kind; None for a kind that has no grammar here."""
    grammar = NORMAL.get(kind)
    return grammar(text, country) if grammar else None
