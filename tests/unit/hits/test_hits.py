"""From what arrived to an officer's word: matches are found once, decided once, by a person, and leave their leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tansiq.access.model import Acting, Role
from tansiq.bank import entity_to_json, parse_entity
from tansiq.bank.model import Claim
from tansiq.dossiers.model import Entry, Part, PartRef, Presence, Statement
from tansiq.errors import Conflict, Invalid, NotFound, PeerUnavailable, Refused
from tansiq.hits import Hits, records
from tansiq.hits.model import MatchState
from tansiq.policy import load_gate
from tansiq.terms import DossierId, EntryId, Handling, LogVerb, NodeId, OfficerId, PartId
from tests.support.entries import LEGAL, START
from tests.support.holdings import ANALYST, Holdings, by_name, entity, person

RABAT = NodeId("ma-" + "r" * 20)
E1, E2 = "e-" + "1" * 64, "e-" + "2" * 64
D1, D2 = "d-" + "1" * 32, "d-" + "2" * 32


def part_id(number):
    return PartId(f"p-{number:064x}")


def entry_of(*entities, ident=E1, dossier=D1, presence=Presence.HELD):
    refs = tuple(PartRef(part_id(i), "entity", 10) for i, _ in enumerate(entities, 1))
    contents = [{"kind": "entity", "entity": entity_to_json(e)} for e in entities]
    parts = tuple(
        Part(ref, presence, content if presence is Presence.HELD else None)
        for ref, content in zip(refs, contents, strict=True)
    )
    statement = Statement(
        dossier=DossierId(dossier),
        kind="report",
        type="report.given",
        author=RABAT,
        officer="o-1",
        clock=0,
        at=START,
        parents=(),
        addressees=(),
        handling=Handling.parse(["H2"]),
        legal=LEGAL,
        facts={},
        parts=refs,
    )
    return Entry(EntryId(ident), statement, parts)


class Desk:
    """Hits over real holdings, and the entries that have arrived."""

    def __init__(self, url):
        self.there = Holdings(url)
        self.entries = {}
        self.hits = self.opened()

    def opened(self):
        """As a process of its own on the same database has them."""
        t = self.there
        return Hits(t.store, t.vault, t.ledger, t.bank, t.clock, t.new_id, load_gate("ES"), "ES", self.part_in)

    def part_in(self, _tx, entry, part):
        return next((p.content for p in self.entries[entry].parts if p.ref.id == part), None)

    def arrive(self, entry, **more):
        self.entries[entry.id] = entry
        self.there.store.write(lambda tx: self.hits.queue(tx, entry.statement.dossier, entry.id, "MA", **more))

    def load(self, ident):
        if ident not in self.entries:
            raise NotFound("entry", "no such entry")
        found = self.entries[ident]
        if isinstance(found, Exception):
            raise found
        return found

    def examine(self):
        return self.hits.examine_queued(self.load)


@pytest.fixture
def desk(sqlite_url):
    opened = Desk(sqlite_url)
    yield opened
    opened.there.close()


@pytest.fixture
def matched(desk):
    """One person held in Latin script, one arrived in Arabic script, one open match."""
    desk.there.keep(person("Yasser Tazeghart", birthDate="1985-03-20"))
    desk.arrive(entry_of(person("ياسر تازغارت", birthDate="1985", role="SUSP")))
    (found,) = desk.examine()
    return found


def test_a_person_who_arrives_in_another_script_is_matched(desk, matched):
    assert matched.state is MatchState.OPEN
    assert matched.rule == "person"
    assert matched.holding.entity.names() == ("Yasser Tazeghart",)
    assert matched.originator == "MA"
    assert desk.hits.matches() == [matched]
    assert desk.hits.match(matched.id) == matched


def test_an_examination_leaves_a_leaf(desk, matched):
    (leaf,) = desk.there.ledger.find(matched.entry)
    assert leaf.verb is LogVerb.COMBINE
    assert leaf.content["matches"] == 1


def test_an_examination_names_the_clause_that_permits_it(desk, matched):
    (leaf,) = desk.there.ledger.find(matched.entry)
    assert leaf.content["clauses"] == ["roles.machine"]
    assert "not_compared" not in leaf.content


@pytest.mark.parametrize(
    "given",
    [
        {"role": "WITN", "birthDate": "1985"},
        {"role": "VICT", "birthDate": "1985"},
        {"role": "INFO", "birthDate": "1985"},
        {"role": "SUSP", "birthDate": "2015"},
    ],
)
def test_a_witness_a_victim_an_informant_and_a_minor_are_not_compared(desk, given):
    """Reg. (EU) 2016/794 art. 30(1): only if strictly necessary, which no machine knows."""
    desk.there.keep(person("Yasser Tazeghart", birthDate=given["birthDate"]))
    desk.there.keep(person("Karim Sebti", birthDate="1971-05-04"))
    desk.arrive(entry_of(person("ياسر تازغارت", **given), person("Karim Sebti", birthDate="1971-05-04", role="SUSP")))
    (found,) = desk.examine()
    assert found.incoming.names() == ("Karim Sebti",)
    (leaf,) = desk.there.ledger.find(E1)
    assert (leaf.content["not_compared"], leaf.content["refused_by"]) == (1, ["persons.match"])


def test_a_witness_of_an_earlier_report_is_not_met(desk):
    witness = person("Yasser Tazeghart", birthDate="1985-03-20", role="WITN")
    desk.there.keep(witness, source="dossier", reference=E2, part=part_id(9), dossier=D2, originator="DE")
    desk.arrive(entry_of(person("ياسر تازغارت", birthDate="1985", role="SUSP")))
    assert desk.examine() == []


def test_who_is_held_by_our_own_decision_is_met(desk):
    """A service's own file on a missing child is what an arriving report must meet."""
    desk.there.keep(person("Yasser Tazeghart", birthDate="2015-03-20", role="VICT"))
    desk.arrive(entry_of(person("ياسر تازغارت", role="SUSP"), person("Karim Sebti", role="SUSP")))
    assert desk.hits._comparing.may_meet(by_name(desk.there.bank, "Yasser Tazeghart")[0].record)


