"""Every page, in every language, for officers of both sides of a dossier."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from tansiq.cli.proofs import check
from tansiq.dossiers.asking import ASK_OTHERS
from tansiq.dossiers.settling import ASK_AFTER
from tansiq.web.i18n import LANGUAGES, tongue
from tests.support import acts
from tests.support.messages import all_messages
from tests.support.web import Browser, Town, make_town
from tests.web.conftest import signed_in

PLAIN = ["/", "/dossiers", "/dossiers?kind=report", "/hits", "/hits?state=all", "/bank", "/ledger", "/partners"]
PLAIN += ["/second", "/compose/report", "/compose/request"]
DATA = re.compile(r"<bdi[^>]*>.*?</bdi>|<option.*?</option>|<textarea.*?</textarea>|<div class=\"source.*?</div>", re.S)


def pages(town: Town) -> dict[str, list[str]]:
    d, r = f"/dossiers/{town.dossier}", f"/dossiers/{town.request}"
    feedback = f"{d}/acts/dossier.feedback"
    answers = [f"{r}/acts/request.{a}" for a in ("answered", "partly_answered", "refused", "clarification_asked")]
    return {
        "madrid": [*PLAIN, d, r, f"/hits/{town.match}", feedback],
        "rabat": [d, r, *answers, f"{r}/acts/request.delay_announced", f"{d}/acts/dossier.recalled"],
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["madrid", "rabat"])
def test_every_page_renders_in_its_language_and_direction(
    town: Town, request: pytest.FixtureRequest, name: str, language: str
) -> None:
    browser: Browser = request.getfixturevalue(name)
    browser.speak(language)
    for path in pages(town)[name]:
        answer = browser.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        assert f'lang="{language}' in answer.text[:200]
        assert f'dir="{"rtl" if language == "ar" else "ltr"}"' in answer.text[:200]
        assert "style=" not in answer.text, path
        assert not re.search(r"<script(?![^>]*src=)", answer.text), path
        assert not re.search(r"\son[a-z]+=", answer.text), path
    browser.speak("en")


def test_no_text_of_the_interface_is_left_in_english_on_an_arabic_page(town: Town, madrid: Browser) -> None:
    """Outside data (isolated in bdi) and the names of languages, no Latin word of two letters stands on the page."""
    madrid.speak("ar")
    known = {m for m in all_messages() if isinstance(m, str) and len(m) > 3 and " " in m}
    for path in pages(town)["madrid"]:
        text = DATA.sub("", madrid.get(path).text)
        visible = re.sub(r"<[^>]+>", "\n", text)
        left = [line.strip() for line in visible.splitlines() if line.strip() in known]
        assert not left, (path, left)
    madrid.speak("en")


def test_a_page_of_another_language_names_its_months_as_morocco_does(town: Town, madrid: Browser) -> None:
    madrid.speak("ar")
    assert "نونبر" in madrid.get("/").text
    madrid.speak("en")


def test_a_withheld_part_never_looks_like_one_that_is_not_there(town: Town) -> None:
    from tests.web.conftest import signed_in

    text = signed_in(town, "berlin").get(f"/dossiers/{town.dossier}").text
    assert text.count('class="part absent withheld"') == 1
    assert "Withheld from this service by its author" in text
    assert "المصدر شخص موثوق" not in text


def test_an_entry_for_others_alone_is_not_called_on_its_way_for_ever(tmp_path: Path) -> None:
    """Madrid tells Rabat alone, and Rabat builds on it for all: Berlin asks both, and neither may say whose it is."""
    town = make_town(tmp_path)
    f = town.federation
    rabat, madrid, berlin = f.nodes["rabat"], f.nodes["madrid"], f.nodes["berlin"]
    about = rabat.dossiers.state(town.dossier).first.id
    alone = {"type": "dossier.feedback", "facts": {"about": about, "outcome": "used"}, "to": ["ma"]}
    madrid.dossiers.append(town.dossier, alone, f.officers["madrid"])
    f.pump()
    rabat.dossiers.append(town.dossier, acts.note("report.note_added"), f.officers["rabat"])
    f.pump()
    browser = signed_in(town, "berlin")

    def said() -> str:
        return browser.get(f"/dossiers/{town.dossier}").text

    assert len(berlin.dossiers.state(town.dossier).missing) == 1
    assert "1 earlier entry has not arrived" in said()
    for wait in (ASK_AFTER, ASK_OTHERS):
        assert "Every member was asked" not in said()
        f.clock.pass_time(wait)
        for _ in range(3):
            berlin.settle()
        f.pump()
    assert "1 earlier entry is not here. Every member was asked" in said()
    assert "1 earlier entry has not arrived" not in said()
    f.close()


def test_the_hit_page_shows_both_sides_and_pushes_to_no_answer(town: Town, madrid: Browser) -> None:
    text = madrid.get(f"/hits/{town.match}").text
    assert "يوسف بن عمر الزروالي" in text
    assert "Yusef Benomar Serruali" in text
    # The switch between original and translation, which another test may have brought in, is no answer.
    answers = re.sub(r'<fieldset class="views">.*?</fieldset>', "", text, flags=re.DOTALL)
    assert answers.count('type="radio"') == 3
    assert "checked" not in answers
    assert "Starting point" in text


def test_a_record_opens_only_after_its_purpose(town: Town) -> None:
    browser = Browser(town.app("madrid"))
    browser.sign_in("omar")
    before = town.node("madrid").ledger.find(town.dossier)
    assert "Why do you open this?" in browser.get(f"/dossiers/{town.dossier}").text
    assert town.node("madrid").ledger.find(town.dossier) == before, "nothing was read, nothing is logged as read"
    browser.say_why(town.dossier)
    assert "Report given" in browser.get(f"/dossiers/{town.dossier}").text
    (leaf,) = town.node("madrid").ledger.find(town.dossier)[len(before) :]
    assert (leaf.verb, leaf.content["justification"]) == ("consult", "case 7 of the desk")


def test_the_deadline_of_a_request_stands_on_the_page_of_who_owes_it(town: Town, rabat: Browser) -> None:
    text = rabat.get(f"/dossiers/{town.request}").text
    assert "<tq-clock" in text
    assert "Send answer" in text
    assert "Refuse with a ground" in text


def test_search_finds_across_scripts_and_explains(town: Town, madrid: Browser) -> None:
    asked = {"q": "يوسف بن عمر الزروالي", "kind": "person", "purpose": "investigation", "justification": "case 7"}
    text = madrid.post("/bank", asked).text
    assert "Yusef Benomar Serruali" in text
    assert "Same name, two scripts" in text
    text = madrid.post("/bank", asked | {"q": "0417 KZZ", "kind": "plate"}).text
    assert "0417 KZZ" in text
    assert "no hit" in madrid.post("/bank", asked | {"q": "QQ 999 ZZ", "kind": "plate"}).text


def test_the_ledger_page_verifies_the_whole_log(town: Town, madrid: Browser) -> None:
    assert "checkpoints verify" in madrid.post("/ledger/verify", {}).text


def test_language_and_theme_are_cookies_that_a_script_cannot_read(town: Town, madrid: Browser) -> None:
    for path, name, value in (("/preferences/language", "language", "de"), ("/preferences/theme", "theme", "dark")):
        values = {"csrf": madrid.csrf, name: value, "back": "//evil.example"}
        answer = madrid.client.post(path, data=values, follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/"
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
    madrid.speak("en")


def test_what_a_sweep_could_not_do_is_counted(town: Town, madrid: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    bank = town.node("madrid").bank
    monkeypatch.setattr(bank, "refused", {"b-1": "policy.refused", "b-2": "unforeseen.ValueError"})
    assert madrid.get("/healthz").json() == {"status": "ok", "not_erased": 2, "unforeseen": 1}
    text = madrid.get("/metrics").text
    assert "tansiq_erasures_refused 2.0" in text
    assert "tansiq_sweep_failures 1.0" in text


def test_health_readiness_and_figures(madrid: Browser) -> None:
    assert madrid.get("/healthz").json() == {"status": "ok"}
    assert madrid.get("/readyz").json() == {"status": "ready"}
    text = madrid.get("/metrics").text
    assert "tansiq_erasures_refused 0.0" in text
    assert "tansiq_sweep_failures 0.0" in text
    assert "tansiq_ledger_leaves" in text
    assert "salma" not in text


def test_the_live_bar_speaks_up_when_duties_change_and_falls_silent_at_an_empty_desk(
    town: Town, madrid: Browser
) -> None:
    found = re.search(r'hx-get="(/live/duties[^"]+)"', madrid.get("/").text)
    assert found
    path = found[1].replace("&amp;", "&")
    quiet = madrid.get(path)
    assert (quiet.status_code, quiet.text.strip()) == (200, "")
    assert "have changed" in madrid.get(re.sub(r"seen=\w+", "seen=0", path)).text
    assert madrid.get(re.sub(r"from=\d+", "from=1", path)).status_code == 286
    assert madrid.get("/live/duties").status_code == 286


def test_opening_a_hit_is_a_consultation_with_its_reason(town: Town, madrid: Browser) -> None:
    ledger = town.node("madrid").ledger
    before = len(ledger.find(town.dossier))
    madrid.get(f"/hits/{town.match}")
    leaves = ledger.find(town.dossier)
    assert len(leaves) == before + 1
    assert leaves[-1].content["justification"] == "case 7 of the desk"


def rows_of_the_log(reader: Browser, path: str) -> list[str]:
    """Every row, through all pages: how much the other tests of this file have looked is not this one's matter."""
    rows: list[str] = []
    while path:
        text = reader.get(path).text
        rows += re.findall(r"<tr><td class=\"end\">.*?</tr>", text, re.S)
        older = re.search(r'<p><a class="btn small" href="(/ledger[^"]*)"', text)
        path = html.unescape(older[1]) if older else ""
    return rows


