"""`tansiq duties`: who owes what until when."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from tansiq.cli.call import acting, call_of, open_node
from tansiq.cli.screen import emit, table, when
from tansiq.terms.plain import plain

if TYPE_CHECKING:
    from tansiq.backup import HeldDuty
    from tansiq.dossiers.model import Duty
    from tansiq.hits.model import LocalDuty
    from tansiq.ledger import ClockDuty, WitnessDuty
    from tansiq.oversight import ErasureDuty
    from tansiq.private import CheckDuty, PlanDuty

ABOUT = ("match", "meeting", "notice", "partner", "record")
"""What a duty that no dossier knows of is about: the first of these that it has."""


def duties(
    ctx: typer.Context,
    everyone: Annotated[bool, typer.Option("--all", help="partners' duties too, not only ours")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="so many at the most, the most urgent")] = 1000,
) -> None:
    """Who owes what until when, under which clause; most urgent first. With --officer also what met that officer's
    standing queries and was not read.

    tansiq --home ./rabat duties
    """
    from tansiq.hits.model import MatchState

    with open_node(ctx) as node:
        from tansiq.backup import duties as held_duties

        now = node.clock()
        whose = None if everyone else node.node_id
        owed = [_row(d, now) for d in node.dossiers.duties(whose, limit=limit)]
        owed += [_row(d, now, owner=node.node_id) for d in node.hits.duties(limit)]
        # A bureau owes tens of thousands: what nobody reads is counted, and not written out.
        waiting = node.hits.counts()
        more = node.dossiers.sum_duties(whose)[0] + waiting[MatchState.OPEN] + waiting[MatchState.UNCLEAR] - len(owed)
        owed += [_row(d, now, owner=node.node_id) for d in node.plans.duties(now)]
        owed += [_row(d, now, owner=node.node_id) for d in node.private.duties()]
        partners = {p.card.node: p.pinned_at for p in node.exchange.peers() if p.state == "pinned"}
        owed += [_row(d, now, owner=node.node_id) for d in node.witnesses.duties(partners)]
        owed += [_row(d, now, owner=node.node_id) for d in node.oversight.duties()]
        owed += [_row(d, now, owner=node.node_id) for d in held_duties(node)]
        if (leapt := node.known_time.doubt()) is not None:
            owed.append(_row(leapt, now, owner=node.node_id))
        # Standing queries are each officer's own: without one their notices are counted, not read.
        by = acting(ctx, node) if call_of(ctx).officer else None
        if by is not None and not node.bureau.watches.notices(by.officer):
            node.settle()  # what came by hand has not met them yet
        alerts = node.bureau.alerts(by)
    owed.sort(key=lambda d: (d["due_at"] is None, d["due_at"] or now, d["since"]))
    more += len(owed[limit:])
    owed = owed[:limit]

    def show(out: Console) -> None:
        rows = [_cells(d) for d in owed]
        out.print(table("until", "what", "who", "dossier", "", "clause", rows=rows) if rows else "nothing is owed")
        if more > 0:
            out.print(f"{more} less urgent: --limit shows more of them")
        if alerts:
            met = [(when(a.at), a.looked_for or a.watch, a.what, a.dossier[:14] or "own", a.why, a.id) for a in alerts]
            out.print(table("met at", "standing query", "what stands there", "dossier", "why", "notice", rows=met))
            out.print("read one: tansiq watch notices --seen NOTICE")

    emit(ctx, {"now": now, "duties": owed, "more": max(0, more), "alerts": [plain(a) for a in alerts]}, show)


def _cells(d: dict[str, Any]) -> tuple[str, ...]:
    until = when(d["due_at"]) if d["due_at"] else f"stopped: {d['paused']}"
    hurry = ", ".join(w for w, yes in (("urgent", d["urgent"]), ("duty officer", d["escalated"])) if yes)
    late = "OVERDUE " if d["overdue"] else ""
    return late + until, d["code"], d["owner"], d["dossier"][:14], hurry, d["clause"]


def _row(
    duty: Duty | LocalDuty | PlanDuty | CheckDuty | WitnessDuty | ErasureDuty | ClockDuty | HeldDuty,
    now: datetime,
    owner: str = "",
) -> dict[str, Any]:
    """A duty of a dossier, or one that only this node's officers owe, in one form."""
    from tansiq.kinds import ESCALATIONS  # late: --help needs no kinds
    from tansiq.ledger import CLOCK_ESCALATIONS
    from tansiq.ledger import ESCALATIONS as WITNESS
    from tansiq.oversight import ESCALATIONS as ERASURE
    from tansiq.private import ESCALATIONS as PRIVATE

    return {
        "code": duty.code,
        "owner": getattr(duty, "owner", owner),
        "dossier": duty.dossier,
        "entry": getattr(duty, "entry", None),
        "match": next((v for name in ABOUT if (v := getattr(duty, name, None))), None),
        "since": duty.since,
        "due_at": duty.due_at,
        "overdue": duty.due_at is not None and duty.due_at < now,
        "paused": getattr(duty, "paused", ""),
        "urgent": duty.urgent,
        "escalated": duty.code in ESCALATIONS | PRIVATE | WITNESS | ERASURE | CLOCK_ESCALATIONS,
        "clause": duty.clause,
    }