@pytest.fixture
def between(monkeypatch):
    """Do something once, after an examination has looked and before its transaction begins."""

    def put(hits, do):
        looked = hits._meet
        waiting = [do]

        def meet(*given, **more):
            found = looked(*given, **more)
            if waiting:
                waiting.pop()()
            return found

        monkeypatch.setattr(hits, "_meet", meet)

    return put


@pytest.fixture
def both(store_url):
    opened = Desk(store_url)
    yield opened
    opened.there.close()


def examine_ahead(desk, entry):
    """As a delivery does: looked up in a reader's snapshot, kept in the transaction that files it."""
    desk.entries[entry.id] = entry
    entities = {p.ref.id: parse_entity(p.content["entity"]) for p in entry.parts}
    store = desk.there.store
    with store.read() as tx:
        ahead = desk.hits.look_ahead(tx, entry, entities, "MA", desk.load)
    store.write(lambda tx: desk.hits.queue(tx, entry.statement.dossier, entry.id, "MA", ahead=ahead))


@pytest.mark.parametrize("ahead", [False, True])
def test_a_holding_erased_between_the_look_and_the_match_is_in_no_match(both, between, ahead):
    """By whichever process: the transaction that keeps the match looks for itself."""
    held = both.there.keep(person("Yasser Tazeghart", birthDate="1985-03-20"))
    between(both.hits, lambda: both.there.store.write(lambda tx: both.there.bank.remove(tx, held)))
    entry = entry_of(person("ياسر تازغارت", birthDate="1985", role="SUSP"))
    examine_ahead(both, entry) if ahead else both.arrive(entry)
    assert both.examine() == []
    assert both.examine() == []  # looked at again, and done
    assert both.hits.matches() == []
    with both.there.store.read() as tx:
        assert records.waiting(tx, 9) == []


