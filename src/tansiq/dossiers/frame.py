"""The acts that every kind of dossier has: members, recall, permission, correction, restriction, feedback. Pure.

| act | by | what it does | clause |
| --- | --- | --- | --- |
| dossier.members | opener | replaces the member list | |
| dossier.recalled | the part's author | takes a part back; holders erase it and answer | LED art. 7(3) |
| dossier.erased | a holder | its proof of erasure | LED art. 25 |
| dossier.permission_requested | a member | asks the originator to let something go on | LED art. 35(1)(e) |
| dossier.permission_answered | the originator | grants, perhaps on conditions, or refuses | |
| dossier.corrected | the entry's author | a correction beside the original | LED art. 16 |
| dossier.regrade_proposed | a member | another grade, proposed; it stays the provider's | Reg. 2016/794 art. 29(3) |
| dossier.restricted | the entry's author | tightens handling after sending | Reg. 2016/794 art. 19(2) |
| dossier.restriction_acknowledged | an addressee | has seen it | |
| dossier.feedback | a member | what was done with it | Dec. 2008/615 art. 32 |
| dossier.attached | a member | adds files | |
| dossier.translated | a member | a translation of a part, beside it | Reg. 2016/794 art. 19 |
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import msgspec

from tansiq.dossiers.model import ActRule, DossierState, Entry, Permission, Recall, Restriction
from tansiq.errors import TansiqError
from tansiq.terms import EntryId, Handling, NodeId, PartId


class Recalled(msgspec.Struct, forbid_unknown_fields=True):
    about: str
    part: str
    reason: Literal["inaccurate", "unlawful", "source_protection", "expired", "other"]


class Erased(msgspec.Struct, forbid_unknown_fields=True):
    recall: str
    part: str
    leaf: int = -1
    leaf_hash: str = ""
    held: bool = True
    proof: str = ""
    """Inclusion proof of the erasure's ledger leaf with its signed checkpoint, as text (`tansiq ledger verify`)."""


class PermissionRequested(msgspec.Struct, forbid_unknown_fields=True):
    about: str
    to: str
    purpose: str = ""


class PermissionAnswered(msgspec.Struct, forbid_unknown_fields=True):
    asked: str
    answer: Literal["granted", "granted_with_conditions", "refused"]


class About(msgspec.Struct, forbid_unknown_fields=True):
    about: str


class Regrade(msgspec.Struct, forbid_unknown_fields=True):
    about: str
    grade: str
    scheme: str = "4x4"


class Restricted(msgspec.Struct, forbid_unknown_fields=True):
    about: str
    codes: list[str]
    text: str = ""


class Feedback(msgspec.Struct, forbid_unknown_fields=True):
    about: str
    outcome: Literal["hit", "no_hit", "used", "not_used", "arrest", "seizure", "prevented", "other"]


class Translated(msgspec.Struct, forbid_unknown_fields=True):
    """It never replaces the original: both are kept, shown side by side and erased together."""

    about: str
    part: str
    lang: str
    by: Literal["officer", "machine"]


_NOTE = frozenset({"note", "narrative"})
_EMPTY: frozenset[str] = frozenset()


def _row(name: str, by: str, facts: type | None, clause: str, parts: frozenset[str] = _EMPTY) -> ActRule:
    return ActRule(f"dossier.{name}", by, (), "", clause, parts, facts)


FRAME_ACTS: dict[str, ActRule] = {
    a.type: a
    for a in (
        _row("members", "opener", None, ""),
        _row("recalled", "originator", Recalled, "LED art. 7(3)", _NOTE),
        _row("erased", "member", Erased, "LED art. 25(1)"),
        _row("permission_requested", "member", PermissionRequested, "LED art. 35(1)(e)", _NOTE),
        _row("permission_answered", "originator", PermissionAnswered, "Reg. 2016/794 art. 19(2)", _NOTE),
        _row("corrected", "originator", About, "LED art. 16", _NOTE | {"entity", "link"}),
        _row("regrade_proposed", "member", Regrade, "Reg. 2016/794 art. 29(3)", _NOTE),
        _row("restricted", "originator", Restricted, "Reg. 2016/794 art. 19(2)", _NOTE),
        _row("restriction_acknowledged", "member", About, "Reg. 2016/794 art. 19(2)"),
        _row("feedback", "member", Feedback, "Dec. 2008/615/JHA art. 32", _NOTE),
        _row("attached", "member", None, "", _NOTE | {"attachment"}),
        _row("translated", "member", Translated, "Reg. 2016/794 art. 19(2)", frozenset({"translation", "note"})),
    )
}

USES_NOTHING = frozenset(
    f"dossier.{name}"
    for name in (
        "members", "recalled", "erased", "permission_requested", "permission_answered", "restricted",
        "restriction_acknowledged",
    )
)  # fmt: skip
"""Acts that build upon nothing that another restricted: they guard, ask for permission or say that they obey."""


def _entry(state: DossierState, facts: object, key: str) -> Entry | None:
    value = facts.get(key, "") if isinstance(facts, dict) else ""
    return state.entry(EntryId(str(value)))


def missing_reference(state: DossierState, entry: Entry) -> str:
    """The field that names an entry this node has not seen: the act waits for it, it is not illegal."""
    facts = entry.statement.facts
    for key in ("about", "asked", "recall"):
        if key in facts and state.entry(EntryId(str(facts[key]))) is None:
            return key
    return ""


