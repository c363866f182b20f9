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
# `السيد` goes straight before the name.
_MISTER_AR = re.compile(rf"(?:السيدة?|الدكتور|الأستاذ)\s+({_AR}(?: {_AR}){{1,2}})(?=\s*[،,.؛:\n])")
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
    patterns = (_INTRODUCED_AR, _MISTER_AR) if lang == "ar" else (_INTRODUCED_LATIN,)
    found = [m.group(1).strip() for p in patterns for m in p.finditer(narrative)]
    return tuple(dict.fromkeys(found))
