"""The six kinds through pages and API: any kind's forms come from its tables, and nothing impossible is offered."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tansiq.dossiers.model import Presence
from tansiq.kinds import KINDS, items_of
from tests.support.scenes import FROM_MADRID, LEGAL, part
from tests.support.services import Federation
from tests.support.web import Browser, TestClient, create_app, two_services

BODIES = {
    "warning": {
        "facts": {"precedence": "priority", "crime_areas": ["terrorism"]},
        "parts": [part("threat", "A crowd at the station is named.")],
    },
    "operation": {"facts": {"form": "joint_operation"}, "parts": [part("objective", "The boats of the strait.")]},
    "assessment": {
        "facts": {"form": "threat", "due": "2026-12-22T08:00:00.000Z"},
        "parts": [part("question", "Who moves the boats?")],
    },
    "major_event": {
        "subject": "Cup 2026",
        "facts": {
            "form": "tournament",
            "window_from": "2027-06-01T00:00:00.000Z",
            "window_until": "2027-07-01T00:00:00.000Z",
            "hosts": ["ma"],
        },
        "legal": {**LEGAL, "review_on": "2027-07-01", "erase_on": "2028-06-01"},
    },
    "committee": {"subject": "Security committee", "facts": {"form": "joint_committee", "languages": ["ar", "es"]}},
    "expertise": {
        "facts": {"stance": "offer", "form": "training", "topics": ["border_control"], "languages": ["fr"]},
        "parts": [part("narrative", "A week at the academy.")],
    },
}


@pytest.fixture(scope="module")
def f(tmp_path_factory: pytest.TempPathFactory):
    made = two_services(tmp_path_factory.mktemp("kinds"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def opened(f: Federation) -> dict[str, str]:
    """One dossier of each kind, opened by Rabat towards Madrid."""
    bodies = {kind: {"legal": LEGAL, **body} for kind, body in BODIES.items()}
    found = {k: f.nodes["rabat"].dossiers.open(k, b, ["es"], f.officers["rabat"]) for k, b in bodies.items()}
    f.pump()
    return found


def browser(f: Federation, name: str, *records: str) -> Browser:
    made = Browser(create_app(f.nodes[name]))
    made.sign_in()
    for record in records:
        made.say_why(record)
    return made


@pytest.fixture(scope="module")
def rabat(f: Federation, opened: dict[str, str]) -> Browser:
    return browser(f, "rabat", *opened.values())


@pytest.fixture(scope="module")
def madrid(f: Federation, opened: dict[str, str]) -> Browser:
    return browser(f, "madrid", *opened.values())


def api(f: Federation, name: str) -> TestClient:
    node = f.nodes[name]
    officer = next(o for o in node.access.officers() if o.name == "salma")
    token = node.access.new_token(officer.id, "program", 1)
    headers = {"authorization": f"Bearer {token}", "tansiq-purpose": "investigation", "tansiq-justification": "case 7"}
    return TestClient(create_app(node), base_url="http://node.example", headers=headers)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_opened_from_the_list_by_a_form_of_its_own(rabat: Browser, kind: str) -> None:
    assert f'href="/compose/{kind}"' in rabat.get("/dossiers").text
    page = rabat.get(f"/compose/{kind}")
    assert page.status_code == 200
    for name in getattr(KINDS[kind].opening.facts, "__struct_fields__", ()):
        if name not in ("scheme", "language", "request"):
            assert f'name="fact_{name}"' in page.text, name


@pytest.mark.parametrize("language", ["ar", "fr", "es", "de", "en"])
@pytest.mark.parametrize("kind", sorted(BODIES))
def test_each_act_that_is_offered_has_a_form_in_each_language(
    f: Federation, opened: dict[str, str], madrid: Browser, kind: str, language: str
) -> None:
    madrid.speak(language)
    page = madrid.get(f"/dossiers/{opened[kind]}")
    assert page.status_code == 200
    offered = re.findall(rf'href="/dossiers/{opened[kind]}/acts/([a-z_.]+)"', page.text)
    assert offered
    assert KINDS[kind].opening.type not in offered
    for act in offered:
        form = madrid.get(f"/dossiers/{opened[kind]}/acts/{act}")
        assert form.status_code == 200, act
    madrid.speak("en")


def test_a_measure_that_no_instrument_allows_is_not_offered(rabat: Browser) -> None:
    form = rabat.get("/compose/operation").text
    offered = re.findall(r'<option value="(\w+)"', form[form.index('name="fact_form"') :].split("</select>")[0])
    assert "coordination" in offered
    assert "joint_operation" in offered
    assert "cross_border_surveillance" not in offered
    assert "jit" not in offered


def test_a_warning_is_acknowledged_by_its_form_and_its_items_are_shown(
    f: Federation, opened: dict[str, str], madrid: Browser, rabat: Browser
) -> None:
    dossier = opened["warning"]
    page = madrid.get(f"/dossiers/{dossier}").text
    assert "Acknowledge" in page
    assert "awaited" in page
    form = madrid.get(f"/dossiers/{dossier}/acts/warning.acknowledged").text
    about = re.search(r'<option value="(e-[0-9a-f]+)"[^>]*>([^<]*station[^<]*)<', form)
    assert about, "the warning is offered by its own words"
    sent = madrid.post(f"/dossiers/{dossier}/acts/warning.acknowledged", {"fact_about": about[1], "do": "send"})
    assert sent.status_code == 200
    f.pump()
    state = f.nodes["rabat"].dossiers.state(dossier)
    assert [i.state for i in items_of(state)] == ["acknowledged"]
    assert "warning.acknowledged" not in madrid.get(f"/dossiers/{dossier}").text.split('class="rail"')[1]
    rabat.speak("ar")
    shown = rabat.get(f"/dossiers/{dossier}").text
    rabat.speak("en")
    assert "مُقَرّ باستلامه" in shown


def test_instants_members_and_items_of_a_form_become_facts(
    f: Federation, opened: dict[str, str], rabat: Browser
) -> None:
    dossier = opened["committee"]
    values = {
        "fact_due": "2027-04-01T10:00",
        "fact_owner": f.nodes["madrid"].node_id,
        "fact_country": "ES",
        "part_agenda": "1. The strait. 2. The cup.",
        "justification": "case 7 of the desk",
        "do": "send",
    }
    assert rabat.post(f"/dossiers/{dossier}/acts/committee.meeting_called", values).status_code == 200
    entry = f.nodes["rabat"].dossiers.state(dossier).entries[-1]
    assert entry.statement.type == "committee.meeting_called"
    assert entry.statement.facts["due"] == "2027-04-01T09:00:00.000Z"  # Casablanca is an hour ahead of UTC
    assert entry.statement.facts["owner"] == f.nodes["madrid"].node_id
    wrong = rabat.post(f"/dossiers/{dossier}/acts/committee.meeting_called", {**values, "fact_due": "soon"})
    assert wrong.status_code == 422
    assert "fact_due" in wrong.text


def test_minutes_get_the_digest_of_their_text(f: Federation, opened: dict[str, str], rabat: Browser) -> None:
    from hashlib import sha256

    node, dossier = f.nodes["rabat"], opened["committee"]
    called = {"type": "committee.meeting_called", "facts": {"due": "2026-11-23T08:00:00.000Z"}}
    meeting = node.dossiers.append(dossier, called, f.officers["rabat"])
    node.dossiers.append(dossier, {"type": "committee.meeting_held", "facts": {"about": meeting}}, f.officers["rabat"])
    values = {"fact_meeting": meeting, "fact_language": "es", "part_minutes": "Se acordó todo.", "do": "send"}
    assert rabat.post(f"/dossiers/{dossier}/acts/committee.minutes_written", values).status_code == 200
    facts = node.dossiers.state(dossier).entries[-1].statement.facts
    assert facts["digest"] == sha256("Se acordó todo.".encode()).hexdigest()


def test_a_judgement_stays_sealed_until_it_is_revealed(f: Federation, opened: dict[str, str], rabat: Browser) -> None:
    dossier, node, there = opened["assessment"], f.nodes["rabat"], f.nodes["madrid"]
    for label in ("H1", "H2"):
        body = {"type": "assessment.hypothesis_proposed", "facts": {"label": label}}
        node.dossiers.append(dossier, {**body, "parts": [part("hypothesis", f"It is {label}.")]}, f.officers["rabat"])
    node.dossiers.append(dossier, {"type": "assessment.judging_opened"}, f.officers["rabat"])
    f.pump()
    values = {
        "fact_likelihood.H1": "likely",
        "fact_likelihood.H2": "unlikely",
        "fact_percent.H1": "70",
        "fact_percent.H2": "30",
        "fact_confidence": "moderate",
        "do": "send",
    }
    form = rabat.get(f"/dossiers/{dossier}/acts/assessment.committed").text
    assert 'name="fact_likelihood.H2"' in form
    assert "It is H2." in form, "a line of the table says which hypothesis it is"
    for at, wrong in (("fact_percent.H1", "5"), ("fact_likelihood.H2", "")):
        refused = rabat.post(f"/dossiers/{dossier}/acts/assessment.committed", {**values, at: wrong})
        assert refused.status_code == 422, "what nobody could reveal is not committed to"
        assert f'id="{at}-wrong"' in refused.text
    assert rabat.post(f"/dossiers/{dossier}/acts/assessment.committed", values).status_code == 200
    f.pump()
    theirs = [p for e in there.dossiers.state(dossier).entries for p in e.parts if p.ref.kind == "sealed_judgement"]
    assert [(p.presence, p.content) for p in theirs] == [(Presence.WITHHELD, None)]
    ours = [p for e in node.dossiers.state(dossier).entries for p in e.parts if p.ref.kind == "sealed_judgement"]
    assert "moderate" in str(ours[0].content)
    program = api(f, "madrid")
    told = {"likelihood": {"H1": "unlikely", "H2": "likely"}, "percent": {"H1": 30, "H2": 70}, "confidence": "low"}
    made = f"/api/v1/dossiers/{dossier}/made"
    early = program.post(made, json={"act": "assessment.revealed"})
    assert early.status_code == 409
    assert program.post(made, json={"act": "assessment.committed", "facts": told}).status_code == 201
    assert program.post(made, json={"act": "assessment.asked", "facts": {}}).status_code == 404
    f.pump()
    assert program.post(made, json={"act": "assessment.revealed"}).status_code == 201
    f.pump()
    assert rabat.post(f"/dossiers/{dossier}/acts/assessment.revealed", {"do": "send"}).status_code == 200
    f.pump()
    page = rabat.get(f"/dossiers/{dossier}").text
    assert "70%" in page
    assert f.nodes["madrid"].dossiers.state(dossier).phase == "revealed"


def test_figures_are_counted_given_and_compared(f: Federation, opened: dict[str, str], rabat: Browser) -> None:
    f.clock.pass_time(timedelta(minutes=1))
    here, there = api(f, "rabat"), api(f, "madrid")
    card = here.get("/api/v1/scorecard?with=es").json()
    assert card["figures"]["warnings.out"] == 1
    assert card["told"] is None
    given = {"with": "ma", "from": "2026-01-01", "to": "2026-12-31", "committee": opened["committee"]}
    assert there.post("/api/v1/scorecard", json=given).status_code == 201
    f.pump()
    same = here.get("/api/v1/scorecard?with=es&from=2026-01-01&to=2026-12-31").json()
    assert same["same_period"] is True
    lines = {x["name"]: x for x in same["lines"]}
    assert (lines["warnings.out"]["ours"], lines["warnings.out"]["theirs"]) == (1, 1)
    assert here.get("/api/v1/scorecard?with=es&from=2026-12-31&to=2026-01-01").status_code == 422
    assert here.get("/api/v1/scorecard").status_code == 422
    values = {"with": there_id(f), "purpose": "public_security", "justification": "meeting in Madrid", "do": "show"}
    assert rabat.get("/scorecard").status_code == 200
    page = rabat.post("/scorecard", values).text
    assert "warnings.out" in page
    assert 'scope="colgroup">warnings</th>' in page
    assert '<td title="warnings.out">by us</td>' in page
    assert rabat.post("/scorecard", {**values, "with": ""}).status_code == 422
    sent = rabat.post("/scorecard", {**values, "do": "send", "committee": opened["committee"]})
    assert sent.status_code == 200
    newest = f.nodes["rabat"].dossiers.state(opened["committee"]).entries[-1].statement
    assert newest.type == "committee.scorecard_given"


def there_id(f: Federation) -> str:
    return f.nodes["madrid"].node_id


def test_an_offer_meets_a_wish(f: Federation, opened: dict[str, str], rabat: Browser) -> None:
    wish = {
        "legal": FROM_MADRID,
        "facts": {"stance": "wish", "form": "training", "topics": ["border_control"], "languages": ["fr", "es"]},
        "parts": [part("narrative", "We look for a week of training.")],
    }
    f.nodes["madrid"].dossiers.open("expertise", wish, ["ma"], f.officers["madrid"])
    f.pump()
    (met,) = api(f, "rabat").get("/api/v1/expertise/matches").json()["matches"]
    assert met["offer"] == opened["expertise"]
    assert met["fit"]["languages"] == ["fr"]
    assert rabat.get("/expertise").status_code == 200
    page = rabat.post("/expertise", {"purpose": "public_security", "justification": "training plan"})
    assert f'href="/dossiers/{opened["expertise"]}"' in page.text


def test_items_come_to_programs(f: Federation, opened: dict[str, str]) -> None:
    said = api(f, "madrid").get(f"/api/v1/dossiers/{opened['operation']}/items").json()
    heads = [x["head"] for x in said["summary"]]
    assert "not_signed_by" in heads
    assert {v for x in said["summary"] if x["head"] == "possible" for v in x["values"]} >= {"joint_operation"}
