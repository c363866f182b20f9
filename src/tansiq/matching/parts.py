"""A name as written becomes parts: one part per name word, with its particles bound to it.

`Abd al-Rahman`, `Abderrahmane` and `عبد الرحمن` are one part each; `bin Laden`, `Ben Ali`, `Benali`, `بن علي`
are a core with a particle that may be skipped at a price; an article is dropped where it stands apart and
skipped at a price where it is fused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from tansiq.matching.text import ARABIC, LATIN, MAX_CHARS, MAX_LETTERS, UNITS, load, units, words, written

MAX_PARTS = 10

_P = load("particles.json")


def _fold(word: str) -> str:
    found = words(word)
    return found[0][1] if found else ""


ARTICLE = frozenset(map(_fold, _P["article"]))
ASSIMILATED = frozenset(_P["article_assimilated"])
PREFIX: dict[str, str] = {_fold(w): kind for kind, entry in _P["prefix"].items() for w in entry["words"]}
PREFIX_SPELLING: dict[str, tuple[str, str]] = {k: (e["latin"], e["arabic"]) for k, e in _P["prefix"].items()}
TITLE = frozenset(map(_fold, _P["title"]))
SERVANT = frozenset(map(_fold, _P["servant"]["latin"] + _P["servant"]["arabic"]))
RELIGION = frozenset(map(_fold, _P["religion"]["latin"] + _P["religion"]["arabic"]))
GOD = frozenset(map(_fold, _P["god"]["latin"] + _P["god"]["arabic"]))

_N = load("nicknames.json")
ABBREVIATION: dict[str, str] = _N["abbreviations"]

# Kinds of beginnings that an alignment may skip; each has a learned price (edit.py).
SKIPS = (
    "article_fused",
    "article_arabic",
    "article_assimilated",
    "son",
    "son_fused",
    "son_article_fused",
    "father",
    "father_fused",
    "daughter",
    "ould",
    "mint",
    "mother",
    "people",
    "servant",
)
SKIP_ID = {k: i for i, k in enumerate(SKIPS)}


_BARE = str.maketrans("çşžğñöüä", "cszgnoua")


@dataclass(frozen=True, slots=True)
class Part:
    """One name part. `shown` is as written, `skips` the beginnings that may be left out: (units, kind)."""

    shown: str
    script: int
    letters: str
    units: tuple[int, ...]
    skips: tuple[tuple[int, int], ...] = ()
    article: bool = False
    particle: str = ""
    title: bool = False

    @property
    def bare(self) -> str:
        """The letters without the accents that some writers leave out and others spell with."""
        return self.letters.translate(_BARE)


_FUSED_SERVANT = re.compile(r"^(abd)(?:[aeou]{1,2}(?!l+ah?$)(?:([rsnztd])(?=\2)|l(?=l?[^l]{2})|(?=[rsnzth])))")
_FUSED_RELIGION = re.compile(r"^(.{2,}?)[aeiou]{0,2}(?:[dl]?d)(?:i|ee|ie)n[ea]?$")
_FUSED_FATHER = re.compile(r"^a?b(?:ou|u|oo)(?=[^aeiou].{2})")
_FUSED_SON = re.compile(r"^b[ei]n(?=.{3})")
_FUSED_SON_ARTICLE = re.compile(r"^b[ei]l(?=[^l].{2})")
_FUSED_ARTICLE = re.compile(r"^[ae]l(?=[^l].{2})")
_ASSIMILATED = re.compile(r"^[ae](?:([rsnztd])\1|(sh|ch|dj|dh|th)\2|ssh|cch|tch)")


# (what a word begins with, more letters than this, units that may be skipped, kind), the first that fits counts
_BEGINNINGS: dict[int, tuple[tuple[re.Pattern[str], int, int, str], ...]] = {
    ARABIC: (
        (re.compile("ال"), 4, 2, "article_arabic"),
        (re.compile("بو"), 4, 2, "father_fused"),
        (re.compile("بل"), 4, 2, "son_article_fused"),
        (re.compile("بن"), 4, 2, "son_fused"),
        (re.compile("ولد"), 5, 3, "ould"),
        (re.compile("عبد"), 5, 3, "servant"),
    ),
    LATIN: (
        (re.compile("bou"), 5, 2, "father_fused"),
        (_FUSED_SON, 0, 3, "son_fused"),
        (_FUSED_SON_ARTICLE, 0, 3, "son_article_fused"),
        (_FUSED_ARTICLE, 0, 2, "article_fused"),
        (_ASSIMILATED, 0, 1, "article_assimilated"),
        (re.compile("abd"), 5, 3, "servant"),
    ),
}


def _rewrite(script: int, w: str) -> str:
    """One fused word in the spelling that its parted form gets."""
    if script == ARABIC:
        if w.startswith("عبدال") and len(w) > 6 and w[5:] != "له" and w[3:] not in GOD:
            return "عبد-" + w[5:]
        if w.endswith("الدين") and len(w) > 6:
            return w[:-5] + "دين"
        return "بو" + w[3:] if w.startswith("ابو") and len(w) > 5 else w
    w = _FUSED_SERVANT.sub("abd-", w) if w.startswith("abd") and len(w) > 5 else w
    m = _FUSED_RELIGION.match(w) if len(w) > 5 else None
    if m:
        w = m.group(1) + "din"
    return _FUSED_FATHER.sub("bou", w)


def _skips(script: int, w: str, kind: str, n: int) -> tuple[tuple[int, int], ...]:
    """Beginnings of the word that an alignment may skip; `n` units of an explicit particle come first."""
    if kind and n:
        return ((n, SKIP_ID[kind]),)
    for begins, least, size, name in _BEGINNINGS[script]:
        if len(w) > least and begins.match(w):
            return ((size, SKIP_ID[name]),)
    return ()


@lru_cache(maxsize=16384)
def make_part(script: int, letters: str, shown: str, kind: str, article: bool) -> Part | None:
    """One part from its folded letters (without the particle `kind`)."""
    letters = letters[:MAX_LETTERS]
    core = _rewrite(script, ABBREVIATION.get(letters, letters))
    head = PREFIX_SPELLING[kind][script] + "-" if kind and kind != "of" else ""
    n = len(units(script, head)) if head else 0
    if n and script == ARABIC and core.startswith("ال") and len(core) > 4:
        core, article = core[2:], True
    spelled = (head + core)[:MAX_LETTERS]
    u = units(script, spelled)
    if not u:
        return None
    title = not kind and letters in TITLE
    return Part(shown, script, spelled, u, _skips(script, spelled, kind, n), article, kind, title)


_EDGES = " -.,;()'’‘"
Span = tuple[int, int]


def shown(text: str, span: Span) -> str:
    """What stands there in `written(name)`, without what surrounds it."""
    return text[span[0] : span[1]].strip(_EDGES)


class _Builder:
    """Walks the words of one name; what waits for the next word (article, particle) is held here."""

    def __init__(self) -> None:
        self.done: list[tuple[int, str, Span, str, bool]] = []
        self.begin = -1
        self.clear()

    def clear(self) -> None:
        self.begin, self.kind, self.article, self.servant = -1, "", False, False

    def hold(self, span: Span) -> None:
        self.begin = span[0] if self.begin < 0 else self.begin

    def flush(self, script: int, letters: str, span: Span) -> None:
        if self.servant:
            if script == ARABIC and letters.startswith("ال") and letters not in GOD and len(letters) > 4:
                letters = letters[2:]
            letters = ("abd-" if script == LATIN else "عبد-") + letters
        self.hold(span)
        self.done.append((script, letters, (self.begin, span[1]), self.kind, self.article))
        self.clear()

    def join_back(self, tail: str, span: Span) -> None:
        script, letters, before, kind, article = self.done.pop()
        self.done.append((script, letters + tail, (before[0], span[1]), kind, article))
        self.clear()

    def take(self, script: int, w: str, nxt: str, span: Span) -> None:
        if not nxt:
            self.end(script, w, span)
        elif w in ARTICLE or (w in ASSIMILATED and w[-1] == nxt[0]):
            self.article = True
            self.hold(span)
        elif w in SERVANT and nxt not in PREFIX:
            self.servant = True
            self.hold(span)
        elif w in PREFIX and not self.servant:
            # the innermost particle wins: `Ahmed ben Abi Talib` is Talib, son of
            self.kind = self.kind if PREFIX[w] == "of" and self.kind else PREFIX[w]
            self.hold(span)
        else:
            self.end(script, w, span)

    def end(self, script: int, w: str, span: Span) -> None:
        joins = self.done and not self.kind and not self.servant and script == self.done[-1][0]
        if joins and w in RELIGION:
            # as one word would be written: of `kamaldin` nobody knows whether `al` is an article
            tail = "din" if self.done[-1][1][-1] in "aeiou" else "edin"
            self.join_back(tail if script == LATIN else "الدين", span)
        elif joins and w in GOD and not self.article:
            self.join_back("allah" if script == LATIN else "الله", span)
        else:
            self.flush(script, w, span)


def parts(name: str) -> tuple[Part, ...]:
    """The parts of a name, in the order written; at most MAX_PARTS."""
    return _parts(name[:MAX_CHARS])


@lru_cache(maxsize=8192)
def _parts(name: str) -> tuple[Part, ...]:
    found = words(name)
    if len(found) == 1 and found[0][1] in ARTICLE:
        return ()  # what numbers and signs left over (`EL 63`) is nobody's name
    builder = _Builder()
    for i, (script, w, span) in enumerate(found):
        nxt = found[i + 1][1] if i + 1 < len(found) and found[i + 1][0] == script else ""
        if i == 0 and len(found) == 2 and PREFIX.get(w) == "son":
            nxt = (
                ""  # of two words the first is a given name (`Ben`); `Ben Ali` still meets `Benali` as written together
            )
        builder.take(script, w, nxt, span)
    text = written(name)
    made = (
        make_part(script, letters, shown(text, span), kind, article)
        for script, letters, span, kind, article in builder.done[:MAX_PARTS]
    )
    return tuple(p for p in made if p is not None)


GROUPS: dict[str, frozenset[int]] = {}
"""The lines of forms of one given name in which a word stands, under the letters that a part of it has: `Nureddin` is
`nurdin`, `Abdoulaye` is `abd-aye`."""
for _i, _line in enumerate(_N["groups"]):
    for _word in _line.split():
        for _letters in {p.letters for p in parts(_word)} | ({_fold(_word)} if "-" not in _word else set()):
            GROUPS[_letters] = GROUPS.get(_letters, frozenset()) | {_i}


@lru_cache(maxsize=16384)
def merged(a: Part, b: Part) -> Part | None:
    """Two neighbouring parts written as one word (`Mohamed Amine`, `Mohamedamine`)."""
    if a.script != b.script:
        return None
    return make_part(a.script, a.letters + b.letters, f"{a.shown} {b.shown}", "", a.article)


_CLASS: dict[int, str] = {}
for _members, _code in load("romanisation.json")["classes"].items():
    for _unit in _members.split():
        if _unit in UNITS:
            _CLASS[UNITS.index(_unit)] = _code


def core(p: Part) -> tuple[int, ...]:
    """The units without article or particle (`Abd al-` stays: it makes another name)."""
    for k, kind in p.skips:
        if kind != SKIP_ID["servant"]:
            return p.units[k:]
    return p.units


@lru_cache(maxsize=16384)
def skeleton(u: tuple[int, ...]) -> str:
    """Coarse consonants of a word, equal for most spellings of one name in either script."""
    out = ""
    for x in u:
        c = _CLASS.get(x, "")
        if c and not out.endswith(c):
            out += c
    return out.rstrip("H") or out