def test_one_who_oversees_reads_who_saw_a_record_and_why_by_name(town: Town, madrid: Browser) -> None:
    madrid.get(f"/dossiers/{town.dossier}")
    auditor = Browser(town.app("madrid"))
    auditor.sign_in("auditor")
    rows = rows_of_the_log(auditor, f"/ledger?record={town.dossier}")
    assert any("salma" in r and "case 7 of the desk" in r and "consulted" in r for r in rows)
    entry = town.node("madrid").dossiers.state(town.dossier).entries[0].id
    assert any(entry[:12] in r for r in rows), "what was done with its entries belongs to it"
    assert town.request[:12] not in "".join(rows)
    salma = next(o.id for o in town.node("madrid").access.officers() if o.name == "salma")
    mine = re.findall(r"<tr><td class=\"end\">.*?</tr>", auditor.get(f"/ledger?officer={salma}").text, re.S)
    assert mine
    assert all("salma" in r for r in mine)


def test_who_does_not_oversee_sees_no_other_officers_name_or_acts(town: Town, madrid: Browser) -> None:
    node = town.node("madrid")
    omar = next(o.id for o in node.access.officers() if o.name == "omar")
    assert madrid.get(f"/ledger?officer={omar}").status_code == 403
    text = madrid.get(f"/ledger?record={town.dossier}").text
    assert "omar" not in text
    assert "auditor" not in text
    assert "No leaf matches" in madrid.get("/ledger?record=d-ffffffffffffffffffffffffffffffff").text
    assert "No leaf matches" in madrid.get("/ledger?record=nonsense&officer=").text


