"""The partners' page says why the last try failed: an impostor at an address is for a person, a dead line is not."""

from __future__ import annotations

import html

import pytest

from tansiq.errors import PeerUnavailable
from tansiq.exchange.model import OTHER_CERTIFICATE, UNREACHABLE
from tests.support.web import Browser, Town

CALL = {
    "en": "Call the partner.",
    "fr": "Appelez le partenaire.",
    "es": "Llame al socio.",
    "de": "Rufen Sie den Partner an.",
    "ar": "اتصلوا بالشريك بالهاتف.",
}


@pytest.mark.parametrize(("code", "told"), [(OTHER_CERTIFICATE, True), (UNREACHABLE, False), ("peer.http_503", False)])
def test_the_last_failure_is_told_in_words_until_a_try_succeeds(
    town: Town, rabat: Browser, code: str, *, told: bool
) -> None:
    node, madrid = town.node("rabat"), town.node("madrid").node_id
    for _ in range(3):
        node.exchange.note_attempt(madrid, PeerUnavailable(code, "away", step="tls"))
    for language, words in CALL.items():
        rabat.speak(language)
        page = html.unescape(rabat.get("/partners").text)
        assert (words in page) is told
        assert code not in page, "a code is for programs"
    rabat.speak("en")
    assert "Failed tries: 3" in rabat.get("/partners").text
    node.exchange.note_attempt(madrid, None)
    assert "Failed tries: 3" not in rabat.get("/partners").text
