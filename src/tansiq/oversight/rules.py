"""Pure decisions: by which right it is asked, what an extract may hold, and in which form."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from tansiq.bank.model import Entity
from tansiq.errors import Invalid
from tansiq.oversight.model import CLAUSE, Bound, Kept, Right, Sort, Thing
from tansiq.terms import HandlingCode, format_instant

STEP = "look for a person"
AROUND = 200
"""So much of a text stands on each side of the words that met; the rest may be about others."""
NOT_LOOKED_THROUGH = (
    "attachments: what stands inside files that are not plain text",
    "private checks of partners: they are asked blind, and nobody here knows whom they meant",
    "backups, prints and exported files",
    "reasons that officers gave, in the log and with their decisions",
    "words of restrictions (H3), and facts of acts other than those that wait for a second officer",
)
CUT: Mapping[Bound, str] = {
    Bound.HOLDINGS: "holdings: more are near than one search lists; this service's own were taken first",
    Bound.SPELLINGS: "spellings: more are known, or longer ones, than texts are searched for",
    Bound.TEXTS: "texts: more speak of such a name than one search lists; this service's own were taken first",
    Bound.INDEX: "texts: more are held than the search keeps in memory; the oldest were not looked through",
    Bound.FILES: "attachments: more text is in files, or longer, than one search reads, or written in an unknown way",
    Bound.CHECKS: "private checks: more are kept than one search goes through; the oldest were not",
    Bound.LOG: "log: of what has more entries in it than are listed here, the oldest are left out",
}
MIN_REASON = 3
MOST_ITEMS = 1000
"""In one extract: each is named in its leaf."""


def read_right(text: str) -> Right:
    """Raises `Invalid`."""
    try:
        return Right(text)
    except ValueError:
        raise Invalid("person.right", f"one of {', '.join(Right)}", step=STEP, field="right") from None


def passage(text: str, words: str) -> str:
    """What stands around these words."""
    at = max(text.find(words), 0)
    begin, end = max(0, at - AROUND), at + len(words) + AROUND
    return ("…" if begin else "") + text[begin:end].strip() + ("…" if end < len(text) else "")


def given_out(thing: Thing, consented: Collection[str], *, permitted: bool) -> Thing:
    """The thing as an extract holds it: without its content where that may not go out.

    What a partner gave is never released on our own word: its originator has to consent, and the officer says so.
    """
    kept = thing.kept
    if kept is Kept.SHOWN and not thing.ours and thing.id not in consented:
        kept = Kept.CONSENT
    if kept is Kept.SHOWN and not permitted:
        kept = Kept.REFUSED
    return thing if kept is Kept.SHOWN else _named_only(thing, kept)


def _named_only(thing: Thing, kept: Kept) -> Thing:
    """That it is held, since when and whose it is.

    How well it fits, why its owner sent it, and what an officer then did about it, say what is in it.
    """
    bare = replace(thing, what=None, kept=kept, score=0.0)
    if not thing.ours:
        bare = replace(bare, purpose="", legal_basis="", review_on="", erase_on="")
    return replace(bare, trail=()) if thing.sort in (Sort.ANSWER, Sort.MATCH) else bare


def codes_in(held: Any) -> frozenset[str]:
    """Every handling code that is written anywhere in an act: its own, and those of single values."""
    if isinstance(held, Mapping):
        said = held.get("handling")
        named = said.get("codes") if isinstance(said, Mapping) else said.split() if isinstance(said, str) else ()
        own = {str(c) for c in named} if isinstance(named, list | tuple) else set()
        return frozenset(own & {str(c) for c in HandlingCode}).union(*map(codes_in, held.values()))
    return frozenset().union(*map(codes_in, held)) if isinstance(held, list | tuple) else frozenset()


def check_items(things: Iterable[Thing], items: Collection[str], consented: Collection[str]) -> list[Thing]:
    """The things that the officer chose. Raises `Invalid` where one is not among what was found, or none was chosen."""
    known = {t.id: t for t in things}
    if not items:
        raise Invalid("person.items", "say which of what was found is this person", step=STEP, field="items")
    if len(items) > MOST_ITEMS:
        raise Invalid("person.many", f"more than {MOST_ITEMS}: make several extracts", step=STEP, field="items")
    if unknown := sorted(set(items) - known.keys()):
        raise Invalid(
            "person.item", "not among what was found for this person", step=STEP, field="items", detail=unknown[0]
        )
    if set(consented) - set(items):
        raise Invalid("person.consent", "consent to what is not in the extract", step=STEP, field="consented")
    return [known[i] for i in dict.fromkeys(items)]


def extract_body(
    *,
    service: Mapping[str, str],
    at: datetime,
    asked: Entity,
    right: Right,
    things: Iterable[Thing],
    left_out: Iterable[Bound],
) -> dict[str, Any]:
    """What is signed. JSON's own types only."""
    cut = [CUT[bound] for bound in left_out]
    return {
        "v": 1,
        "service": dict(service),
        "at": format_instant(at),
        "right": right.value,
        "clauses": [CLAUSE[right]],
        "asked": [{"property": c.property, "value": c.value} for c in asked.claims],
        "things": [_plain(t) for t in things],
        "complete": not cut,
        "not_looked_through": [*cut, *NOT_LOOKED_THROUGH],
    }


def _plain(t: Thing) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": t.id,
        "sort": t.sort.value,
        # Canonical JSON knows no fractions.
        "score_in_1000": round(t.score * 1000),
        "content": None if t.what is None else dict(t.what),
        "kept_back": t.kept.value,
        "originator": t.originator,
        "ours": t.ours,
        "owners": list(t.owners),
        "handling": list(t.handling),
        "since": format_instant(t.since) if t.since else "",
        "others": t.others,
        "disclosures": [
            {
                "to": d.to,
                "at": format_instant(d.at),
                "clauses": list(d.clauses),
                "state": d.state,
                "received_at": format_instant(d.received_at) if d.received_at else "",
            }
            for d in t.disclosures
        ],
        "log": [
            {
                "leaf": x.index,
                "at": format_instant(x.at),
                "verb": x.verb,
                "purpose": x.purpose,
                "clauses": list(x.clauses),
                "to": x.to,
            }
            for x in t.trail
        ],
    }
    named = ("purpose", "legal_basis", "review_on", "erase_on", "dossier", "entry", "part")
    return plain | {name: getattr(t, name) for name in named}


def named(things: Iterable[Thing]) -> list[str]:
    """By which ids a search's leaf names what it found, the first of them where they are very many."""
    return [t.id for t in things][:MOST_ITEMS]


def counted(things: Iterable[Thing]) -> dict[str, int]:
    """How many of each sort."""
    found = [t.sort for t in things]
    return {s.value: found.count(s) for s in Sort if s in found}
