"""Everything held on one person (LED arts 14, 16, 17): found across scripts, veiled, released by consent, signed.

On whole nodes, on both databases. Invented people.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tansiq.access.model import Acting, Role
from tansiq.bank import parse_entity
from tansiq.bank.model import Provenance
from tansiq.crypto import canonical, sign, to_base64
from tansiq.demo import people
from tansiq.errors import Invalid, Refused, TansiqError, Untrusted
from tansiq.hits.model import MatchState
from tansiq.node import Node
from tansiq.oversight import EXTRACT_TYPE, gathering, person, read_person, verify_extract
from tansiq.oversight.gathering import MOST_HOLDINGS
from tansiq.oversight.model import Bound, Found, Kept, Right, Sort, Thing
from tansiq.oversight.rules import codes_in
from tansiq.private.model import Tier
from tansiq.terms import DossierId, EntryId, LogVerb, PartId
from tests.support import acts
from tests.support.plans import supervisor
from tests.support.services import Federation

ASKED = [{"property": "name", "value": "Youssef Benomar Zerouali"}, {"property": "birthDate", "value": "1989-06-17"}]
WHY = "request 12 of the person"


def protection(node: Node, why: str = WHY) -> Acting:
    there = next((o for o in node.access.officers() if Role.PROTECTION in o.roles), None)
    officer = there or node.access.add_officer("Guardian", (Role.PROTECTION,), None)[0]
    return Acting(officer.id, frozenset({Role.PROTECTION}), "investigation", why)


def find(node: Node, claims: list[dict[str, str]] | None = None) -> Found:
    return node.oversight.find(read_person(claims or ASKED), Right.ACCESS, protection(node))


def of(found: Found, sort: Sort) -> list[Thing]:
    return [t for t in found.things if t.sort is sort]


def extract(node: Node, items: list[str], consented: tuple[str, ...] = ()) -> dict[str, Any]:
    raw = node.oversight.extract(read_person(ASKED), Right.ACCESS, items, protection(node), consented)
    said: dict[str, Any] = verify_extract(raw)["extract"]
    return said


def drafted(subject: str, codes: list[str]) -> dict[str, Any]:
    """A report to Berlin that Madrid would open."""
    body = acts.report() | {"subject": subject, "handling": {"codes": codes}}
    body["parts"] = [{"kind": "narrative", "lang": "es", "text": "Un coche."}]
    body["legal"] |= {"agreement": {"DE": "eu-2023-977"}}
    return {"kind": "report", "to": ["de"], "body": body}


@pytest.fixture
def shared(federation: Federation) -> Federation:
    """Rabat has reported a man whom Madrid holds under a Latin spelling; Madrid watches and drafts."""
    f = federation
    f.hold("madrid", people.MADRID_HOLDINGS)
    f.nodes["rabat"].dossiers.open(
        "report", acts.report((f.nodes["berlin"].node_id,)), ["es", "de"], f.officers["rabat"]
    )
    f.pump()
    madrid = f.nodes["madrid"]
    by = f.officers["madrid"]
    madrid.bureau.watch("name", "Yousef Ben Omar Zeroual", "2027-01-31", by)
    madrid.propose(drafted("about Yusef Benomar Serruali", []), by)
    return f


def test_everything_is_found_under_another_spelling_and_others_are_not(shared: Federation) -> None:
    node = shared.nodes["madrid"]
    found = find(node)
    assert found.complete
    own, partners = ([t for t in of(found, Sort.HOLDING) if t.ours is mine] for mine in (True, False))
    assert [t.what["entity"]["claims"][0]["value"] for t in own if t.what] == ["Yusef Benomar Serruali"]
    assert [t.originator for t in partners] == ["MA"]
    (match,) = of(found, Sort.MATCH)
    assert match.what
    assert match.what["record"] == own[0].id
    assert {t.what["kind"] for t in of(found, Sort.PART) if t.what} == {"narrative"}
    assert len(of(found, Sort.QUERY)) == len(of(found, Sort.DRAFT)) == 1
    assert "Casals" not in str([t.what for t in found.things])


def test_whom_partners_were_asked_about_privately_and_who_is_under_watch_there(
    make_federation: Callable[..., Federation],
) -> None:
    f = make_federation()
    f.add("madrid", "berlin")
    madrid, berlin = f.nodes["madrid"], f.nodes["berlin"]
    f.hold("berlin", [people.MADRID_HOLDINGS[1]])
    berlin.private.publish(madrid.node_id, [Tier.LOW, Tier.HIGH], supervisor(f, "berlin"))
    f.pump(6)
    by = f.officers["madrid"]
    him = {"names": ["Yusef Benomar Serruali"], "birth_dates": ["1989-06-17"]}
    asked = madrid.private.ask("de", him, "M-2026-7", by)
    madrid.private.ask("de", people.MADRID_HOLDINGS[1], "M-2026-8", by)
    watch, _ = madrid.private.watch(him, ["de"], "M-2026-9", by)
    found = find(madrid)
    assert asked.id in {t.id for t in of(found, Sort.CHECK)}
    assert {t.what["case"] for t in of(found, Sort.CHECK) if t.what} == {"M-2026-7", "M-2026-9"}
    assert [t.id for t in of(found, Sort.WATCH)] == [watch.id]


def test_the_look_is_a_consultation_that_names_nobody(shared: Federation) -> None:
    node = shared.nodes["madrid"]
    found = find(node)
    (leaf,) = node.ledger.find("person.find")
    assert (leaf.verb, leaf.index) == (LogVerb.CONSULT, found.leaf)
    content = dict(leaf.content or {})
    assert (content["justification"], content["right"]) == (WHY, "access")
    assert "LED art. 14" in content["clauses"]
    assert "roles.oversight" in content["clauses"]
    assert content["items"] == [t.id for t in found.things]
    assert all(word not in str(content) for word in ("Zerouali", "Serruali", "1989"))


def test_to_whom_it_went_when_and_under_which_clause_and_to_whom_it_did_not(shared: Federation) -> None:
    """Rabat's own report: its text went to both partners, the note on its source to Madrid alone."""
    f, node = shared, shared.nodes["rabat"]
    (person,) = of(find(node), Sort.HOLDING)
    assert person.ours
    assert person.purpose == "investigation"
    assert person.handling == ("H0", "H2")
    assert {d.to for d in person.disclosures} == {f.nodes["madrid"].node_id, f.nodes["berlin"].node_id}
    assert all(d.clauses and d.state == "received" and d.received_at for d in person.disclosures)
    told = [x for x in person.trail if x.verb == "disclose"]
    assert {x.to for x in told}
    assert all(x.clauses for x in told)
    sources = node.oversight.find(
        read_person([{"property": "name", "value": "المصدر"}]), Right.ACCESS, protection(node)
    )
    (note,) = of(sources, Sort.PART)
    assert [d.to for d in note.disclosures] == [f.nodes["madrid"].node_id]