def test_the_proof_of_a_delivery_is_taken_along_and_holds_no_content(town: Town) -> None:
    reader = signed_in(town, "madrid")
    page = reader.get(f"/dossiers/{town.request}").text
    entry = town.node("madrid").dossiers.state(town.request).entries[0]
    path = f"/dossiers/{town.request}/proofs/{entry.id}"
    assert f'href="{path}"' in page
    file = reader.get(path)
    assert file.headers["content-disposition"].startswith("attachment;")
    proven = check(file.content)
    assert proven["subject"] == entry.id
    assert [r["recipient"] for r in proven["receipts"]] == [town.node("rabat").node_id]
    for part in entry.parts:
        words = str((part.content or {}).get("text", ""))
        assert words
        assert words not in file.text
    assert reader.get(f"/dossiers/{town.request}/proofs/e-{'0' * 64}").status_code == 404
    assert "attachment" not in Browser(town.app("madrid")).get(path).headers.get("content-disposition", "")


@pytest.mark.parametrize("code", LANGUAGES)
def test_who_cannot_sign_in_is_told_so_in_words_of_signing_in(town: Town, code: str) -> None:
    browser = Browser(town.app("madrid"), code)
    page = browser.post("/sign-in", {"name": "nobody here", "password": "wrong-password"}, source="/sign-in")
    assert page.status_code == 403
    assert tongue(code, "UTC").say("You are not signed in") in page.text
    assert tongue(code, "UTC").say("Something is wrong. Nothing was sent or kept.") not in page.text
    assert 'value="nobody here"' in page.text
    assert "wrong-password" not in page.text
