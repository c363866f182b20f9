"""A stolen database without keys: no name, no number, no reason is readable in any of its bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tansiq.bank import Bank, entity_to_json, records
from tansiq.crypto import Vault
from tansiq.dossiers.model import Entry, Part, PartRef, Presence, Statement
from tansiq.errors import Broken
from tansiq.hits import Hits
from tansiq.hits.model import MatchState
from tansiq.policy import load_gate
from tansiq.terms import DossierId, EntryId, Handling, NodeId, PartId
from tests.support.entries import LEGAL, START
from tests.support.holdings import ANALYST, Holdings, entity, person, who_has

HELD = person(
    "Yasser Tazeghart",
    "ياسر تازغارت",
    ident="tazeghart",
    birthDate="1985-03-20",
    phone="+212612345678",
    passportNumber="AB1234567",
    notes="seen near the harbour",
)
CAR = entity("Vehicle", registrationNumber="12345-A-6", country="MA")
SECRETS = [
    *("Yasser", "Tazeghart", "YASSER", "tazeghart", "ياسر", "تازغارت", "1985-03-20", "212612345678", "612345678"),
    *("AB1234567", "ab1234567", "12345-A-6", "12345A6", "harbour", "case number 4711", "same tattoo"),
]


def test_a_stolen_database_without_keys_tells_no_name_and_no_number(sqlite_url):
    there = Holdings(sqlite_url)
    there.keep(HELD, reference="case number 4711")
    there.keep(CAR)
    ref = PartRef(PartId("p-" + "1" * 64), "entity", 10)
    content = {"kind": "entity", "entity": entity_to_json(HELD)}
    statement = Statement(
        dossier=DossierId("d-" + "1" * 32),
        kind="report",
        type="report.given",
        author=NodeId("ma-" + "r" * 20),
        officer="o-1",
        clock=0,
        at=START,
        parents=(),
        addressees=(),
        handling=Handling.parse([]),
        legal=LEGAL,
        facts={},
        parts=(ref,),
    )
    entry = Entry(EntryId("e-" + "1" * 64), statement, (Part(ref, Presence.HELD, content),))
    hits = Hits(
        there.store, there.vault, there.ledger, there.bank, there.clock, there.new_id, load_gate("ES"), "ES",
        lambda _tx, _entry, _part: content,
    )  # fmt: skip
    there.store.write(lambda tx: hits.queue(tx, statement.dossier, entry.id, "MA"))
    (match,) = hits.examine_queued(lambda _: entry)
    hits.decide(match.id, MatchState.HIT, "same tattoo", ANALYST)
    there.close()

    path = Path(sqlite_url.removeprefix("sqlite:///"))
    stolen = b"".join(f.read_bytes() for f in path.parent.glob(path.name + "*"))
    assert len(stolen) > 10_000
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        found = [s for s in SECRETS if s.encode(encoding) in stolen]
        assert not found
    hexed = stolen.hex()
    assert not [s for s in SECRETS if s.encode().hex().encode().hex() in hexed]


def test_with_another_key_nothing_opens_and_nothing_is_found(sqlite_url):
    there = Holdings(sqlite_url)
    kept = there.keep(HELD)
    thief = Bank(there.store, Vault(b"\x08" * 32), there.ledger, there.clock, there.new_id, load_gate("ES"), "ES")
    for asked in (lambda: thief.get(kept), lambda: who_has(thief, "+212612345678")):
        with pytest.raises(Broken):
            asked()
    with there.store.read() as tx:
        assert records.find_marked(tx, Vault(b"\x08" * 32), [("phone", "+212612345678")]) == {}
        assert records.find_marked(tx, there.vault, [("phone", "+212612345678")])
    there.close()