@pytest.mark.parametrize("ahead", [False, True])
def test_a_value_erased_between_the_look_and_the_match_is_not_shown(both, between, ahead):
    due = Claim("phone", "+212612345678", erase_on="2026-01-01")
    kept = person("Yasser Tazeghart", birthDate="1985-03-20")
    both.there.keep(replace(kept, claims=(*kept.claims, due)))
    between(both.hits, lambda: both.there.store.write(lambda tx: both.there.bank.erase_due(tx, "2026-01-01")))
    entry = entry_of(person("ياسر تازغارت", birthDate="1985", phone="+212612345678", role="SUSP"))
    examine_ahead(both, entry) if ahead else both.arrive(entry)
    both.examine()
    both.examine()
    (match,) = both.hits.matches()
    assert "phone" not in {row["part"] for row in match.explanation["rows"]}
    assert match.holding.entity == kept


def test_a_part_recalled_between_the_look_and_the_match_is_in_no_match(both, between):
    both.there.keep(person("Yasser Tazeghart", birthDate="1985-03-20"))
    entry = entry_of(person("ياسر تازغارت", birthDate="1985", role="SUSP"))
    gone = replace(entry, parts=tuple(replace(p, presence=Presence.ERASED, content=None) for p in entry.parts))
    both.arrive(entry)
    between(both.hits, lambda: both.entries.update({entry.id: gone}))
    assert both.examine() == []
    assert both.examine() == []
    assert both.hits.matches() == []


def test_examining_again_finds_nothing_new(desk, matched):
    desk.arrive(desk.entries[matched.entry])
    assert desk.examine() == []
    assert len(desk.hits.matches()) == 1


@pytest.mark.parametrize("step", ["before", "after"])
def test_a_crash_in_an_examination_loses_and_repeats_nothing(desk, step, monkeypatch):
    class Crash(BaseException):
        pass

    desk.there.keep(person("Yasser Tazeghart", birthDate="1985"))
    desk.arrive(entry_of(person("ياسر تازغارت", birthDate="1985")))
    store = desk.there.store
    whole = store.write

    def cut(work):
        if step == "after":
            whole(work)
        raise Crash

    monkeypatch.setattr(store, "write", cut)
    with pytest.raises(Crash):
        desk.examine()
    monkeypatch.undo()
    assert len(desk.examine()) == (1 if step == "before" else 0)
    assert len(desk.hits.matches()) == 1


def test_a_number_that_is_held_is_matched_whatever_the_names(desk):
    desk.there.keep(person("Karim Sebti", phone="+212612345678"))
    desk.arrive(
        entry_of(entity("Phone", number="0612345678", country="MA"), person("Peter Lindemann", phone="00212612345678"))
    )
    found = desk.examine()
    assert [m.rule for m in found] == ["identifier", "identifier"]
    assert {m.part for m in found} == {part_id(1), part_id(2)}


def test_a_part_that_arrives_later_is_examined_then(desk):
    desk.there.keep(person("Yasser Tazeghart"))
    desk.arrive(entry_of(person("Yasser Tazeghart"), presence=Presence.WITHHELD))
    assert desk.examine() == []
    desk.arrive(entry_of(person("Yasser Tazeghart")))
    (found,) = desk.examine()
    desk.hits.decide(found.id, MatchState.NO_HIT, "another person", ANALYST)
    desk.arrive(entry_of(person("Yasser Tazeghart")))
    assert desk.examine() == []


def test_two_common_names_and_nothing_else_are_no_match(desk):
    desk.there.keep(person("Mohamed Alaoui"))
    desk.arrive(entry_of(person("Rachid Alaoui")))
    assert desk.examine() == []


