"""Each kind as its officers use it: opened, answered and carried on through the pages alone, two services at work.

`Desk.write` posts only fields that the form shows, after following the link that the dossier's page offers.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

import pytest

from tansiq.dossiers.model import Presence
from tansiq.kinds import items_of
from tests.support.services import Federation
from tests.support.web import Browser, create_app, two_services

LAW = {
    "purpose": "prevention",
    "legal_basis": "Act on the joint service (example), art. 4",
    "transfer_basis": "binding_instrument_37a",
    "review_on": "2028-05-22",
    "erase_on": "2030-11-22",
    "justification": "case 7 of the desk",
}

CHOSEN = {
    "fact_grade": "B2",
    "fact_urgency": "normal",
    "fact_accessibility": "direct",
    "fact_precedence": "routine",
    "fact_result": "provided",
    "fact_state": "done",
    "fact_form": "evidence",
    "fact_confidence": "low",
    "fact_layer": "operational",
    "fact_chair": "host",
    "fact_meetings_a_year": "1",
    "fact_finding": "improvement_necessary",
    "fact_priority": "medium",
    "fact_cooperation": "3",
}
"""What the officer chooses where a test is not about it: no form chooses beforehand."""


@pytest.fixture(scope="module")
def f(tmp_path_factory: pytest.TempPathFactory):
    made = two_services(tmp_path_factory.mktemp("desks"))
    yield made
    made.close()


@dataclass
class Desk:
    """One service's officer before a browser."""

    f: Federation
    name: str
    dossier: str = ""
    seen: set[str] = field(default_factory=set)
    browser: Browser = field(init=False)

    def __post_init__(self) -> None:
        self.browser = Browser(create_app(self.f.nodes[self.name]))
        self.browser.sign_in()

    @property
    def node_id(self) -> str:
        return self.f.nodes[self.name].node_id

    def state(self):
        return self.f.nodes[self.name].dossiers.state(self.dossier)

    def open(self, kind: str, other: Desk, **values: object) -> None:
        country = self.f.nodes[other.name].country
        form = {"to": other.node_id, f"agreement_{country}": "ma-es-2019", **LAW, **values}
        where = f"/compose/{kind}"
        assert f'href="{where}"' in self.browser.get("/dossiers").text
        other.dossier = self.dossier = self._send(where, form).rpartition("/")[2]
        self.f.pump()
        for desk in (self, other):
            desk.browser.say_why(desk.dossier)
        assert self.state().kind == kind
        assert other.state().entries, "it arrived"

    def write(self, act: str, **values: object) -> None:
        """The act that the dossier's page offers, by its form."""
        page = self.browser.get(f"/dossiers/{self.dossier}").text
        where = f"/dossiers/{self.dossier}/acts/{act}"
        assert f'href="{where}"' in page, f"{act} is not offered"
        before = len(self.state().entries)
        self._send(where, values)
        self.f.pump()
        assert [e.statement.type for e in self.state().entries[before:]][:1] == [act]

    def refused(self, act: str, at: str, **values: object) -> str:
        """What the form says at this field; nothing is written and what was typed is kept."""
        where, before = f"/dossiers/{self.dossier}/acts/{act}", len(self.state().entries)
        answer = self.browser.post(where, {**values, "do": "preview"})
        assert answer.status_code == 422, answer.text
        assert f'href="#{at}"' in answer.text
        assert f'id="{at}"' in answer.text, "the summary leads to the field"
        assert len(self.state().entries) == before
        return answer.text

    def one(self, act: str, fact: str, words: str) -> str:
        """The choice of a fact that is called by these words."""
        form = self.browser.get(f"/dossiers/{self.dossier}/acts/{act}").text
        inside = form.split(f'name="fact_{fact}"', 1)[1].split("</select>")[0]
        found = [
            v
            for v, said in re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)<', inside)
            if words in html.unescape(said)
        ]
        assert len(found) == 1, (act, fact, inside)
        return found[0]

    def _send(self, where: str, values: dict[str, object]) -> str:
        form = self.browser.get(where)
        assert form.status_code == 200
        shown = set(re.findall(r'name="([^"]+)"', form.text))
        assert set(values) <= shown, f"no field for {set(values) - shown}"
        asked = set(re.findall(r'<(?:select|input)[^>]* name="(fact_[^"]+)"[^>]* aria-required="true"', form.text))
        values = {name: CHOSEN[name] for name in asked & set(CHOSEN)} | values
        preview = self.browser.post(where, {**values, "do": "preview"})
        assert preview.status_code == 200, errors(preview.text)
        assert 'class="refusal"' not in preview.text, preview.text
        sent = self.browser.post(where, {**values, "do": "send"})
        assert sent.status_code == 200, errors(sent.text)
        assert re.search(r"/dossiers/d-[0-9a-f]+(\?entry=(e-[0-9a-f]+)#\2)?$", str(sent.url)), sent.url
        return str(sent.url).partition("#")[0]


