"""What an officer declares anew of an entry of ours, where what was declared with it is gone: after a restore.

A declaration never leaves its node (ADR 12), so no partner gives it back with the entry. Without it the law gate is not
asked for a newcomer. It is said once: what is kept is what was said when the entry was written, and is not said over.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection

from tansiq.access import require
from tansiq.access.model import Acting
from tansiq.dossiers import drafting, records
from tansiq.dossiers.desk import Wiring
from tansiq.dossiers.wire import Body, parse_body
from tansiq.errors import Conflict, Invalid, NotFound, Refused
from tansiq.terms import DossierId, EntryId, LogVerb

_STEP = "declare"
_FIELDS = frozenset({"strictly_necessary", "special_categories", "interpol_channel", "article_3", "risk", "assurances"})


def declare(w: Wiring, entry: EntryId, body: object, by: Acting) -> None:
    """`body`: of an act's body the fields that declare, and `handling.classification`; what is left out is not so.

    Sealed beside the entry, and in the leaf with who said it and why: the gate is asked with it at each later delivery.
    Raises `NotFound`, `Refused` for another's entry, `Conflict` where it was kept, `Invalid` naming a field.
    """
    require(by, "append")
    if not by.justification.strip():
        raise Invalid("declaration.why", "say on what it rests", step=_STEP, field="justification")
    said = _declared(parse_body(body))

    def work(tx: Connection) -> None:
        found = records.load_entry(tx, w.vault, entry)
        if found is None:
            raise NotFound("entry.unknown", "no such entry", step=_STEP, field="entry")
        if found.statement.author != w.node:
            raise Refused("declaration.not_ours", "its author declared it, at its own node", step=_STEP, field="entry")
        if records.load_declared(tx, w.vault, entry) is not None:
            raise Conflict("declaration.kept", "what was declared with it is there", step=_STEP, field="entry")
        raw = said.to_bytes()
        records.insert_declared(tx, entry, records.seal_declared(w.vault, entry, raw))
        content: dict[str, Any] = {"officer": by.officer, "second": by.second or "", "purpose": by.purpose}
        content |= {"justification": by.justification, "decision": "declared", "declared": msgspec.json.decode(raw)}
        w.ledger.append(tx, verb=LogVerb.ALTER, subject=entry, content=content, at=w.clock())

    w.store.write(work)


def undeclared(w: Wiring, dossier: DossierId) -> frozenset[EntryId]:
    """Entries of ours in a dossier that go to nobody new before somebody has declared them anew."""
    with w.store.read() as tx:
        return frozenset(records.undeclared(tx, dossier, w.node))


def _declared(body: Body) -> drafting.Declared:
    for name in Body.__struct_fields__:
        if name not in _FIELDS | {"handling"} and getattr(body, name) != getattr(Body(), name):
            raise Invalid("declaration.field", "an entry is not written anew: declare alone", step=_STEP, field=name)
    if body.handling.codes or body.handling.text:
        raise Invalid("declaration.field", "the entry has its handling: declare alone", step=_STEP, field="handling")
    return drafting.declared_in(body)
