"""The bank's SQL. Plain columns hold codes, ids and marks; whatever names a person is in `sealed`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from tansiq.bank.model import BankRecord, Claim, Entity, Provenance
from tansiq.crypto import Vault
from tansiq.store import Compiled, metadata, partial_index
from tansiq.terms import format_instant, parse_instant

records = Table(
    "bank_records",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    # A reference may itself name a person (a table's passport column): only its mark is searchable.
    Column("reference", LargeBinary, nullable=False),
    Column("part", Text, nullable=False),
    Column("originator", Text, nullable=False),
    Column("schema", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    # The first day on which something of it is erased: a value of it, or all.
    Column("erase_on", Text, nullable=False),
    # Which change of the bank this is: what another process wrote is found by it (see `names.py`).
    Column("change", BigInteger, nullable=False),
    # Tells "the new edition says the same" without opening the record.
    Column("digest", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("bank_records_reference", "reference"),
    # Of lists and of our own: what partners' reports bring is never asked for by its source.
    partial_index("bank_records_source", "source", rows="source <> 'dossier'"),
    Index("bank_records_erase_on", "erase_on"),
    Index("bank_records_change", "change"),
)

changes = Table(
    "bank_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    # Row 1 counts up and never back, also when the newest record is removed; row 2: how far it was examined (hits).
    Column("number", BigInteger, nullable=False),
)

keys = Table(
    "bank_keys",
    metadata,
    Column("record", Text, ForeignKey("bank_records.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("mac", LargeBinary, primary_key=True),
    Index("bank_keys_mac", "mac"),
)

_CHUNK = 400
"""Below SQLite's oldest limit of 999 bound values."""


class _Sealed(msgspec.Struct, array_like=True):
    """What is inside `sealed`. Arrays: 10,000 records are opened when a node starts."""

    ident: str
    schema: str
    role: str
    claims: list[tuple[str, ...]]
    """Claims as tuples in the order of their fields; without the last four where those say nothing."""
    provenance: Provenance


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Sealed)


def reference_mark(vault: Vault, source: str, reference: str) -> bytes:
    return vault.mac("bank.reference", f"{source}\n{reference}")


def pack(entity: Entity, provenance: Provenance) -> bytes:
    """One form for one content, so that its mark tells whether anything changed."""
    claims = [_plain(c) for c in entity.claims]
    return _encoder.encode(_Sealed(entity.id, entity.schema, entity.role, claims, provenance))


def _plain(c: Claim) -> tuple[str, ...]:
    plain = (c.property, c.value, c.lang, c.basis, c.grade, c.scheme, c.as_of)
    rare = (c.precision, c.handling, c.legal_basis, c.erase_on)
    # One form for one claim, and the form that it had before there was more to say of it: marks are kept of it.
    return (*plain, *rare) if any(rare) else plain


def content_mark(vault: Vault, packed: bytes) -> bytes:
    return vault.mac("bank.content", packed.hex())


_INSERT = Compiled(insert(records))
_INSERT_KEY = Compiled(insert(keys))
_BUMP = Compiled(
    update(changes)
    .where(changes.c.id == 1)
    .values(number=changes.c.number + bindparam("by"))
    .returning(changes.c.number)
)
_LAST_CHANGE = Compiled(select(changes.c.number).where(changes.c.id == 1))
_PLAIN: list[Any] = [records.c.id, records.c.created_at, records.c.sealed]
_LOAD = Compiled(select(*_PLAIN).where(records.c.id.in_(bindparam("ids", expanding=True))))
_THERE = Compiled(select(records.c.id).where(records.c.id.in_(bindparam("ids", expanding=True))))
_THERE_BEFORE = Compiled(_THERE.statement.where(records.c.change <= bindparam("change")))
_LOAD_OF = Compiled(_LOAD.statement.where(records.c.source == bindparam("source")))
_LOAD_SINCE = select(*_PLAIN).where(records.c.change > bindparam("change"))
_LOAD_OWN = Compiled(
    select(*[*_PLAIN, records.c.change])
    .where(
        records.c.change > bindparam("change"),
        or_(records.c.source != "dossier", records.c.originator == bindparam("country")),
    )
    .order_by(records.c.change)
    .limit(bindparam("most"))
)
_EXAMINED_ROW = 2
_EXAMINED = Compiled(select(changes.c.number).where(changes.c.id == _EXAMINED_ROW))
_SET_EXAMINED = Compiled(update(changes).where(changes.c.id == _EXAMINED_ROW).values(number=bindparam("change")))
_MARKED = Compiled(
    select(keys.c.mac, keys.c.record).where(keys.c.mac.in_(bindparam("macs", expanding=True))).order_by(keys.c.record)
)