def test_nothing_matches_what_came_with_its_own_dossier(desk):
    named = person("Yasser Tazeghart", birthDate="1985")
    entry = entry_of(named)
    desk.there.keep(named, source="dossier", reference=E2, part="p-9", dossier=D1)
    # Kept without its dossier: then its entry says which it was.
    desk.there.keep(named, source="dossier", reference=E2, part="p-8")
    desk.entries[E2] = entry_of(named, ident=E2)
    desk.arrive(entry)
    assert desk.examine() == []
    desk.arrive(entry_of(named, ident="e-" + "3" * 64, dossier=D2))
    assert len(desk.examine()) == 2


def test_withheld_and_malformed_parts_are_passed_over(desk):
    desk.there.keep(person("Yasser Tazeghart"))
    withheld = entry_of(person("Yasser Tazeghart"), presence=Presence.WITHHELD)
    broken = entry_of(person("Yasser Tazeghart"), ident=E2)
    content = {"kind": "entity", "entity": {"id": "x", "schema": "Human", "claims": []}}
    desk.arrive(withheld)
    desk.arrive(replace(broken, parts=(replace(broken.parts[0], content=content),)))
    assert desk.examine() == []


def test_an_entry_that_cannot_be_loaded_waits_and_one_that_is_gone_does_not(desk):
    desk.there.keep(person("Yasser Tazeghart"))
    arrived = entry_of(person("Yasser Tazeghart"))
    desk.arrive(arrived)
    desk.arrive(entry_of(person("Karim Sebti"), ident=E2))
    del desk.entries[E2]
    desk.entries[E1] = PeerUnavailable("x", "later")
    assert desk.examine() == []
    desk.entries[E1] = arrived
    assert len(desk.examine()) == 1


def test_an_officer_makes_a_hit(desk, matched):
    hit = desk.hits.decide(matched.id, MatchState.HIT, "same birth date, same father", ANALYST)
    assert hit.state is MatchState.HIT
    assert hit.decided_by == ANALYST.officer
    again = desk.hits.match(matched.id)
    assert (again.state, again.reason) == (MatchState.HIT, "same birth date, same father")
    (leaf,) = desk.there.ledger.find(matched.id)
    assert (leaf.verb, leaf.content["decision"], leaf.content["clauses"]) == (LogVerb.COMBINE, "hit", ["roles.decide"])


def test_a_decision_stands(desk, matched):
    desk.hits.decide(matched.id, MatchState.NO_HIT, "another person", ANALYST)
    with pytest.raises(Conflict):
        desk.hits.decide(matched.id, MatchState.HIT, "no, the same", ANALYST)
    assert desk.hits.match(matched.id).state is MatchState.NO_HIT


def test_unclear_may_still_be_decided(desk, matched):
    desk.hits.decide(matched.id, MatchState.UNCLEAR, "photograph asked for", ANALYST)
    assert len(desk.hits.duties()) == 1
    assert desk.hits.decide(matched.id, MatchState.HIT, "photograph compared", ANALYST).state is MatchState.HIT


@pytest.mark.parametrize(
    "by",
    [
        Acting.machine(),
        replace(Acting.machine(), roles=frozenset({Role.ANALYST})),
        Acting(OfficerId("o-00000000000000b2"), frozenset({Role.PROTECTION}), "oversight", "check"),
        Acting(OfficerId("o-00000000000000b2"), frozenset()),
    ],
    ids=["machine", "machine in disguise", "data protection", "no role"],
)
def test_who_is_no_deciding_officer_is_refused_with_the_clause_and_a_leaf(desk, matched, by):
    with pytest.raises(Refused) as caught:
        desk.hits.decide(matched.id, MatchState.HIT, "same person", by)
    assert "led.11" in caught.value.clauses
    assert desk.hits.match(matched.id).state is MatchState.OPEN
    (leaf,) = desk.there.ledger.find(matched.id)
    assert leaf.content["decision"] == "refused"


@pytest.mark.parametrize(
    ("state", "reason", "field"),
    [(MatchState.HIT, "  ", "reason"), (MatchState.HIT, "x" * 2001, "reason"), (MatchState.OPEN, "reopen", "state")],
)
def test_a_decision_needs_its_reason_and_is_a_decision(desk, matched, state, reason, field):
    with pytest.raises(Invalid) as caught:
        desk.hits.decide(matched.id, state, reason, ANALYST)
    assert caught.value.field == field


