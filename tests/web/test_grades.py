"""A grade is never a bare code, and never told in another scheme's words."""

from __future__ import annotations

import itertools

import pytest

from tansiq.terms import Grade, GradeScheme
from tansiq.web import grades
from tansiq.web.i18n import LANGUAGES, tongue
from tests.support.web import Browser


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_grade_of_every_scheme_has_its_words(code: str) -> None:
    speak = tongue(code, "UTC")
    for scheme in GradeScheme:
        told = [grades.in_words(speak, a + b, scheme) for a, b in itertools.product(*Grade.codes(scheme))]
        assert all(told), scheme
        assert len(set(told)) == len(told), f"two grades of {scheme} say the same in {code}"


def test_the_same_code_says_something_else_in_another_scheme() -> None:
    english = tongue("en", "UTC")
    assert grades.in_words(english, "B3") == "usually reliable, not known to the source, corroborated"
    assert grades.in_words(english, "B3", "6x6") == "usually reliable, possibly true (6x6)"
    assert grades.in_words(english, "F6") == ""


def test_who_chooses_a_grade_reads_what_it_says(madrid: Browser) -> None:
    page = madrid.get("/compose/report").text
    assert '<option value="B2">B2 · usually reliable, known to the source, not to the officer</option>' in page
    assert '<option value="6x6:B3">B3 · usually reliable, possibly true</option>' in page


def test_beside_a_value_the_code_has_its_meaning_in_its_title(madrid: Browser, town) -> None:
    page = madrid.get(f"/hits/{town.match}").text
    assert '<span class="badge-code" title="usually reliable, known to the source, not to the officer"><b>B2' in page