def test_what_a_partner_gave_is_listed_with_the_consent_it_needs_and_not_released(shared: Federation) -> None:
    node = shared.nodes["madrid"]
    found = find(node)
    theirs = [t.id for t in found.things if not t.ours]
    said = extract(node, [t.id for t in found.things])
    by_id = {t["id"]: t for t in said["things"]}
    assert theirs
    assert all((by_id[i]["content"], by_id[i]["kept_back"]) == (None, "consent") for i in theirs)
    assert all(t["originator"] == "MA" for t in said["things"] if t["id"] in theirs)
    assert "الزروالي" not in json.dumps(said["things"], ensure_ascii=False)
    assert all(t["content"] is not None for t in said["things"] if t["id"] not in theirs)


def test_with_the_originators_consent_it_is_released_and_the_leaf_says_so(shared: Federation) -> None:
    node = shared.nodes["madrid"]
    chosen = next(t.id for t in find(node).things if not t.ours and t.sort is Sort.HOLDING)
    said = extract(node, [chosen], (chosen,))
    assert "الزروالي" in json.dumps(said["things"][0]["content"], ensure_ascii=False)
    leaf = node.ledger.find("person.extract")[-1]
    assert leaf.content
    assert leaf.content["consented"] == [chosen]


def test_what_the_officer_did_not_choose_is_not_in_the_extract(shared: Federation) -> None:
    node = shared.nodes["madrid"]
    own = next(t.id for t in find(node).things if t.ours and t.sort is Sort.HOLDING)
    said = extract(node, [own])
    assert [t["id"] for t in said["things"]] == [own]
    assert said["clauses"] == ["LED art. 14"]
    assert any("attachments" in x for x in said["not_looked_through"])


