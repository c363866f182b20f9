"""Pages of private checks and of plans: what they show, to whom, and what they refuse."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.support.web import Browser, Town
from tests.web.conftest import signed_in

LANGUAGES = ("ar", "fr", "es", "de", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_opens_in_every_language(town: Town, madrid: Browser, language: str) -> None:
    madrid.speak(language)
    pages = ["/plans", "/plans/new", f"/plans/{town.plan}", f"/plans/meetings/{town.meeting}"]
    pages += ["/checks/new", f"/checks/{town.check}", "/private", "/private?quota=5000"]
    for path in pages:
        answer = madrid.get(path)
        assert answer.status_code == 200, path
        assert f'lang="{language}"' in answer.text
        assert " style=" not in answer.text
    madrid.speak("en")


def test_a_conflict_shows_contacts_and_class_on_a_map_and_in_a_table(town: Town, madrid: Browser) -> None:
    page = madrid.get("/plans").text
    assert 'role="img"' in page
    assert "near in place and time" in page
    meeting = madrid.get(f"/plans/meetings/{town.meeting}").text
    assert "Lead of rabat" in meeting
    assert "rabat-2026-17" not in meeting
    (owed,) = [d for d in town.node("madrid").plans.duties(town.federation.clock()) if d.meeting == town.meeting]
    clock = meeting[meeting.index("<tq-clock") :]
    assert f'data-due="{owed.due_at.isoformat()}"' in clock, "what is asked has its time beside it"
    assert "alarm 30 minutes before the start" in clock, "and its rule"
    assert f"/plans/meetings/{town.meeting}" in madrid.get("/").text


def test_an_alarm_is_a_duty_of_the_duty_officer_until_it_was_looked_at(town: Town, madrid: Browser) -> None:
    ground = town.node("madrid").private._g
    ground.store.write(lambda tx: ground.alarm(tx, "canary", town.node("rabat").node_id, "low", 1, 0))
    (owed,) = [d for d in town.node("madrid").private.duties() if d.code == "private.alarm.canary"]
    chief = signed_in(town, "madrid", "omar")
    page = chief.get("/").text
    assert f"/private#{owed.notice}" in page
    assert "Somebody asked for an invented person" in page
    assert "for the duty officer" in page
    assert f'id="{owed.notice}"' in chief.get("/private").text
    chief.post("/private", {"do": "seen", "notice": owed.notice})
    assert owed.notice not in chief.get("/").text


def form_of(town: Town, **more: str) -> dict[str, str]:
    begins = town.federation.clock() + timedelta(days=3)
    form = {
        "type": "raid",
        "sensitivity": "restricted",
        "latitude": "36.1",
        "longitude": "-5.4",
        "radius_m": "200",
        "begins_at": f"{begins:%Y-%m-%dT%H:%M}",
        "ends_at": f"{begins + timedelta(hours=2):%Y-%m-%dT%H:%M}",
        "lead": "A. Ruiz, +34 600 000 000",
        "backup": "Desk",
        "purpose": "investigation",
        "justification": "case 7 of the desk",
        "legal_basis": "Code (example)",
    }
    return {**form, **more}


def test_a_plan_of_nothing_leads_to_where_its_place_is_filled_in(town: Town, madrid: Browser) -> None:
    nothing = {"latitude": "", "longitude": "", "begins_at": "", "ends_at": ""}
    page = madrid.post("/plans/new", form_of(town, **nothing))
    assert page.status_code == 422
    assert '<a href="#where">' in page.text
    assert 'id="where"' in page.text
    assert "Give a place with its window, or a target, or both." in page.text


def test_a_plan_is_entered_by_the_form_and_read_by_its_officer_and_supervisors(town: Town, madrid: Browser) -> None:
    answer = madrid.post("/plans/new", form_of(town))
    assert answer.status_code == 200
    path = answer.url.path
    assert re.fullmatch(r"/plans/p-[0-9a-f]{32}", path)
    assert "no conflict" in answer.text
    assert signed_in(town, "madrid", "omar").get(path).status_code == 200
    other = signed_in(town, "madrid", "auditor")
    assert other.get(path).status_code == 403
    assert path not in other.get("/plans").text
    assert madrid.post(path, {"answer": "cancel"}).status_code == 200
    assert madrid.post(path, {"answer": "cancel"}).status_code == 409


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"latitude": "95"}, "latitude"),
        ({"latitude": "north"}, "latitude"),
        ({"ends_at": ""}, "ends_at"),
        ({"type": ""}, "type"),
        ({"lead": ""}, "lead"),
        ({"target1_name": "Karim"}, "target1_name"),
        ({"purpose": ""}, "purpose"),
    ],
)
def test_what_is_wrong_in_the_form_is_named_and_the_rest_kept(
    town: Town, madrid: Browser, wrong: dict[str, str], field: str
) -> None:
    answer = madrid.post("/plans/new", form_of(town, **wrong))
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert "Code (example)" in answer.text


def test_the_result_of_a_check_names_what_met_and_only_its_officer_and_overseers_read_it(
    town: Town, madrid: Browser
) -> None:
    page = madrid.get(f"/checks/{town.check}").text
    assert "Something met" in page
    assert "Jordi Casals Montaner" in page
    assert "M-2026-7" in page
    overseer = signed_in(town, "madrid", "omar").get(f"/checks/{town.check}")
    assert overseer.status_code == 200
    assert "M-2026-7" in overseer.text
    assert "Jordi" not in overseer.text, "who oversees sees the case; whom it was about is who asked's"
    seen = [leaf for leaf in town.node("madrid").ledger.page(limit=200) if leaf.subject == "private.check"]
    assert {leaf.content["officer"] for leaf in seen if leaf.content} >= {
        o.id for o in town.node("madrid").access.officers() if o.name in ("salma", "omar")
    }


def test_a_private_check_is_asked_by_the_form_and_followed_by_a_request(town: Town, madrid: Browser) -> None:
    berlin = town.node("berlin").node_id
    values = {"name": "Jordi Casals Montaner", "born": "1975-02-09", "to": berlin, "case": "M-2026-8"}
    why = {"purpose": "investigation", "justification": "case 8 of the desk"}
    assert madrid.post("/checks/new", values).status_code == 422
    assert madrid.post("/checks/new", {**values, **why, "born": ""}).status_code == 422
    answer = madrid.post("/checks/new", {**values, **why})
    assert answer.status_code == 200
    path = answer.url.path
    assert path.startswith("/checks/pc-")
    assert madrid.post(path, {"subject": ""}).status_code == 422
    texts = dict.fromkeys(("subject", "question", "facts", "availability"), "Who is he?")
    sent = madrid.post(path, {**texts, "legal_basis": "Code (example)"} | dates(answer.text))
    assert sent.url.path.startswith("/dossiers/d-"), sent.text[-3000:]


def dates(page: str) -> dict[str, str]:
    return {n: re.search(rf'name="{n}" type="date" value="([^"]+)"', page)[1] for n in ("review_on", "erase_on")}  # type: ignore[index]


def test_orders_are_a_supervisors_and_a_revocation_is_meant(town: Town, madrid: Browser) -> None:
    assert "Revoke" not in madrid.get("/private").text
    assert madrid.post("/private", {"do": "rotate"}).status_code == 403
    omar = signed_in(town, "madrid", "omar")
    assert "Revoke in one step" in omar.get("/private").text
    rabat = town.node("rabat").node_id
    assert omar.post("/private", {"do": "revoke", "partner": rabat}).status_code == 422
    drawn = omar.post("/private/sample", {"do": "draw", "partner": rabat, "share": "100", "days": "30"})
    assert drawn.status_code == 200
    assert 'id="made"' in drawn.text
    assert omar.post("/private/sample", {"do": "check", "pasted": "not it"}).status_code == 422
