"""What officers do on the pages: a report from form to partner, an answer, a refusal, two persons, passing on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tansiq.kinds import KINDS
from tests.support.web import Browser, Town, make_town
from tests.web.conftest import signed_in


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory):  # its own: these tests write
    made = make_town(Path(tmp_path_factory.mktemp("acts")))
    yield made
    made.federation.close()


@pytest.fixture(scope="module")
def rabat(town: Town) -> Browser:
    return signed_in(town, "rabat")


@pytest.fixture(scope="module")
def madrid(town: Town) -> Browser:
    return signed_in(town, "madrid")


def report_form(town: Town, **more: object) -> dict[str, object]:
    spain, germany = (town.node(n).node_id for n in ("madrid", "berlin"))
    return {
        "to": [spain, germany],
        "agreement_ES": "ma-es-2019",
        "agreement_DE": "ma-de",
        "subject": "سيارة مسروقة",
        "fact_grade": "B2",
        "fact_urgency": "normal",
        "fact_crime_areas": ["motor_vehicle_crime"],
        "narrative": "شوهدت السيارة قرب الميناء.",
        "narrative_lang": "ar",
        "note": "مصدر لا يُذكر.",
        "note_lang": "ar",
        "withhold_note": germany,
        "person1_name": "عادل بن سعيد المرابطي",
        "person1_lang": "ar",
        "person1_role": "SUSP",
        "person1_birthDate": "1990-05",
        "person1_grade": "B2",
        "person1_basis": "fact",
        "phone1_number": "+212 600 000 311",
        "phone1_grade": "B2",
        "phone1_basis": "fact",
        "link1_from": "p1",
        "link1_type": "uses",
        "link1_to": "ph1",
        "link1_grade": "B2",
        "link1_basis": "fact",
        "handling": "H2",
        "purpose": "prevention",
        "legal_basis": "Code of criminal procedure (example)",
        "transfer_basis": "binding_instrument_37a",
        "review_on": "2027-05-22",
        "erase_on": "2029-11-22",
        "justification": "case 7 of the desk",
        **more,
    }


@pytest.mark.parametrize(
    ("language", "name"), [("es", "Convenio entre Marruecos y España"), ("ar", "الاتفاقية بين المغرب وإسبانيا")]
)
def test_an_agreement_is_called_by_its_name_and_its_id_stands_beside_it(town: Town, language: str, name: str) -> None:
    browser = signed_in(town, "rabat")
    browser.speak(language)
    form = browser.get("/compose/report").text
    assert 'name="agreement_ES" value="ma-es-2019"' in form, "the only one is no choice"
    assert name in form
    two = signed_in(town, "madrid")
    assert re.search(r'<option value="eu-2023-977"[^>]*>Directive \(EU\) 2023/977 on', two.get("/compose/report").text)
    for path in ("/partners", f"/dossiers/{town.dossier}"):
        page = browser.get(path).text
        assert name in page, path
        assert "ma-es-2019" in page, path


def test_a_report_is_previewed_then_sent_and_read_by_the_partner(town: Town, rabat: Browser) -> None:
    node = town.node("rabat")
    before = {r.id for r in node.dossiers.rows()}
    preview = rabat.post("/compose/report", report_form(town, do="preview"))
    assert preview.status_code == 200
    assert preview.text.count('class="permit"') == 2
    assert "1 part withheld from it" in preview.text
    assert {r.id for r in node.dossiers.rows()} == before, "a preview sends nothing"
    sent = rabat.post("/compose/report", report_form(town, do="send"))
    assert sent.status_code == 200
    (dossier,) = {r.id for r in node.dossiers.rows()} - before
    town.federation.pump()
    berlin = town.node("berlin").dossiers.state(dossier).entries[0]
    assert sorted(p.ref.kind for p in berlin.parts) == ["entity", "entity", "link", "narrative", "note", "subject"]
    assert [p.ref.kind for p in berlin.parts if p.presence == "withheld"] == ["note"]
    text = rabat.get(f"/dossiers/{dossier}").text
    assert "Why it was permitted" in text
    assert "signed a receipt" in text


def test_a_refused_recipient_shows_its_clause_and_cannot_be_sent(town: Town, rabat: Browser) -> None:
    preview = rabat.post("/compose/report", report_form(town, do="preview", agreement_DE=""))
    assert 'class="refusal"' in preview.text
    assert "Nothing can be sent" in preview.text
    refused = rabat.post("/compose/report", report_form(town, do="send", agreement_DE=""))
    assert refused.status_code == 403
    assert "شوهدت السيارة قرب الميناء." in refused.text, "a refusal keeps what was typed"
    assert 'href="#form"' in refused.text


def test_all_that_is_missing_is_said_at_once(town: Town, rabat: Browser) -> None:
    empty = {"erase_on": "", "review_on": "", "fact_urgency": "", "person1_basis": "", "narrative": "", "do": "send"}
    answer = rabat.post("/compose/report", report_form(town, **empty))
    assert answer.status_code == 422
    summary = re.search(r'class="error-summary".*?</ul>', answer.text, re.S)
    assert summary
    assert set(re.findall(r'href="#([^"]+)"', summary[0])) == set(empty) - {"do"}
    for words in ("Erase by", "Review by", "Person 1: Fact or assessment", "Urgency"):
        assert f'<bdi dir="auto">{words}</bdi></small>' in summary[0], "each by the name that the form gives it"


def test_no_form_chooses_what_an_officer_has_to_judge(rabat: Browser) -> None:
    for kind in KINDS:
        text = rabat.get(f"/compose/{kind}").text
        for name, inside in re.findall(r'<select id="(fact_[^"]+)"[^>]*>(.*?)</select>', text, re.S):
            chosen = re.findall(r'<option value="([^"]*)" selected', inside)
            first = re.search(r'<option value="([^"]*)"', inside)
            assert chosen or (first and first[1] == ""), f"{kind}: {name} begins with an answer"
            assert set(chosen) <= {"", "unknown"}, f"{kind}: {name} is chosen beforehand: {chosen}"


def test_a_form_says_before_it_is_posted_what_each_answer_will_need(rabat: Browser) -> None:
    text = rabat.get("/compose/operation").text
    assert "needed for Form: joint operation" in text
    assert "needed for Urgency: urgent" in rabat.get("/compose/request").text


def test_add_buttons_keep_what_was_typed_without_script(town: Town, rabat: Browser) -> None:
    text = rabat.post("/compose/report", {**report_form(town), "more": "person", "n_person": "1"}).text
    assert 'name="person2_name"' in text
    assert "عادل بن سعيد المرابطي" in text
    assert 'name="n_person" value="2"' in text


def test_an_urgent_request_waits_for_a_second_officer_who_is_another(town: Town, madrid: Browser) -> None:
    form = {
        "to": town.node("rabat").node_id,
        "agreement_MA": "ma-es-2019",
        "subject": "Matrícula vista en el puerto",
        "fact_urgency": "urgent",
        "fact_urgency_ground": "loss_of_relevance",
        "fact_accessibility": "direct",
        "fact_offence_max_penalty_months": "60",
        "question": "Titular de la matrícula.",
        "facts": "Vehículo sustraído.",
        "availability": "La matrícula es de allí.",
        "urgency_reasons": "Embarca en horas.",
        "purpose": "investigation",
        "legal_basis": "Ley (ejemplo)",
        "transfer_basis": "binding_instrument_37a",
        "review_on": "2027-05-22",
        "erase_on": "2029-11-22",
        "justification": "case 7 of the desk",
        "do": "send",
    }
    node = town.node("madrid")
    before = len(node.dossiers.rows())
    waiting = madrid.post("/compose/request", form)
    assert "Waiting for a second officer" in waiting.text
    assert "another officer confirms" in waiting.text
    (draft,) = node.access.pending()
    assert madrid.post(f"/second/{draft.id}", {"answer": "confirm", "justification": "I agree"}).status_code == 403
    assert len(node.dossiers.rows()) == before
    second = Browser(town.app("madrid"))
    second.sign_in("omar")
    read = second.get("/second").text
    for words in ("Titular de la matrícula.", "salma", "Ley (ejemplo)", "loses its value if not given at once"):
        assert words in read, "who confirms knows by whom, under which law and on which ground"
    assert "22 Nov 2029" in read
    done = second.post(f"/second/{draft.id}", {"answer": "confirm", "justification": "I agree"})
    assert done.status_code == 200
    assert len(node.dossiers.rows()) == before + 1
    assert node.access.pending() == []


def test_clarification_stops_the_clock_and_an_answer_ends_it(town: Town, rabat: Browser, madrid: Browser) -> None:
    path = f"/dossiers/{town.request}"
    asked = {"narrative": "Quel véhicule ?", "narrative_lang": "fr", "do": "send"}
    assert rabat.post(f"{path}/acts/request.clarification_asked", asked).status_code == 200
    assert "The clock is stopped" in rabat.get(path).text
    town.federation.pump()
    given = {"narrative": "El gris.", "narrative_lang": "es", "fact_lane": town.node("rabat").node_id, "do": "send"}
    assert madrid.post(f"{path}/acts/request.clarification_given", given).status_code == 200
    town.federation.pump()
    assert "<tq-clock" in rabat.get(path).text
    assert rabat.post(f"{path}/acts/request.refused", {"note": "non", "do": "send"}).status_code == 422
    silent = rabat.post(f"{path}/acts/request.answered", {"fact_result": "provided", "do": "send"})
    assert silent.status_code == 422, "an answer that says nothing would end the clock"
    assert 'href="#answer"' in silent.text
    answer = {"answer": "Voici.", "answer_lang": "fr", "fact_result": "provided", "do": "send"}
    assert rabat.post(f"{path}/acts/request.answered", answer).status_code == 200
    assert town.node("rabat").dossiers.state(town.request).phase == "closed"
    late = rabat.post(f"{path}/acts/request.answered", answer)
    assert late.status_code == 409
    assert f'href="{path}"' in late.text, "and the way back to the dossier"


def test_passing_on_is_refused_with_the_clause_and_asked_of_the_owner(town: Town, madrid: Browser) -> None:
    state = town.node("madrid").dossiers.state(town.dossier)
    about = state.entries[0].id
    refused = madrid.post(f"/dossiers/{town.dossier}/forward", {"about": about, "to": "pt"})
    assert refused.status_code == 403
    assert "handling.h2" in refused.text
    missing = madrid.post(f"/dossiers/{town.dossier}/forward", {"about": about, "to": ""})
    assert missing.status_code == 422
    asked = {"fact_about": about, "fact_to": "pt", "note": "para el caso", "do": "send"}
    done = madrid.post(f"/dossiers/{town.dossier}/acts/dossier.permission_requested", asked)
    assert done.status_code == 200
    assert "waiting for the owner" in done.text


def test_a_recalled_part_shows_as_erased_and_never_as_withheld(town: Town, rabat: Browser, madrid: Browser) -> None:
    mine = town.node("rabat").dossiers.state(town.dossier).entries[0]
    part = next(p.ref.id for p in mine.parts if p.content and p.content.get("entity", {}).get("id") == "p2")
    recall = {"fact_about": mine.id, "fact_part": part, "fact_reason": "inaccurate", "do": "send"}
    assert rabat.post(f"/dossiers/{town.dossier}/acts/dossier.recalled", recall).status_code == 200
    town.federation.pump()
    text = madrid.get(f"/dossiers/{town.dossier}").text
    assert text.count('class="part absent erased"') == 1
    assert "سميرة الودغيري</bdi>" not in re.sub(r'<div class="source.*?</div>', "", text, flags=re.S)
    assert "erased, with proof" in rabat.get(f"/dossiers/{town.dossier}").text


def test_the_decision_is_recorded_and_shown(town: Town, madrid: Browser) -> None:
    match = next(m for m in town.node("madrid").hits.matches() if m.incoming.schema == "Person" and m.state == "open")
    answer = {"answer": "hit", "reason": "Same name, same year, same nationality."}
    madrid.say_why(match.dossier)
    madrid.say_why(match.id)
    done = madrid.post(f"/hits/{match.id}/decision", answer)
    assert done.status_code == 200
    assert "Give feedback" in done.text
    assert town.node("madrid").hits.match(match.id).state == "hit"
    assert madrid.post(f"/hits/{match.id}/decision", answer).status_code == 409


def test_an_act_is_previewed_for_each_member_before_it_leaves(town: Town, rabat: Browser) -> None:
    node = town.node("rabat")
    before = len(node.dossiers.state(town.dossier).entries)
    noted = {"note": "ملاحظة للشركاء", "note_lang": "ar"}
    path = f"/dossiers/{town.dossier}/acts/report.note_added"
    shown = rabat.post(path, {**noted, "do": "preview"})
    assert shown.text.count('class="permit"') == len(node.dossiers.state(town.dossier).members) - 1
    assert "Nothing has left yet" in shown.text
    assert "ملاحظة للشركاء" in shown.text, "the text is kept"
    declared = {**noted, "special_categories": "1", "do": "preview"}
    refused = rabat.post(path, declared)
    assert "Sensitive data only if strictly necessary" in refused.text
    assert "the declaration that it is strictly necessary" in refused.text
    assert "Nothing can be sent" in refused.text
    rabat.speak("ar")
    assert "Sensitive data only if strictly necessary" not in rabat.post(path, declared).text, "clauses are translated"
    rabat.speak("en")
    assert len(node.dossiers.state(town.dossier).entries) == before, "a preview records nothing"
    assert rabat.post(path, {**declared, "do": "send"}).status_code == 403
    assert len(node.dossiers.state(town.dossier).entries) == before
    assert rabat.post(path, {**noted, "do": "send"}).status_code == 200
    assert len(node.dossiers.state(town.dossier).entries) == before + 1


def test_a_recall_and_a_permission_are_previewed_too(town: Town, rabat: Browser) -> None:
    mine = town.node("rabat").dossiers.state(town.dossier).entries[0]
    recall = {"fact_about": mine.id, "fact_part": mine.parts[0].ref.id, "fact_reason": "inaccurate"}
    text = rabat.post(f"/dossiers/{town.dossier}/acts/dossier.recalled", {**recall, "do": "preview"}).text
    assert text.count('class="permit"') >= 2
    assert town.node("rabat").dossiers.state(town.dossier).entries[-1].statement.type != "dossier.recalled"


def test_what_the_officer_declares_is_asked_of_the_gate(town: Town, rabat: Browser) -> None:
    cases: tuple[tuple[dict[str, object], str], ...] = (
        ({"special_categories": "1"}, "persons.special_categories"),
        ({"interpol_channel": "1"}, "interpol.art3"),
        ({"classification": "R-UE/EU-R"}, "classification.ceiling"),
    )
    for more, clause in cases:
        text = rabat.post("/compose/report", report_form(town, do="preview", **more)).text
        assert text.count('class="refusal"') == 2, clause
        assert clause in text
    fine = {"special_categories": "1", "strictly_necessary": "1", "interpol_channel": "1", "article_3": "1"}
    text = rabat.post("/compose/report", report_form(town, do="preview", classification="UNCLASSIFIED", **fine)).text
    assert text.count('class="permit"') == 2
    odd = rabat.post("/compose/report", report_form(town, do="preview", classification="PINK"))
    assert odd.status_code == 422


def test_a_part_that_was_withheld_can_be_given_later(town: Town, rabat: Browser) -> None:
    before = {r.id for r in town.node("rabat").dossiers.rows()}
    assert rabat.post("/compose/report", report_form(town, do="send")).status_code == 200
    (dossier,) = {r.id for r in town.node("rabat").dossiers.rows()} - before
    town.federation.pump()
    berlin = town.node("berlin")
    hidden = next(p for p in berlin.dossiers.state(dossier).entries[0].parts if p.presence == "withheld")
    page = rabat.get(f"/dossiers/{dossier}").text
    assert "Give it a part after all" in page
    assert f'value="{hidden.ref.id}"' in page
    path = f"/dossiers/{dossier}/give"
    assert rabat.post(path, {"to": berlin.node_id, "part": ""}).status_code == 422
    assert rabat.post(path, {"to": berlin.node_id, "part": "p-no"}).status_code == 422
    assert rabat.post(path, {"to": berlin.node_id, "part": hidden.ref.id}).status_code == 200
    town.federation.pump()
    given = berlin.dossiers.state(dossier).entries[0]
    assert [p.presence for p in given.parts if p.ref.id == hidden.ref.id] == ["held"]
    assert "Give it a part after all" not in rabat.get(f"/dossiers/{dossier}").text


WRONG: tuple[tuple[dict[str, object], str, str], ...] = (
    ({"purpose": ""}, "purpose", "اختاروا الغرض."),
    ({"erase_on": "2026-12-01", "review_on": "2027-01-01"}, "erase_on", "تاريخ المحو يسبق تاريخ المراجعة."),
    ({"person1_role": ""}, "person1_role", "اختاروا الصفة في القضية."),
    ({"to": []}, "to", ""),
    ({"person1_birthDate": "1990-15"}, "person1_birthDate", ""),
    ({"handling": "H3"}, "handling_text", ""),
)


@pytest.mark.parametrize(("more", "field", "words"), WRONG)
def test_what_is_wrong_is_said_in_the_language_of_the_page_at_its_field(
    town: Town, rabat: Browser, more: dict[str, object], field: str, words: str
) -> None:
    rabat.speak("ar")
    answer = rabat.post("/compose/report", report_form(town, do="preview", **more))
    rabat.speak("en")
    assert answer.status_code == 422
    summary = re.search(r'class="error-summary".*?</ul>', answer.text, re.S)
    assert summary
    assert f'href="#{field}"' in summary[0]
    said = re.search(r'<bdi dir="auto">(.*?)</bdi>', summary[0])
    assert said
    assert re.search("[\u0621-\u064a]", said[1]), f"not in Arabic: {said[1]}"
    assert words in said[1]
    assert f'id="{field}' in answer.text, "the summary leads to the field"
    assert "عادل بن سعيد المرابطي" in answer.text, "what was typed is kept"


def test_a_refusal_is_a_page_in_the_language_of_its_reader(town: Town, madrid: Browser) -> None:
    about = town.node("madrid").dossiers.state(town.dossier).entries[0].id
    madrid.speak("ar")
    refused = madrid.post(f"/dossiers/{town.dossier}/forward", {"about": about, "to": "pt"})
    madrid.speak("en")
    assert refused.status_code == 403
    assert "handling.h2" in refused.text
    assert "not to be passed on" not in refused.text
    assert "لا يسمح التدقيق القانوني بذلك" in refused.text


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_choice_of_a_form_is_in_the_language_of_the_page(rabat: Browser, kind: str) -> None:
    rabat.speak("ar")
    text = rabat.get(f"/compose/{kind}").text
    rabat.speak("en")
    said = re.findall(r'<option value="[^"]+"[^>]*>([^<]+)<', text) + re.findall(r"<span>([^<]+)</span></label>", text)
    assert said
    assert not [w for w in said if w.isascii() and w.isalpha() and w.islower()]