@pytest.mark.parametrize(
    ("items", "consented", "code"),
    [([], (), "person.items"), (["b-0"], (), "person.item"), (["own"], ("b-0",), "person.consent")],
)
def test_an_extract_of_something_else_is_refused(
    shared: Federation, items: list[str], consented: tuple[str, ...], code: str
) -> None:
    node = shared.nodes["madrid"]
    own = next(t.id for t in find(node).things if t.ours)
    with pytest.raises(Invalid) as failure:
        extract(node, [own if i == "own" else i for i in items], consented)
    assert failure.value.code == code
    assert not node.ledger.find("person.extract")


def test_under_h3_it_is_named_and_not_shown_until_it_is_confirmed(federation: Federation) -> None:
    f = federation
    body = acts.report() | {"handling": {"codes": ["H3"], "text": "only at this desk"}}
    dossier = f.nodes["rabat"].dossiers.open("report", body, ["es"], f.officers["rabat"])
    f.pump()
    node = f.nodes["madrid"]
    veiled = find(node)
    assert veiled.things
    assert {t.kept for t in veiled.things if t.entry and t.sort is not Sort.MATCH} == {Kept.UNREAD}
    assert "الزروالي" not in str([t.what for t in veiled.things])
    item = veiled.things[0].id
    assert extract(node, [item], (item,))["things"][0]["kept_back"] == "unread"
    node.acknowledge_h3(dossier, protection(node))
    assert {t.kept for t in find(node).things} == {Kept.SHOWN}


def test_what_was_erased_is_neither_found_nor_given_out(shared: Federation) -> None:
    node = shared.nodes["madrid"]
    own = next(t.id for t in find(node).things if t.ours and t.sort is Sort.HOLDING)
    node.store.write(lambda tx: node.bank.drop(tx, [own]))
    assert own not in {t.id for t in find(node).things}
    with pytest.raises(Invalid):
        extract(node, [own])


@pytest.mark.parametrize("role", [r for r in Role if r is not Role.PROTECTION])
def test_nobody_but_the_protection_officer_looks_and_the_refusal_is_logged(
    make_federation: Callable[..., Federation], role: Role
) -> None:
    f = make_federation()
    f.add("madrid")
    node = f.nodes["madrid"]
    by = replace(protection(node), roles=frozenset({role}))
    for ask in (
        lambda: node.oversight.find(read_person(ASKED), Right.ACCESS, by),
        lambda: node.oversight.extract(read_person(ASKED), Right.ACCESS, ["b-0"], by),
    ):
        with pytest.raises(Refused) as failure:
            ask()
        assert (failure.value.code, failure.value.field) == ("person.role", "role")
    said = [x.content["decision"] for s in ("person.find", "person.extract") for x in node.ledger.find(s) if x.content]
    assert said == ["refusal", "refusal"]


def test_without_a_reason_nothing_is_looked_for(make_federation: Callable[..., Federation]) -> None:
    f = make_federation()
    f.add("madrid")
    node = f.nodes["madrid"]
    with pytest.raises(Invalid) as failure:
        node.oversight.find(read_person(ASKED), Right.ACCESS, protection(node, " "))
    assert failure.value.field == "justification"


@pytest.mark.parametrize(
    "claims", [[], [{"property": "birthDate", "value": "1989"}], [{"property": "name", "value": ""}]]
)
def test_nobody_is_looked_for_without_a_name_or_a_number(claims: list[dict[str, str]]) -> None:
    with pytest.raises(Invalid):
        read_person(claims)


