"""A service that was named by another, and whose card nobody has pinned here: officers see that nothing goes to it."""

from __future__ import annotations

import html
from datetime import timedelta

from tansiq.exchange.model import NO_CARD
from tansiq.terms import NodeId
from tests.support.web import Browser, Town

STRANGER = NodeId("pt-" + "d" * 20)
WAITS = {
    "en": "Their node cards are not pinned here.",
    "fr": "Leurs cartes de nœud ne sont pas enregistrées ici.",
    "es": "Sus tarjetas de nodo no están fijadas aquí.",
    "de": "Ihre Knotenkarten sind hier nicht eingetragen.",
    "ar": "بطاقات عقدها غير مثبتة هنا.",
}
WHY = {
    "en": "Its node card is not pinned here",
    "fr": "Sa carte de nœud n’est pas enregistrée ici",
    "es": "Su tarjeta de nodo no está fijada aquí",
    "de": "Ihre Knotenkarte ist hier nicht eingetragen",
    "ar": "بطاقة عقدتها غير مثبتة هنا",
}


def test_what_waits_for_a_service_without_a_card_is_told_in_each_language(town: Town, rabat: Browser) -> None:
    node = town.node("rabat")
    entry = node.dossiers.state(town.dossier).entries[0].id
    until = node.clock() + timedelta(days=30)
    assert WAITS["en"] not in rabat.get("/partners").text
    node.store.write(lambda tx: node.exchange.enqueue(tx, to=STRANGER, kind="entry", ref=entry, expires_at=until))
    assert node.exchange.without_card() == {STRANGER: 1}
    assert {(d.to == STRANGER, d.reason) for d in node.exchange.deliveries(entry)} == {(True, NO_CARD), (False, "")}
    for language, words in WAITS.items():
        rabat.speak(language)
        page = html.unescape(rabat.get("/partners").text)
        assert words in page
        assert "tansiq peer add" in page
        assert WHY[language] in page
        assert WHY[language] in html.unescape(rabat.get(f"/dossiers/{town.dossier}").text)
    rabat.speak("en")


def test_what_ended_waits_for_no_card(town: Town) -> None:
    node = town.node("rabat")
    gone = NodeId("pt-" + "e" * 20)
    node.store.write(lambda tx: node.exchange.enqueue(tx, to=gone, kind="entry", ref="e-old", expires_at=node.clock()))
    node.exchange.sweep()
    assert gone not in node.exchange.without_card()
    assert [(str(d.state), d.reason == NO_CARD) for d in node.exchange.deliveries("e-old")] == [("expired", False)]
