"""Drawn acts: facts of the right form for any act of any kind, for machines that walk a life cycle."""

from __future__ import annotations

import enum
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect as shape

from tansiq.dossiers.model import ActRule, DossierState
from tansiq.terms import format_instant
from tests.support.entries import START

INSTANTS = ("due", "until", "from", "at", "kickoff", "window", "checked", "crossing")
"""Words in a field's name that say it holds an instant."""


PATTERNED = {
    "^H[1-9][0-9]?$": ["H1", "H2", "H3"],
    "^(H[1-9][0-9]?)?$": ["", "H1", "H2"],
    "^E[1-9][0-9]{0,2}$": ["E1", "E2"],
    "^[0-9a-f]{64}$": ["ab" * 32],
    "^[A-Z]{3}$": ["MAR", "ESP"],
}
"""Texts of a form that no word of ours would hit."""


EXTREMES = (
    "0001-01-01T00:00:00.000Z",
    "0001-01-15T12:00:00.000Z",
    "9998-12-31T23:59:59.999Z",
    "9999-12-20T00:00:00.000Z",
    "9999-12-31T23:59:59.999Z",
)
"""What a partner may write just as well: no sum, no zone of time and no page may fail on it."""


def an_instant() -> st.SearchStrategy[str]:
    soon, far = (
        st.integers(*days).map(lambda hours: format_instant(START + timedelta(hours=hours)))
        for days in ((-48, 24 * 500), (24 * 500, 24 * 1500))
    )
    return st.one_of(soon, soon, far, st.sampled_from(EXTREMES))


def _text(name: str, state: DossierState) -> st.SearchStrategy[str]:
    if name in ("about", "match", "venue", "meeting", "hypothesis", "evidence", "recommendation"):
        items = getattr(state.own, "items", {})
        begun = sorted({str(i.begun) for i in items.values()}) or ["nothing"]
        return st.one_of(st.sampled_from(begun), st.sampled_from([str(e.id) for e in state.entries] or ["nothing"]))
    if name in ("owner", "member", "host", "chair", "to"):
        return st.sampled_from([str(n) for n in state.members] or ["nobody"])
    if name.startswith(INSTANTS) or name.endswith(INSTANTS):
        return st.one_of(st.just(""), an_instant(), an_instant())
    if name in ("language", "lang"):
        return st.sampled_from(["ar", "fr", "es"])
    if name in ("country",):
        return st.sampled_from(["", "MA", "ES"])
    if name in ("digest", "sha256"):
        return st.just("ab" * 32)
    return st.sampled_from(["", "one", "two"])


def value(kind: Any, name: str, state: DossierState) -> st.SearchStrategy[Any]:
    """A value of a field's type; `name` tells what a text is for."""
    match kind:
        case shape.UnionType():
            return st.one_of(*(value(t, name, state) for t in kind.types))
        case shape.NoneType():
            return st.none()
        case shape.LiteralType():
            return st.sampled_from(list(kind.values))
        case shape.EnumType():
            return st.sampled_from([m.value for m in kind.cls])
        case shape.BoolType():
            return st.booleans()
        case shape.IntType():
            low, high = kind.ge if kind.ge is not None else 0, kind.le if kind.le is not None else 5
            return st.integers(low, max(low, high))
        case shape.ListType():
            inner = "member" if name in ("members", "visitors", "parties", "hosts") else name
            return st.lists(value(kind.item_type, inner, state), min_size=kind.min_length or 0, max_size=3)
        case shape.DictType():
            return st.dictionaries(
                value(kind.key_type, "about", state), value(kind.value_type, name, state), max_size=3
            )
        case shape.StructType():
            return fields(kind.cls, state)
        case shape.StrType() if kind.pattern in PATTERNED:
            return st.sampled_from(PATTERNED[kind.pattern])
        case _:
            return _text(name, state)


def fields(cls: type[msgspec.Struct] | None, state: DossierState) -> st.SearchStrategy[dict[str, Any]]:
    """Facts for a Struct: each required field, and some of the others."""
    if cls is None:
        return st.just({})
    must, may = {}, {}
    for f in shape.type_info(cls).fields:  # type: ignore[attr-defined]
        (must if f.required else may)[f.encode_name] = value(f.type, f.name, state)
    return st.fixed_dictionaries(must, optional=may).map(_plain)


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    return {k: v.value if isinstance(v, enum.Enum) else v for k, v in facts.items()}


def act_facts(rule: ActRule, state: DossierState) -> st.SearchStrategy[dict[str, Any]]:
    return fields(rule.facts, state)