def save(tx: Connection, vault: Vault, items: Sequence[tuple[BankRecord, Iterable[tuple[str, str]]]]) -> int:
    """Write records with their identifiers; the number of the last change. They have the numbers up to it, in order."""
    last = _take_changes(tx, len(items))
    rows, marked = [], []
    for change, (record, marks) in enumerate(items, last - len(items) + 1):
        packed = pack(record.entity, record.provenance)
        prov = record.provenance
        rows.append(
            {
                "id": record.id,
                "source": prov.source,
                "reference": reference_mark(vault, prov.source, prov.reference),
                "part": prov.part,
                "originator": prov.originator,
                "schema": record.entity.schema,
                "created_at": format_instant(record.created_at),
                "erase_on": record.first_erasure(),
                "change": change,
                "digest": content_mark(vault, packed),
                "sealed": vault.seal("bank_records", record.id, packed),
            }
        )
        unique = {(kind, vault.mac(f"bank.{kind}", value)) for kind, value in marks}
        marked += [{"record": record.id, "kind": k, "mac": m} for k, m in sorted(unique)]
    _INSERT.many(tx, rows)
    _INSERT_KEY.many(tx, marked)
    return last


def _take_changes(tx: Connection, by: int) -> int:
    """Writes are serial, across processes too, so that these numbers are committed in their order."""
    number = _BUMP.scalar(tx, {"by": by})
    if number is None:
        tx.execute(insert(changes).values(id=1, number=by))
        return by
    return int(number)


def last_change(tx: Connection) -> int:
    return int(_LAST_CHANGE.scalar(tx) or 0)


def _unpack(row: Any, vault: Vault) -> BankRecord:
    inner = _decoder.decode(vault.open("bank_records", row.id, row.sealed))
    entity = Entity(inner.ident, inner.schema, tuple(Claim(*c) for c in inner.claims), inner.role)
    return BankRecord(row.id, entity, inner.provenance, parse_instant(row.created_at))


def load(tx: Connection, vault: Vault, ids: Iterable[str], source: str = "") -> list[BankRecord]:
    """Those of `ids` that exist (and come from `source`), in the order asked for."""
    query, more = (_LOAD_OF, {"source": source}) if source else (_LOAD, {})
    wanted = list(dict.fromkeys(ids))
    found: dict[str, BankRecord] = {}
    for start in range(0, len(wanted), _CHUNK):
        for row in query.all(tx, {"ids": wanted[start : start + _CHUNK], **more}):
            found[row.id] = _unpack(row, vault)
    return [found[i] for i in wanted if i in found]


def not_of_dossiers(tx: Connection) -> list[str]:
    """What this service holds itself: its own records and the lists it takes."""
    return list(tx.scalars(select(records.c.id).where(records.c.source != "dossier").order_by(records.c.id)))


def those_of(tx: Connection, ids: Iterable[str]) -> set[str]:
    """Which of them exist."""
    wanted, found = sorted(ids), set[str]()
    for start in range(0, len(wanted), _CHUNK):
        found.update(_THERE.scalars(tx, {"ids": wanted[start : start + _CHUNK]}))
    return found


def load_since(tx: Connection, vault: Vault, change: int) -> Iterator[BankRecord]:
    """Records that were written after this change."""
    for row in tx.execute(_LOAD_SINCE, {"change": change}):
        yield _unpack(row, vault)


def load_own_after(tx: Connection, vault: Vault, change: int, country: str, limit: int) -> list[tuple[int, BankRecord]]:
    """Records of lists, of our own and from our country written after this change, oldest first, with their change."""
    rows = _LOAD_OWN.all(tx, {"change": change, "country": country, "most": limit})
    return [(r.change, _unpack(r, vault)) for r in rows]


def examined(tx: Connection) -> int:
    """Up to which change the standing examination has come."""
    return int(_EXAMINED.scalar(tx) or 0)


