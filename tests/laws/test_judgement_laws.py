"""Judgements apart: a commitment opens to one judgement only, and who was blind depends on what was seen, not on when.

Blind: its author committed without having had another's judgement of the round to read.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tansiq.dossiers.model import Entry
from tansiq.dossiers.rules import ancestors, duties, extend, fold, folded
from tansiq.kinds.assessment import ASSESSMENT, LIKELIHOOD, commitment
from tansiq.terms import NodeId, format_instant
from tests.support.entries import BERLIN, LISBON, MADRID, RABAT, START, Desk

NODES = (RABAT, MADRID, BERLIN, LISBON)
DUE = START + timedelta(days=7)
SALTS = {node: f"{n}{n}" * 32 for n, node in enumerate(NODES, 1)}


def judgement(first: str, second: str, confidence: str = "low", cells: dict[str, Any] | None = None) -> dict[str, Any]:
    words = {"H1": first, "H2": second}
    percent = {label: LIKELIHOOD[word][0] for label, word in words.items()}
    return {"likelihood": words, "percent": percent, "confidence": confidence, "cells": cells or {}}


WORDS = st.sampled_from(sorted(LIKELIHOOD))
CELLS = st.dictionaries(st.sampled_from(["E1", "E2"]), st.fixed_dictionaries({"H1": st.sampled_from(["I", "C"])}))
JUDGEMENTS = st.builds(judgement, WORDS, WORDS, st.sampled_from(["low", "moderate", "high"]), CELLS)
SALT = st.sampled_from(sorted(SALTS.values()))
WHERE = st.tuples(st.sampled_from(["d-1", "d-2"]), st.sampled_from([RABAT, MADRID]), st.integers(1, 2))


@given(WHERE, WHERE, SALT, SALT, JUDGEMENTS, JUDGEMENTS)
def test_a_commitment_opens_to_nothing_else(one_at, other_at, one_salt, other_salt, one, other) -> None:
    same = (one_at, one_salt, one) == (other_at, other_salt, other)
    assert (commitment(*one_at, one_salt, one) == commitment(*other_at, other_salt, other)) is same


@given(JUDGEMENTS, JUDGEMENTS)
def test_what_is_revealed_counts_only_as_it_was_committed_to(one, other) -> None:
    desks, _ = framed(2)
    for desk in desks.values():
        commit(desk, one)
    share(desks)
    entry = reveal(desks[RABAT], other)
    assert (entry.id in desks[RABAT].state().voided()) is (one != other)


def framed(size: int) -> tuple[dict[NodeId, Desk], list[Entry]]:
    """An assessment that is being judged, as all its members see it."""
    desks = {n: Desk(n, ASSESSMENT) for n in NODES[:size]}
    opener = desks[RABAT]
    opener.open(tuple(n for n in desks if n != RABAT), {"form": "threat", "due": format_instant(DUE)})
    for label in ("H1", "H2"):
        opener.write("assessment.hypothesis_proposed", {"label": label})
    for label in ("E1", "E2"):
        opener.write("assessment.evidence_added", {"label": label})
    opener.write("assessment.judging_opened")
    share(desks)
    return desks, list(opener.seen.values())


def share(desks: dict[NodeId, Desk]) -> None:
    everything = [e for d in desks.values() for e in d.seen.values()]
    for desk in desks.values():
        desk.see(*everything)


MINE = {node: judgement("likely", word) for node, word in zip(NODES, sorted(LIKELIHOOD), strict=False)}


def commit(desk: Desk, told: dict[str, Any], at: Any = None) -> Entry:
    digest = commitment(desk.dossier, desk.node, 1, SALTS[desk.node], told)
    return desk.write("assessment.committed", {"digest": digest}, at=at)


def reveal(desk: Desk, told: dict[str, Any], at: Any = None) -> Entry:
    return desk.write("assessment.revealed", {"salt": SALTS[desk.node], **told}, at=at)


def call(desk: Desk, _told: dict[str, Any], at: Any = None) -> Entry:
    return desk.write("assessment.time_called", at=at)


def walked(data: st.DataObject) -> dict[NodeId, Desk]:
    """Members that commit, reveal (honestly or too early) and hear of one another, as chance has it."""
    desks, _ = framed(data.draw(st.integers(2, 4)))
    for turn in range(data.draw(st.integers(2, 14))):
        desk = data.draw(st.sampled_from(list(desks.values())))
        if data.draw(st.booleans()):
            other = data.draw(st.sampled_from(list(desks.values())))
            entries = sorted(other.seen.values(), key=lambda e: (e.statement.clock, e.id))
            desk.see(*entries[: data.draw(st.integers(0, len(entries)))])
        at = (DUE if data.draw(st.booleans()) else START) + timedelta(minutes=turn + 10)
        write = data.draw(st.sampled_from([commit, commit, reveal, call]))
        write(desk, MINE[desk.node], at)
    return desks


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_service_alone_ends_the_time_to_judge(data: st.DataObject) -> None:
    """One member writes whatever it likes at whatever instant it claims; the others keep the time."""
    desks, _ = framed(data.draw(st.integers(2, 4)))
    liar = data.draw(st.sampled_from(list(desks)))
    for turn in range(data.draw(st.integers(2, 14))):
        desk = data.draw(st.sampled_from(list(desks.values())))
        if data.draw(st.booleans()):
            share(desks)
        claimed = DUE if desk.node == liar and data.draw(st.booleans()) else START
        at = claimed + timedelta(minutes=turn + 10)
        match data.draw(st.sampled_from(["commit", "reveal", "call"])):
            case "commit":
                commit(desk, MINE[desk.node], at)
            case "reveal":
                reveal(desk, MINE[desk.node], at)
            case "call":
                desk.write("assessment.time_called", at=at)
    share(desks)
    own = desks[RABAT].state().own
    if own.revealed:
        assert set(own.committed) == set(desks), "nobody's judgement counted before every service had committed"


def blindness(state: Any) -> dict[NodeId, bool]:
    return {node: told.blind for node, told in state.own.revealed.items()}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_order_of_arrival_never_changes_who_is_blind(data: st.DataObject) -> None:
    desks = walked(data)
    everything = list({e.id: e for d in desks.values() for e in d.seen.values()}.values())
    dossier = everything[0].statement.dossier
    whole = fold(dossier, everything, ASSESSMENT)
    for _again in range(3):
        arriving = data.draw(st.permutations(everything))
        grown = folded(dossier, arriving[:1], ASSESSMENT)
        for entry in arriving[1:]:
            grown = extend(grown, entry, ASSESSMENT)
        assert blindness(grown.state) == blindness(whole) if whole.own else grown.state.own is None
        assert duties(grown.state, ASSESSMENT) == duties(whole, ASSESSMENT)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_who_is_blind_had_no_other_judgement_to_read(data: st.DataObject) -> None:
    desks = walked(data)
    share(desks)
    state = desks[RABAT].state()
    known = {e.id: e for e in state.entries}
    for node, told in state.own.revealed.items():
        past = ancestors(state.own.committed[node][1], known)
        theirs = [e.statement for e in state.entries if e.id in past and e.statement.type == "assessment.revealed"]
        readable = [s for s in theirs if s.author != node and s.author in state.own.committed]
        assert not (told.blind and readable)
