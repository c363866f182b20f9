"""What an entry meets is looked up before its transaction and kept in it: no less and no more than the queue finds."""

from __future__ import annotations

from typing import Any

import pytest

from tansiq.demo import people
from tansiq.node import Node
from tansiq.terms import LogVerb
from tests.support import acts
from tests.support.services import Federation


def send(f: Federation) -> tuple[str, str]:
    """Rabat's report, delivered; nothing has settled in Madrid."""
    rabat = f.nodes["rabat"]
    dossier = rabat.dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    f._deliver(rabat, f.nodes["madrid"])
    return dossier, rabat.dossiers.state(dossier).entries[0].id


def again(f: Federation, name: str = "es-2") -> None:
    """Another record of the person whom Madrid holds."""
    f.hold("madrid", [{**people.MADRID_HOLDINGS[0], "id": name}])


def combined(node: Node, entry: str) -> list[Any]:
    return [x for x in node.ledger.find(entry) if x.verb is LogVerb.COMBINE]


def what(node: Node) -> list[tuple[Any, ...]]:
    found = node.hits.matches()
    return sorted((m.entry, m.part, m.holding.id, m.rule, m.score, str(m.explanation), m.originator) for m in found)


def test_a_match_stands_in_the_commit_that_files_its_entry(federation: Federation) -> None:
    f = federation
    f.hold("madrid", people.MADRID_HOLDINGS)
    madrid = f.nodes["madrid"]
    told: list[Any] = []
    madrid.hits.told.append(told.extend)
    _, entry = send(f)
    found = what(madrid)
    assert found
    assert {x[0] for x in found} == {entry}
    assert sorted(m.id for m in told) == sorted(m.id for m in madrid.hits.matches())
    (leaf,) = combined(madrid, entry)
    assert leaf.content["matches"] == len(found)
    assert leaf.content["clauses"]
    assert madrid.settle() == 0
    assert what(madrid) == found
    assert len(combined(madrid, entry)) == 1


def test_it_finds_what_the_queue_finds(make_federation: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    both = []
    for ahead in (True, False):
        f = make_federation(f"ahead-{ahead}")
        f.add("rabat", "madrid")
        madrid = f.nodes["madrid"]
        f.hold("madrid", people.MADRID_HOLDINGS)
        if not ahead:
            monkeypatch.setattr(madrid.hits, "look_ahead", fail)
        send(f)
        assert bool(madrid.hits.matches()) is ahead
        madrid.settle()
        both.append(
            [(m.rule, m.score, str(m.explanation), m.incoming, m.holding.entity) for m in madrid.hits.matches()]
        )
    assert both[0] == both[1] != []


def fail(*_: object, **__: object) -> None:
    raise RuntimeError("a fault of the examination")


def test_what_came_into_the_bank_meanwhile_is_met_too(federation: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    f = federation
    f.hold("madrid", people.MADRID_HOLDINGS[:1])
    madrid = f.nodes["madrid"]
    found: Any = madrid.hits.look_ahead

    def late(*given: Any) -> Any:
        ahead = found(*given)
        again(f)
        return ahead

    monkeypatch.setattr(madrid.hits, "look_ahead", late)
    _, entry = send(f)
    assert madrid.hits.matches() == [], "the look is too old: the queue has it"
    assert madrid.settle() == 2
    assert len({m.holding.id for m in madrid.hits.matches()}) == 2
    assert len(combined(madrid, entry)) == 1


def test_what_came_after_its_snapshot_began_is_met_too(federation: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named in memory already and is not in the snapshot: neither met nor taken for erased."""
    f = federation
    f.hold("madrid", people.MADRID_HOLDINGS[:1])
    madrid = f.nodes["madrid"]
    found: Any = madrid.hits.look_ahead

    def early(*given: Any) -> Any:
        again(f)
        return found(*given)

    monkeypatch.setattr(madrid.hits, "look_ahead", early)
    send(f)
    assert madrid.hits.matches() == []
    assert madrid.settle() == 2


def test_an_entry_that_is_not_filed_is_not_looked_up(federation: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Removed from the dossier, a member is sent nothing; what comes all the same enters no search."""
    f = federation
    f.hold("madrid", people.MADRID_HOLDINGS[:1])
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    looked: list[Any] = []
    inner: Any = madrid.hits.look_ahead
    monkeypatch.setattr(madrid.hits, "look_ahead", lambda *given: looked.append(given) or inner(*given))
    dossier, _ = send(f)
    assert len(looked) == 1
    raw = f.posted[-1][1]
    f.nodes["madrid"].exchange.receive(raw)
    assert len(looked) == 1, "a repeat is answered, not examined"
    rabat.dossiers.append(dossier, acts.note("report.note_added", "no person"), f.officers["rabat"])
    f._deliver(rabat, madrid)
    assert len(looked) == 2
    assert len(madrid.hits.matches()) == 1


def test_a_recall_takes_the_match_with_it(federation: Federation) -> None:
    f = federation
    f.hold("madrid", people.MADRID_HOLDINGS[:1])
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    dossier, entry = send(f)
    assert len(madrid.hits.matches()) == 1
    part = madrid.hits.matches()[0]
    facts = {"about": entry, "part": f.nodes["madrid"].hits.matches()[0].part, "reason": "inaccurate"}
    assert part.entry == entry
    rabat.dossiers.append(dossier, {"type": "dossier.recalled", "facts": facts}, f.officers["rabat"])
    f._deliver(rabat, madrid)
    assert madrid.hits.matches() == []


def test_a_recall_that_overtook_the_entry_leaves_nothing_to_meet(make_federation: Any) -> None:
    """The services' keys are the same in both federations: what one was posted, the other may be posted in turn."""
    first, other = make_federation("first"), make_federation("other")
    for f in (first, other):
        f.add("rabat", "madrid")
        f.hold("madrid", people.MADRID_HOLDINGS[:1])
    rabat, madrid = first.nodes["rabat"], first.nodes["madrid"]
    dossier, entry = send(first)
    (match,) = madrid.hits.matches()
    facts = {"about": entry, "part": match.part, "reason": "inaccurate"}
    rabat.dossiers.append(dossier, {"type": "dossier.recalled", "facts": facts}, first.officers["rabat"])
    first._deliver(rabat, madrid)
    (_, report), (_, recall) = first.posted
    madrid = other.nodes["madrid"]
    for raw in (recall, report):
        madrid.exchange.receive(raw)
        assert madrid.hits.matches() == []
    madrid.settle()
    assert madrid.hits.matches() == []
    assert len(madrid.dossiers.state(dossier).recalls) == 1
