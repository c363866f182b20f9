"""What was declared with an entry, said anew where a restore lost it: on its page, and by a program."""

from __future__ import annotations

import html

from tansiq.access.model import Role
from tansiq.dossiers import records
from tansiq.dossiers.drafting import Declared
from tansiq.terms import EntryId
from tests.support.web import PASSWORD, Browser, Town
from tests.web.conftest import signed_in

ANEW = {
    "en": "Declare it anew",
    "fr": "Le déclarer à nouveau",
    "es": "Declararlo de nuevo",
    "de": "Erneut erklären",
    "ar": "التصريح به من جديد",
}
WHY = {"purpose": "investigation", "justification": "the file of case 12"}


def lost(town: Town) -> tuple[str, EntryId]:
    """Rabat comes out of a backup: its dossier is whole but for what was declared."""
    node = town.node("rabat")
    node.store.write(lambda tx: tx.exec_driver_sql("delete from dossier_declared"))
    return town.dossier, node.dossiers.state(town.dossier).entries[0].id


def kept(town: Town, entry: EntryId) -> Declared | None:
    node = town.node("rabat")
    with node.store.read() as tx:
        raw = records.load_declared(tx, node.vault, entry)
    return None if raw is None else Declared.from_bytes(raw)


def test_the_entry_leads_to_the_form_in_each_language_and_what_is_said_is_kept_once(own_town: Town) -> None:
    town, rabat = own_town, signed_in(own_town, "rabat")
    where = f"/dossiers/{town.dossier}"
    rabat.say_why(town.dossier)
    assert ANEW["en"] not in rabat.get(where).text
    dossier, entry = lost(town)
    path = f"/dossiers/{dossier}/declaration/{entry}"
    for language, words in ANEW.items():
        rabat.speak(language)
        page = rabat.get(where).text
        assert words in html.unescape(page)
        assert f'href="{path}"' in page
        assert words in html.unescape(rabat.get(path).text)
    rabat.speak("en")
    unsaid = rabat.post(path, {"special_categories": "1", "justification": ""})
    assert unsaid.status_code == 422
    assert 'id="special_categories" value="1" checked' in unsaid.text, "what was marked stays marked"
    assert kept(town, entry) is None
    said = {"special_categories": "1", "strictly_necessary": "1", "risk": "torture", "assurances": "no_torture"}
    done = rabat.post(path, {**said, "classification": "R-UE/EU-R", "justification": "the file of case 12"})
    assert done.status_code == 200
    assert done.history[0].headers["location"].endswith(f"?entry={entry}#{entry}")
    assert kept(town, entry) == Declared(
        strictly_necessary=True, special_categories=True, classification="R-UE/EU-R",
        risk=frozenset({"torture"}), assurances=frozenset({"no_torture"}),
    )  # fmt: skip
    (leaf,) = [x for x in town.node("rabat").ledger.find(entry) if (x.content or {}).get("decision") == "declared"]
    assert (leaf.content["justification"], leaf.content["purpose"]) == ("the file of case 12", "investigation")
    assert f'href="{path}"' not in rabat.get(where).text
    again = rabat.post(path, {"justification": "once more"})
    assert again.status_code == 409
    assert "It is not said over" in again.text
    assert rabat.get(path).status_code == 409


def test_only_who_writes_says_it_and_only_of_an_entry_of_ours(town: Town, rabat: Browser) -> None:
    dossier, entry = lost(town)
    path = f"/dossiers/{dossier}/declaration/{entry}"
    town.node("rabat").access.add_officer("ida", (Role.PROTECTION,), PASSWORD, "en")
    auditor = signed_in(town, "rabat", "ida")
    auditor.say_why(dossier)
    assert auditor.get(path).status_code == 403
    assert auditor.post(path, WHY).status_code == 403
    assert kept(town, entry) is None
    assert rabat.get(f"/dossiers/{dossier}/declaration/e-{'0' * 64}").status_code == 404
    madrid = signed_in(town, "madrid")
    madrid.say_why(dossier)
    theirs = madrid.get(path)
    assert theirs.status_code == 409
    assert "Its own service declares it" in theirs.text
    assert ANEW["en"] not in madrid.get(f"/dossiers/{dossier}").text


def test_a_program_declares_it_too(town: Town, program: Browser) -> None:
    """Salma's at Madrid, of Madrid's own request."""
    madrid, dossier = town.node("madrid"), town.request
    entry = madrid.dossiers.state(dossier).entries[0].id
    path = f"/api/v1/dossiers/{dossier}/entries/{entry}/declaration"
    madrid.store.write(lambda tx: tx.exec_driver_sql("delete from dossier_declared"))
    for body, field in (({"subject": "x"}, "subject"), ({"handling": {"codes": ["H1"]}}, "handling"), ([], "body")):
        refused = program.client.post(path, json=body)
        assert (refused.status_code, refused.json()["field"]) == (422, field)
    for other in (f"/api/v1/dossiers/{town.dossier}/entries/{entry}", f"/api/v1/dossiers/{dossier}/entries/x"):
        assert program.client.post(f"{other}/declaration", json={}).json()["code"] == "entry.unknown"
    said = {"article_3": True, "risk": ["death_penalty"], "handling": {"classification": "R-UE/EU-R"}}
    done = program.client.post(path, json=said)
    assert (done.status_code, done.json()) == (201, {"entry": entry, "declared": True})
    assert program.client.post(path, json={}).json()["code"] == "declaration.kept"
    with madrid.store.read() as tx:
        raw = records.load_declared(tx, madrid.vault, entry)
    expected = Declared(article_3=True, classification="R-UE/EU-R", risk=frozenset({"death_penalty"}))
    assert raw == expected.to_bytes()
    assert madrid.dossiers.undeclared(dossier) == frozenset()
