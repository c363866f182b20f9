"""What the compiled kernel is told: the learned and hand-made tables as bytes, and a word as a record.

`version()` names the tables: a register saved with other ones holds records that mean something else.
The layout is that of `words.h` and `tables.c`; `LAYOUT` is raised with them.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from array import array
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import chain
from struct import Struct
from typing import Any

from tansiq.matching import judge
from tansiq.matching.edit import CONTEXTS, FAR, TABLES, edges
from tansiq.matching.names import ACCENT, SLIP, _conflict, known, rare, rarity, worth
from tansiq.matching.parts import (
    _BARE,
    _CLASS,
    ABBREVIATION,
    ARTICLE,
    ASSIMILATED,
    GOD,
    GROUPS,
    PREFIX,
    PREFIX_SPELLING,
    RELIGION,
    SERVANT,
    SKIP_ID,
    TITLE,
    Part,
    core,
    skeleton,
)
from tansiq.matching.text import (
    _DOUBLE,
    _SCRIPTS,
    ARABIC,
    LATIN,
    LATIN_UNITS,
    MAX_LETTERS,
    MAX_UNITS,
    UNIT_ID,
    UNITS,
    VOWEL,
    _folded,
    units,
)

LAYOUT = 4
_ALPHABET, _SKIPS, _KNOTS = 128, 32, 2048

_PHRASES = ("ال", "بو", "بل", "بن", "ولد", "عبد", "ابو", "عبدال", "الدين", "دين", "له", "الله", "عبد-")
"""The Arabic words of the rules in `parts.py`, in the order of `tables.h`."""
_BEGINNINGS = (
    "article_arabic",
    "father_fused",
    "son_article_fused",
    "son_fused",
    "ould",
    "servant",
    "article_fused",
    "article_assimilated",
)
_KINDS = tuple(PREFIX_SPELLING)


def _alphabet() -> dict[int, int]:
    """Every letter that a folded word may hold -> one byte, in the order of Unicode; ASCII stays what it is."""
    folded = chain(*(_SCRIPTS[kind].values() for kind in ("latin", "arabic", "other")))
    found = set("".join(chain(UNITS, _PHRASES, folded, *PREFIX_SPELLING.values())))
    return {ord(c): 0x80 + k for k, c in enumerate(sorted(c for c in found if not c.isascii()))}


_CODES = _alphabet()
_SPELT = re.compile(rf"[a-z{''.join(map(chr, _CODES))}-]{{1,{MAX_LETTERS}}}")


def encode(letters: str) -> bytes:
    """Folded letters, one byte each."""
    return letters.translate(_CODES).encode("latin-1")


def _fold(c: int) -> bytes:
    """What one written character stands for, as `text.c` reads it."""
    found = _folded(chr(c))
    return bytes([len(found)]) + b"".join(bytes([s + 3, len(t)]) + encode(t) for s, t in found)


def _ints(kind: str, values: Iterable[int]) -> bytes:
    """Whole numbers as C reads them; OverflowError when one does not fit."""
    return array(kind, values).tobytes()


def _rows(kind: str, rows: Iterable[Iterable[int]], width: int, height: int) -> bytes:
    """Rows of numbers, filled up with zeros to a table of this size."""
    out = [(values + [0] * width)[: max(width, len(values))] for values in map(list, rows)]
    if len(out) > height or any(len(values) > width for values in out):
        raise ValueError("a table that the kernel has no room for")
    return _ints(kind, chain(*out, *([0] * width for _ in range(height - len(out)))))


def _exactly(values: list[Any], *shape: int) -> bytes:
    """A nested list of this shape, and no other."""

    def flat(part: Any, sizes: tuple[int, ...]) -> list[int]:
        if not sizes:
            return [int(part)]
        if len(part) != sizes[0]:
            raise ValueError("a learned table of another shape")
        return [x for p in part for x in flat(p, sizes[1:])]

    return _ints("i", flat(values, shape))


def _spelled(name: str, words: Mapping[str, int]) -> dict[str, bytes]:
    """Words with a number each; what no folded word can be is left out."""
    kept = {w: n for w, n in sorted(words.items()) if _SPELT.fullmatch(w)}
    return {name: encode(" ".join(kept)), f"{name}_values": _ints("H", kept.values())}


def _lists(name: str, of: Mapping[str, frozenset[int]], members: list[int]) -> tuple[bytes, dict[str, int]]:
    """Lists of ids, each once, added to `members`: (places, word -> number of its list); list 0 is empty."""
    places = {frozenset[int](): 0}
    spans = [0, 0]
    for held in sorted(set(of.values()), key=sorted):
        if held:
            places[held] = len(places)
            spans += [len(members), len(held)]
            members.extend(sorted(held))
    if len(places) > 65535:
        raise ValueError(f"too many {name} for the kernel")
    return _ints("I", spans), {word: places[held] for word, held in of.items() if held}


def _linked() -> dict[str, frozenset[int]]:
    """The Arabic names that a word spells, numbered; an Arabic word spells itself."""
    arabic = sorted(w for w in TABLES.links if not w[:1].isascii() and ord(w[0]) in range(0x600, 0x700))
    number = {w: k for k, w in enumerate(arabic)}
    if any((w in number) == (x in number) for w, held in TABLES.links.items() for x in held):
        raise ValueError("a link within one script")
    return {
        w: frozenset([number[w]]) if w in number else frozenset(number[x] for x in held)
        for w, held in TABLES.links.items()
    }


def _facts() -> dict[str, int]:
    """What a written word is in itself; the bits are those of `tables.h`."""
    out: dict[str, int] = {}
    for bit, words in enumerate((TABLES.known, ARTICLE, ASSIMILATED, TITLE, SERVANT, RELIGION, GOD)):
        for w in words:
            out[w] = out.get(w, 0) | 1 << bit
    return out


def _words() -> dict[str, bytes]:
    members: list[int] = []
    links, link_of = _lists("links", _linked(), members)
    groups, group_of = _lists("groups", GROUPS, members)
    forms = sorted(set(ABBREVIATION.values()))
    seen = {s: rare(n) for s, n in TABLES.counts.items() if s}
    return {
        "members": _ints("H", members),
        "links": links,
        "groups": groups,
        "full_forms": encode(" ".join(forms)),
        "skeleton": " ".join(seen).encode(),
        "skeleton_values": _ints("H", seen.values()),
        **_spelled("facts", _facts()),
        **_spelled("common", TABLES.common),
        **_spelled("given", TABLES.given),
        **_spelled("link", link_of),
        **_spelled("group", group_of),
        **_spelled("prefix", {w: 1 + _KINDS.index(kind) for w, kind in PREFIX.items()}),
        **_spelled("abbreviation", {w: 1 + forms.index(full) for w, full in ABBREVIATION.items()}),
    }


def _writing() -> dict[str, bytes]:
    """Letters, units and particles."""
    coded = [chr(c) for c in range(0x80)] + [chr(c) for c in sorted(_CODES)]
    spelled = sorted(LATIN_UNITS, key=len, reverse=True)
    heads = [[spelling + "-" if spelling else "" for spelling in pair] for pair in PREFIX_SPELLING.values()]
    counted = [[len(units(script, head)) for script, head in enumerate(pair)] for pair in heads]
    skips = [SKIP_ID.get(kind, -1) for kind in _KINDS]
    return {
        "graphemes": encode(" ".join(spelled)),
        "grapheme_units": bytes(UNIT_ID[u] for u in spelled),
        "arabic_unit": bytes(1 + UNIT_ID[c] if c in UNIT_ID else 0 for c in coded).ljust(256, b"\0"),
        "doubled": bytes(_DOUBLE.fullmatch(2 * c) is not None for c in coded).ljust(256, b"\0"),
        "bare": encode("".join(coded).translate(_BARE)).ljust(256, b"\0"),
        "vowel": bytes(u in VOWEL for u in range(_ALPHABET)),
        "class_of": b"".join(_CLASS.get(u, "\0").encode() for u in range(_ALPHABET)),
        "phrases": encode(" ".join(_PHRASES)),
        "beginnings": bytes(SKIP_ID[kind] for kind in _BEGINNINGS),
        "heads": encode(" ".join(head or "-" for pair in heads for head in pair)),
        "head_facts": _ints("b", chain(*([*n, skip] for n, skip in zip(counted, skips, strict=True)))),
    }


def _prices() -> dict[str, bytes]:
    row = TABLES.row
    if len(TABLES.gap) != 2 or any(len(g) != CONTEXTS for g in TABLES.gap):
        raise ValueError("a learned table of another shape")
    if MAX_UNITS * max(abs(x) for g in TABLES.gap for u in g for x in u) + max(TABLES.skip) > 32767:
        raise ValueError("prices that do not fit a word record")
    single = [row["initial"], row["title"], row["order"], row["join"], row["group"], ACCENT, SLIP, FAR, len(UNITS)]
    single += [rare(0), rare(TABLES.counts.get("", 0)), *(1 + _KINDS.index(kind) for kind in ("of", "son", "father"))]
    single.append(judge.BOUND)
    return {
        "sub": _rows("h", TABLES.sub, _ALPHABET, _ALPHABET),
        "gap": _rows("h", chain(*TABLES.gap), _ALPHABET, 2 * CONTEXTS),
        "skip": _rows("h", [TABLES.skip], _SKIPS, 1),
        "worth": _ints("i", map(worth, range(_KNOTS))),
        "conflict": _ints("i", map(_conflict, range(_KNOTS))),
        "start": _exactly(row["start"], 3, 4),
        "only": _exactly(row["only"], 4, 3),
        "ends": _exactly(row["ends"], 4, 4),
        "edited": _exactly(row["edited"], 3, 3, 3),
        "linked": _exactly(row["linked"], 3, 3),
        "single": _ints("i", single),
    }


def _forest() -> dict[str, bytes]:
    """The trees: feature, limit, left, value of each node."""
    f = TABLES.forest
    nodes = zip(f.feature, f.limit, f.left, f.value, strict=True)
    return {
        "forest": _ints("i", chain(*nodes)),
        "forest_roots": _ints("I", f.roots),
        "forest_told": bytes(told for _, told in judge.FEATURES),
    }


def _groups() -> dict[str, bytes]:
    """What groups of letters tell, how rare they are, and which character each letter's byte stands for."""
    points = [*range(0x80), *sorted(_CODES)]
    return {
        "groups_told": TABLES.groups.tobytes() or bytes(judge.ROWS * judge.COLUMNS),
        "groups_rare": TABLES.rare_groups or bytes(judge.BINS),
        "points": _ints("H", points + [0] * (256 - len(points))),
    }


