"""A partner's log that contradicts what we cosigned: a duty, a card with what to compare, and an officer's word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tansiq.terms import LogVerb
from tests.support.web import Town
from tests.web.conftest import contradicted, signed_in

WHY = "called Rabat: a disk failed and a copy was restored"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    yield from contradicted(tmp_path)


def claimed(town: Town):
    (found,) = town.node("madrid").witnesses.standings([town.node("rabat").node_id])
    assert found.claimed is not None
    return found.claimed


def test_it_is_a_duty_that_leads_to_what_is_to_be_compared(town: Town) -> None:
    omar = signed_in(town, "madrid", "omar")
    rabat = town.node("rabat").node_id
    page = omar.get("/").text
    assert f'href="/ledger#witness-{rabat}"' in page
    assert "Call the partner: its log contradicts what we cosigned" in page
    assert page.index("its log contradicts") < page.index("Decide the match"), "those who oversee see it first"
    card = omar.get("/ledger").text
    assert f'id="witness-{rabat}"' in card
    assert f'name="root" value="{claimed(town).root.hex()}"' in card, "what was compared goes with the decision"
    assert 'value="anew"' in card


def test_another_head_than_the_compared_one_is_not_trusted(town: Town) -> None:
    rabat = town.node("rabat").node_id
    omar = signed_in(town, "madrid", "omar")
    for more in ({}, {"root": "00" * 32}):
        answer = omar.post(
            "/ledger/witnesses", {"partner": rabat, "reason": WHY, "do": "anew", **more}, source="/ledger"
        )
        assert answer.status_code == 422
        assert town.node("madrid").witnesses.standings([rabat])[0].trouble == "rewritten"


@pytest.mark.parametrize("officer", ["omar", "auditor"])
def test_an_overseer_starts_it_anew_and_the_reason_stands_in_the_log(town: Town, officer: str) -> None:
    madrid, rabat, head = town.node("madrid"), town.node("rabat").node_id, claimed(town)
    browser = signed_in(town, "madrid", officer)
    answer = browser.post(
        "/ledger/witnesses", {"partner": rabat, "reason": WHY, "do": "anew", "root": head.root.hex()}, source="/ledger"
    )
    assert answer.status_code == 200
    (after,) = madrid.witnesses.standings([rabat])
    assert (after.trouble, after.seen_size) == ("", head.size)
    leaf = madrid.ledger.find(rabat)[-1]
    assert (leaf.verb, leaf.content["justification"]) == (LogVerb.ALTER, WHY)
    assert f'id="witness-{rabat}"' not in browser.get("/ledger").text


def test_left_distrusted_it_is_shown_so_and_owed_no_more(town: Town) -> None:
    rabat = town.node("rabat").node_id
    omar = signed_in(town, "madrid", "omar")
    omar.post("/ledger/witnesses", {"partner": rabat, "reason": WHY, "do": "known"}, source="/ledger")
    card = omar.get("/ledger").text
    assert "Its log is not trusted: nothing of it is cosigned." in card
    assert 'value="anew"' in card, "it may be trusted again later"
    assert 'value="known"' not in card
    assert "witness-" not in omar.get("/").text


def test_without_a_reason_nothing_is_settled_and_what_was_typed_stays(town: Town) -> None:
    rabat = town.node("rabat").node_id
    omar = signed_in(town, "madrid", "omar")
    answer = omar.post("/ledger/witnesses", {"partner": rabat, "reason": "too few", "do": "anew"}, source="/ledger")
    assert answer.status_code == 422
    assert "Give a reason of at least ten characters." in answer.text
    assert "too few" in answer.text
    assert f'href="#reason-{rabat}"' in answer.text
    assert town.node("madrid").witnesses.standings([rabat])[0].trouble == "rewritten"


def test_who_does_not_oversee_reads_it_and_has_no_form(town: Town) -> None:
    rabat = town.node("rabat").node_id
    salma = signed_in(town, "madrid")
    card = salma.get("/ledger").text
    assert f'id="witness-{rabat}"' in card
    assert 'value="anew"' not in card
    answer = salma.post("/ledger/witnesses", {"partner": rabat, "reason": WHY, "do": "anew"}, source="/ledger")
    assert answer.status_code in (403, 422)
    assert town.node("madrid").witnesses.standings([rabat])[0].trouble == "rewritten"


def test_the_card_speaks_each_language(town: Town) -> None:
    omar = signed_in(town, "madrid", "omar")
    for language, words in {
        "ar": "قورن: يبدأ سجل تتبعه من هنا من جديد",
        "fr": "Comparé\u00a0: son journal repart d’ici",
        "es": "Comparado: su registro de auditoría empieza de nuevo aquí",
        "de": "Verglichen: Sein Protokoll beginnt hier neu",
    }.items():
        omar.speak(language)
        assert words in omar.get("/ledger").text
