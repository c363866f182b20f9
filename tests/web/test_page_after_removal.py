"""The dossier's page of a service that was removed: it may take back what it gave, and write nothing else."""

from __future__ import annotations

import re

from tansiq.dossiers.model import Presence
from tansiq.dossiers.wire import delivery_to_bytes
from tansiq.exchange.model import Item
from tansiq.terms import DossierId
from tests.support import acts
from tests.support.web import Browser, Town


def removed(town: Town) -> tuple[DossierId, str, str]:
    """Rabat's dossier, from which Madrid is removed and knows it; Madrid's note in it, and that note's part."""
    f = town.federation
    rabat, madrid = town.node("rabat"), town.node("madrid")
    dossier = rabat.dossiers.open("report", acts.report(), ["es", "de"], f.officers["rabat"])
    f.pump()
    note = madrid.dossiers.append(dossier, acts.note("report.note_added", "seen in Tarvenne"), f.officers["madrid"])
    f.pump()
    listed = rabat.dossiers.append(dossier, {"type": "dossier.members", "to": ["de"]}, f.officers["rabat"])
    f.pump()
    item = Item("entry", listed, delivery_to_bytes(rabat.dossiers.signed(listed), []))
    assert madrid.store.write(lambda tx: madrid.dossiers.file(tx, rabat.node_id, item)).received
    (part,) = madrid.dossiers.entry(note).parts
    return dossier, note, part.ref.id


def test_a_removed_service_is_offered_the_recall_alone(town: Town) -> None:
    dossier, note, part = removed(town)
    browser = Browser(town.app("madrid"))
    browser.sign_in()
    browser.say_why(dossier)
    page = browser.get(f"/dossiers/{dossier}").text
    assert "has taken this service out of this dossier" in page
    assert {*re.findall(rf"/dossiers/{dossier}/acts/([a-z_.]+)", page)} == {"dossier.recalled"}
    form = browser.get(f"/dossiers/{dossier}/acts/dossier.recalled").text
    assert note in form
    assert "has taken this service out of this dossier" in form
    assert part in form
    assert "<textarea" not in form, "no words go with it"
    values = {"fact_about": note, "fact_part": part, "fact_reason": "source_protection", "do": "send"}
    sent = browser.post(f"/dossiers/{dossier}/acts/dossier.recalled", values)
    assert sent.status_code in (200, 303), sent.text
    town.federation.pump()
    berlin = town.node("berlin").dossiers.entry(note)
    assert [p.presence for p in berlin.parts] == [Presence.ERASED]
    after = browser.get(f"/dossiers/{dossier}").text
    assert "/acts/" not in after, "nothing is left to take back"
    closed = browser.get(f"/dossiers/{dossier}/acts/report.note_added")
    assert closed.status_code == 409
    assert "This cannot be done now" in closed.text
    assert "changed by another" not in closed.text