def test_an_open_match_is_a_duty_until_it_is_decided(desk, matched):
    (duty,) = desk.hits.duties()
    assert (duty.match, duty.code, duty.due_at) == (matched.id, "hit.confirm", matched.found_at + timedelta(days=3))
    desk.hits.decide(matched.id, MatchState.HIT, "same person", ANALYST)
    assert desk.hits.duties() == ()


def test_what_came_with_urgency_is_due_sooner_and_shown_first(desk, matched):
    desk.arrive(entry_of(person("ياسر تازغارت", birthDate="1985"), ident=E2, dossier=D2), urgent=True)
    desk.examine()
    first, second = desk.hits.duties()
    assert first.urgent
    assert first.due_at - first.since == timedelta(hours=8)
    assert second.match == matched.id


def test_a_recalled_part_takes_its_matches_with_it(desk, matched):
    store = desk.there.store
    assert store.write(lambda tx: desk.hits.erase_part(tx, "e-other", matched.part)) == []
    assert store.write(lambda tx: desk.hits.erase_part(tx, matched.entry, matched.part)) == [matched.id]
    with pytest.raises(NotFound):
        desk.hits.match(matched.id)


def test_a_match_goes_with_the_part_that_its_holding_came_from(desk):
    kept = desk.there.keep(person("Yasser Tazeghart", birthDate="1985"), source="dossier", part="p-7", dossier=D2)
    desk.arrive(entry_of(person("Yasser Tazeghart", birthDate="1985")))
    (found,) = desk.examine()
    assert desk.there.store.write(lambda tx: desk.hits.erase_part(tx, "r", "p-7")) == []
    assert desk.there.store.write(lambda tx: desk.hits.erase_part(tx, "r", "p-7", [kept])) == [found.id]


def test_matches_are_counted_by_their_state(desk, matched):
    assert [desk.hits.count(s) for s in MatchState] == [1, 0, 0, 0]
    desk.hits.decide(matched.id, MatchState.HIT, "same person", ANALYST)
    assert [desk.hits.count(s) for s in MatchState] == [0, 1, 0, 0]


def test_a_burst_is_examined_in_few_transactions_and_each_entry_is_found(desk, monkeypatch):
    for number in range(20):
        desk.there.keep(person("Yasser Tazeghart", phone=f"+2126123456{number:02}"), reference=f"r{number}")
    for number in range(20):
        desk.arrive(entry_of(entity("Phone", number=f"+2126123456{number:02}"), ident=f"e-{number:064x}"))
    writes = []
    whole = desk.there.store.write
    monkeypatch.setattr(desk.there.store, "write", lambda work: writes.append(work) or whole(work))
    found = desk.examine()
    assert {m.entry for m in found} == set(desk.entries)
    assert len(writes) < 20


def test_a_match_goes_with_its_holding_in_the_same_transaction(desk, matched):
    seen = []

    def work(tx):
        desk.there.bank.remove(tx, matched.holding.id)
        seen.append(records.load(tx))

    desk.there.store.write(work)
    assert seen == [[]]
    assert (desk.hits.matches(), desk.hits.duties()) == ([], ())
    assert [desk.hits.count(s) for s in MatchState] == [0, 0, 0, 0]


def test_a_match_stays_where_the_erasure_of_its_holding_did_not_come_about(desk, matched):
    def work(tx):
        desk.there.bank.drop(tx, [matched.holding.id])
        raise Conflict("x", "x")

    with pytest.raises(Conflict):
        desk.there.store.write(work)
    assert desk.hits.matches() == [matched]