def errors(text: str) -> list[str]:
    found = re.search(r'class="error-summary".*?</ul>', text, re.S)
    return re.findall(r'href="([^"]*)"><bdi dir="auto">(.*?)</bdi>', found[0]) if found else [text[-2000:]]


@pytest.fixture
def rabat(f: Federation) -> Desk:
    return Desk(f, "rabat")


@pytest.fixture
def madrid(f: Federation) -> Desk:
    return Desk(f, "madrid")


def states(desk: Desk, sort: str) -> list[str]:
    return [i.state for i in items_of(desk.state()) if i.sort == sort]


def test_a_report(rabat: Desk, madrid: Desk) -> None:
    rabat.open("report", madrid, fact_grade="6x6:B2", narrative="شوهدت السيارة قرب الميناء.", narrative_lang="ar")
    facts = madrid.state().first.statement.facts
    assert (facts["grade"], facts["scheme"], facts["language"]) == ("B2", "6x6", "ar"), "graded in its own scheme"
    about = madrid.state().first.id
    madrid.write("dossier.feedback", fact_about=about, fact_outcome="used", note="Visto.")
    rabat.write("report.note_added", note="ملاحظة")
    assert [e.statement.type for e in madrid.state().entries][1:] == ["dossier.feedback", "report.note_added"]


def test_a_request(rabat: Desk, madrid: Desk) -> None:
    texts = {
        "question": "Titular de la matrícula.",
        "facts": "Vehículo visto.",
        "availability": "La matrícula es de allí.",
    }
    madrid.open("request", rabat, fact_offence_max_penalty_months="60", **texts)
    rabat.write("request.clarification_asked", narrative="Quel véhicule ?", narrative_lang="fr")
    madrid.write("request.clarification_given", fact_lane=rabat.node_id, narrative="El gris.")
    rabat.refused("request.refused", "fact_grounds", note="non")
    rabat.write("request.answered", fact_result="provided", answer="Voici.", answer_lang="fr")
    assert madrid.state().phase == "closed"


def test_a_warning(rabat: Desk, madrid: Desk) -> None:
    window = {"fact_window_from": "2026-11-23T18:00", "fact_window_until": "2026-11-23T21:00"}
    told = {
        "fact_precedence": "immediate",
        "fact_target": "crowd",
        "fact_country": "ES",
        "fact_crime_areas": "terrorism",
    }
    rabat.open("warning", madrid, part_threat="A crowd at the station is named.", **told, **window)
    assert madrid.state().own.facts["country"] == "ES"
    madrid.write("warning.acknowledged", fact_about=madrid.one("warning.acknowledged", "about", "crowd at the station"))
    madrid.write("warning.measure_taken", fact_measure="patrol", fact_state="running", part_measure="Two patrols.")
    late = {"fact_window_from": "2026-11-23T21:00", "fact_window_until": "2026-11-23T18:00"}
    assert "ends before it begins" in rabat.refused(
        "warning.updated", "fact_window_until", fact_precedence="immediate", **late
    )
    rabat.write("warning.updated", fact_precedence="flash", fact_grade="B2", **window)
    assert sorted(states(rabat, "acknowledgement")) == ["acknowledged", "awaited"]


def test_an_operation(rabat: Desk, madrid: Desk) -> None:
    where = "/compose/operation"
    missing = rabat.browser.post(where, {"to": madrid.node_id, **LAW, "agreement_ES": "ma-es-2019",
                                         "fact_form": "joint_operation", "do": "preview"})  # fmt: skip
    assert missing.status_code == 422
    assert 'href="#part_objective"' in missing.text
    more = rabat.browser.post(where, {"fact_form": "joint_operation", "fact_states": ["ES", "MA"],
                                      "more": "fact_states", "n_fact_states": "2"})  # fmt: skip
    assert more.text.count('name="fact_states"') == 3, "a row more, without a script"
    assert re.search(r'<option value="ES" selected>', more.text), "what was chosen is kept"
    rabat.open("operation", madrid, fact_form="joint_operation", fact_states=["ES", "MA"], part_objective="The boats.")
    assert rabat.state().own.facts["states"] == ["ES", "MA"]
    madrid.write("operation.signed", fact_about=madrid.one("operation.signed", "about", "The boats."))
    rabat.write(
        "operation.task_given", fact_owner=madrid.node_id, fact_due="2026-12-01T10:00", part_task="Watch the quay."
    )
    madrid.write("operation.task_done", fact_about=madrid.one("operation.task_done", "about", "Watch the quay."))
    assert states(rabat, "task") == ["done"]
    assert "the next number is 1" in rabat.refused("operation.situation_reported", "fact_number", fact_number="7")


