"""Results of the search over dossiers: in which dossier, of which kind, from whom and when; ordered and narrowed."""

from __future__ import annotations

import html
import re

import pytest

from tansiq.web.pages import bureau
from tests.support.web import Browser, Town

WHY = {"purpose": "investigation", "justification": "case 7 of the desk"}


def results(browser: Browser, words: str, **more: str) -> tuple[list[str], str]:
    text = html.unescape(browser.post("/search", {"words": words, **WHY, **more}).text)
    return re.findall(r'<tr><td class="top"><a class="what".*?</tr>', text, re.S), text


def test_each_result_says_where_from_whom_when_and_in_what(town: Town, madrid: Browser) -> None:
    found, _text = results(madrid, "الزروالي")
    assert found
    state = town.node("madrid").dossiers.state(town.dossier)
    entry = state.entries[0]
    row = next(r for r in found if f"/dossiers/{town.dossier}?entry={entry.id}#{entry.id}" in r)
    subject = next(p.content["text"] for p in entry.parts if p.ref.kind == "subject")
    assert subject in row
    assert "Report" in row
    assert "rabat" in row
    assert f'datetime="{entry.statement.at.isoformat()}"' in row


def test_it_is_narrowed_by_kind_and_period_and_ordered_by_time(town: Town, madrid: Browser) -> None:
    every, _ = results(madrid, "Yusef Benomar")
    assert every
    requests, _ = results(madrid, "Yusef Benomar", kind="request")
    assert requests
    assert all("Request" in r for r in requests)
    none, text = results(madrid, "Yusef Benomar", kind="committee")
    assert none == []
    assert "not in this kind and period" in text
    newest, _ = results(madrid, "Yusef", order="newest")
    times = [re.search(r'datetime="([^"]+)"', r)[1] for r in newest]  # type: ignore[index]
    assert times == sorted(times, reverse=True)
    assert len(times) >= len(requests)


def test_a_period_leaves_out_what_is_older(madrid: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    before, _ = results(madrid, "Yusef Benomar", period="7")
    assert before
    monkeypatch.setitem(bureau.PERIODS, "-1", "from tomorrow on: everything is older")
    after, text = results(madrid, "Yusef Benomar", period="-1")
    assert after == []
    assert "not in this kind and period" in text


def test_what_no_list_offers_is_said_at_its_field(madrid: Browser) -> None:
    answer = madrid.post("/search", {"words": "Yusef", **WHY, "order": "random"})
    assert answer.status_code == 422
    assert 'id="order-wrong"' in answer.text
