"""A power cut at every step of append, seal, deliver, receive, file, settle and receipt: lost 0, applied twice 0.

A dry run of a short story records each fault point that is passed; then the story is told again once for each of
them, with one service's machine stopping just there and starting anew on the same database.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tansiq.demo import people
from tansiq.dossiers.model import Presence
from tansiq.terms import LogVerb
from tests.support import acts
from tests.support.services import Federation, shared_view, surely

SERVICES = ("rabat", "madrid")


class Story:
    """Report with a recall, retried by its officer when the machine stopped before an answer came."""

    def __init__(self, federation: Federation) -> None:
        self.f = federation

    def surely(self, act: Callable[[], object]) -> None:
        """What officers and couriers do: one looks whether it happened."""
        surely(self.f, act)

    def open(self) -> None:
        rabat = self.f.nodes["rabat"]
        if not rabat.dossiers.rows():
            rabat.dossiers.open("report", acts.report(), ["es"], self.f.officers["rabat"])

    def recall(self) -> None:
        rabat = self.f.nodes["rabat"]
        state = rabat.dossiers.state(self.dossier)
        if not state.recalls:
            part = next(
                p.ref.id for p in state.entries[0].parts if p.content and p.content.get("entity", {}).get("id") == "p1"
            )
            facts = {"about": state.entries[0].id, "part": part, "reason": "inaccurate"}
            rabat.dossiers.append(self.dossier, {"type": "dossier.recalled", "facts": facts}, self.f.officers["rabat"])

    @property
    def dossier(self) -> str:
        return self.f.nodes["rabat"].dossiers.rows()[0].id

    def tell(self) -> None:
        self.surely(self.open)
        self.surely(self.f.pump)
        self.surely(self.f.pump)
        self.surely(self.recall)
        self.surely(self.f.pump)
        self.surely(self.f.pump)

    def check(self) -> None:
        rabat, madrid = self.f.nodes["rabat"], self.f.nodes["madrid"]
        assert len(rabat.dossiers.rows()) == len(madrid.dossiers.rows()) == 1
        assert shared_view(rabat, self.dossier) == shared_view(madrid, self.dossier)
        state = madrid.dossiers.state(self.dossier)
        assert [e.statement.type for e in state.entries] == ["report.given", "dossier.recalled", "dossier.erased"]
        assert state.marks == ()
        assert [p.presence for e in state.entries for p in e.parts].count(Presence.ERASED) == 1
        assert [str(d.state) for d in rabat.exchange.deliveries()] == ["received", "received"]
        assert [str(d.state) for d in madrid.exchange.deliveries()] == ["received"]
        assert madrid.hits.matches() == []
        for node in (rabat, madrid):
            assert node.ledger.verify().broken_at is None
        collected = [x for e in state.entries[:2] for x in madrid.ledger.find(e.id) if x.verb is LogVerb.COLLECT]
        assert len(collected) == 2, "an entry was filed twice, or not at all"
        erased = [x for x in madrid.ledger.find(state.recalls[0].part) if x.verb is LogVerb.ERASE]
        assert len(erased) == 1


def build(make: Callable[..., Federation], label: str) -> Story:
    federation = make(label)
    federation.add(*SERVICES)
    federation.hold("madrid", people.MADRID_HOLDINGS[:1])
    for faults in federation.faults.values():
        faults.passed.clear()
    return Story(federation)


@pytest.mark.parametrize("passages", [1, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.timeout(900)
def test_no_crash_loses_or_repeats_anything(make_federation: Callable[..., Federation], passages: int) -> None:
    dry = build(make_federation, "dry")
    dry.tell()
    dry.check()
    points = {
        (name, point, n + 1)
        for name in SERVICES
        for point in set(dry.f.faults[name].passed)
        for n in range(min(passages, dry.f.faults[name].passed.count(point)))
    }
    assert {p for _, p, _ in points} >= {
        "append.permitted", "append.signed", "append.queued", "append.done", "outbox.formed", "courier.before_post",
        "courier.after_post", "inbox.prepared",
        "inbox.before_file", "inbox.before_commit", "inbox.after_commit", "receipt.before_store",
        "receipt.stored", "file.verified", "file.banked", "file.done", "settle.begun",
    }  # fmt: skip
    failed = []
    for name, point, passage in sorted(points):
        story = build(make_federation, f"{name}-{point}-{passage}")
        story.f.faults[name].crash_at(point, passage)
        story.tell()
        try:
            assert story.f.crashes == 1, "the crash did not happen"
            story.check()
        except AssertionError as exc:
            failed.append(f"{name} {point} #{passage}: {exc}")
        story.f.close()
    assert not failed, "\n".join(failed)


NOTES = 18


class LargeEnvelope(Story):
    """Madrid was away while Rabat wrote on: everything comes in one envelope, and is filed in groups."""

    def tell(self) -> None:
        rabat, by = self.f.nodes["rabat"], self.f.officers["rabat"]
        rabat.dossiers.open("report", acts.report(), ["es"], by)
        for n in range(NOTES):
            rabat.dossiers.append(self.dossier, acts.note("report.note_added", f"note {n}"), by)
        for _ in range(3):
            self.surely(self.f.pump)

    def check(self) -> None:
        rabat, madrid = self.f.nodes["rabat"], self.f.nodes["madrid"]
        assert shared_view(rabat, self.dossier) == shared_view(madrid, self.dossier)
        entries = madrid.dossiers.state(self.dossier).entries
        assert len(entries) == NOTES + 1
        assert {str(d.state) for d in rabat.exchange.deliveries()} == {"received"}
        for entry in entries:
            leaves = [x for x in madrid.ledger.find(entry.id) if x.verb is LogVerb.COLLECT]
            assert len(leaves) == 1, "an entry was filed twice, or not at all"
        assert madrid.bank.count("dossier") == len([p for p in entries[0].parts if p.ref.kind == "entity"])
        assert madrid.ledger.verify().broken_at is None


@pytest.mark.parametrize(
    ("point", "passage"),
    [("inbox.group_filed", 1), ("inbox.group_committed", 1), ("inbox.group_committed", 2), ("inbox.before_commit", 1)],
)
def test_a_crash_between_the_groups_of_a_large_envelope(
    make_federation: Callable[..., Federation], point: str, passage: int
) -> None:
    made = build(make_federation, "groups")
    story = LargeEnvelope(made.f)
    story.f.faults["madrid"].crash_at(point, passage)
    story.tell()
    assert story.f.crashes == 1, "the crash did not happen"
    story.check()
