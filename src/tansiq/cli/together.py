"""`tansiq scorecard`, `expertise`, `assessment`: what several dossiers say together; acts that the node makes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from tansiq.cli.call import acting, open_node, read_object
from tansiq.cli.courier import Sent, send_and_tell, send_round
from tansiq.cli.screen import emit, facts, table, when
from tansiq.errors import Invalid
from tansiq.terms import later

if TYPE_CHECKING:
    from tansiq.together import Scorecard

YEAR = timedelta(days=365)

expertise = typer.Typer(no_args_is_help=True, help="Offers of know-how, and wishes for it.", rich_markup_mode=None)
assessment = typer.Typer(
    no_args_is_help=True,
    help="Judge a threat together: each service judges before it sees the others.",
    rich_markup_mode=None,
)

Dossier = Annotated[str, typer.Argument(metavar="ID", help="the dossier's id, or enough of its first characters")]
NoSend = Annotated[bool, typer.Option("--no-send", help="queue only; the running node's courier sends")]


def _day(text: str, field: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise Invalid("date.malformed", "a day such as 2026-01-31", step="read the period", field=field) from None


def scorecard(
    ctx: typer.Context,
    partner: Annotated[str, typer.Option("--with", help="the partner: node id, country or name", metavar="es")],
    first: Annotated[str, typer.Option("--from", help="the first day that counts; a year back", metavar="DAY")] = "",
    last: Annotated[str, typer.Option("--to", help="the last day that counts; today", metavar="DAY")] = "",
    send: Annotated[str, typer.Option(help="give our figures to this committee's dossier", metavar="ID")] = "",
) -> None:
    """What this node's own dossiers count of our work with a partner, beside what the partner counted.

    Shares are in thousandths, times in seconds; -1 says that there was no case. `out` is what we did, `in` the partner.

    tansiq --home ./rabat --officer yasmine --why "meeting in Madrid" scorecard --with es --from 2026-01-01
    """
    with open_node(ctx) as node:
        ends = later(_day(last, "--to"), timedelta(days=1)) if last else node.clock()
        begins = _day(first, "--from") if first else later(ends, -YEAR)
        by = acting(ctx, node)
        found = node.together.scorecard(partner, begins, ends, by)
        entry = node.together.give(node.dossiers.find(send), partner, begins, ends, by) if send else ""
        sent = send_round(node) if send else Sent()
    said = _said(found) | ({"entry": entry, "sent": sent.sent, "waiting": sent.waiting} if send else {})
    emit(ctx, said, lambda out: _show_scorecard(out, found, entry))


def _said(found: Scorecard) -> dict[str, Any]:
    told = found.told
    return {
        "with": found.window.other,
        "from": found.window.begins,
        "to": found.window.ends,
        "figures": dict(found.figures),
        "told": told
        and {
            "dossier": told.dossier,
            "entry": told.entry,
            "from": told.begins,
            "to": told.ends,
            "figures": told.figures,
        },
        "same_period": found.same_period,
        "lines": [{"name": x.name, "ours": x.ours, "theirs": x.theirs, "differs": x.differs} for x in found.lines],
    }


def _show_scorecard(out: Console, found: Scorecard, entry: str) -> None:
    rows = [(x.name, _number(x.ours), _number(x.theirs), "differs" if x.differs else "") for x in found.lines]
    out.print(table("figure", "ours", "theirs", "", rows=rows))
    if found.told is None:
        out.print("the partner gave no figures yet", style="dim")
    elif not found.same_period:
        out.print(f"the partner counted {when(found.told.begins)} to {when(found.told.ends)}", style="dim")
    if entry:
        facts(out, [("given", entry)])


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


@expertise.command("matches")
def matches(ctx: typer.Context) -> None:
    """Which open offers and wishes meet, and why, the best fit first. It decides nothing.

    tansiq --home ./madrid --officer ines --why "training plan" expertise matches
    """
    with open_node(ctx) as node:
        found = node.together.meetings(acting(ctx, node))
    said = [
        {
            "offer": m.offer,
            "wish": m.wish,
            "offered_by": m.offered_by,
            "wished_by": m.wished_by,
            "points": m.fit.points,
            "topics": m.fit.topics,
            "crime_areas": m.fit.crime_areas,
            "languages": m.fit.languages,
        }
        for m in found
    ]

    def show(out: Console) -> None:
        rows = [
            (m.offer[:14], m.offered_by[:2].upper(), m.wish[:14], m.wished_by[:2].upper(), ", ".join(m.fit.topics))
            for m in found
        ]
        out.print(table("offer", "by", "wish", "by", "topics", rows=rows) if rows else "nothing meets")

    emit(ctx, {"matches": said}, show)


@assessment.command("judge")
def judge(
    ctx: typer.Context,
    dossier: Dossier,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="the judgement as JSON; - reads standard input")],
    no_send: NoSend = False,
) -> None:
    """Commit to a judgement: its commitment goes to the others, the judgement itself stays sealed on this node.

    FILE holds `likelihood`, `percent`, `confidence` and, where wanted, `cells` (docs/dossier-body.md).

    tansiq --home ./rabat --officer yasmine --why "assessment 3" assessment judge d-41c0 judgement.json
    """
    _make(ctx, dossier, "assessment.committed", read_object(file, "FILE"), no_send)


@assessment.command("reveal")
def reveal(ctx: typer.Context, dossier: Dossier, no_send: NoSend = False) -> None:
    """Reveal this service's judgement: when all have committed, or when the time to judge is over.

    tansiq --home ./rabat --officer yasmine --why "assessment 3" assessment reveal d-41c0
    """
    _make(ctx, dossier, "assessment.revealed", {}, no_send)


def _make(ctx: typer.Context, dossier: str, act: str, told: dict[str, Any], no_send: bool) -> None:
    with open_node(ctx) as node:
        entry = node.together.make(node.dossiers.find(dossier), act, told, acting(ctx, node))
        send_and_tell(ctx, node, {"entry": entry}, no_send=no_send)


def items(ctx: typer.Context, dossier: Dossier) -> None:
    """What the dossier keeps many of (tasks, recommendations, measures ...): where each stands, who owes it until when.

    tansiq --home ./madrid --officer ines --purpose prevention --why "duty" dossier items d-41c0
    """
    from tansiq.kinds import face_of, items_of

    with open_node(ctx) as node:
        state = node.show(node.dossiers.find(dossier), acting(ctx, node))
    found = items_of(state)
    summary = face_of(state.kind).summary(state) if state.own is not None else ()

    def show(out: Console) -> None:
        facts(out, [(x.head, " ".join(x.values) + ("  !" if x.odd else "")) for x in summary])
        rows = [(i.sort, i.begun[:14], i.state, i.owner[:2].upper(), when(i.due_at), len(i.trail)) for i in found]
        out.print(table("sort", "entry", "state", "who", "until", "steps", rows=rows) if rows else "no items")

    said = [
        {"sort": i.sort, "entry": i.begun, "state": i.state, "owner": i.owner, "due_at": i.due_at, "trail": i.trail}
        for i in found
    ]
    lines = [{"head": x.head, "values": x.values, "about": x.about, "odd": x.odd} for x in summary]
    emit(ctx, {"items": said, "summary": lines}, show)
