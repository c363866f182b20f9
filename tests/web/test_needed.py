"""What a form needs is said at its head, before anything is wrong, and each word leads to its field."""

from __future__ import annotations

import re

import pytest

from tansiq.kinds import KINDS
from tests.support.web import Browser


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_needed_stands_before_the_first_field_and_leads_to_it(madrid: Browser, kind: str) -> None:
    answer = madrid.get(f"/compose/{kind}")
    if answer.status_code == 404:
        pytest.skip("this kind is opened elsewhere")
    assert answer.status_code == 200
    page = answer.text
    needed = re.search(r'<p id="needed">.*?</p>', page, re.S)
    assert needed
    assert needed.start() < page.index('<section class="card"><header><h2>')
    led_to = re.findall(r'href="#([^"]+)"', needed[0])
    assert {"to", "purpose", "legal_basis", "review_on", "erase_on"} <= set(led_to)
    assert len(led_to) == len(set(led_to))
    for at in led_to:
        assert f'id="{at}"' in page, at


def test_it_is_said_in_the_readers_language(madrid: Browser) -> None:
    madrid.speak("ar")
    assert "يلزم قبل الإرسال:" in madrid.get("/compose/warning").text
    madrid.speak("en")