def set_examined(tx: Connection, change: int) -> None:
    if _SET_EXAMINED.run(tx, {"change": change}) == 0:
        tx.execute(insert(changes).values(id=_EXAMINED_ROW, number=change))


_OTHERS_SINCE = Compiled(
    select(records.c.id)
    .where(records.c.change > bindparam("change"), records.c.reference != bindparam("reference"))
    .limit(1)
)


def others_since(tx: Connection, vault: Vault, change: int, source: str, reference: str) -> bool:
    """Whether records of another reference were written after this change."""
    which = {"change": change, "reference": reference_mark(vault, source, reference)}
    return _OTHERS_SINCE.first(tx, which) is not None


def count_before(tx: Connection, ids: Iterable[str], change: int) -> int:
    """How many of these records are there as they were at this change."""
    wanted, found = sorted(set(ids)), 0
    for start in range(0, len(wanted), _CHUNK):
        found += len(_THERE_BEFORE.scalars(tx, {"ids": wanted[start : start + _CHUNK], "change": change}))
    return found


def find_marked(tx: Connection, vault: Vault, marks: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    """Identifier -> ids of the records that carry it."""
    wanted = {vault.mac(f"bank.{kind}", value): (kind, value) for kind, value in marks}
    macs = list(wanted)
    out: dict[tuple[str, str], list[str]] = {}
    for start in range(0, len(macs), _CHUNK):
        for mac, record in _MARKED.all(tx, {"macs": macs[start : start + _CHUNK]}):
            out.setdefault(wanted[bytes(mac)], []).append(record)
    return out


_OF_PART = Compiled(
    select(records.c.id)
    .where(records.c.part == bindparam("of_part"), records.c.reference == bindparam("of_reference"))
    .order_by(records.c.id)
)


def ids_of_part(tx: Connection, vault: Vault, source: str, reference: str, part: str) -> list[str]:
    """Records that were made of this entry's part. Another entry may name the same part: its records are its own."""
    which = {"of_part": part, "of_reference": reference_mark(vault, source, reference)}
    return _OF_PART.scalars(tx, which)


def ids_due(tx: Connection, today: str, most: int | None = None) -> list[str]:
    """Records of which something is to be erased on this day, or was before it; what is due longest first. None is
    opened: one that cannot be read holds no other up."""
    # Said as a range: by `<> ''` the index would be read with all that have no such day.
    query = select(records.c.id).where(records.c.erase_on > "", records.c.erase_on <= today)
    return [row.id for row in tx.execute(query.order_by(records.c.erase_on, records.c.id).limit(most))]


def load_unerased(tx: Connection, before: str, tried: Collection[str], most: int) -> list[tuple[str, str]]:
    """Records of which something was to be erased before this day, or of those that were tried; the oldest first."""
    due = select(records.c.id, records.c.erase_on).where(records.c.erase_on > "")
    late = due.where(records.c.erase_on < before).order_by(records.c.erase_on, records.c.id).limit(most)
    named = due.where(records.c.id.in_(sorted(tried)[:_CHUNK])) if tried else None
    found = {row.id: row.erase_on for query in (late, named) if query is not None for row in tx.execute(query)}
    return sorted(found.items(), key=lambda pair: (pair[1], pair[0]))[:most]


def editions(tx: Connection, source: str) -> dict[bytes, tuple[str, bytes]]:
    """Reference mark -> (record id, content mark) of all records of a list, or of our own."""
    wanted = (records.c.source == source, text("source <> 'dossier'"))  # as its index says it
    query = select(records.c.reference, records.c.id, records.c.digest).where(*wanted)
    return {bytes(ref): (ident, bytes(digest)) for ref, ident, digest in tx.execute(query)}


def remove(tx: Connection, ids: Iterable[str]) -> list[str]:
    """The ids that were there and are gone."""
    gone: list[str] = []
    wanted = list(ids)
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        there = _THERE.scalars(tx, {"ids": chunk})
        # Said aloud and not left to ON DELETE CASCADE: SQLite obeys it only with foreign keys switched on.
        tx.execute(delete(keys).where(keys.c.record.in_(there)))
        tx.execute(delete(records).where(records.c.id.in_(there)))
        gone.extend(there)
    return gone


def count(tx: Connection, source: str = "") -> int:
    query = select(func.count()).select_from(records)
    if source:
        query = query.where(records.c.source == source)
    return int(tx.execute(query).scalar_one())