def test_an_exhibits_digest_is_never_that_of_its_description(rabat: Desk, madrid: Desk) -> None:
    rabat.open("operation", madrid, fact_form="coordination", part_objective="Two teams.")
    rabat.write("operation.exhibit_logged", fact_form="object", part_exhibit="A grey telephone.")
    assert rabat.state().entries[-1].statement.facts.get("digest", "") == ""


def test_an_assessment(rabat: Desk, madrid: Desk) -> None:
    asked = {"fact_form": "region", "fact_regions": "sahel", "fact_due": "2026-12-22T10:00"}
    rabat.open("assessment", madrid, question="Who moves the boats?", **asked)
    for label, words in (("H1", "One group."), ("H2", "Several.")):
        rabat.write("assessment.hypothesis_proposed", fact_label=label, part_hypothesis=words)
    assert "taken" in madrid.refused(
        "assessment.hypothesis_proposed", "fact_label", fact_label="H2", part_hypothesis="x"
    )
    madrid.write(
        "assessment.evidence_added", fact_label="E1", fact_grade="6x6:B2", part_evidence="A report of the coast."
    )
    rabat.write("assessment.judging_opened")
    judged = {
        "fact_likelihood.H1": "likely", "fact_likelihood.H2": "unlikely",
        "fact_percent.H1": "70", "fact_percent.H2": "30",
        "fact_cells.E1.H1": "C", "fact_cells.E1.H2": "II", "fact_confidence": "low",
    }  # fmt: skip
    for desk in (rabat, madrid):
        assert "A report of the coast." in desk.browser.get(f"/dossiers/{desk.dossier}/acts/assessment.committed").text
        desk.write("assessment.committed", **judged)
    for desk in (madrid, rabat):
        desk.write("assessment.revealed")
    told = rabat.state().own.revealed
    assert [dict(t.judgement["cells"]) for t in told.values()] == [{"E1": {"H1": "C", "H2": "II"}}] * 2
    assert all(t.blind for t in told.values())
    assert "70%" in madrid.browser.get(f"/dossiers/{madrid.dossier}").text


def test_a_major_event(rabat: Desk, madrid: Desk) -> None:
    week = {"fact_window_from": "2027-06-01T10:00", "fact_window_until": "2027-06-30T10:00"}
    rabat.open("major_event", madrid, fact_form="tournament", fact_hosts=rabat.node_id, review_on="2027-07-01",
               erase_on="2028-06-01", subject="Cup 2027", **week)  # fmt: skip
    capacities = {"fact_entry": "60000", "fact_holding": "58000", "fact_exit": "61000", "fact_emergency": "59000"}
    rabat.write(
        "major_event.venue_described", fact_owner=rabat.node_id, part_venue="The stadium of Tangier", **capacities
    )
    venue = rabat.one("major_event.match_fixed", "venue", "The stadium of Tangier")
    match = {"fact_home": "ESP", "fact_away": "BEL", "fact_kickoff": "2027-06-10T19:00", "fact_host": rabat.node_id}
    assert "visitor" in rabat.refused("major_event.match_fixed", "fact_visitors", fact_visitors=rabat.node_id, **match)
    rabat.write("major_event.match_fixed", fact_visitors=madrid.node_id, fact_venue=venue, **match)
    about = madrid.one("major_event.team_dossier_sent", "about", "ESP – BEL")
    numbers = {
        "fact_risk": "120",
        "fact_non_risk": "4000",
        "fact_travel": ["air", "coach"],
        "fact_elements": "pyrotechnics",
    }
    madrid.write("major_event.team_dossier_sent", fact_about=about, part_followers="Calm.", **numbers)
    assert states(rabat, "team_dossier") == ["sent"]
    assert "58,000" in rabat.browser.get(f"/dossiers/{rabat.dossier}").text, "the safe capacity is the lowest"


