"""What was to be erased and is still held: a duty that the data-protection officer sees first, until it is gone."""

from __future__ import annotations

import html
import json
from pathlib import Path

from tansiq.bank import parse_entity
from tansiq.bank.model import Provenance
from tansiq.errors import Refused
from tansiq.node import Node
from tests.support.holdings import who_has
from tests.support.transcripts import run
from tests.support.web import Browser, Town
from tests.web.conftest import signed_in

WORDS = {
    "en": "for the data-protection officer",
    "fr": "pour le délégué à la protection des données",
    "es": "para el delegado de protección de datos",
    "de": "für Datenschutzbeauftragte",
    "ar": "لمسؤول حماية المعطيات",
}

LAW = {
    "en": "LED arts 5, 16",
    "fr": "directive 2016/680",
    "es": "Directiva 2016/680",
    "de": "JI-Richtlinie",
    "ar": "التوجيه 2016/680",
}


def owed(town: Town) -> list[dict[str, object]]:
    """As a program of the data-protection officer reads it."""
    node, program = town.node("madrid"), Browser(town.app("madrid"))
    auditor = next(o for o in node.access.officers() if o.name == "auditor")
    why = {"tansiq-purpose": "investigation", "tansiq-justification": "case 7"}
    program.client.headers.update({"authorization": f"Bearer {node.access.new_token(auditor.id, 'test', 1)}", **why})
    return [d for d in program.get("/api/v1/duties").json()["duties"] if d["code"] == "erasure.owed"]


def test_it_stands_first_with_its_clause_until_it_is_erased(own_town: Town) -> None:
    node = own_town.node("madrid")
    claims = [{"property": "number", "value": "+34600000111", "erase_on": "2026-11-20"}]
    own_town.federation.hold("madrid", [{"id": "t1", "schema": "Phone", "claims": claims}])
    (record,) = (r.id for r in who_has(node.bank, "+34600000111"))

    def kept(*_: object) -> None:
        raise Refused("policy.refused", "kept as evidence", step="erase")

    node.bank._leaf, leaf = kept, node.bank._leaf  # type: ignore[method-assign]
    node.sweep()
    auditor = signed_in(own_town, "madrid", "auditor")
    for language, words in WORDS.items():
        auditor.speak(language)
        page = html.unescape(auditor.get("/").text)
        first = page.partition("<tbody>")[2].partition("</tr>")[0]
        assert words in first
        assert f'href="/ledger?record={record}"' in first
        assert LAW[language] in first
    auditor.speak("en")
    (said,) = owed(own_town)
    assert (said["since"], said["due_at"]) == ("2026-11-20T00:00:00.000Z", "2026-11-21T00:00:00.000Z")
    assert (said["clause"], said["urgent"]) == ("LED arts 5, 16", True)
    node.bank._leaf = leaf  # type: ignore[method-assign]
    node.sweep()
    assert record not in auditor.get("/").text
    assert owed(own_town) == []


def test_a_command_of_another_process_says_the_same(tmp_path: Path) -> None:
    home = tmp_path / "madrid"
    node = Node.init(home, "Madrid", "ES")
    claims = [{"property": "number", "value": "+34600000111", "erase_on": "2026-01-02"}]
    entity = parse_entity({"id": "t1", "schema": "Phone", "claims": claims}, "holding")
    record = node.store.write(lambda tx: node.bank.add(tx, entity, Provenance("own", "t1", originator="ES")))
    node.close()
    code, out, err = run(["--home", str(home), "duties", "--json"])
    (said,) = json.loads(out)["duties"]
    assert (code, said["code"], said["match"]) == (0, "erasure.owed", record), out + err
    assert (said["since"], said["overdue"], said["escalated"]) == ("2026-01-02T00:00:00.000Z", True, True)
