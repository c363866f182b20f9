"""A press text becomes a draft: the whole text is there, names are proposals."""

from __future__ import annotations

import pytest

from tansiq.errors import Invalid
from tansiq.sources import read_press

ARABIC = """لقاء تنسيقي في مدينة المثال

لقاء تنسيقي في مدينة المثال

استقبل المدير العام لمكتب المثال، ياسر تازغارت، أمس الأربعاء، نظيره الإسباني كارلوس أوليفيرا مينديث، بحضور
السيد نبيل الوزاني، لبحث سبل التعاون.
"""


def test_an_arabic_report_becomes_a_draft_with_the_persons_it_introduces():
    draft = read_press(ARABIC.encode())
    assert draft.lang == "ar"
    assert draft.title == "لقاء تنسيقي في مدينة المثال"
    assert "سبل التعاون" in draft.narrative
    assert draft.title not in draft.narrative
    assert set(draft.persons) == {"ياسر تازغارت", "كارلوس أوليفيرا مينديث", "نبيل الوزاني"}


@pytest.mark.parametrize(
    ("text", "lang", "persons"),
    [
        (
            "Rencontre\nLe ministre de l'exemple, M. Karim Sebti, est venu dans la ville avec des agents.",
            "fr",
            ("Karim Sebti",),
        ),
        (
            "Treffen\nDer Gast, Herr Peter Lindemann, ist mit dem Zug und von der Stadt gekommen.",
            "de",
            ("Peter Lindemann",),
        ),
        ("Visit\nThe delegation of the office was there for the day and that was it.", "en", ()),
        ("12345", "und", ()),
    ],
)
def test_other_languages_are_told_apart(text, lang, persons):
    draft = read_press(text.encode())
    assert (draft.lang, draft.persons) == (lang, persons)


@pytest.mark.parametrize("raw", [b"", b" \n ", b"\xff\xfe\x00", b"x" * 200_001])
def test_what_is_no_text_is_refused(raw):
    with pytest.raises(Invalid):
        read_press(raw)


def test_the_five_reports_give_their_narrative_and_no_false_name(press):
    for number in range(5):
        draft = read_press(press(f"00{number}.txt"))
        assert draft.lang == "ar"
        assert len(draft.narrative) > 1500
        assert all(2 <= len(name.split()) <= 5 for name in draft.persons)
        assert not any(word in name for name in draft.persons for word in ("أمس", "اليوم", "نظير"))
