"""Lists: a match under an unconfirmed H3 tells nothing, and a list of subjects is a consultation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tansiq.demo import people
from tansiq.errors import Refused
from tansiq.hits import records as hit_records
from tansiq.web import create_app
from tests.support.acts import report
from tests.support.web import Browser, TestClient, Town, make_town

WHY = {"purpose": "investigation", "justification": "case 7 of the desk"}


@pytest.fixture
def town(tmp_path: Path):
    made = make_town(tmp_path)
    f = made.federation
    f.nodes["rabat"].dossiers.open(
        "report", report() | {"handling": {"codes": ["H3"], "text": "only here"}}, ["es"], f.officers["rabat"]
    )
    f.pump()
    yield made
    made.federation.close()


def test_matches_of_an_unconfirmed_restriction_are_only_named(town: Town) -> None:
    node = town.node("madrid")
    officer = next(o for o in node.access.officers() if o.name == "salma")
    client = TestClient(create_app(node), base_url="http://node.example")
    client.headers["authorization"] = f"Bearer {node.access.new_token(officer.id, 'test', 1)}"

    def rows() -> dict[str, dict[str, object]]:
        return {m["id"]: m for m in client.get("/api/v1/matches", params=WHY).json()["matches"]}

    hidden = {i: m for i, m in rows().items() if "restricted" in m}
    assert hidden
    assert len(hidden) < len(rows())
    assert all(set(m) == {"id", "dossier", "entry", "state", "held_in", "restricted"} for m in hidden.values())
    first = next(iter(hidden.values()))
    decision = {"decision": "no_hit", "reason": "another person altogether"}
    refused = client.post(f"/api/v1/matches/{first['id']}/decision", params=WHY, json=decision)
    assert (refused.status_code, refused.json()["code"]) == (403, "handling.h3_unread")
    answer = {"type": "dossier.feedback", "facts": {"about": first["entry"], "outcome": "used"}}
    used = client.post(f"/api/v1/dossiers/{first['dossier']}/entries", params=WHY, json=answer)
    assert (used.status_code, used.json()["code"]) == (403, "handling.h3_unread")
    client.post(f"/api/v1/dossiers/{first['dossier']}/acknowledgement", params=WHY, json={})
    assert not any("restricted" in m for m in rows().values())
    assert client.post(f"/api/v1/dossiers/{first['dossier']}/entries", params=WHY, json=answer).status_code == 201


def test_an_export_names_its_officer_and_its_clause(town: Town) -> None:
    node, f = town.node("rabat"), town.federation
    to = f.nodes["madrid"].node_id
    by = f.officers["rabat"]
    node.dossiers.open("report", report(), ["es"], by)
    node.export_parcel(to, by)
    leaf = node.ledger.find(to)[-1].content
    assert (leaf["officer"], leaf["clauses"], leaf["justification"]) == (by.officer, ["roles.export"], "case 7")
    auditor = next(o for o in node.access.officers() if o.name == "auditor")
    with pytest.raises(Refused) as caught:
        node.export_parcel(to, node.access.acting(auditor, purpose="public_security", justification="audit"))
    assert (caught.value.code, caught.value.step, caught.value.field) == ("policy.refused", "export", "role")


def test_a_list_that_says_what_dossiers_are_about_is_a_consultation(town: Town) -> None:
    node = town.node("madrid")
    officer = next(o for o in node.access.officers() if o.name == "salma")
    browser = Browser(create_app(node))
    browser.sign_in()
    for path in ("/", "/dossiers"):
        before = len(node.ledger.find("dossiers.list"))
        assert browser.get(path).status_code == 200
        leaves = node.ledger.find("dossiers.list")
        assert len(leaves) == before + 1, path
        assert leaves[-1].content["officer"] == officer.id
        assert leaves[-1].content["clauses"] == ["roles.consult"]
    headers = {"authorization": f"Bearer {node.access.new_token(officer.id, 'test', 1)}"}
    client = TestClient(create_app(node), base_url="http://node.example", headers=headers)
    before = len(node.ledger.find("dossiers.list"))
    assert client.get("/api/v1/dossiers", params=WHY).status_code == 200
    assert node.ledger.find("dossiers.list")[before].content["justification"] == WHY["justification"]


def test_a_draft_that_is_read_is_a_consultation_and_an_empty_list_is_none(town: Town) -> None:
    node, by = town.node("rabat"), town.federation.officers["rabat"]
    browser = Browser(create_app(node))
    browser.sign_in("omar")
    browser.get("/second")
    assert node.ledger.find("drafts.list") == []
    node.propose({"kind": "report", "to": ["es"], "body": report()}, by)
    assert browser.get("/second").status_code == 200
    assert len(node.ledger.find("drafts.list")) == 1


def test_our_side_of_a_match_is_shown_once_its_own_restriction_is_read(town: Town) -> None:
    """The report at hand is free; what it met came to us in another dossier, under a restriction."""
    node, match = _our_side_restricted(town)
    held = match.holding.provenance.dossier
    browser = Browser(create_app(node))
    browser.sign_in()
    browser.say_why(match.dossier)
    browser.say_why(held)
    first = browser.get(f"/hits/{match.id}").text
    assert "only here" in first
    assert "Our holding" not in first
    assert "Read the restriction first" in browser.get(f"/dossiers/{match.dossier}").text
    browser.post(f"/dossiers/{held}/acknowledge", {"next": "/"})
    assert "Our holding" in browser.get(f"/hits/{match.id}").text
    assert "Read the restriction first" not in browser.get(f"/dossiers/{match.dossier}").text


def test_who_decides_sees_what_else_the_same_record_met_and_what_tells_it_apart(town: Town) -> None:
    """Two holdings of one name: the list says the births, and the page of one names the other."""
    node, f = town.node("madrid"), town.federation
    first = node.hits.match(town.match)
    f.hold("madrid", [people.MADRID_HOLDINGS[0] | {"id": "es-twin"}])
    f.pump()
    twin = next(m for m in node.hits.matches() if (m.entry, m.part) == (first.entry, first.part) and m.id != first.id)
    browser = Browser(create_app(node))
    browser.sign_in()
    browser.say_why("hits.list")
    assert browser.get("/hits").text.count('<span class="sub"><span class="nowrap">Born') >= 4
    browser.say_why(first.dossier)
    page = browser.get(f"/hits/{first.id}").text
    assert f'href="/hits/{twin.id}"' in page[page.index('id="rivals"') :]


def test_a_list_of_matches_is_marked_by_what_it_shows(town: Town) -> None:
    """What is veiled by H3 itself, what is shown by the strictest of both sides."""
    node = town.node("madrid")
    browser = Browser(create_app(node))
    browser.sign_in()
    browser.say_why("hits.list")

    def marked() -> str:
        return browser.get("/hits").text.split("highest code on this page:")[1][:120]

    assert "H3" in marked()
    unread = [m for m in node.hits.matches() if "H3" in _codes(node, m.dossier)]
    node.store.write(lambda tx: hit_records.remove(tx, [m.id for m in unread]))
    strict = max(c for m in node.hits.matches() for c in (*m.holding.handling(), *_codes(node, m.dossier)))
    assert strict == "H2"
    assert strict in marked()


def test_a_search_names_what_is_under_an_unconfirmed_restriction_and_shows_nothing_of_it(town: Town) -> None:
    """On the page and through the API; and never "nothing like it", which would be a false answer."""
    node, f = town.node("madrid"), town.federation
    strict = next(r.id for r in f.nodes["rabat"].dossiers.rows() if "H3" in _codes(node, r.id))
    name = next(
        c["value"]
        for p in node.dossiers.state(strict).entries[0].parts
        if p.ref.kind == "entity" and p.content["entity"]["schema"] == "Person"
        for c in p.content["entity"]["claims"]
        if c["property"] == "name"
    )
    officer = next(o for o in node.access.officers() if o.name == "salma")
    client = TestClient(create_app(node), base_url="http://node.example")
    client.headers["authorization"] = f"Bearer {node.access.new_token(officer.id, 'test', 1)}"
    asked = {"schema": "Person", "claims": [{"property": "name", "value": name}]}

    def held() -> list[list[object]]:
        found = client.post("/api/v1/match", params=WHY, json=asked).json()["matches"]
        return [m["record"]["entity"]["claims"] for m in found if m["record"]["provenance"]["dossier"] == strict]

    browser = Browser(create_app(node))
    browser.sign_in()
    form = {"q": name, "kind": "person", **WHY}
    assert held() == [[]]
    assert "Read the restriction first" in browser.post("/bank", form).text
    node.acknowledge_h3(strict, node.access.acting(officer, purpose="investigation", justification="case 7"))
    assert held() != [[]]
    assert len(held()) == 1
    assert "Read the restriction first" not in browser.post("/bank", form).text


def _codes(node, dossier: str) -> set[str]:
    return {code for e in node.dossiers.state(dossier).entries for code in e.statement.handling.codes}


def _our_side_restricted(town: Town):
    """A match of a free report whose own side came under a restriction that nobody here has read."""
    node, f = town.node("madrid"), town.federation
    f.nodes["rabat"].dossiers.open("report", report(), ["es"], f.officers["rabat"])
    f.pump()
    strict = {
        e.id
        for d in f.nodes["rabat"].dossiers.rows()
        for e in node.dossiers.state(d.id).entries
        if "H3" in e.statement.handling.codes
    }
    held = (m for m in node.hits.matches() if m.holding.provenance.reference in strict and m.entry not in strict)
    return node, next(held)


@pytest.mark.parametrize(("answer", "why"), [("", True), ("no_hit", True), ("no_hit", False)])
def test_nobody_decides_on_our_side_unread(town: Town, answer: str, why: bool) -> None:
    """Neither decided, nor shown with the faults of the form."""
    node, match = _our_side_restricted(town)
    browser = Browser(create_app(node))
    browser.sign_in()
    if why:
        browser.say_why(match.dossier)
    said = browser.post(f"/hits/{match.id}/decision", {"answer": answer, "reason": "another person altogether"})
    assert said.status_code == 403
    assert "Our holding" not in said.text
    officer = next(o for o in node.access.officers() if o.name == "salma")
    client = TestClient(create_app(node), base_url="http://node.example")
    client.headers["authorization"] = f"Bearer {node.access.new_token(officer.id, 'test', 1)}"
    word = {"decision": "unclear", "reason": "another person altogether"}
    refused = client.post(f"/api/v1/matches/{match.id}/decision", params=WHY if why else {}, json=word)
    assert (refused.status_code, refused.json()["code"]) == (403, "handling.h3_unread")
    assert node.hits.match(match.id).state == "open"


def test_a_private_check_is_not_begun_with_a_record_under_an_unread_restriction(town: Town) -> None:
    node, match = _our_side_restricted(town)
    browser = Browser(create_app(node))
    browser.sign_in()
    page = browser.get(f"/checks/new?record={match.holding.id}")
    assert page.status_code == 403
    assert match.holding.entity.claims[0].value not in page.text


def test_a_draft_that_would_open_a_dossier_says_which_act_it_is(town: Town) -> None:
    """Its body need not name the act: `dossier.open` is a word of the program's, and no officer confirms that."""
    node, by = town.node("rabat"), town.federation.officers["rabat"]
    node.propose({"kind": "report", "to": ["es"], "body": report()}, by)
    browser = Browser(create_app(node))
    browser.sign_in("omar")
    page = browser.get("/second").text
    assert "Send report" in page
    assert "dossier.open" not in page
    assert "Convention between Morocco and Spain" in page, "and under what it would be sent"
    assert "<dd>Arabic</dd>" in page
    assert "usually reliable" in page
