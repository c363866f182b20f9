"""A name as written becomes parts: one part per name word, with its particles bound to it.

`Abd al-Rahman`, `Abderrahmane` and `عبد الرحمن` are one part each; `bin Laden`, `Ben Ali`, `Benali`, `بن علي` are a core with a
particle that may be skipped at a price; an article is dropped where it stands apart and skipped at a price where it is fused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from tansiq.matching.text import ARABIC, LATIN, UNITS, load, units, words

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
GROUPS: dict[str, frozenset[int]] = {}
for _i, _line in enumerate(_N["groups"]):
    for _word in _line.split():
        GROUPS[_fold(_word)] = GROUPS.get(_fold(_word), frozenset()) | {_i}

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


_FUSED_SERVANT = re.compile(r"^(abd)(?:[aeou]{1,2}(?!l+ah?$)(?:([rsnztd])(?=\2)|l(?=l?[^l]{2})|(?=[rsnzth])))")
_FUSED_RELIGION = re.compile(r"^(.{2,}?)[aeiou]{0,2}(?:[dl]?d)(?:i|ee|ie)n[ea]?$")
_FUSED_FATHER = re.compile(r"^a?b(?:ou|u|oo)(?=[^aeiou].{2})")
_FUSED_SON = re.compile(r"^b[ei]n(?=.{3})")
_FUSED_SON_ARTICLE = re.compile(r"^b[ei]l(?=[^l].{2})")
_FUSED_ARTICLE = re.compile(r"^[ae]l(?=[^l].{2})")
_ASSIMILATED = re.compile(r"^[ae](?:([rsnztd])\1|(sh|ch|dj|dh|th)\2|ssh|cch|tch)")


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
    out: list[tuple[int, int]] = []
    if kind and n:
        out.append((n, SKIP_ID[kind]))
        return tuple(out)
    if script == ARABIC:
        if w.startswith("ال") and len(w) > 4:
            out.append((2, SKIP_ID["article_arabic"]))
        elif w.startswith("بو") and len(w) > 4:
            out.append((2, SKIP_ID["father_fused"]))
        elif w.startswith("بل") and len(w) > 4:
            out.append((2, SKIP_ID["son_article_fused"]))
        elif w.startswith("بن") and len(w) > 4:
            out.append((2, SKIP_ID["son_fused"]))
        elif w.startswith("ولد") and len(w) > 5:
            out.append((3, SKIP_ID["ould"]))
        elif w.startswith("عبد") and len(w) > 5:
            out.append((3, SKIP_ID["servant"]))
        return tuple(out)
    if w.startswith("bou") and len(w) > 5:
        out.append((2, SKIP_ID["father_fused"]))
    elif _FUSED_SON.match(w):
        out.append((3, SKIP_ID["son_fused"]))
    elif _FUSED_SON_ARTICLE.match(w):
        out.append((3, SKIP_ID["son_article_fused"]))
    elif _FUSED_ARTICLE.match(w):
        out.append((2, SKIP_ID["article_fused"]))
    elif _ASSIMILATED.match(w):
        out.append((1, SKIP_ID["article_assimilated"]))
    elif w.startswith("abd") and len(w) > 5:
        out.append((3, SKIP_ID["servant"]))
    return tuple(out)


@lru_cache(maxsize=65536)
def make_part(script: int, letters: str, shown: str, kind: str, article: bool) -> Part | None:
    """One part from its folded letters (without the particle `kind`)."""
    core = _rewrite(script, ABBREVIATION.get(letters, letters))
    head = PREFIX_SPELLING[kind][script] + "-" if kind and kind != "of" else ""
    n = len(units(script, head)) if head else 0
    if n and script == ARABIC and core.startswith("ال") and len(core) > 4:
        core, article = core[2:], True
    u = units(script, head + core)
    if not u:
        return None
    title = not kind and letters in TITLE
    return Part(shown, script, head + core, u, _skips(script, head + core, kind, n), article, kind, title)


class _Builder:
    """Walks the words of one name; what waits for the next word (article, particle) is held here."""

    def __init__(self) -> None:
        self.done: list[tuple[int, str, str, str, bool]] = []
        self.clear()

    def clear(self) -> None:
        self.shown: list[str] = []
        self.kind, self.article, self.servant, self.held = "", False, False, ""

    def flush(self, script: int, letters: str) -> None:
        if self.servant:
            if script == ARABIC and letters.startswith("ال") and letters not in GOD and len(letters) > 4:
                letters = letters[2:]
            letters = ("abd-" if script == LATIN else "عبد-") + letters
        self.done.append(
            (
                script,
                letters,
                " ".join([*self.shown, self.last]),
                self.kind,
                self.article,
            )
        )
        self.clear()

    def join_back(self, tail: str, shown: str) -> None:
        script, letters, before, kind, article = self.done.pop()
        self.done.append((script, letters + tail, f"{before} {shown}", kind, article))

    def take(self, script: int, w: str, nxt: str, written: str) -> None:
        self.last = written
        if not nxt:
            self.end(script, w)
        elif w in ARTICLE or (w in ASSIMILATED and w[-1] == nxt[0]):
            self.article = True
            self.shown.append(written)
        elif w in SERVANT and nxt not in PREFIX:
            self.servant = True
            self.shown.append(written)
        elif w in PREFIX and not self.servant:
            # the innermost particle wins: `Ahmed ben Abi Talib` is Talib, son of
            self.kind = self.kind if PREFIX[w] == "of" and self.kind else PREFIX[w]
            self.shown.append(written)
        else:
            self.end(script, w)

    def end(self, script: int, w: str) -> None:
        if self.done and not self.kind and not self.servant and script == self.done[-1][0]:
            if w in RELIGION:
                self.join_back("din" if script == LATIN else "دين", " ".join([*self.shown, self.last]))
                self.clear()
                return
            if w in GOD and not self.article:
                self.join_back("allah" if script == LATIN else "الله", self.last)
                self.clear()
                return
        self.flush(script, w)


@lru_cache(maxsize=65536)
def parts(name: str) -> tuple[Part, ...]:
    """The parts of a name, in the order written; at most MAX_PARTS."""
    found = words(name)
    builder = _Builder()
    for i, (script, w, written) in enumerate(found):
        nxt = found[i + 1][1] if i + 1 < len(found) and found[i + 1][0] == script else ""
        if i == 0 and len(found) == 2 and PREFIX.get(w) == "son":
            nxt = ""  # of two words the first is a given name (`Ben`); `Ben Ali` still meets `Benali` as written together
        builder.take(script, w, nxt, written)
    made = (make_part(*entry) for entry in builder.done[:MAX_PARTS])
    return tuple(p for p in made if p is not None)


@lru_cache(maxsize=65536)
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


@lru_cache(maxsize=65536)
def skeleton(u: tuple[int, ...]) -> str:
    """Coarse consonants of a word, equal for most spellings of one name in either script."""
    out = ""
    for x in u:
        c = _CLASS.get(x, "")
        if c and not out.endswith(c):
            out += c
    return out.rstrip("H") or out