def test_a_number_alone_finds_what_carries_it(shared: Federation) -> None:
    found = find(shared.nodes["rabat"], [{"property": "phone", "value": "+212600000142"}])
    assert [t.what["kind"] for t in of(found, Sort.PART) if t.what] == ["narrative"]


def test_an_extract_verifies_off_line_and_no_other_does(shared: Federation) -> None:
    """Another's card, another body, another leaf, a body that its own node never logged."""
    f, node = shared, shared.nodes["madrid"]
    own = [t.id for t in find(node).things if t.ours][:2]
    person, by = read_person(ASKED), protection(node)
    raw = node.oversight.extract(person, Right.ACCESS, own[:1], by)
    other = json.loads(node.oversight.extract(person, Right.ERASURE, own, by))
    good = json.loads(raw)
    assert verify_extract(raw)["fingerprint"] == node.exchange.fingerprint()
    unlogged = canonical({"v": 1, "things": []})
    bad = [
        good | {"card": f.nodes["berlin"].exchange.card_bytes().decode()},
        good | {"leaf": other["leaf"]},
        good | {"signed": to_base64(sign(EXTRACT_TYPE, unlogged, node.keys.signing, node.node_id))},
        good | {"signed": "AAAA"},
        good | {"type": "tansiq.other.v1"},
        good | {"more": 1},
        {k: v for k, v in good.items() if k != "leaf"},
    ]
    for value in bad:
        with pytest.raises(TansiqError) as failure:
            verify_extract(json.dumps(value).encode())
        assert isinstance(failure.value, Untrusted | Invalid)


# --- whose word it is, and what restricts it ---


@pytest.fixture
def checked(make_federation: Callable[..., Federation]) -> tuple[Federation, str]:
    """Madrid has asked Berlin privately about a man whom Berlin holds; (federation, check)."""
    f = make_federation()
    f.add("madrid", "berlin")
    madrid, berlin = f.nodes["madrid"], f.nodes["berlin"]
    told = [{"property": p["property"], "value": p["value"], "basis": "fact", "grade": "A1"} for p in ASKED]
    f.hold("berlin", [{"id": "de-1", "schema": "Person", "role": "SUSP", "claims": told}])
    berlin.private.publish(madrid.node_id, [Tier.LOW, Tier.HIGH], supervisor(f, "berlin"))
    f.pump(6)
    him = {"names": ["Youssef Benomar Zerouali"], "birth_dates": ["1989-06-17"]}
    found = madrid.private.ask("de", him, "M-2026-7", f.officers["madrid"])
    assert found.hit
    return f, found.id


def test_what_a_partner_answered_to_a_private_check_is_the_partners(checked: tuple[Federation, str]) -> None:
    f, check = checked
    node = f.nodes["madrid"]
    body = acts.request()
    body["legal"] |= {"agreement": {"DE": "eu-2023-977"}}
    request = node.private.follow(check, body, f.officers["madrid+second"])
    found = find(node)
    (question,), (answer,) = of(found, Sort.CHECK), of(found, Sort.ANSWER)
    assert question.id == check
    assert (question.ours, dict(question.what or {}), question.dossier) == (
        True, {"partner": f.nodes["berlin"].node_id, "case": "M-2026-7"}, "",
    )  # fmt: skip
    assert (answer.ours, answer.originator, answer.owners) == (False, "DE", ("DE",))
    assert answer.what
    assert (answer.what["hit"], answer.what["request"]) == (True, request)
    said = extract(node, [question.id, answer.id])
    asked, kept = said["things"]
    assert (asked["kept_back"], asked["content"]["case"]) == ("", "M-2026-7")
    assert (kept["kept_back"], kept["content"], kept["log"], kept["score_in_1000"]) == ("consent", None, [], 0)
    assert {x["verb"] for x in asked["log"]} == {"consult"}
    assert request not in json.dumps(said)
    assert '"hit"' not in json.dumps(said)


