"""The score table of the Hit page: rows in the reader's language, conflict as plain as agreement, and it adds up."""

from __future__ import annotations

import html

import pytest

from tansiq.matching import compare_persons
from tansiq.matching.evidence import EVIDENCE, OUTCOME
from tansiq.matching.judge import TOLD
from tansiq.matching.model import Outcome
from tansiq.web import labels, views
from tansiq.web.i18n import tongue
from tests.support.web import Browser, Town

SAME_WORD = {
    "Document",
    "Phone",
    "IBAN",
    "Nationality",
    "Kunya",
    "Person",
    "Passport",
    "Alias",
    "E-mail",
    "Name",
    "Organisation",
}
"""Words that two of our languages write alike."""
LANGUAGES = ("ar", "fr", "es", "de", "en")


def test_every_way_of_meeting_and_every_part_has_a_label() -> None:
    ways = {how for classes in EVIDENCE.points.values() for hows in classes.values() for how in hows}
    assert ways == set(OUTCOME), "what persons.json weighs is what evidence.py names"
    for how in (*ways, *TOLD, "said_in_the_name", "alike", "same_name", "ends_apart", "same_name_other_form"):
        assert how in labels.HOW, how
    for part in (*EVIDENCE.points, "name", "whole", "father", "mother"):
        assert part in labels.MATCH_PART, part


@pytest.mark.parametrize("code", [c for c in LANGUAGES if c != "en"])
def test_the_labels_are_translated(code: str) -> None:
    say = tongue(code, "UTC")
    for text in {*labels.HOW.values(), *labels.MATCH_PART.values()}:
        assert say.say(text) != text or text in SAME_WORD, text


def test_the_table_shows_what_the_explanation_says(town: Town, madrid: Browser) -> None:
    match = next(m for m in town.node("madrid").hits.matches() if m.id == town.match)
    rows = match.explanation["rows"]
    said = {code: tongue(code, "UTC") for code in LANGUAGES}
    for language in LANGUAGES:
        madrid.speak(language)
        page = html.unescape(madrid.get(f"/hits/{town.match}").text)
        table = page[page.index('class="score-table') : page.index("</table>", page.index('class="score-table'))]
        assert table.count("<tr") == len(rows) + 3, "head, start, every row, sum"
        for row in rows:
            assert "_" not in row["how"] or row["how"] not in table, "a code is not a text"
            assert said[language].say(labels.HOW[row["how"]]) in table
    madrid.speak("en")


def test_a_conflict_has_its_own_row_and_colour() -> None:
    a = {"names": ["Karim Haddad"], "birth_dates": ["1987-03-14"], "sex": "m"}
    found = compare_persons(a, {"names": ["كريم حداد"], "birth_dates": ["1951-11-20"], "sex": "m"})
    seen = views.score(found.to_dict())
    assert seen.counts["conflict"] == found.conflicts == 1
    row = next(r for r in seen.rows if r.outcome == Outcome.CONFLICT)
    assert (row.part, row.a, row.b, row.bar.kind) == ("birth_date", "1987-03-14", "1951-11-20", "conflict")
    assert abs(seen.start + sum(r.points for r in seen.rows) - seen.total) < 1e-3
