"""`tansiq plan`: plans of deconfliction, and what they met."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from tansiq.cli.call import acting, open_node, read_object
from tansiq.cli.screen import emit, facts, table, when
from tansiq.errors import Invalid

if TYPE_CHECKING:
    from tansiq.node import Node
    from tansiq.private import Meeting, PlannedEvent

app = typer.Typer(
    no_args_is_help=True, help="Plans matched with partners, so that none meets by surprise.", rich_markup_mode=None
)
PlanId = Annotated[str, typer.Argument(metavar="PLAN", help="its id, as `plan list` shows it")]
ConflictId = Annotated[str, typer.Argument(metavar="CONFLICT", help="its id, as `plan conflicts` shows it")]


@app.command("add")
def add(  # noqa: PLR0913, PLR0917  # one option a field
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="a plan as JSON; else the options below")
    ] = None,
    event: Annotated[str, typer.Option("--type", help="arrest, raid, surveillance ...", metavar="TYPE")] = "",
    at: Annotated[str, typer.Option(help="latitude,longitude", metavar="LAT,LON")] = "",
    radius: Annotated[float, typer.Option(help="metres around it", metavar="M")] = 290.0,
    begins: Annotated[str, typer.Option("--from", help="as 2026-11-23T05:00:00.000Z", metavar="INSTANT")] = "",
    ends: Annotated[str, typer.Option("--until", help="its end, as its beginning", metavar="INSTANT")] = "",
    lead: Annotated[str, typer.Option(help="the first contact, with telephone", metavar="TEXT")] = "",
    backup: Annotated[str, typer.Option(help="whom to call else", metavar="TEXT")] = "",
    sensitivity: Annotated[str, typer.Option(help="normal, restricted or hidden", metavar="WORD")] = "normal",
    case: Annotated[str, typer.Option(help="stays on this node", metavar="TEXT")] = "",
    legal_basis: Annotated[str, typer.Option("--legal-basis", help="the article that permits it", metavar="TEXT")] = "",
    transfer_basis: Annotated[
        str,
        typer.Option("--transfer-basis", help="the ground of a transfer, as binding_instrument_37a", metavar="CODE"),
    ] = "",
) -> None:
    """Enter a plan: every partner that agreed is asked at once; the answer says with or without a meeting.

    tansiq --home ./rabat --purpose investigation --why "case 7" plan add plan.json
    """
    body = read_object(file, "FILE") if file else _body(event, at, radius, begins, ends)
    if file is None:
        body |= {"lead": lead, "backup": backup, "sensitivity": sensitivity, "case": case}
        body |= {"legal_basis": legal_basis, "transfer_basis": transfer_basis}
    with open_node(ctx) as node:
        by = acting(ctx, node)
        entered = node.plans.add(node.plans.draft(body, by), by)
        node.send_now()
    asked = [{"partner": a.partner, "state": a.state, "code": a.code} for a in entered.asked]

    def show(out: Console) -> None:
        facts(out, [("plan", entered.event.id)])
        rows = [(a["partner"], a["state"], a["code"]) for a in asked]
        out.print(table("partner", "answer", "", rows=rows) if rows else "no partner has agreed to deconfliction yet")

    emit(ctx, {"plan": entered.event.id, "asked": asked}, show)


def _body(event: str, at: str, radius: float, begins: str, ends: str) -> dict[str, Any]:
    latitude, _, longitude = at.partition(",")
    try:
        where = {"latitude": float(latitude), "longitude": float(longitude)}
    except ValueError as exc:
        raise Invalid(
            "plan.place", "write latitude,longitude in degrees, as 35.7846,-5.8127", step="plan", field="--at"
        ) from exc
    return {"type": event, "place": {**where, "radius_m": radius, "begins_at": begins, "ends_at": ends}}


@app.command("list")
def show_all(
    ctx: typer.Context,
    past: Annotated[bool, typer.Option("--past", help="those that are over too")] = False,
) -> None:
    """What is planned, and how many conflicts each plan has.

    tansiq --home ./rabat plan list
    """
    with open_node(ctx) as node:
        by = acting(ctx, node)
        plans, met = node.plans.rows(by, past=past), node.plans.meetings(by)
        found = [_plan(node, p, met) for p in plans]

    def show(out: Console) -> None:
        heads = ("plan", "event", "state", "from", "until", "sensitivity", "conflicts")
        rows = [tuple(when(p[h]) if h in ("from", "until") else p[h] for h in heads) for p in found]
        out.print(table(*heads, rows=rows) if rows else "no plan is entered")

    emit(ctx, {"plans": found}, show)


def _plan(node: Node, plan: PlannedEvent, met: list[Meeting]) -> dict[str, Any]:
    from tansiq.private import plan_status, plan_window

    begins, ends = plan_window(plan)
    return {
        "plan": plan.id,
        "event": plan.type or "targets",
        "state": "exempt" if plan.exemption else plan_status(plan, node.clock()).value,
        "from": begins,
        "until": ends or plan.targets_until,
        "sensitivity": plan.sensitivity.value,
        "conflicts": sum(m.plan == plan.id and m.state.value == "conflict" for m in met),
    }


@app.command("conflicts")
def conflicts(
    ctx: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="what was apart or is over too")] = False,
) -> None:
    """What our plans met: the class, the partner's contacts, and whom it calls now.

    tansiq --home ./rabat plan conflicts
    """
    from tansiq.private import plan_stage

    with open_node(ctx) as node:
        now, met = node.clock(), node.plans.meetings(acting(ctx, node))
    found = [
        {
            "conflict": m.id,
            "plan": m.plan,
            "partner": m.partner,
            "state": m.state.value,
            "class": m.kind,
            "calls": plan_stage(m, now).value,
            "lead": m.contact.lead if m.contact else "",
            "backup": m.contact.backup if m.contact else "",
            "dossier": m.dossier,
        }
        for m in met
        if every or m.state.value in ("conflict", "held")
    ]

    def show(out: Console) -> None:
        heads = ("conflict", "plan", "partner", "state", "class", "calls", "lead", "dossier")
        rows = [tuple(m[h] for h in heads) for m in found]
        out.print(table(*heads, rows=rows) if rows else "no conflict")

    emit(ctx, {"conflicts": found}, show)


@app.command("cancel")
def cancel(ctx: typer.Context, plan: PlanId) -> None:
    """Out of matching; partners with whom it is in conflict are told that it is withdrawn.

    tansiq --home ./rabat plan cancel p-12
    """
    with open_node(ctx) as node:
        done = node.plans.cancel(plan, acting(ctx, node))
        node.send_now()
    emit(
        ctx,
        {"plan": done.id, "state": "cancelled"},
        lambda out: facts(out, [("plan", done.id), ("state", "cancelled")]),
    )


@app.command("renew")
def renew(ctx: typer.Context, plan: PlanId) -> None:
    """A plan's targets stay in matching for another 180 days.

    tansiq --home ./rabat plan renew p-12
    """
    with open_node(ctx) as node:
        done = node.plans.renew(plan, acting(ctx, node))
    until = done.targets_until
    emit(ctx, {"plan": done.id, "until": until}, lambda out: facts(out, [("plan", done.id), ("until", when(until))]))


@app.command("exempt")
def exempt(
    ctx: typer.Context,
    plan: PlanId,
    approver: Annotated[str, typer.Option(help="the commander who approves", metavar="NAME")],
    reason: Annotated[str, typer.Option(help="why it is not deconflicted", metavar="TEXT")],
) -> None:
    """Not deconflicted: a supervisor (or --second) says so, in an approver's name and for a reason; it is logged.

    tansiq --home ./rabat --officer omar plan exempt p-12 --approver "Cdt. Alaoui" --reason "a life is in danger"
    """
    with open_node(ctx) as node:
        done = node.plans.exempt(plan, approver, reason, acting(ctx, node))
        node.send_now()
    emit(ctx, {"plan": done.id, "state": "exempt"}, lambda out: facts(out, [("plan", done.id), ("state", "exempt")]))


@app.command("decide")
def decide(
    ctx: typer.Context,
    conflict: ConflictId,
    word: Annotated[
        str, typer.Argument(metavar="acknowledge|resolve|reveal|silent|level", help="what this service says to it")
    ],
    level: Annotated[int, typer.Option(help="with `level`: 2 type, 3 time and area, 4 exact place", metavar="N")] = 2,
) -> None:
    """This service's word on a conflict; `reveal` and `silent` are for the owner of a hidden plan.

    tansiq --home ./rabat plan decide m-12 acknowledge
    """
    with open_node(ctx) as node:
        by, plans = acting(ctx, node), node.plans
        acts = {"acknowledge": plans.acknowledge, "resolve": plans.resolve}
        acts |= {"reveal": plans.reveal, "silent": plans.keep_silent}
        if word != "level" and word not in acts:
            raise Invalid("plan.word", f"one of {', '.join(acts)}, level", step="plan", field="WORD")
        done = plans.agree_level(conflict, level, by) if word == "level" else acts[word](conflict, by)
        node.send_now()
    emit(
        ctx,
        {"conflict": done.id, "state": done.state.value},
        lambda out: facts(out, [("conflict", done.id), ("state", done.state.value)]),
    )


@app.command("match")
def match(ctx: typer.Context) -> None:
    """Do now what the running node does by itself: ask, look up, test, open rooms.

    tansiq --home ./rabat plan match
    """
    with open_node(ctx) as node:
        while node.private.work():  # lists and answers that came, so that they are looked at
            pass
        new = node.plans.match()
        node.send_now()
    emit(ctx, {"new": new}, lambda out: facts(out, [("new meetings", str(new))]))