def test_with_its_consent_a_partners_answer_is_given_out(checked: tuple[Federation, str]) -> None:
    f, _ = checked
    node = f.nodes["madrid"]
    (answer,) = of(find(node), Sort.ANSWER)
    (thing,) = extract(node, [answer.id], (answer.id,))["things"]
    assert (thing["kept_back"], thing["content"]["hit"], thing["owners"]) == ("", True, ["DE"])


def test_a_match_with_a_partners_entry_goes_out_with_its_consent_only(shared: Federation) -> None:
    node = shared.nodes["madrid"]
    (match,) = of(find(node), Sort.MATCH)
    assert (match.ours, match.owners, match.handling) == (False, ("MA",), ("H0", "H2"))
    (thing,) = extract(node, [match.id])["things"]
    assert (thing["content"], thing["kept_back"], thing["score_in_1000"], thing["log"]) == (None, "consent", 0, [])
    (thing,) = extract(node, [match.id], (match.id,))["things"]
    assert thing["content"]["record"] == match.what["record"] if match.what else False


def test_a_match_of_two_partners_entries_is_both_partners(federation: Federation) -> None:
    f = federation
    for name, codes in (("rabat", ["H1"]), ("berlin", ["H2"])):
        body = acts.report() | {"handling": {"codes": codes}}
        body["legal"] |= {"agreement": {"ES": "ma-es-2019" if name == "rabat" else "eu-2023-977"}}
        f.nodes[name].dossiers.open("report", body, ["es"], f.officers[name])
        f.pump()
    matches = of(find(f.nodes["madrid"]), Sort.MATCH)
    assert matches
    assert all(set(m.owners) == {"MA", "DE"} and {"H1", "H2"} <= set(m.handling) for m in matches)


def test_a_translation_of_a_partners_part_stays_the_partners(shared: Federation) -> None:
    f, node = shared, shared.nodes["madrid"]
    (part,) = [t for t in of(find(node), Sort.PART) if t.what]
    f.clock.pass_time(timedelta(minutes=1))
    node.dossiers.translate(
        node.dossiers.find(part.dossier), EntryId(part.entry), PartId(part.part),
        "El tal Youssef Benomar Zerouali viajaba en el coche.", "es", "officer", f.officers["madrid"],
    )  # fmt: skip
    (made,) = [t for t in of(find(node), Sort.PART) if t.what and t.what["kind"] == "translation"]
    assert (made.ours, made.owners) == (False, ("MA",))
    assert extract(node, [made.id])["things"][0]["kept_back"] == "consent"


@pytest.fixture
def restricted(federation: Federation) -> tuple[Federation, DossierId]:
    """Rabat's report under H3 met a holding of Madrid's, whose liaison confirmed the restriction and decided."""
    f = federation
    f.hold("madrid", people.MADRID_HOLDINGS)
    body = acts.report() | {"handling": {"codes": ["H3"], "text": "only at this desk"}}
    dossier = f.nodes["rabat"].dossiers.open("report", body, ["es"], f.officers["rabat"])
    f.pump()
    node, by = f.nodes["madrid"], f.officers["madrid"]
    node.acknowledge_h3(dossier, by)
    (match,) = node.hits.matches(dossier=dossier)
    node.hits.decide(match.id, MatchState.HIT, "REASON quotes the report of Rabat", by)
    note = {"kind": "note", "lang": "es", "text": "Youssef Benomar Zerouali, SEEN in that report"}
    node.propose({"dossier": dossier, "body": {"type": "report.note_added", "parts": [note]}}, by)
    return f, dossier