def check_frame(state: DossierState, entry: Entry) -> str:
    """Why this frame act is illegal; empty when legal. Facts have their form already."""
    s, f = entry.statement, dict(entry.statement.facts)
    match s.type:
        case "dossier.members":
            return "" if s.members is not None else "no member list"
        case "dossier.recalled":
            about = _entry(state, f, "about")
            if about is None or about.statement.author != s.author:
                return "only its author recalls a part"
            return "" if any(p.id == f["part"] for p in about.statement.parts) else "no such part"
        case "dossier.erased":
            known = any(r.entry == f["recall"] and r.part == f["part"] for r in state.recalls)
            return "" if known else "nothing was recalled"
        case "dossier.permission_requested":
            about = _entry(state, f, "about")
            return "" if about is not None and about.statement.author != s.author else "not another's entry"
        case "dossier.permission_answered":
            asked = next((p for p in state.permissions if p.asked == f["asked"]), None)
            if asked is None:
                return "nothing was asked"
            about = _entry(state, state_facts(state, asked.asked), "about")
            if about is None or about.statement.author != s.author:
                return "only the originator answers"
            return "" if not asked.answer else "already answered"
        case "dossier.corrected" | "dossier.restricted":
            return _check_originator(state, entry, f)
        case "dossier.restriction_acknowledged":
            return "" if any(x.entry == f["about"] for x in state.restrictions) else "nothing was restricted"
        case "dossier.translated":
            return _check_translation(state, entry, f)
        case "dossier.attached":
            return ""
        case _:
            return "" if _entry(state, f, "about") is not None else "no such entry"


def _check_translation(state: DossierState, entry: Entry, facts: dict[str, object]) -> str:
    about, s = _entry(state, facts, "about"), entry.statement
    if about is None or not any(p.id == facts["part"] for p in about.statement.parts):
        return "no such part"
    if len(str(facts["lang"])) != 2 or not str(facts["lang"]).isalpha():
        return "a language has two letters"
    # Originator control: whom its author gave the part is the author's knowledge alone, and a translation says as much
    # as the part. So a translation of another's part goes to that author, who may give it to others.
    if about.statement.author != s.author and not set(s.addressees) <= {about.statement.author}:
        return "a translation of another's part goes to its author alone"
    return ""


def _check_originator(state: DossierState, entry: Entry, facts: dict[str, object]) -> str:
    about = _entry(state, facts, "about")
    if about is None or about.statement.author != entry.statement.author:
        return "only its author may"
    if entry.statement.type == "dossier.restricted":
        try:
            handling = Handling.parse([str(c) for c in facts["codes"]], str(facts.get("text", "")))  # type: ignore[attr-defined]
        except TansiqError:
            return "unknown handling"
        # Downgrading is a new entry of the author, never a quiet edit: the strictest of both stays in force.
        return "" if set(about.statement.handling.codes) <= set(handling.codes) else "it only tightens"
    return ""


def state_facts(state: DossierState, entry_id: EntryId) -> dict[str, object]:
    entry = state.entry(entry_id)
    return dict(entry.statement.facts) if entry else {}


def step_frame(state: DossierState, entry: Entry) -> DossierState:
    """The state after a legal frame act."""
    s, f = entry.statement, dict(entry.statement.facts)
    match s.type:
        case "dossier.members":
            return replace(state, members=s.members or (), members_version=state.members_version + 1)
        case "dossier.recalled":
            recall = Recall(entry.id, EntryId(str(f["about"])), PartId(str(f["part"])), str(f["reason"]), s.at)
            return replace(state, recalls=(*state.recalls, recall))
        case "dossier.erased":
            return replace(state, recalls=tuple(_with_erasure(r, f, s.author) for r in state.recalls))
        case "dossier.permission_requested":
            asked = Permission(entry.id, s.author, str(f["to"]), s.at)
            return replace(state, permissions=(*state.permissions, asked))
        case "dossier.permission_answered":
            answered = tuple(
                replace(p, answer=str(f["answer"]), answered=entry.id) if p.asked == f["asked"] else p
                for p in state.permissions
            )
            return replace(state, permissions=answered)
        case "dossier.restricted":
            handling = Handling.parse([str(c) for c in f["codes"]], str(f.get("text", "")))
            made = Restriction(entry.id, EntryId(str(f["about"])), handling, s.at)
            return replace(state, restrictions=(*state.restrictions, made))
        case "dossier.restriction_acknowledged":
            found = tuple(
                replace(x, acknowledged=tuple(sorted({*x.acknowledged, s.author}))) if x.entry == f["about"] else x
                for x in state.restrictions
            )
            return replace(state, restrictions=found)
        case _:
            return state


def _with_erasure(recall: Recall, facts: dict[str, object], by: NodeId) -> Recall:
    if recall.entry != facts["recall"] or recall.part != facts["part"] or by in recall.erased:
        return recall
    return replace(recall, erased={**recall.erased, by: facts})


def effective_handling(state: DossierState, entry: Entry) -> Handling:
    """The strictest of what the author set and what it added later."""
    handling = entry.statement.handling
    for x in state.restrictions:
        if x.about == entry.id:
            codes = sorted({*handling.codes, *x.handling.codes})
            handling = Handling(tuple(codes), x.handling.text or handling.text)
    return handling
