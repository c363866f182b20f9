"""What was typed is not lost, and what was done is not done twice: sessions end, others write, buttons double."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tansiq.dossiers.model import DossierState
from tests.support.web import Browser, Town, make_town
from tests.web.conftest import signed_in

TYPED = "Il a été vu deux fois près du port avec un homme plus âgé."


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory):
    """A town of its own: these tests answer its request."""
    made = make_town(Path(tmp_path_factory.mktemp("kept")))
    yield made
    made.federation.close()


@pytest.fixture
def rabat(town: Town) -> Browser:
    return signed_in(town, "rabat")


def end_session(browser: Browser) -> None:
    """As after half an hour: the browser's token opens nothing any more."""
    for name in [k for k in browser.client.cookies if k.startswith("tq_session")]:
        browser.client.cookies.delete(name)


def state(town: Town) -> DossierState:
    found: DossierState = town.node("rabat").dossiers.state(town.request)
    return found


def answer(town: Town, **more: object) -> tuple[str, dict[str, object]]:
    return f"/dossiers/{town.request}/acts/request.clarification_asked", {"part_question": "", "note": TYPED, **more}


def feedback(town: Town, **more: object) -> tuple[str, dict[str, object]]:
    entry = town.node("rabat").dossiers.state(town.request).entries[0].id
    return f"/dossiers/{town.request}/acts/dossier.feedback", {
        "fact_about": entry,
        "fact_outcome": "used",
        "note": TYPED,
        "note_lang": "fr",
        "justification": "case 7",
        **more,
    }


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found, name
    return found[1]


def test_what_was_typed_when_the_session_ended_is_there_after_signing_in(town: Town, rabat: Browser) -> None:
    path, form = feedback(town, do="send")
    before = len(state(town).entries)
    end_session(rabat)
    asked = rabat.post(path, form)
    assert "/sign-in?next=/kept/" in str(asked.url)
    assert "what you wrote is kept" in asked.text
    assert TYPED not in asked.text, "who stands at the desk now is not known yet"
    kept = sign_in_from(rabat, asked, "salma")
    assert TYPED in kept.text
    assert "Give feedback" in kept.text, "an address says nothing to an officer: the act's name does"
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', kept.text.split("<main")[1]))
    again = rabat.client.post(path, data=fields)
    assert again.status_code == 200
    assert TYPED in again.text
    assert len(state(town).entries) == before, "nothing is sent by signing in"


def sign_in_from(browser: Browser, page, name: str):
    from tests.support.web import PASSWORD

    values = {"csrf": Browser._token(page.text), "name": name, "password": PASSWORD, "next": hidden(page.text, "next")}
    return browser.client.post("/sign-in", data=values)


def test_what_one_officer_typed_is_not_shown_to_another(town: Town, rabat: Browser) -> None:
    path, form = feedback(town)
    end_session(rabat)
    asked = rabat.post(path, form)
    other = sign_in_from(rabat, asked, "omar")
    assert other.url.path == "/"
    assert TYPED not in other.text


def test_what_another_site_posts_is_not_kept(town: Town, rabat: Browser) -> None:
    path, form = feedback(town)
    end_session(rabat)
    forged = rabat.client.post(path, data={**form, "csrf": "0" * 64})
    foreign = rabat.client.post(path, data={**form, "csrf": rabat.csrf}, headers={"origin": "https://evil.example"})
    assert [a.url.query for a in (forged, foreign)] == [b"", b""]


def test_what_was_posted_after_signing_out_is_not_kept(town: Town, rabat: Browser) -> None:
    path, form = feedback(town)
    rabat.post("/sign-out", {})
    assert rabat.post(path, form).url.query == b""


def test_a_form_that_comes_twice_acts_once_and_a_changed_one_acts_again(town: Town, rabat: Browser) -> None:
    path, form = feedback(town, do="send")
    once = hidden(rabat.get(path).text, "once")
    before = len(state(town).entries)
    first, second = (rabat.post(path, {**form, "once": once}) for _ in range(2))
    assert first.url == second.url
    assert first.status_code == second.status_code == 200
    assert len(state(town).entries) == before + 1
    rabat.post(path, {**form, "once": once, "note": f"{TYPED} Encore."})
    assert len(state(town).entries) == before + 2
    assert hidden(rabat.get(path).text, "once") != once, "each form that is shown is one of its own"


def test_a_dossier_that_moved_is_shown_before_anything_is_sent(town: Town, rabat: Browser) -> None:
    path, form = feedback(town, do="send")
    seen = hidden(rabat.get(path).text, "seen")
    received = next(e for e in state(town).entries if e.statement.type == "request.received")
    told = {"type": "dossier.feedback", "facts": {"about": received.id, "outcome": "not_used"}}
    town.node("madrid").dossiers.append(town.request, told, town.federation.officers["madrid"])
    town.federation.pump()
    before = len(state(town).entries)
    shown = rabat.post(path, {**form, "seen": seen})
    assert 'id="moved"' in shown.text
    assert TYPED in shown.text
    assert len(state(town).entries) == before, "the officer looks first"
    sent = rabat.post(path, {**form, "seen": hidden(shown.text, "seen")})
    assert sent.url.path == f"/dossiers/{town.request}"
    assert len(state(town).entries) == before + 1


def test_an_act_that_came_too_late_keeps_its_text_and_cannot_be_sent(town: Town, rabat: Browser) -> None:
    path = f"/dossiers/{town.request}/acts/request.answered"
    seen = hidden(rabat.get(path).text, "seen")
    refusal = {"type": "request.refused", "facts": {"grounds": ["a_not_available"]}}
    rabat_node = town.node("rabat")
    rabat_node.dossiers.append(town.request, refusal, town.federation.officers["rabat"])
    late = rabat.post(path, {"answer": TYPED, "seen": seen, "do": "send"})
    assert late.status_code == 409
    assert TYPED in late.text
    assert 'id="moved"' in late.text
    assert 'value="preview"' not in late.text
    assert 'value="send"' not in late.text


def test_a_decision_that_another_made_first_leaves_the_reason_on_the_page(town: Town) -> None:
    first, second = signed_in(town, "madrid"), signed_in(town, "madrid", "omar")
    reason = "Same name, same year, and the plate was seen in both places."
    path = f"/hits/{town.match}/decision"
    assert first.post(path, {"answer": "hit", "reason": "Same name and same year of birth."}).status_code == 200
    late = second.post(path, {"answer": "no_hit", "reason": reason})
    assert late.status_code == 409
    assert reason in late.text
    assert "Same name and same year of birth." in late.text


def test_a_name_from_the_top_bar_never_stands_in_an_address(town: Town, rabat: Browser) -> None:
    page = rabat.get("/").text
    bar = re.search(r'<form class="search".*?</form>', page, re.S)
    assert bar
    assert 'method="post"' in bar[0]
    leaves = town.node("rabat").ledger.head().size
    for typed, kind in (("يوسف الزروالي", "person"), ("+212 600 000 142", "phone"), ("40-ب-48213", "plate")):
        shown = rabat.post("/bank", {"q": typed, "from": "bar"})
        assert shown.url.query == b""
        assert f'value="{typed}"' in shown.text
        assert f'<option value="{kind}" selected>' in shown.text
    assert town.node("rabat").ledger.head().size == leaves, "only put into the form: why is asked first"
    asked = {"q": "+212 600 000 142", "kind": "person", "purpose": "prevention", "justification": "case 7"}
    assert rabat.post("/bank", asked).status_code == 422, "a number is not searched as a name and found nowhere"
