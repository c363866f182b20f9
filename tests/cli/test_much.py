"""Commands that list say how much they leave out: a bureau owes tens of thousands of things."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from tansiq.dossiers import records
from tansiq.dossiers.model import Duty
from tansiq.dossiers.records import Head
from tansiq.node import Node
from tansiq.terms import DossierId
from tests.support.transcripts import run

MANY = 5


def owe(home: Path) -> list[str]:
    """Duties of ours, the most urgent first."""
    now = datetime.now(UTC)
    node = Node.open(home)
    ids = [DossierId(f"d-{n:032x}") for n in range(MANY)]

    def work(tx: Connection) -> None:
        for n, dossier in enumerate(ids):
            records.insert_dossier(tx, Head(dossier, "request", node.node_id, now, "open", now, "", unsettled=False))
            due, since = now + timedelta(days=n - 1), now - timedelta(days=9)
            records.insert_duties(tx, dossier, [Duty(dossier, node.node_id, "request.answer", due, since, "clause")])

    node.store.write(work)
    node.close()
    return [str(i) for i in ids]


def test_so_many_duties_as_are_asked_for_the_most_urgent_and_how_many_more(home: Path) -> None:
    ids = owe(home)
    for limit, more in ((1, MANY - 1), (3, MANY - 3), (MANY, 0), (1000, 0)):
        code, out, _ = run(["--home", "rabat", "duties", "--limit", str(limit), "--json"])
        said = json.loads(out)
        assert (code, said["more"]) == (0, more)
        assert [d["dossier"] for d in said["duties"]] == ids[:limit]
    _, out, _ = run(["--home", "rabat", "duties", "--limit", "2"])
    assert "3 less urgent" in out
    _, out, _ = run(["--home", "rabat", "duties"])
    assert "less urgent" not in out
