"""The verbs of sources: read a file, take it over into the bank."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from tansiq.access.model import Acting
from tansiq.bank import Bank
from tansiq.bank.model import Provenance
from tansiq.errors import Conflict, Invalid
from tansiq.ledger import Ledger
from tansiq.policy.model import Action
from tansiq.sources.canada import read_canada
from tansiq.sources.eu import read_eu
from tansiq.sources.ftm import read_ftm
from tansiq.sources.model import ImportReport, Reject, SourceRow
from tansiq.sources.ofac import read_ofac
from tansiq.sources.rows import read_csv
from tansiq.sources.un import read_un
from tansiq.store import Store
from tansiq.terms import LogVerb

BATCH = 500
"""Rows a transaction: far above where a commit's cost matters, far below what would hold the writer for long."""

FORMATS: dict[str, Callable[[bytes], Iterator[SourceRow | Reject]]] = {
    "un": read_un,
    "eu": read_eu,
    "ofac": read_ofac,
    "ca": read_canada,
    "ftm": read_ftm,
    "csv": read_csv,
}
WHOLE_LISTS = frozenset({"un", "eu", "ofac", "ca"})
"""A new edition is the whole list: what it no longer names was delisted. Other files only add and change."""

SHRINK_SHARE = 0.5
SHRINK_FROM = 50
"""An edition that drops more than half of a list of some size is more likely cut off than a mass delisting."""


def read(data: bytes, as_: str, *, addresses: bytes | None = None) -> Iterator[SourceRow | Reject]:
    """Rows and named rejects of a file, `.gz` or not. `addresses` goes with `ofac` (ADD.CSV).

    Raises `Invalid` on an unknown format, and on a file that is damaged, hostile or too large.
    """
    if as_ not in FORMATS:
        raise Invalid("source.format", f"known formats: {', '.join(FORMATS)}", step="read file", field="as")
    if as_ == "ofac":
        return read_ofac(data, addresses)
    return FORMATS[as_](data)


@dataclass(slots=True)
class _Plan:
    """What an import is going to do, decided before anything is written."""

    rows: int = 0
    unchanged: int = 0
    add: list[SourceRow] = field(default_factory=list)
    change: list[tuple[str, SourceRow]] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    removed_references: list[str] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


def import_into(
    bank: Bank,
    store: Store,
    ledger: Ledger,
    rows: Iterable[SourceRow | Reject],
    by: Acting,
    *,
    may_shrink: bool = False,
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Take rows over: new references are added, others changed where their content changed; whole lists also shrink.

    Everything is read and compared first, so that a damaged file changes nothing; then batches are written, each in a
    transaction with its leaf. After a crash between two batches the same import completes the work.
    The law gate is asked once for the list, not for each row. Raises `Refused`, and `Conflict` when a list would lose
    more than half of its entries (see `may_shrink`).
    """
    given = list(rows)
    sources = sorted({r.provenance.source for r in given if isinstance(r, SourceRow)})
    if len(sources) > 1:
        raise Invalid("source.mixed", "one import is of one source", step="import", field="source")
    source = sources[0] if sources else ""
    plan = _plan(bank, store, given, source)
    held = plan.unchanged + len(plan.change) + len(plan.remove)
    if len(plan.remove) > held * SHRINK_SHARE and held >= SHRINK_FROM and not may_shrink:
        raise Conflict(
            "source.shrinks",
            f"this edition would remove {len(plan.remove)} of {held} entries",
            step="import",
            hint="if the list really shrank so much, say so with may_shrink",
        )
    may = _permitted(bank, plan, source, by)
    _write(bank, store, ledger, plan, source, by, may, progress)
    return ImportReport(
        source=source,
        read=len(given),
        added=len(plan.add),
        changed=len(plan.change),
        unchanged=plan.unchanged,
        removed=len(plan.remove),
        rejects=tuple(plan.rejects),
        added_references=tuple(r.provenance.reference for r in plan.add),
        changed_references=tuple(r.provenance.reference for _, r in plan.change),
        removed_references=tuple(plan.removed_references),
    )


def _plan(bank: Bank, store: Store, given: Sequence[SourceRow | Reject], source: str) -> _Plan:
    plan = _Plan()
    with store.read() as tx:
        held = bank.editions(tx, source) if source else {}
    seen: set[bytes] = set()
    for position, row in enumerate(given, 1):
        if isinstance(row, Reject):
            plan.rejects.append(row)
            continue
        reference, content = bank.edition_marks(row.entity, row.provenance)
        if reference in seen:
            plan.rejects.append(Reject(f"row {position}", "source.reference_twice", "reference"))
            continue
        seen.add(reference)
        there = held.get(reference)
        if there is None:
            plan.add.append(row)
        elif there[1] == content:
            plan.unchanged += 1
        else:
            plan.change.append((there[0], row))
    if source in WHOLE_LISTS and seen:
        plan.remove = [record for mark, (record, _) in held.items() if mark not in seen]
        plan.removed_references = sorted(r.provenance.reference for r in bank.get_many(plan.remove))
    return plan


def _permitted(bank: Bank, plan: _Plan, source: str, by: Acting) -> dict[LogVerb, list[str]]:
    """The clauses of the law gate for what the import does. Raises `Refused` before anything is written."""
    given = [*plan.add, *(row for _, row in plan.change)]
    about = [row.entity for row in given]
    prov = given[0].provenance if given else Provenance(source, "")
    found = {LogVerb.COLLECT: bank.permitted(Action.COLLECT, by, "import", about, prov)}
    if plan.remove:
        # No officer decides that an entry goes: the new edition no longer has it, and the rule is to follow it.
        found[LogVerb.ERASE] = bank.permitted(Action.ERASE, Acting.machine(), "import", prov=prov)
    return found


def _write(
    bank: Bank,
    store: Store,
    ledger: Ledger,
    plan: _Plan,
    source: str,
    by: Acting,
    may: Mapping[LogVerb, list[str]],
    progress: Callable[[int], None] | None,
) -> None:
    steps: list[tuple[str, SourceRow]] = [("", row) for row in plan.add] + plan.change
    done = 0
    for start in range(0, len(steps), BATCH):
        batch = steps[start : start + BATCH]

        def put(tx: Connection, batch: list[tuple[str, SourceRow]] = batch) -> None:
            new = [(row.entity, row.provenance) for record, row in batch if not record]
            changed = {record: (row.entity, row.provenance) for record, row in batch if record}
            bank.add_many(tx, new)
            bank.replace_many(tx, changed)
            counts = {"added": len(new), "changed": len(changed)}
            _leaf(bank, ledger, tx, LogVerb.COLLECT, source, by, counts, may[LogVerb.COLLECT])

        store.write(put)
        done += len(batch)
        if progress is not None:
            progress(done)
    for start in range(0, len(plan.remove), BATCH):
        gone = plan.remove[start : start + BATCH]

        def drop(tx: Connection, gone: list[str] = gone) -> None:
            bank.drop(tx, gone)
            _leaf(bank, ledger, tx, LogVerb.ERASE, source, by, {"removed": len(gone)}, may[LogVerb.ERASE])

        store.write(drop)


def _leaf(
    bank: Bank,
    ledger: Ledger,
    tx: Connection,
    verb: LogVerb,
    source: str,
    by: Acting,
    counts: dict[str, int],
    clauses: list[str],
) -> None:
    content = {
        "officer": by.officer,
        "purpose": by.purpose,
        "justification": by.justification,
        "clauses": clauses,
        "source": source,
        **counts,
    }
    ledger.append(tx, verb=verb, subject=f"source:{source}", content=content, at=bank.now())
