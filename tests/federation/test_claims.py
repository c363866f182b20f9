"""Single values with handling and a day of erasure of their own, on whole nodes: what goes, what stays, who is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tansiq.dossiers import records
from tansiq.dossiers.model import Entry, Part, Presence
from tansiq.errors import Invalid, Refused
from tansiq.hits.model import MatchState
from tansiq.ledger import verify_bundle
from tansiq.node import Node
from tansiq.terms import LogVerb
from tests.support import acts
from tests.support.federation import Crash
from tests.support.holdings import by_name, who_has
from tests.support.services import Federation, shared_view

PHONE = "+212600000087"
DAY = "2026-12-24"
UNTIL = timedelta(days=33)
"""From the clock's beginning to the day after."""


def claim(prop: str, value: str, **more: str) -> dict[str, str]:
    return {"property": prop, "value": value, "basis": "fact", "grade": "B2", **more}


def person(*claims: dict[str, str], ident: str = "p9") -> dict[str, Any]:
    named = claim("name", "Torben Westerhagen")
    return {"kind": "entity", "entity": {"id": ident, "schema": "Person", "role": "SUSP", "claims": [named, *claims]}}


def report(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    texts = [p for p in acts.report()["parts"] if p["kind"] == "narrative"]
    return acts.report() | {"handling": {"codes": []}, "parts": [*texts, *parts]} | more


DATED = claim("phone", PHONE, handling="H2", erase_on=DAY)


def opened(f: Federation, body: dict[str, Any], to: tuple[str, ...] = ("es",)) -> str:
    made = f.nodes["rabat"].dossiers.open("report", body, list(to), f.officers["rabat"])
    f.pump()
    return made


def thing(node: Node, dossier: str) -> tuple[Entry, Part]:
    entry = node.dossiers.state(dossier).entries[0]
    return entry, next(p for p in entry.parts if p.ref.kind == "entity")


def values(node: Node, dossier: str) -> list[str]:
    content = thing(node, dossier)[1].content
    return [c["value"] for c in content["entity"]["claims"]] if content else []


def the_day_comes(f: Federation, *names: str) -> None:
    f.clock.pass_time(UNTIL)
    for name in names:
        f.nodes[name].sweep()


def test_a_value_goes_on_its_day_from_part_bank_and_search_and_everything_verifies(federation: Federation) -> None:
    dossier = opened(federation, report(person(DATED, claim("birthDate", "1975-02-09"))))
    before = {n: shared_view(federation.nodes[n], dossier) for n in ("rabat", "madrid")}
    by = federation.officers["madrid"]
    assert federation.nodes["madrid"].bureau.search(PHONE, 5, by)
    the_day_comes(federation, "rabat", "madrid")
    for name in ("rabat", "madrid"):
        node = federation.nodes[name]
        entry, part = thing(node, dossier)
        assert (part.presence, part.erased) == (Presence.HELD, ("phone",))
        assert values(node, dossier) == ["Torben Westerhagen", "1975-02-09"]
        assert who_has(node.bank, PHONE) == []
        assert [c.record.provenance.part for c in by_name(node.bank, "Torben Westerhagen")] == [part.ref.id]
        assert node.bureau.search(PHONE, 5, federation.officers[name]) == []
        assert node.bureau.search("Westerhagen", 5, federation.officers[name])
        (leaf,) = [x for x in node.ledger.find(entry.id) if x.verb is LogVerb.ERASE]
        assert (leaf.content["part"], leaf.content["claims"]) == (part.ref.id, 1)
        assert leaf.content["clauses"] == ["roles.machine", "LED art. 5"]
        assert not [x for x in node.ledger.find(part.ref.id) if x.verb is LogVerb.ERASE], "no proof that all of it went"
        assert node.ledger.verify().broken_at is None
        assert verify_bundle(node.ledger.bundle(leaf.index), f"tansiq/{node.node_id}", node.keys.signing.public)
        assert shared_view(node, dossier) == before[name]
        node.sweep()
        assert len([x for x in node.ledger.find(entry.id) if x.verb is LogVerb.ERASE]) == 1, "once"


def test_a_match_shows_only_what_is_left_and_an_officers_decision_stays(federation: Federation) -> None:
    held = {"id": "h1", "schema": "Person", "role": "SUSP", "claims": [
        claim("name", "Torben Westerhagen"), claim("phone", PHONE)]}  # fmt: skip
    other = {"id": "h2", "schema": "Phone", "claims": [claim("number", PHONE)]}
    federation.hold("madrid", [held, other])
    dossier = opened(federation, report(person(DATED)))
    madrid = federation.nodes["madrid"]
    found = {m.holding.entity.schema: m for m in madrid.hits.matches()}
    assert set(found) == {"Person", "Phone"}
    decided = found["Person"]
    madrid.hits.decide(decided.id, MatchState.HIT, "the officer knows him by sight", federation.officers["madrid"])
    the_day_comes(federation, "madrid")
    (left,) = madrid.hits.matches()
    assert (left.id, left.state, left.dossier) == (decided.id, MatchState.HIT, dossier)
    assert left.score < decided.score
    assert PHONE not in repr(left.incoming) + repr(left.explanation)


def test_a_value_of_our_own_record_goes_from_the_match_too(federation: Federation) -> None:
    federation.hold("madrid", [{"id": "h1", "schema": "Person", "role": "SUSP", "claims": [
        claim("name", "Torben Westerhagen"), claim("phone", PHONE, erase_on=DAY)]}])  # fmt: skip
    opened(federation, report(person(claim("phone", PHONE))))
    madrid = federation.nodes["madrid"]
    (before,) = madrid.hits.matches()
    the_day_comes(federation, "madrid")
    (after,) = madrid.hits.matches()
    assert "phone" in {r["part"] for r in before.explanation["rows"]}
    assert "phone" not in {r["part"] for r in after.explanation["rows"]}
    assert [c.property for c in after.holding.entity.claims] == ["name"]


def test_no_match_shows_the_erased_value_of_a_holding_that_goes_in_the_same_sweep(federation: Federation) -> None:
    """Whatever the order in which the sweep takes them: each match is between two records that lose a value."""
    held = opened(federation, report(person(DATED)))
    other = [claim("phone", PHONE), claim("email", "t@example.org", erase_on=DAY)]
    for n in range(4):
        opened(federation, report(person(*other, ident=f"q{n}")))
    madrid = federation.nodes["madrid"]
    the_day_comes(federation, "madrid")
    matches = [m for m in madrid.hits.matches() if m.holding.provenance.dossier == held]
    assert matches
    for match in matches:
        assert [row for row in match.explanation["rows"] if row["part"] == "phone"] == []


def test_what_a_sweep_erases_between_the_look_and_the_match_comes_back_in_none(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Erased between the look and the match, the value would come back in the match and stay."""
    madrid = federation.nodes["madrid"]
    dossier = opened(federation, report(person(DATED)))
    entry, _ = thing(madrid, dossier)
    federation.hold("madrid", [{"id": "h2", "schema": "Phone", "claims": [claim("number", PHONE)]}])
    federation.clock.pass_time(UNTIL)
    madrid.store.write(lambda tx: madrid.hits.queue(tx, dossier, entry.id, "MA"))
    inner: Any = madrid.hits._meet
    swept = threading.Thread(target=madrid.sweep, daemon=True)

    def meet(*given: Any, **more: Any) -> Any:
        found = inner(*given, **more)
        if not swept.ident:
            swept.start()
            swept.join(30)
            assert not swept.is_alive(), "a sweep waits for no examination"
        return found

    monkeypatch.setattr(madrid.hits, "_meet", meet)
    madrid.settle()
    madrid.settle()
    assert values(madrid, dossier) == ["Torben Westerhagen"]
    assert [m.id for m in madrid.hits.matches() if PHONE in repr(m.incoming)] == []


def test_an_unread_notice_about_what_stays_is_there_after_a_value_went(federation: Federation) -> None:
    madrid, by = federation.nodes["madrid"], federation.officers["madrid"]
    madrid.bureau.watch("name", "Torben Westerhagen", "2027-01-31", by)
    opened(federation, report(person(claim("email", "t@example.org", erase_on=DAY))))
    madrid.settle()
    assert madrid.bureau.watches.notices(by.officer)
    the_day_comes(federation, "madrid")
    madrid.settle()
    assert madrid.bureau.watches.notices(by.officer)


def test_what_is_left_of_a_part_goes_to_nobody_else(federation: Federation) -> None:
    dossier = opened(federation, report(person(DATED)))
    the_day_comes(federation, "rabat")
    rabat, berlin = federation.nodes["rabat"], federation.nodes["berlin"]
    rabat.dossiers.admit(dossier, "de", federation.officers["rabat"])
    federation.pump()
    entry, part = thing(berlin, dossier)
    assert part.presence is Presence.WITHHELD
    assert any(p.presence is Presence.HELD for p in entry.parts)
    with rabat.store.read() as tx:
        assert part.ref.id not in {p for p, _salt, _content in records.load_parts(tx, rabat.vault, entry.id)}


def test_a_value_that_is_past_its_day_when_it_comes_is_compared_with_nothing(federation: Federation) -> None:
    federation.hold("madrid", [{"id": "h2", "schema": "Phone", "claims": [claim("number", PHONE)]}])
    federation.away.add("madrid")
    dossier = opened(federation, report(person(DATED)))
    federation.clock.pass_time(UNTIL)
    federation.away.clear()
    federation.pump()
    madrid = federation.nodes["madrid"]
    assert values(madrid, dossier) == ["Torben Westerhagen"]
    assert thing(madrid, dossier)[1].erased == ("phone",)
    assert madrid.hits.matches() == []
    assert len(who_has(madrid.bank, PHONE)) == 1


def test_a_part_of_which_every_value_is_due_is_erased_as_parts_are(federation: Federation) -> None:
    number = {"kind": "entity", "entity": {"id": "ph1", "schema": "Phone", "claims": [
        claim("number", PHONE, erase_on=DAY)]}}  # fmt: skip
    dossier = opened(federation, report(number))
    the_day_comes(federation, "madrid")
    madrid = federation.nodes["madrid"]
    _entry, part = thing(madrid, dossier)
    assert part.presence is Presence.ERASED
    assert [x.verb for x in madrid.ledger.find(part.ref.id)] == [LogVerb.ERASE]
    assert who_has(madrid.bank, PHONE) == []


def test_a_recall_of_what_is_left_is_proven_by_its_own_leaf(federation: Federation) -> None:
    dossier = opened(federation, report(person(DATED)))
    the_day_comes(federation, "madrid")
    rabat, madrid = federation.nodes["rabat"], federation.nodes["madrid"]
    entry, part = thing(madrid, dossier)
    facts = {"about": entry.id, "part": part.ref.id, "reason": "inaccurate"}
    rabat.dossiers.append(dossier, {"type": "dossier.recalled", "facts": facts}, federation.officers["rabat"])
    federation.pump()
    state = rabat.dossiers.state(dossier)
    (said,) = [e.statement.facts for e in state.entries if e.statement.type == "dossier.erased"]
    leaf = next(x for x in madrid.ledger.find(part.ref.id) if x.verb is LogVerb.ERASE)
    assert (said.get("held", True), said["leaf"]) == (True, leaf.index)
    assert state.marks == ()


def test_a_value_does_not_outlive_its_entry(federation: Federation) -> None:
    late = claim("phone", PHONE, erase_on="2031-01-01")
    with pytest.raises(Invalid) as caught:
        opened(federation, report(person(late)))
    assert (caught.value.code, caught.value.field) == (
        "claim.erase_after_entry",
        "parts[2].entity.claims[1].erase_on",
    )
    assert PHONE not in f"{caught.value}{caught.value.hint}"


def test_the_handling_of_one_value_binds_its_part_and_the_refusal_names_clause_and_part(
    federation: Federation,
) -> None:
    dossier = opened(federation, report(person(ident="p8"), person(DATED)), ("es", "de"))
    berlin = federation.nodes["berlin"]
    entry = berlin.dossiers.state(dossier).entries[0]
    strict = [p.ref.id for p in entry.parts if p.content and "H2" in repr(p.content)]
    assert [str(c) for c in entry.statement.handling.codes] == ["H0"]
    with pytest.raises(Refused) as caught:
        berlin.dossiers.forward(dossier, entry.id, "pt", federation.officers["berlin"])
    assert "handling.h2" in caught.value.clauses
    assert [caught.value.field] == strict
    assert PHONE not in f"{caught.value}{caught.value.hint}"
    plain = opened(federation, report(person(ident="p8")), ("es", "de"))
    with pytest.raises(Refused) as caught:
        berlin.dossiers.forward(plain, berlin.dossiers.state(plain).entries[0].id, "pt", federation.officers["berlin"])
    assert "handling.h2" not in caught.value.clauses
    (record,) = who_has(berlin.bank, PHONE)
    assert record.handling() == ("H0", "H2")
    assert record.provenance.handling == ("H0",)


def points(make: Callable[..., Federation]) -> list[str]:
    f = made(make, "dry")
    for name in ("rabat", "madrid"):
        f.faults[name].passed.clear()
    the_day_comes(f, "madrid")
    return [p for p in f.faults["madrid"].passed if p.startswith(("claims.", "erase."))]


def made(make: Callable[..., Federation], label: str) -> Federation:
    f = make(label)
    f.add("rabat", "madrid")
    opened(f, report(person(DATED), person(claim("email", "t@example.org", erase_on=DAY), ident="p8")))
    return f


def test_a_power_cut_at_any_step_erases_each_value_once(make_federation: Callable[..., Federation]) -> None:
    passed = points(make_federation)
    assert passed.count("claims.erased") == 2
    for n, point in enumerate(passed):
        f = made(make_federation, f"cut{n}")
        madrid = f.nodes["madrid"]
        (dossier,) = [d.id for d in madrid.dossiers.rows()]
        f.faults["madrid"].crash_at(point, passed[: n + 1].count(point))
        with pytest.raises(Crash):
            the_day_comes(f, "madrid")
        f.restart("madrid")
        madrid = f.nodes["madrid"]
        gone = [p.erased for p in madrid.dossiers.state(dossier).entries[0].parts if p.ref.kind == "entity"]
        assert gone in ([(), ()], [("phone",), ("email",)]), "both or none"
        madrid.sweep()
        entry = madrid.dossiers.state(dossier).entries[0]
        assert [p.erased for p in entry.parts if p.ref.kind == "entity"] == [("phone",), ("email",)]
        assert len([x for x in madrid.ledger.find(entry.id) if x.verb is LogVerb.ERASE]) == 2
        assert who_has(madrid.bank, PHONE) == []
        assert madrid.ledger.verify().broken_at is None
