"""The SQL of hits: the durable queue of what is to be examined, and the matches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql

from tansiq.bank import entity_to_json, parse_entity
from tansiq.bank.model import BankRecord, Entity
from tansiq.crypto import Vault
from tansiq.hits.model import Match, MatchState, Tally
from tansiq.store import Compiled, metadata, partial_index
from tansiq.terms import format_instant, parse_instant

queue = Table(
    "hit_queue",
    metadata,
    Column("entry", Text, primary_key=True),
    Column("dossier", Text, nullable=False),
    Column("originator", Text, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("queued_at", Text, nullable=False),
    # Empty while it waits.
    Column("examined_at", Text, nullable=False),
    partial_index("hit_queue_waiting", "queued_at", "entry", rows="examined_at = ''"),
)

matches = Table(
    "hit_matches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("dossier", Text, nullable=False),
    Column("entry", Text, nullable=False),
    Column("part", Text, nullable=False),
    # The entity's id is its author's choice and may be a name: only its mark is kept in the open.
    Column("entity", LargeBinary, nullable=False),
    Column("record", Text, nullable=False),
    Column("holding_part", Text, nullable=False),
    Column("originator", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("score", Float, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("found_at", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    # However often an entry is examined, one meeting is one match.
    UniqueConstraint("entry", "part", "entity", "record", name="uq_hit_matches_meeting"),
    # The order of the lists; a list of all states is put together of theirs.
    Index("hit_matches_state_newest", "state", "found_at", "score", "id"),
    Index("hit_matches_record", "record"),
    Index("hit_matches_dossier", "dossier"),
    # The scorecard counts by it, and opens no row.
    Index("hit_matches_originator", "originator", "found_at", "state"),
    partial_index("hit_matches_urgent", "state", "found_at", "id", rows="urgent"),
    partial_index("hit_matches_decided", "score", "state", rows="decided_at <> ''"),
)


@dataclass(frozen=True, slots=True)
class Queued:
    """An entry that waits to be examined."""

    entry: str
    dossier: str
    originator: str
    urgent: bool


_NEW = postgresql.insert(queue)  # the insert that knows `on conflict`, which both databases spell alike
_ENQUEUE = Compiled(
    _NEW.on_conflict_do_update(index_elements=["entry"], set_={"examined_at": _NEW.excluded.examined_at})
)
_WAITING = Compiled(
    select(queue).where(text("examined_at = ''")).order_by(queue.c.queued_at, queue.c.entry).limit(bindparam("most"))
)
_EXAMINED = Compiled(
    update(queue)
    .where(queue.c.entry == bindparam("of_entry"), queue.c.examined_at == "")
    .values(examined_at=bindparam("at"))
)
_MEETINGS = Compiled(
    select(matches.c.part, matches.c.entity, matches.c.record).where(matches.c.entry == bindparam("of_entry"))
)
_RECEIVED = Compiled(select(queue).where(queue.c.entry.in_(bindparam("entries", expanding=True))))
_ANY_RECEIVED = Compiled(select(queue.c.entry).limit(1))
_SAVE = Compiled(insert(matches))
_COUNT = Compiled(select(func.count()).select_from(matches).where(matches.c.state == bindparam("of_state")))
_STATES_OF_COUNTRY = Compiled(
    select(matches.c.state, func.count().label("many"))
    .where(
        matches.c.originator == bindparam("country"),
        matches.c.found_at >= bindparam("begins"),
        matches.c.found_at < bindparam("ends"),
    )
    .group_by(matches.c.state)
)
_HITS_OF_ENTRIES = Compiled(
    select(func.count())
    .select_from(matches)
    .where(
        matches.c.entry.in_(bindparam("entries", expanding=True)),
        matches.c.originator == bindparam("country"),
        matches.c.found_at >= bindparam("begins"),
        matches.c.found_at < bindparam("ends"),
        matches.c.state == MatchState.HIT.value,
    )
)
_UNDECIDED = (MatchState.OPEN, MatchState.UNCLEAR)
_PLACE = (matches.c.found_at, matches.c.score, matches.c.id)
_DUE = [matches.c.id, matches.c.dossier, matches.c.urgent, matches.c.found_at, matches.c.state]


def enqueue(tx: Connection, item: Queued, at: datetime, *, waits: bool = True) -> None:
    """An entry that was examined before waits again: a part of it may have arrived later (withheld, then passed on).

    One that does not wait is examined in this very transaction.
    """
    _ENQUEUE.run(
        tx,
        {
            "entry": item.entry,
            "dossier": item.dossier,
            "originator": item.originator,
            "urgent": item.urgent,
            "queued_at": format_instant(at),
            "examined_at": "" if waits else format_instant(at),
        },
    )


def waiting(tx: Connection, limit: int) -> list[Queued]:
    rows = _WAITING.all(tx, {"most": limit})
    return [Queued(r.entry, r.dossier, r.originator, bool(r.urgent)) for r in rows]


def received(tx: Connection, entries: Collection[str]) -> dict[str, Queued]:
    """Those of `entries` that came from a partner: what was queued once, examined or not."""
    wanted, found = sorted(entries), {}
    for start in range(0, len(wanted), 400):
        for r in _RECEIVED.all(tx, {"entries": wanted[start : start + 400]}):
            found[r.entry] = Queued(r.entry, r.dossier, r.originator, bool(r.urgent))
    return found


def has_received(tx: Connection) -> bool:
    return _ANY_RECEIVED.first(tx) is not None


def mark_examined(tx: Connection, entry: str, at: datetime) -> bool:
    """False when it did not wait any more."""
    return _EXAMINED.run(tx, {"of_entry": entry, "at": format_instant(at)}) == 1


def save_new(tx: Connection, vault: Vault, found: Sequence[Match]) -> list[Match]:
    """Keep those matches whose meeting is not there yet, and return them."""
    there = {
        (entry, r.part, bytes(r.entity), r.record)
        for entry in {m.entry for m in found}
        for r in _MEETINGS.all(tx, {"of_entry": entry})
    }
    kept, rows = [], []
    for match in found:
        entity = vault.mac("hits.entity", match.incoming.id)
        meeting = (match.entry, match.part, entity, match.holding.id)
        if meeting in there:
            continue
        there.add(meeting)
        kept.append(match)
        rows.append(
            {
                "id": match.id,
                "dossier": match.dossier,
                "entry": match.entry,
                "part": match.part,
                "entity": entity,
                "record": match.holding.id,
                "holding_part": match.holding.provenance.part,
                "originator": match.originator,
                "rule": match.rule,
                "score": match.score,
                "urgent": bool(match.extra.get("urgent")),
                "state": match.state.value,
                "found_at": format_instant(match.found_at),
                "decided_by": "",
                "decided_at": "",
                "sealed": _seal(vault, match),
            }
        )
    _SAVE.many(tx, rows)
    return kept


def count(tx: Connection, state: MatchState) -> int:
    return int(_COUNT.scalar(tx, {"of_state": state.value}) or 0)


def tally(tx: Connection, country: str, begins: datetime, ends: datetime, told: Collection[str]) -> Tally:
    """What entries of this country met from an instant to another (not included); `told`: entries, see `Tally`."""
    asked = {"country": country, "begins": format_instant(begins), "ends": format_instant(ends)}
    states = {row.state: int(row.many) for row in _STATES_OF_COUNTRY.all(tx, asked)}
    wanted, there = sorted(told), 0
    for start in range(0, len(wanted), 400):
        there += int(_HITS_OF_ENTRIES.scalar(tx, {**asked, "entries": wanted[start : start + 400]}) or 0)
    return Tally(sum(states.values()), states.get(MatchState.HIT.value, 0), there)


def _seal(vault: Vault, match: Match) -> bytes:
    inner = {
        "incoming": entity_to_json(match.incoming),
        "explanation": match.explanation,
        "reason": match.reason,
    }
    return vault.seal("hit_matches", match.id, msgspec.msgpack.encode(inner))


def decide(tx: Connection, vault: Vault, match: Match, before: MatchState) -> bool:
    """False when the state moved in between."""
    done = tx.execute(
        update(matches)
        .where(matches.c.id == match.id, matches.c.state == before.value)
        .values(
            state=match.state.value,
            decided_by=match.decided_by,
            decided_at=format_instant(match.decided_at) if match.decided_at else "",
            sealed=_seal(vault, match),
        )
    )
    return done.rowcount == 1


def _rows(tx: Connection, query: Any) -> list[dict[str, Any]]:
    return [dict(r) for r in tx.execute(query).mappings()]


def load(tx: Connection, *, state: MatchState | None = None, dossier: str = "") -> list[dict[str, Any]]:
    """All of them, newest first."""
    query = select(matches).order_by(*(c.desc() for c in _PLACE))
    if state is not None:
        query = query.where(matches.c.state == state.value)
    if dossier:
        query = query.where(matches.c.dossier == dossier)
    return _rows(tx, query)


def load_one(tx: Connection, ident: str) -> dict[str, Any] | None:
    return next(iter(_rows(tx, select(matches).where(matches.c.id == ident))), None)


def load_some(tx: Connection, ids: Collection[str]) -> list[dict[str, Any]]:
    return _rows(tx, select(matches).where(matches.c.id.in_(sorted(ids)))) if ids else []


def load_page(tx: Connection, state: MatchState | None, after: str, most: int) -> list[dict[str, Any]]:
    """So many, newest first, from behind the match `after`; from the newest where that is not there (any more)."""
    behind = tx.execute(select(*_PLACE).where(matches.c.id == after)).first() if after else None
    found: list[dict[str, Any]] = []
    for one in MatchState if state is None else (state,):
        query = select(matches).where(matches.c.state == one.value).order_by(*(c.desc() for c in _PLACE)).limit(most)
        found += _rows(tx, query if behind is None else query.where(tuple_(*_PLACE) < tuple_(*behind)))
    return sorted(found, key=_place, reverse=True)[:most]


def _place(row: Mapping[str, Any]) -> tuple[str, float, str]:
    return row["found_at"], row["score"], row["id"]


def around(tx: Connection, row: Mapping[str, Any]) -> tuple[int, str, str]:
    """Of the matches in the state of this one: how many are newer, the next newer one and the next older one."""
    here, same = tuple_(*_place(row)), matches.c.state == row["state"]
    newer, older = tuple_(*_PLACE) > here, tuple_(*_PLACE) < here
    count = tx.execute(select(func.count()).select_from(matches).where(same, newer)).scalar_one()
    before = select(matches.c.id).where(same, newer).order_by(*_PLACE).limit(1)
    behind = select(matches.c.id).where(same, older).order_by(*(c.desc() for c in _PLACE)).limit(1)
    return int(count), tx.execute(before).scalar() or "", tx.execute(behind).scalar() or ""


def load_due(tx: Connection, *, urgent: bool, most: int | None) -> list[Any]:
    """Undecided matches, those that were found first at the top: what a duty says of them, and nothing sealed."""
    which = text("urgent") if urgent else matches.c.urgent.is_(False)
    found: list[Any] = []
    for state in _UNDECIDED:
        query = select(*_DUE).where(which, matches.c.state == state.value)
        found += tx.execute(query.order_by(matches.c.found_at, matches.c.id).limit(most))
    return sorted(found, key=lambda r: (r.found_at, r.id))[:most]


def load_one_due(tx: Connection, ident: str) -> Any | None:
    return tx.execute(select(*_DUE).where(matches.c.id == ident)).first()


def count_decided_near(tx: Connection, score: float, band: float) -> dict[MatchState, int]:
    """How matches of about this score were decided."""
    near = (text("decided_at <> ''"), func.abs(matches.c.score - score) <= band)
    inside = matches.c.score.between(score - band - 0.001, score + band + 0.001)  # the index's part of the same
    query = select(matches.c.state, func.count()).where(*near, inside).group_by(matches.c.state)
    return {MatchState(state): int(count) for state, count in tx.execute(query)}


def load_of_record(tx: Connection, record: str) -> list[dict[str, Any]]:
    """What met this holding and was decided, newest first."""
    query = select(matches).where(matches.c.record == record, matches.c.decided_at != "")
    return _rows(tx, query.order_by(*(c.desc() for c in _PLACE)))


def load_of_part(tx: Connection, entry: str, part: str) -> list[dict[str, Any]]:
    """What this part of the entry met, newest first."""
    query = select(matches).where(matches.c.entry == entry, matches.c.part == part)
    return _rows(tx, query.order_by(*(c.desc() for c in _PLACE)))


def unpack(row: dict[str, Any], holding: BankRecord, vault: Vault) -> Match:
    inner = msgspec.msgpack.decode(vault.open("hit_matches", row["id"], row["sealed"]))
    incoming: Entity = parse_entity(inner["incoming"])
    return Match(
        id=row["id"],
        dossier=row["dossier"],
        entry=row["entry"],
        part=row["part"],
        incoming=incoming,
        holding=holding,
        score=row["score"],
        explanation=inner["explanation"],
        rule=row["rule"],
        state=MatchState(row["state"]),
        found_at=parse_instant(row["found_at"]),
        decided_by=row["decided_by"],
        decided_at=parse_instant(row["decided_at"]) if row["decided_at"] else None,
        reason=inner["reason"],
        originator=row["originator"],
        extra={"urgent": bool(row["urgent"])},
    )


def erase_part(tx: Connection, entry: str, part: str, gone: Sequence[str]) -> list[str]:
    """Matches that show the entry's part, or as their holding a record that went with it."""
    shows = or_(and_(matches.c.entry == entry, matches.c.part == part), matches.c.record.in_(gone))
    removed = list(tx.execute(select(matches.c.id).where(shows).order_by(matches.c.id)).scalars())
    tx.execute(delete(matches).where(shows))
    return removed


def showing(tx: Connection, entry: str, part: str, held: Sequence[str]) -> list[dict[str, Any]]:
    """Matches that show this part of the entry, or as their holding one of these records."""
    of_part = select(matches).where(matches.c.entry == entry, matches.c.part == part)
    queries = [of_part] if entry else []
    queries += [
        select(matches).where(matches.c.record.in_(held[start : start + 400])) for start in range(0, len(held), 400)
    ]
    found = {r["id"]: dict(r) for query in queries for r in tx.execute(query).mappings()}
    return [found[i] for i in sorted(found)]


def update_content(tx: Connection, vault: Vault, match: Match) -> None:
    """What it shows of both sides, and how near they are by that."""
    found = {"sealed": _seal(vault, match), "score": match.score, "rule": match.rule}
    tx.execute(update(matches).where(matches.c.id == match.id).values(**found))


def remove(tx: Connection, ids: Sequence[str]) -> None:
    for start in range(0, len(ids), 400):
        tx.execute(delete(matches).where(matches.c.id.in_(ids[start : start + 400])))


def remove_of_records(tx: Connection, records: Sequence[str]) -> None:
    for start in range(0, len(records), 400):
        tx.execute(delete(matches).where(matches.c.record.in_(records[start : start + 400])))
