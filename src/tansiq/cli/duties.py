"""`tansiq duties`: who owes what until when."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from tansiq.cli.call import open_node
from tansiq.cli.screen import emit, plain, table, when


def duties(
    ctx: typer.Context,
    everyone: Annotated[bool, typer.Option("--all", help="partners' duties too, not only ours")] = False,
) -> None:
    """Who owes what until when, under which clause; most urgent first.

    tansiq --home ./rabat duties
    """
    with open_node(ctx) as node:
        now = node.clock()
        owed = list(node.dossiers.duties(None if everyone else node.node_id))
        owed += list(node.hits.duties(now))
    owed.sort(key=lambda d: (d.due_at is None, d.due_at or now, d.since))
    said = [{**plain(d), "overdue": d.due_at is not None and d.due_at < now} for d in owed]

    def show(out: Console) -> None:
        rows = [
            (
                ("OVERDUE " if d.due_at and d.due_at < now else "")
                + (when(d.due_at) if d.due_at else f"stopped: {d.paused}"),
                d.code,
                d.owner,
                d.dossier[:10],
                "urgent" if d.urgent else "",
                d.clause,
            )
            for d in owed
        ]
        out.print(table("until", "what", "who", "dossier", "", "clause", rows=rows) if rows else "nothing is owed")

    emit(ctx, {"now": now, "duties": said}, show)