@pytest.fixture
def many(store_url):
    """Forty matches of few instants and scores, in all states, some of them urgent."""
    opened = Desk(store_url)
    for number in range(40):
        opened.there.keep(person("Yasser Tazeghart", phone=f"+2126123456{number:02}"), reference=f"r{number}")
    for number in range(40):
        if number % 5 == 0:
            opened.there.clock.pass_time(timedelta(seconds=1))
        phone = entity("Phone", number=f"+2126123456{number:02}")
        opened.arrive(entry_of(phone, ident=f"e-{number:064x}", dossier=f"d-{number % 3:032x}"), urgent=number % 7 == 0)
        opened.examine()
    for number, match in enumerate(sorted(opened.hits.matches(), key=lambda m: m.entry)):
        if number % 4:
            opened.hits.decide(match.id, list(MatchState)[number % 4], "looked at", ANALYST)
    yield opened
    opened.there.close()


def in_pages(desk, state, most):
    found, after = [], ""
    while page := desk.hits.page(state, after, most):
        assert len(page) <= most
        found += page
        after = page[-1].id
    return found


def test_pages_of_matches_hold_all_of_them_once_and_in_their_order(many):
    for state in (None, *MatchState):
        every = many.hits.matches(state)
        assert len(every) == (40 if state is None else 10)
        assert every == sorted(every, key=lambda m: (m.found_at, m.score, m.id), reverse=True)
        for most in (1, 3, 7, 100):
            assert in_pages(many, state, most) == every, (state, most)
    assert many.hits.counts() == dict.fromkeys(MatchState, 10)


def test_a_page_goes_on_behind_a_match_that_was_decided_meanwhile(many):
    every = many.hits.matches(MatchState.OPEN)
    many.hits.decide(every[3].id, MatchState.HIT, "the same", ANALYST)
    assert many.hits.page(MatchState.OPEN, every[3].id, 100) == every[4:]
    assert many.hits.page(MatchState.OPEN, "m-gone", 100) == every[:3] + every[4:], "it begins anew"


def test_a_match_knows_its_place_and_its_neighbours(many):
    every = many.hits.matches(MatchState.OPEN)
    for place, match in enumerate(every):
        before = every[place - 1].id if place else ""
        behind = every[place + 1].id if place + 1 < len(every) else ""
        assert many.hits.queue_of(match) == (place, before, behind)
    every = many.hits.matches()
    for match in every[::9]:
        rivals, earlier = many.hits.beside(match)
        assert rivals == [m for m in every if (m.entry, m.part) == (match.entry, match.part) and m != match]
        assert earlier == [m for m in every if m.holding.id == match.holding.id and m != match and m.decided_at]
        near = [m.state for m in every if m.decided_at and abs(m.score - match.score) <= 0.1]
        assert many.hits.decided_near(match.score, 0.1) == {s: near.count(s) for s in set(near)}


def test_the_duties_that_are_due_first_are_read_alone(many):
    every = many.hits.duties()
    assert len(every) == 20, "open, and unclear"
    assert {d.urgent for d in every} == {True, False}
    assert list(every) == sorted(every, key=lambda d: (d.due_at, d.match))
    for most in (1, 3, 7, 19, 100):
        assert many.hits.duties(most) == every[:most]
    for match in many.hits.matches():
        assert many.hits.duty_of(match) == tuple(d for d in every if d.match == match.id)


def test_a_name_that_meets_many_holdings_gives_a_handful_of_matches(desk):
    for number in range(20):
        desk.there.keep(person("Yasser Tazeghart", birthDate=str(1960 + number)))
    desk.arrive(entry_of(person("Yasser Tazeghart")))
    assert len(desk.examine()) == 8


def test_both_databases_keep_matches(store_url):
    desk = Desk(store_url)
    try:
        desk.there.keep(person("Karim Sebti", phone="+212612345678"))
        desk.arrive(entry_of(entity("Phone", number="+212612345678")))
        (found,) = desk.examine()
        desk.hits.decide(found.id, MatchState.HIT, "same phone", ANALYST)
        assert [m.state for m in desk.hits.matches(MatchState.HIT)] == [MatchState.HIT]
    finally:
        desk.there.close()
