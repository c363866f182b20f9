"""A power cut at every step of the erasure of a whole dossier: every part erased once, proven once, none by half.

An operation is purged by an officer; a major event dies at its hard stop, 365 days after its end. A dry run names the
fault points that are passed; then the story is told once for each passage of each, with that machine stopping there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from tansiq.access.model import Acting, Role
from tansiq.dossiers.model import Presence
from tansiq.errors import Conflict
from tansiq.kinds import KINDS
from tansiq.ledger import verify_bundle
from tansiq.terms import LogVerb, format_instant
from tests.support.holdings import by_name
from tests.support.scenes import LEGAL, part
from tests.support.services import Federation, shared_view, surely

SERVICES = ("rabat", "madrid")
PERSON = {"kind": "entity", "entity": {"id": "p1", "schema": "Person", "role": "SUSP", "claims": [
    {"property": "name", "value": "Torben Westerhagen", "basis": "fact", "grade": "B2"}]}}  # fmt: skip


@dataclass
class Story:
    """A dossier with parts of both services, at the moment when it is to be erased."""

    f: Federation
    kind: str
    dossier: str = ""

    def begin(self) -> None:
        by = self.f.officers["rabat"]
        facts, extra, legal = {"form": "coordination"}, [part("objective", "Two teams.")], LEGAL
        if self.kind == "major_event":
            ends = self.f.clock() + timedelta(days=3)
            window = {"window_from": format_instant(self.f.clock()), "window_until": format_instant(ends)}
            facts = {"form": "match", "hosts": ["ma"], **window}
            legal = {**LEGAL, "erase_on": (ends + timedelta(days=300)).date().isoformat(), "review_on": "2027-01-01"}
            extra = []
        body = {"subject": "The quay", "facts": facts, "legal": legal, "parts": [*extra, PERSON]}
        self.dossier = self.f.nodes["rabat"].dossiers.open(self.kind, body, ["es"], by)
        self.f.pump()
        act = "operation.situation_reported" if self.kind == "operation" else "major_event.situation_reported"
        report = {"type": act, "facts": {"number": 1}, "parts": [part("situation", "Quiet.")]}
        self.f.nodes["madrid"].dossiers.append(self.dossier, report, self.f.officers["madrid"])
        self.f.pump()
        if self.kind == "operation":
            due = format_instant(self.f.clock() + timedelta(days=90))
            end = {"type": "operation.closed", "facts": {"due": due, "outcome": "objective_reached"}}
            self.f.nodes["rabat"].dossiers.append(self.dossier, end, by)
            self.f.pump()
        else:
            # Nobody closes it, and nobody's officer erases it: the day of the law comes.
            self.f.clock.pass_time(timedelta(days=3 + 366))
        for faults in self.f.faults.values():
            faults.passed.clear()

    def erase(self, name: str) -> None:
        node = self.f.nodes[name]
        if self.kind == "major_event":
            node.sweep()
            return
        chief = next(o for o in node.access.officers() if Role.SUPERVISOR in o.roles)
        by = Acting(chief.id, frozenset(chief.roles), "investigation", "the operation has ended")
        try:
            node.dossiers.purge(self.dossier, by)
        except Conflict:
            return

    def tell(self) -> None:
        for name in SERVICES:
            self.surely(lambda name=name: self.erase(name))
            self.surely(self.f.pump)
        self.surely(self.f.pump)

    def surely(self, act: Callable[[], object]) -> None:
        """Between two times nothing is half-erased."""
        surely(self.f, act, self.check_whole)

    def check_whole(self, name: str) -> None:
        node = self.f.nodes[name]
        there = {p.presence for e in node.dossiers.state(self.dossier).entries for p in e.parts}
        assert len(there) == 1, f"half-erased at {name}: {there}"
        held = there == {Presence.HELD}
        leaves = [x for x in node.ledger.find(self.dossier) if x.verb is LogVerb.ERASE]
        assert bool(leaves) is not held, "a proof of what did not happen, or none of what did"
        assert bool(by_name(node.bank, "Torben Westerhagen")) is held

    def check(self) -> None:
        nodes = [self.f.nodes[n] for n in SERVICES]
        assert len({shared_view(n, self.dossier) for n in nodes}) == 1
        state = nodes[0].dossiers.state(self.dossier)
        told = [e.statement for e in state.entries if e.statement.type == KINDS[self.kind].erased_act]
        assert sorted(s.author for s in told) == sorted(n.node_id for n in nodes), "each says it once"
        assert state.marks == ()
        assert state.own.erased == {n.node_id for n in nodes}
        for node in nodes:
            mine = node.dossiers.state(self.dossier)
            parts = [(e.id, p.ref.id) for e in mine.entries for p in e.parts]
            assert {p.presence for e in mine.entries for p in e.parts} == {Presence.ERASED}
            for _entry, ref in parts:
                assert [x.verb for x in node.ledger.find(ref)].count(LogVerb.ERASE) == 1, "erased twice, or not proven"
            (whole,) = [x for x in node.ledger.find(self.dossier) if x.verb is LogVerb.ERASE]
            (said,) = [s for s in told if s.author == node.node_id]
            assert (said.facts["leaf"], said.facts["parts"]) == (whole.index, len(parts))
            assert verify_bundle(str(said.facts["proof"]).encode(), f"tansiq/{node.node_id}", node.keys.signing.public)
            assert node.ledger.verify().broken_at is None
            assert not by_name(node.bank, "Torben Westerhagen")


def begun(make: Callable[..., Federation], kind: str, label: str) -> Story:
    federation = make(label)
    federation.add(*SERVICES)
    story = Story(federation, kind)
    story.begin()
    return story


def steps(story: Story, services: tuple[str, ...]) -> list[tuple[str, str, int]]:
    """(service, fault point, passage): each part's erasure, and each step of the transaction and of its proof."""
    own = ("erase.", "settle.", "append.")
    return [
        (name, point, n + 1)
        for name in services
        for point in sorted({p for p in story.f.faults[name].passed if p.startswith(own)})
        for n in range(story.f.faults[name].passed.count(point) if point == "erase.part" else 1)
    ]


@pytest.mark.parametrize("services", [("madrid",), pytest.param(SERVICES, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["operation", "major_event"])
@pytest.mark.timeout(900)
def test_a_dossier_is_erased_exactly_once_wherever_the_machine_stops(
    make_federation: Callable[..., Federation], kind: str, services: tuple[str, ...]
) -> None:
    dry = begun(make_federation, kind, "dry")
    dry.tell()
    dry.check()
    points = steps(dry, services)
    passed = {p for _, p, _ in points}
    assert passed >= {"erase.part", "erase.done", "erase.committed", "settle.begun", "append.queued", "append.done"}
    failed = []
    for name, point, passage in points:
        story = begun(make_federation, kind, f"{name}-{point}-{passage}")
        story.f.faults[name].crash_at(point, passage)
        try:
            story.tell()
            assert story.f.crashes == 1, "the crash did not happen"
            story.check()
        except AssertionError as exc:
            failed.append(f"{name} {point} #{passage}: {exc}")
        story.f.close()
    assert not failed, "\n".join(failed)


def test_the_story_of_the_purge_is_one_that_can_fail(make_federation: Callable[..., Federation]) -> None:
    """Before anybody erases, nothing is proven and everything is held: what the checks look at is there."""
    story = begun(make_federation, "operation", "before")
    for name in SERVICES:
        story.check_whole(name)
    with pytest.raises(AssertionError):
        story.check()
