"""A press text as the draft of a report. Small on purpose: it finds names that stand behind a title, and no others.

An officer reads the draft before it becomes anything. What the patterns miss is missed openly: the whole text is there.
"""

from __future__ import annotations

import re

from tansiq.bank import clean_value
from tansiq.errors import Invalid
from tansiq.sources.model import PressDraft
from tansiq.sources.wire import text

MAX_PRESS = 200_000
"""Characters; a longer text is a book or a mistake."""

_WORDS = {
    "fr": {"le", "la", "les", "des", "du", "une", "dans", "est", "et", "pour", "avec"},
    "es": {"el", "los", "las", "del", "una", "con", "para", "por", "que", "y"},
    "de": {"der", "die", "das", "und", "mit", "von", "ist", "dem", "den", "ein", "eine"},
    "it": {"il", "gli", "della", "di", "che", "con", "per", "una", "nel", "dei"},
    "en": {"the", "of", "and", "with", "to", "in", "for", "was", "that", "on"},
}
_AR = r"[\u0621-\u064a\u0670-\u06d3]+"
_NAME_AR = rf"{_AR}(?: {_AR}){{1,4}}"
_TITLES_AR = (
    "المدير العام|مدير عام|رئيس|رئيسة|وزير|وزيرة|المفوض العام|المفوضة العامة"
    "|الوالي|العميد|الجنرال|العقيد|نظيره|نظيرته|نظيريه"
)
# A title, what it is the title of, a comma, the name, a comma: how Arabic reports introduce officials.
_INTRODUCED_AR = re.compile(rf"(?:{_TITLES_AR})[^،,.؛:\n]{{0,90}}[،,]\s*({_NAME_AR})(?=\s*[،,.؛\n])")
# The other order: the name, a comma, the title.
_FOLLOWED_AR = re.compile(rf"(?:^|[،,.؛\n])\s*({_NAME_AR})[،,]\s*(?:{_TITLES_AR})")
# `السيد` and `نظيره الإسباني` go straight before the name.
_BEFORE_AR = re.compile(rf"(?:السيدة?|الدكتور|الأستاذ|نظير(?:ه|ته|يه) ال{_AR})\s+({_NAME_AR})(?=\s*[،,.؛:\n])")
_SKIPPED_AR = re.compile(r"(?:استقبل|أكد|قال|التقى|أجرى|ترأس|زار|و?نظير(?:ه|ته|يه)|و?السيدة?|ال[\u0621-\u064a]+ية?)$")
"""Words that may stand before a name and are none of it: verbs, counterparts, adjectives of countries."""
_NO_NAME_AR = re.compile(
    r"(?:أمس|اليوم|غدا|صباح|مساء|في|من|على|إلى|عن|مع|خلال|بعد|قبل|أن|إن|التي|الذي|الذين|حيث|كما|وفق|بحضور"
    r"|ال(?:اثنين|إثنين|ثلاثاء|أربعاء|خميس|جمعة|سبت|أحد)|بال[\u0621-\u064a]+|لل[\u0621-\u064a]+)$"
)
"""One of these anywhere: the text between the commas was no name."""
_CAP = r"[A-ZÀ-ÖØ-Ý][\w'’-]+"
_NAME_LATIN = rf"{_CAP}(?: (?:{_CAP}|al|el|ben|bin|de|del|la|von|van|di)){{1,4}}"
_INTRODUCED_LATIN = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|M\.|Mme|Herr|Frau|Sr|Sra|Don|[Dd]irecteur général|[Mm]inistre|[Dd]irector(?: [Gg]eneral)?"
    rf"|[Mm]inist(?:er|ro)|[Cc]hief|[Pp]räsident|[Cc]omisario)\.?,? (?:[a-zà-ý'’]+ ){{0,6}}({_NAME_LATIN})"
)


def read_press(data: bytes) -> PressDraft:
    """Raises `Invalid` where the file is no text."""
    content = text(data)
    if len(content) > MAX_PRESS:
        raise Invalid("press.too_long", f"longer than {MAX_PRESS} characters", step="read press text")
    lines: list[str] = []
    for line in content.splitlines():
        try:
            lines.append(clean_value(line, "text"))
        except Invalid:
            continue
    if not lines:
        raise Invalid("press.empty", "no text in it", step="read press text")
    title = lines[0]
    body = [line for line in lines[1:] if line != title]
    narrative = "\n".join(body) or title
    lang = language(content)
    return PressDraft(lang, title, narrative, _persons(narrative, lang))


def language(content: str) -> str:
    """`ar` by the script, else the language whose small words are most frequent; `und` when none is."""
    arabic = len(re.findall(r"[\u0600-\u06ff]", content))
    latin = len(re.findall(r"[A-Za-zÀ-ÿ]", content))
    if arabic > latin:
        return "ar"
    words = re.findall(r"[a-zà-ÿ]+", content.lower())
    counts = {lang: sum(w in small for w in words) for lang, small in _WORDS.items()}
    best = max(counts, key=lambda lang: counts[lang])
    return best if counts[best] else "und"


def _persons(narrative: str, lang: str) -> tuple[str, ...]:
    if lang != "ar":
        return tuple(dict.fromkeys(m.group(1).strip() for m in _INTRODUCED_LATIN.finditer(narrative)))
    met = sorted(
        (m.start(1), m.group(1)) for p in (_INTRODUCED_AR, _FOLLOWED_AR, _BEFORE_AR) for m in p.finditer(narrative)
    )
    found = (_name_ar(words) for _, words in met)
    return tuple(dict.fromkeys(name for name in found if name))


def _name_ar(words: str) -> str:
    """What is left as a name; empty when it was something else, or a bare family name."""
    parts = words.split()
    while parts and _SKIPPED_AR.match(parts[0]):
        parts = parts[1:]
    if not 2 <= len(parts) <= 5 or any(_NO_NAME_AR.match(p) for p in parts):
        return ""
    return " ".join(parts)