def test_a_committee(rabat: Desk, madrid: Desk) -> None:
    rabat.open(
        "committee", madrid, fact_form="joint_committee", fact_languages=["ar", "es"], subject="Security committee"
    )
    rabat.write(
        "committee.meeting_called", fact_due="2026-11-22T09:05", fact_owner=madrid.node_id, part_agenda="The strait."
    )
    meeting = madrid.one("committee.meeting_held", "about", "The strait.")
    held = madrid.browser.get(f"/dossiers/{madrid.dossier}/acts/committee.meeting_held").text
    assert "How many from each side" in held, "a fact is called by what it is in this act"
    attended = {f"fact_attendance.{rabat.node_id}": "4", f"fact_attendance.{madrid.node_id}": "6"}
    madrid.write("committee.meeting_held", fact_about=meeting, **attended)
    assert madrid.state().entries[-1].statement.facts["attendance"] == {rabat.node_id: 4, madrid.node_id: 6}
    madrid.write("committee.minutes_written", fact_meeting=meeting, fact_language="es", part_minutes="Se acordó todo.")
    about = rabat.one("committee.minutes_approved", "about", "Se acordó todo.")
    rabat.write(
        "committee.minutes_approved",
        fact_about=about,
        fact_digest=rabat.one("committee.minutes_approved", "digest", "es "),
    )
    assert states(madrid, "minutes") == ["approved"]
    page = madrid.browser.get(f"/dossiers/{madrid.dossier}").text
    assert "committee.scorecard_given" not in page, "figures are counted, not typed"


def test_expertise(rabat: Desk, madrid: Desk) -> None:
    offer = {
        "fact_stance": "offer",
        "fact_form": "training",
        "fact_topics": ["border_control"],
        "fact_languages": ["fr"],
    }
    where = {**offer, **LAW, "to": madrid.node_id, "agreement_ES": "ma-es-2019", "narrative": "x", "do": "preview"}
    assert 'href="#fact_topics"' in rabat.browser.post("/compose/expertise", {**where, "fact_topics": []}).text
    rabat.open("expertise", madrid, narrative="A week at the academy.", fact_places="12", **offer)
    madrid.write("expertise.taken_up", fact_people="3", fact_language="fr", note="Three officers.")
    rabat.write(
        "expertise.agreed",
        fact_about=rabat.one("expertise.agreed", "about", "Three officers."),
        fact_due="2027-02-01T09:00",
    )
    assert states(madrid, "use") == ["agreed"]


def test_an_item_brings_the_acts_that_are_about_it(rabat: Desk, madrid: Desk) -> None:
    rabat.open("warning", madrid, part_threat="A crowd at the station is named.", fact_precedence="flash")
    page = madrid.browser.get(f"/dossiers/{madrid.dossier}").text
    link = re.search(rf'href="(/dossiers/{madrid.dossier}/acts/warning.acknowledged\?about=(e-[0-9a-f]+))"', page)
    assert link
    form = madrid.browser.get(link[1]).text
    assert f'<option value="{link[2]}" selected>' in form
    assert "?about=" not in rabat.browser.get(f"/dossiers/{rabat.dossier}").text, "nothing there is theirs to do"


def test_a_file_goes_with_its_handling_and_is_withheld(f: Federation, rabat: Desk, madrid: Desk) -> None:
    rabat.open("warning", madrid, part_threat="A crowd at the station is named.")
    where, shown = f"/dossiers/{rabat.dossier}/files", rabat.browser.get(f"/dossiers/{rabat.dossier}/beside").text
    assert f'name="withhold_file" value="{madrid.node_id}"' in shown
    upload = {"file": ("plan.txt", b"the quay", "text/plain")}
    values = {
        "csrf": rabat.browser.csrf,
        "note": "the plan",
        "handling": ["H2", "H3"],
        "withhold_file": [madrid.node_id],
    }
    refused = rabat.browser.client.post(where, data=values, files=upload)
    assert refused.status_code == 422
    assert 'href="#handling_text"' in refused.text
    assert "the plan" in refused.text, "what was typed is kept"
    assert len(rabat.state().entries) == 1
    sent = rabat.browser.client.post(where, data={**values, "handling_text": "for the desk only"}, files=upload)
    assert sent.status_code == 200
    f.pump()
    entry = madrid.state().entries[-1]
    assert (entry.statement.type, entry.statement.handling.text) == ("dossier.attached", "for the desk only")
    assert {"H2", "H3"} <= {str(c) for c in entry.statement.handling.codes}
    file = next(p for p in entry.parts if p.ref.kind == "attachment")
    assert (file.presence, file.content) == (Presence.WITHHELD, None)
    assert "plan.txt" not in madrid.browser.get(f"/dossiers/{madrid.dossier}/beside").text