def tables() -> dict[str, bytes | Callable[..., Any]]:
    """Everything `_kernel.load` takes."""
    out: dict[str, bytes] = {**_prices(), **_writing(), **_words(), **_forest(), **_groups()}
    digest = hashlib.sha256(f"{LAYOUT} {sorted(_CODES.items())} {sorted(map(str, _SCRIPTS.items()))}".encode())
    for name in sorted(out):
        digest.update(f"{name} {len(out[name])} ".encode() + out[name])
    return {**out, "version": digest.digest()[:8], "fold": _fold, "normalize": unicodedata.normalize}


@lru_cache(maxsize=1)
def version() -> bytes:
    """Eight bytes that differ when a learned or hand-made table differs."""
    found = tables()["version"]
    return found if isinstance(found, bytes) else b""


_RECORD = Struct("=48h44hhHHBBBBBBBB22s22s40sBB4x")


def pack(p: Part) -> bytes:
    """A part as the word record of `words.h`."""
    gaps: list[int] = []
    starts: list[int] = []
    for other in (LATIN, ARABIC):
        gap, start = edges(p.units, p.skips, other)
        gaps += [*gap, *[0] * (MAX_UNITS - len(gap))]
        starts += [*start, *[0] * (MAX_UNITS + 2 - len(start))]
    consonants = skeleton(core(p)).encode()
    return _RECORD.pack(
        *starts,
        *gaps,
        rarity(p),
        _numbers()[0].get(p.letters, 0),
        _numbers()[1].get(p.letters, 0),
        p.script,
        len(p.units),
        len(p.letters),
        len(p.units) - len(core(p)),
        known(p),
        p.article + 2 * p.title,
        1 + _KINDS.index(p.particle) if p.particle else 0,
        len(consonants),
        consonants,
        bytes(p.units),
        encode(p.letters),
        judge.common(p),
        judge.given(p),
    )


def _numbers() -> tuple[dict[str, int], dict[str, int]]:
    """(word -> its list of links, word -> its list of groups) under the tables of now."""
    if not _held or _held[0][0] is not TABLES.links:
        _held[:] = [(TABLES.links, _lists("links", _linked(), [])[1], _lists("groups", GROUPS, [])[1])]
    return _held[0][1], _held[0][2]


_held: list[tuple[object, dict[str, int], dict[str, int]]] = []