def test_under_an_unread_restriction_neither_match_nor_draft_is_shown(restricted: tuple[Federation, DossierId]) -> None:
    f, dossier = restricted
    node = f.nodes["madrid"]
    found = find(node)
    (match,), (draft,) = of(found, Sort.MATCH), of(found, Sort.DRAFT)
    assert (match.kept, draft.kept) == (Kept.UNREAD, Kept.UNREAD)
    assert match.what is draft.what is None
    assert "H3" in match.handling
    assert "H3" in draft.handling
    said = json.dumps(extract(node, [match.id, draft.id], (match.id,)))
    assert "REASON" not in said
    assert "SEEN" not in said
    node.acknowledge_h3(dossier, protection(node))
    found = find(node)
    (match,), (draft,) = of(found, Sort.MATCH), of(found, Sort.DRAFT)
    assert match.what
    assert draft.what
    assert "REASON" in match.what["reason"]
    assert "SEEN" in draft.what["body"]


def test_a_draft_is_bound_by_its_own_codes_and_those_of_its_dossier(shared: Federation) -> None:
    f, node = shared, shared.nodes["madrid"]
    by = f.officers["madrid"]
    name = "Yusef Benomar Serruali"
    first = node.propose(drafted(f"about {name}", ["H1"]), by)
    (part,) = of(find(node), Sort.PART)
    note = {"kind": "note", "lang": "es", "text": name}
    second = node.propose({"dossier": part.dossier, "body": {"type": "report.note_added", "parts": [note]}}, by)
    codes = {t.id: t.handling for t in of(find(node), Sort.DRAFT)}
    assert (codes[first], codes[second]) == (("H0", "H1"), ("H0", "H2"))


@pytest.mark.parametrize(
    ("held", "codes"),
    [
        ({"body": {"handling": {"codes": ["H2", "H9", 3]}}}, {"H2"}),
        ({"body": {"parts": [{"entity": {"claims": [{"handling": "H1 H2"}]}}]}}, {"H1", "H2"}),
        ({"body": {"handling": ["H2"], "parts": "H2"}}, set()),
        ([], set()),
    ],
)
def test_codes_are_read_wherever_an_act_says_them(held: object, codes: set[str]) -> None:
    assert codes_in(held) == codes


# --- everything, or said that it is not ---


def one(node: Node, ident: str, name: str, provenance: Provenance | None = None) -> str:
    entity = parse_entity({"id": ident, "schema": "Person", "claims": [{"property": "name", "value": name}]})
    return node.store.write(lambda tx: node.bank.add(tx, entity, provenance or Provenance("own", ident)))


def test_sixty_records_of_one_person_are_all_found(make_federation: Callable[..., Federation]) -> None:
    f = make_federation()
    f.add("madrid")
    f.hold("madrid", [people.MADRID_HOLDINGS[0] | {"id": f"es-{n}"} for n in range(60)])
    found = find(f.nodes["madrid"])
    assert (len(of(found, Sort.HOLDING)), found.complete) == (60, True)


def test_each_of_many_spellings_is_looked_for(make_federation: Callable[..., Federation]) -> None:
    f = make_federation()
    f.add("madrid")
    node = f.nodes["madrid"]
    held = one(node, "x1", "Jordi Casals Montaner")
    letters = (
        "Abel Brun,Carla Dimas,Elio Fuste,Gala Hierro,Ines Jurado,Kilian Lopera,Marta Nieto,Oriol Pardo,Quim Rueda"
    )
    letters += ",Sara Toledo,Unai Vidal,Wilma Xirau,Yago Zafra,Berta Crespo,Dario Espin,Fabia Godoy,Hugo Iranzo"
    claims = [{"property": "alias", "value": name} for name in (*letters.split(","), "Jordi Casals Montaner")]
    found = find(node, claims)
    assert [t.id for t in of(found, Sort.HOLDING)] == [held]
    assert found.complete


def test_a_partners_look_alikes_do_not_crowd_our_own_record_out(make_federation: Callable[..., Federation]) -> None:
    f = make_federation()
    f.add("madrid")
    node = f.nodes["madrid"]
    own = one(node, "own", "Yusef Benomar Serruali")
    for n in range(MOST_HOLDINGS + 60):
        sent = Provenance("dossier", f"e-{n:064x}", f"p-{n}", "d-" + "0" * 32, originator="MA")
        one(node, f"x{n}", "Youssef Benomar Zerouali", sent)
    found = find(node)
    things = of(found, Sort.HOLDING)
    assert len(things) == MOST_HOLDINGS
    assert own in {t.id for t in things if t.ours}
    assert found.left_out == (Bound.HOLDINGS,)
    leaf = node.ledger.find("person.find")[-1].content or {}
    assert leaf["left_out"] == ["holdings"]
    said = extract(node, [own])
    assert said["complete"] is False
    assert any("holdings" in x for x in said["not_looked_through"])


