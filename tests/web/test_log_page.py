"""The audit log's page: what was done in which days, by whom, with which record; each answer is a link."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from tansiq.terms import LogVerb
from tansiq.web import log_words
from tansiq.web.log_words import what_of
from tansiq.web.pages import log
from tests.support.web import Browser, Town

ROW = re.compile(r"<tr><td class=\"end\">.*?</tr>", re.S)


@pytest.fixture
def auditor(town: Town) -> Browser:
    browser = Browser(town.app("madrid"))
    browser.sign_in("auditor")
    return browser


def rows(text: str) -> list[str]:
    return [html.unescape(x) for x in ROW.findall(text)]


def salma(town: Town) -> str:
    return next(o.id for o in town.node("madrid").access.officers() if o.name == "salma")


def test_it_is_filtered_by_what_was_done(town: Town, auditor: Browser) -> None:
    found = rows(auditor.get("/ledger?verb=disclose").text)
    assert found
    assert all("disclosed" in r for r in found)
    form = auditor.get("/ledger?verb=disclose").text
    assert '<option value="disclose" selected>' in form, "the form says what is shown"
    for verb in LogVerb:
        assert f'<option value="{verb.value}"' in form


def test_days_are_those_of_this_nodes_calendar_and_both_are_meant(town: Town, auditor: Browser) -> None:
    now = town.federation.clock()
    today = now.date().isoformat()
    there = rows(auditor.get(f"/ledger?since={today}&until={today}").text)
    assert there
    tomorrow = (now + timedelta(days=2)).date().isoformat()
    none = auditor.get(f"/ledger?since={tomorrow}")
    assert rows(none.text) == []
    assert "No leaf matches this." in none.text
    wrong = auditor.get("/ledger?since=2026-13-40")
    assert wrong.status_code == 422
    assert 'id="since-wrong"' in wrong.text
    backwards = auditor.get(f"/ledger?since={tomorrow}&until={today}")
    assert 'id="until-wrong"' in backwards.text
    assert "wrong" in auditor.get("/ledger?verb=stolen").text


def test_filters_add_up_and_stay_on_the_way_to_older_leaves(
    town: Town, auditor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "LEAVES", 1)
    since = (town.federation.clock().date() - timedelta(days=3)).isoformat()
    path = f"/ledger?record={town.dossier}&since={since}"
    seen: list[str] = []
    while path:
        text = auditor.get(path).text
        page = rows(text)
        assert len(page) <= 1
        seen += page
        found = re.search(r'href="(/ledger\?[^"]*before=[^"]*)"', text)
        path = html.unescape(found[1]) if found else ""
        assert not path or (f"record={town.dossier}" in path and f"since={since}" in path)
    assert len(seen) == len(set(seen)) > 1
    whole = town.node("madrid").oversight.subjects(town.dossier)
    assert len(seen) == sum(len(town.node("madrid").ledger.find(s)) for s in whole)


def test_what_one_officer_did_in_a_period_is_a_link(town: Town, auditor: Browser) -> None:
    town_salma = salma(town)
    mine = rows(auditor.get(f"/ledger?officer={town_salma}&verb=consult").text)
    for r in mine:
        assert "salma" in r
        assert "consulted" in r
    text = html.unescape(auditor.get(f"/ledger?officer={town_salma}").text)
    today = town.federation.clock().date().isoformat()
    assert f"/ledger?officer={town_salma}&since={today}" in text, "today, of the same officer"


def test_who_does_not_oversee_finds_nothing_out_by_a_filter(town: Town, madrid: Browser) -> None:
    omar = next(o.id for o in town.node("madrid").access.officers() if o.name == "omar")
    assert madrid.get(f"/ledger?officer={omar}&verb=consult").status_code == 403
    text = madrid.get("/ledger?verb=consult").text
    assert "omar" not in text
    assert "auditor" not in text


def test_records_are_named_in_words_and_clauses_by_their_titles(town: Town, auditor: Browser) -> None:
    text = html.unescape(auditor.get("/ledger?verb=collect").text)
    entry = town.node("madrid").dossiers.state(town.dossier).entries[0].id
    assert re.search(rf'entry <a class="nowrap" href="/dossiers/{town.dossier}\?entry={entry}#{entry}">', text), (
        "an entry leads to its dossier"
    )
    disclosed = html.unescape(auditor.get("/ledger?verb=disclose").text)
    title = town.node("madrid").gate.title("roles.record", "en")
    assert f'<bdi dir="ltr">{title}</bdi> <code dir="ltr" class="muted">roles.record</code>' in text + disclosed


@pytest.mark.parametrize(
    ("subject", "what", "name"),
    [
        ("e-80f1", "e", "e-80f1"),
        ("pc-80f1", "pc", "pc-80f1"),
        ("plan:p-1", "plan", "p-1"),
        ("private.list.low.7", "private.list", "low.7"),
        ("private.batch.ab12", "private.batch", "ab12"),
        ("hits.list", "", "hits.list"),
        ("ma-5r7kmup6", "", "ma-5r7kmup6"),
    ],
)
def test_what_a_leaf_is_about_is_told_by_its_id(subject: str, what: str, name: str) -> None:
    assert what_of(subject) == (what, name)
    assert not what or what in log_words.LOG_RECORD


def test_no_leaf_of_the_demo_town_is_named_by_a_bare_code(town: Town) -> None:
    for name in ("madrid", "berlin", "rabat"):
        node = town.node(name)
        peers = {p.card.node for p in node.exchange.peers()} | {node.node_id}
        bare = {
            x.subject
            for x in node.ledger.page(None, 2_000)
            if not what_of(x.subject)[0] and x.subject not in log_words.LOG_SUBJECT and x.subject not in peers
        }
        assert not bare


def test_each_letter_of_the_private_lists_is_called_what_it_brings(town: Town, madrid: Browser) -> None:
    deliveries = town.node("madrid").exchange.deliveries(limit=500)
    sent = {d.ref.partition(":")[0] for d in deliveries if d.kind == "private" or "plan" in d.ref.split(":")}
    assert sent
    assert sent <= set(log_words.LIST_LETTER)
    text = html.unescape(madrid.get("/partners").text)
    assert "letter about a plan" in text
    assert "piece:plan" not in text
    entry = town.node("madrid").dossiers.state(town.request).entries[0].id
    assert f'href="/dossiers/{town.request}?entry={entry}#{entry}"' in text, "a delivery leads to what was delivered"


def test_the_number_beside_the_duties_is_that_of_the_page(town: Town, madrid: Browser) -> None:
    text = madrid.get("/").text
    beside = re.search(r'<span>Duties</span><span class="count[^"]*">(\d+)<', text)
    said = re.search(r"(\d+) duties of ours", text)
    assert beside
    assert said
    assert beside[1] == said[1]


def test_a_private_list_is_named_by_its_keys_and_epoch(town: Town, auditor: Browser) -> None:
    subject = next(
        x.subject for x in town.node("madrid").ledger.page(None, 2_000) if x.subject.startswith("private.list.low")
    )
    text = html.unescape(auditor.get(f"/ledger?record={subject}").text)
    epoch = subject.rpartition(".")[2]
    assert f"names with dates, phones, plates · {epoch}" in text
