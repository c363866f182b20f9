"""What waits for an administrator is seen by officers: partners out of a backup, and a clock that has leapt."""

from __future__ import annotations

import html
from datetime import timedelta

from tansiq.backup import confirm
from tests.support.web import Browser, Town
from tests.web.conftest import signed_in

CLOCK = {"en": "it has leapt", "fr": "elle a sauté", "es": "ha saltado", "de": "ist gesprungen", "ar": "قفزت"}
HELD = {
    "en": "came out of the backup",
    "fr": "issus de la sauvegarde",
    "es": "vienen de la copia de seguridad",
    "de": "aus der Sicherung",
    "ar": "العائدين من النسخة الاحتياطية",
}


def test_both_are_duties_in_the_readers_language_until_they_are_done(own_town: Town) -> None:
    node = own_town.node("madrid")
    auditor = signed_in(own_town, "madrid", "auditor")
    plain = Browser(own_town.app("madrid"))
    assert plain.get("/healthz").json() == {"status": "ok"}
    node.store.write(node.exchange.hold_peers)
    node.store.write(lambda tx: node.known_time.set(tx, node.clock() - timedelta(days=8)))
    for language, words in CLOCK.items():
        auditor.speak(language)
        page = html.unescape(auditor.get("/").text)
        assert words in page
        assert HELD[language] in page
        assert "tansiq restored" in auditor.get("/partners").text
        assert 'href="/ledger#clock"' in page
        log = auditor.get("/ledger").text
        assert 'id="clock"' in log
        assert "tansiq clock --confirm" in log
    said = plain.get("/healthz").json()
    assert said["clock_leapt"] == 1
    assert said["held"] == len(node.exchange.peers())
    assert "tansiq_clock_leapt 1.0" in plain.get("/metrics").text
    confirm(node, [])
    node.confirm_clock()
    auditor.speak("en")
    page = html.unescape(auditor.get("/").text)
    assert CLOCK["en"] not in page
    assert 'id="clock"' not in auditor.get("/ledger").text
    assert "tansiq restored" not in auditor.get("/partners").text
    assert HELD["en"] not in page
    assert plain.get("/healthz").json() == {"status": "ok"}