@pytest.mark.parametrize(
    ("name", "value", "bound"),
    [
        ("MOST_HOLDINGS", 0, Bound.HOLDINGS),
        ("MOST_TEXTS", 0, Bound.TEXTS),
        ("MOST_PLACES", 1, Bound.TEXTS),
        ("MOST_CHECKS", 0, Bound.CHECKS),
        ("MOST_LEAVES", 1, Bound.LOG),
    ],
)
def test_every_bound_that_is_reached_is_said(
    shared: Federation, monkeypatch: pytest.MonkeyPatch, name: str, value: int, bound: Bound
) -> None:
    monkeypatch.setattr(gathering, name, value)
    found = find(shared.nodes["madrid"])
    assert bound in found.left_out
    assert not found.complete


def test_a_spelling_that_texts_are_not_searched_for_is_said(shared: Federation) -> None:
    long = {"property": "alias", "value": " ".join(["Benomar"] * 30)}
    assert find(shared.nodes["madrid"], [*ASKED, long]).left_out == (Bound.SPELLINGS,)


def test_more_spellings_than_are_looked_for_are_said(shared: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(person, "MOST_NAMES", 1)
    assert Bound.SPELLINGS in find(shared.nodes["madrid"]).left_out


def test_all_of_many_standing_queries_for_one_name_are_found(make_federation: Callable[..., Federation]) -> None:
    f = make_federation()
    f.add("madrid")
    node = f.nodes["madrid"]
    made = {node.bureau.watch("name", "Yousef Ben Omar Zeroual", "2027-01-31", f.officers["madrid"]) for _ in range(24)}
    assert {t.id for t in of(find(node), Sort.QUERY)} == {getattr(w, "id", w) for w in made}


def test_a_name_behind_hundreds_of_others_in_one_part_is_met() -> None:
    claims = [{"property": "alias", "value": f"Nadia Sebti {n}"} for n in range(300)]
    content = {"kind": "entity", "entity": {"claims": [*claims, {"property": "alias", "value": ASKED[0]["value"]}]}}
    assert person.met(person.looked_for(read_person(ASKED)), content)[0] > 0.9


def test_a_name_in_the_facts_of_an_act_that_waits_is_met() -> None:
    held = {"body": {"facts": {"who": [{"told": "Youssef Benomar Zerouali"}], "count": 3}, "parts": 5}}
    asked = person.looked_for(read_person(ASKED))
    assert [person.met(asked, c)[0] for c in gathering._contents(held)] == [0.7]
    assert not list(gathering._contents({"body": 5}))


# --- attached files ---


def attached(f: Federation, dossier: DossierId, raw: bytes, name: str, media: str = "text/plain") -> PartId:
    node = f.nodes["rabat"]
    entry = node.files.attach(dossier, [node.attachments.take([raw], name, media)], f.officers["rabat"])
    return next(p.ref.id for p in node.dossiers.entry(entry).parts if p.ref.kind == "attachment")


@pytest.mark.parametrize(
    ("raw", "name", "media"),
    [
        (b"Vu au port : youssef BENOMAR Zerouali, avec un autre. " + b"Sans suite. " * 900, "notes.txt", "text/plain"),
        ("شوهد Youssef Benomar Zerouali في الميناء".encode("utf-16"), "محضر", "text/plain"),
        (json.dumps({"seen": "Youssef Benomar Zérouali"}).encode(), "export.json", "application/json"),
        (b"<p>vu&nbsp;: Youssef Benomar Z&eacute;rouali</p>", "page.html", "text/html"),
        (b'\xef\xbb\xbfname,seen\n"Youssef Benomar Zerouali",yes\n', "list.csv", "application/octet-stream"),
    ],
)
def test_what_stands_in_a_plain_text_file_is_found_with_the_words_around_it(
    shared: Federation, raw: bytes, name: str, media: str
) -> None:
    f = shared
    dossier = f.nodes["rabat"].dossiers.rows()[0].id
    part = attached(f, dossier, raw, name, media)
    attached(f, dossier, b"Jordi Casals Montaner alone", "other.txt")
    f.pump(12)
    for node, ours in (("rabat", True), ("madrid", False)):
        found = find(f.nodes[node])
        (thing,) = [t for t in of(found, Sort.PART) if t.part == part]
        assert thing.ours is ours
        assert thing.others
        assert thing.what is not None
        assert thing.what["file"] == name
        assert "\\u0" not in thing.what["passage"]
        assert len(thing.what["passage"]) < 500
        assert Bound.FILES not in found.left_out
        assert "Casals" not in str([t.what for t in found.things])


def test_a_file_is_looked_through_for_each_spelling_under_which_the_person_is_held(shared: Federation) -> None:
    f = shared
    part = attached(f, f.nodes["rabat"].dossiers.rows()[0].id, b"Yusef Benomar Serruali, two bags", "seen.md")
    f.pump(12)
    assert part in {t.part for t in find(f.nodes["madrid"]).things}, "Madrid holds him so"


def test_a_file_is_found_by_its_name_whatever_it_holds(shared: Federation) -> None:
    dossier = shared.nodes["rabat"].dossiers.rows()[0].id
    part = attached(shared, dossier, b"%PDF-1.7 \x00\x01", "Youssef Benomar Zerouali.pdf", "application/pdf")
    found = find(shared.nodes["rabat"])
    assert [t.part for t in of(found, Sort.PART) if t.part == part] == [part]
    assert Bound.FILES not in found.left_out, "what is no text is named among what is never looked through"


@pytest.mark.parametrize("way", ["unknown letters", "too long", "too much", "too many"])
def test_a_text_that_is_not_read_makes_the_search_incomplete(
    shared: Federation, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    dossier = shared.nodes["rabat"].dossiers.rows()[0].id
    raw = "Zerouali vu à Tanger".encode("cp1252") if way == "unknown letters" else b"Youssef Benomar Zerouali seen"
    part = attached(shared, dossier, raw, "a.txt")
    bounds = {"too long": ("MAX_TEXT_BYTES", 8), "too much": ("MOST_TEXT_BYTES", 8), "too many": ("MOST_FILES", 0)}
    if way in bounds:
        monkeypatch.setattr(f"tansiq.attachments.service.{bounds[way][0]}", bounds[way][1])
    found = find(shared.nodes["rabat"])
    assert Bound.FILES in found.left_out
    assert part not in {t.part for t in found.things}
    assert extract(shared.nodes["rabat"], [found.things[0].id])["complete"] is False


def test_a_partners_file_needs_consent_and_an_erased_one_is_not_found(shared: Federation) -> None:
    f = shared
    dossier = f.nodes["rabat"].dossiers.rows()[0].id
    part = attached(f, dossier, b"Youssef Benomar Zerouali was seen", "a.txt")
    f.pump(12)
    (thing,) = extract(f.nodes["madrid"], [part])["things"]
    assert (thing["content"], thing["kept_back"]) == (None, "consent")
    (thing,) = extract(f.nodes["madrid"], [part], (part,))["things"]
    assert "was seen" in thing["content"]["passage"]
    entry = next(e.id for e in f.nodes["rabat"].dossiers.state(dossier).entries if part in {p.ref.id for p in e.parts})
    recall = {"type": "dossier.recalled", "facts": {"about": entry, "part": part, "reason": "inaccurate"}}
    f.nodes["rabat"].dossiers.append(dossier, recall, f.officers["rabat"])
    f.pump(12)
    assert part not in {t.part for t in find(f.nodes["madrid"]).things}
