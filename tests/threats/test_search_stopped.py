"""Threat: a partner attaches a file on which the search for a person breaks off, and nobody is told any more what is
held on him (LED art. 14)."""

from __future__ import annotations

import pytest

from tansiq.access.model import Acting, Role
from tansiq.attachments.wire import text_of
from tansiq.node import Node
from tansiq.oversight import read_person, read_right
from tansiq.oversight.model import Found
from tests.support import acts
from tests.support.services import Federation


def test_a_letter_with_zeros_before_its_number_is_read() -> None:
    zeros = b"0" * 5000
    assert text_of(b"Z&#" + zeros + b"101;rou&#x" + zeros + b"61;l&#105;") == "Zerouali"


def find(node: Node) -> Found:
    officer, _ = node.access.add_officer("Vera", (Role.PROTECTION,), None)
    by = Acting(officer.id, frozenset({Role.PROTECTION}), "investigation", "request 7")
    person = read_person([{"property": "name", "value": "Youssef Benomar Zerouali"}])
    return node.oversight.find(person, read_right("access"), by)


@pytest.mark.parametrize(
    "raw",
    [
        b"&#" + b"9" * 5000 + b";",
        b"&#x" + b"f" * 100_000 + b";",
        b"\\ud800" * 1000,
        b"&#xD800;&#0;&#1114112;",
        b"\xff\xfe\x00\xd8\x00\xd8",
        b"&" * 100_000,
    ],
)
def test_no_file_of_a_partners_stops_the_search(services: Federation, raw: bytes) -> None:
    f = services
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    dossier = rabat.dossiers.open("report", acts.report(), ["madrid"], f.officers["rabat"])
    for content, name in ((raw, "evil.txt"), (raw + b" Youssef Benomar Zerouali was seen", "seen.txt")):
        rabat.files.attach(dossier, [rabat.attachments.take([content], name, "text/plain")], f.officers["rabat"])
    f.pump(12)
    found = find(madrid)
    assert "seen.txt" in str([t.what for t in found.things]) or not found.complete
