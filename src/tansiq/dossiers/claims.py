"""Single values of a part that are erased on a day of their own, before the part (LED art. 5).

A part is committed to as a whole, so what is left of it cannot be shown to be what was signed: it is kept without its
salt (which would let who has the database and its keys try birth dates until one fits), goes to nobody any more, and
says which values are gone. The statement, its signatures and the ids of its parts stay, and verify as before.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from tansiq.access.model import Acting
from tansiq.bank import parse_entity
from tansiq.bank.model import Entity
from tansiq.crypto import canonical
from tansiq.dossiers import desk, records
from tansiq.dossiers.desk import Wiring
from tansiq.dossiers.model import Part
from tansiq.errors import TansiqError
from tansiq.policy.model import Action
from tansiq.terms import EntryId, LogVerb, PartId

WHY = "erase_on of a value"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def note(tx: Connection, entry: EntryId, parts: Iterable[tuple[PartId, Mapping[str, Any]]]) -> str:
    """Remember when values of these parts are due. The first such day; empty where there is none."""
    found = [(part, day) for part, content in parts if (day := _first_day(_claims(content)))]
    for part, day in found:
        records.set_claim_date(tx, entry, part, day)
    return min((day for _, day in found), default="")


def erase_group(w: Wiring, tx: Connection, today: str, most: int, skip: Collection[tuple[str, str]] = ()) -> bool:
    """Erase the values whose day has come out of so many parts; whether there may be more. `today` is `YYYY-MM-DD`.

    Raises `Refused` where the law gate wants them kept.
    """
    due = _due(tx, today, most, skip)
    for entry, part in due:
        _erase(w, tx, entry, part, today)
    return len(due) == most


def next_due(w: Wiring, today: str, skip: Collection[tuple[str, str]]) -> tuple[str, str] | None:
    """The part that a group of one takes."""
    with w.store.read() as tx:
        return next(iter(_due(tx, today, 1, skip)), None)


def _due(tx: Connection, today: str, most: int, skip: Collection[tuple[str, str]]) -> list[tuple[EntryId, PartId]]:
    found = records.load_due_claims(tx, today, most=most + len(skip))
    return [due for due in found if due not in skip][:most]


def erase_due(w: Wiring, tx: Connection, today: str, entry: EntryId) -> int:
    """The same for one entry; how many values went."""
    return sum(_erase(w, tx, about, part, today) for about, part in records.load_due_claims(tx, today, entry))


def _erase(w: Wiring, tx: Connection, entry: EntryId, part: PartId, today: str) -> int:
    held = records.load_part(tx, w.vault, entry, part)
    if held is None or held.content is None:
        records.set_claim_date(tx, entry, part, "")
        return 0
    claims = _claims(held.content)
    gone = [c for c in claims if (day := _day(c)) and day <= today]
    left = [c for c in claims if c not in gone]
    records.set_claim_date(tx, entry, part, _first_day(left))
    if gone and not left:
        desk.erase(w, tx, entry, part, WHY, w.clock())
    elif gone:
        clauses = w.bank.permitted(Action.ERASE, Acting.machine(), "erase")
        erased = (*held.erased, *(str(c.get("property", "")) for c in gone))
        content = {**held.content, "entity": {**held.content["entity"], "claims": left}}
        _reduce(w, tx, entry, Part(held.ref, held.presence, content, erased), today)
        said: dict[str, Any] = {"officer": "", "purpose": "system", "justification": WHY}
        said |= {"clauses": [*clauses, "LED art. 5"], "part": part, "claims": len(gone)}
        # Under the entry: a leaf under the part would look like the proof that all of it is gone.
        w.ledger.append(tx, verb=LogVerb.ERASE, subject=entry, content=said, at=w.clock())
        w.fault("claims.erased")
    return len(gone)


def _reduce(w: Wiring, tx: Connection, entry: EntryId, part: Part, today: str) -> None:
    """Part, bank, matches: all in the transaction that writes the leaf."""
    now, ref, content = w.clock(), part.ref.id, dict(part.content or {})
    records.reduce_part(tx, entry, ref, records.reseal_part(w.vault, ref, canonical(content), part.erased))
    w.standings.changed(entry)
    desk.erase_translations(w, tx, entry, ref, WHY, now)
    w.bank.erase_claims_of_part(tx, entry, ref, today)
    dossier = records.find_dossier_of(tx, entry)
    if dossier is not None:
        records.set_updated(tx, dossier, now)
        for hook in w.after_reduce:
            hook(tx, dossier, entry, ref, _read(content))


def _read(content: Mapping[str, Any]) -> Entity | None:
    try:
        return parse_entity(content.get("entity"))
    except TansiqError:
        return None  # a partner's vocabulary may be newer than ours: then it was never compared either


def _claims(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if content.get("kind") != "entity":
        return []
    claims: list[Mapping[str, Any]] = content["entity"]["claims"]
    return claims


def _first_day(claims: Iterable[Mapping[str, Any]]) -> str:
    return min((day for c in claims if "erase_on" in c and (day := _day(c))), default="")


def _day(claim: Mapping[str, Any]) -> str:
    """Empty where none is named. A day that cannot be read is none: then the value goes with its entry."""
    said = claim.get("erase_on", "")
    return said if isinstance(said, str) and _DAY.fullmatch(said) else ""
