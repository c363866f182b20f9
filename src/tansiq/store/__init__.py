"""The store: one database, SQLite or PostgreSQL, behind one code path. Knows no capability.

Promises:

- `Store.write(work)` runs `work(connection)` in one transaction, one of them at a time. Its result is
  handed over only after the commit is durable; when it raises, nothing of it stays.
- Works that wait together share one commit (each in its own savepoint): a failing work leaves its neighbours alone.
- Writes are serial, across processes too: a work sees all that was committed before it, and nobody writes beside it.
- `Store.after_commit(tx, do)` runs `do` after the commit and before `write` returns, in the order of the calls.
- `Store.at_end(tx, key, do)` runs `do` behind the work, in its transaction, once for each key.
- `Store.read()` is a read-only snapshot that never waits for a writer.
- `Store.alone` is the right to serve the database: one process has it, on whichever machine.
- `Sealed(table)` keeps one column of a table sealed: insert, replace, load and open in one shape for all capabilities.
- `copy_out(tx, file)` writes a snapshot's rows, `copy_in(url, file)` puts them into an empty database of either kind.
- `Compiled(statement)` runs a statement that is met all the time at a fifth of its price, on any of these connections.

What it does not do: it knows no table. Each capability's `records` declares its tables on `metadata` and owns its SQL.
A write from inside a write is refused at once: it would wait for itself.

Read next: `service.py` (the verbs), `writer.py` (grouped commits), `engines.py` (what differs between the databases).
"""

from tansiq.store.compiled import Compiled, run_plain
from tansiq.store.copies import copy_in, copy_out, is_empty
from tansiq.store.groups import STOPS, UNFORESEEN, in_groups, why
from tansiq.store.schema import metadata, partial_index
from tansiq.store.sealed import Sealed, add, change, put, remove, row, rows
from tansiq.store.service import Store

__all__ = [
    "STOPS",
    "UNFORESEEN",
    "Compiled",
    "Sealed",
    "Store",
    "add",
    "change",
    "copy_in",
    "copy_out",
    "in_groups",
    "is_empty",
    "metadata",
    "partial_index",
    "put",
    "remove",
    "row",
    "rows",
    "run_plain",
    "why",
]
