"""`tansiq draft`: acts that wait for a second officer (four eyes)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console

from tansiq.cli.call import acting, open_node
from tansiq.cli.courier import send_and_tell
from tansiq.cli.screen import emit, facts, safe, table, when
from tansiq.errors import NotFound, Refused

if TYPE_CHECKING:
    from tansiq.access.model import Draft
    from tansiq.node import Node

app = typer.Typer(
    no_args_is_help=True, help="Acts that wait for a second officer: read, confirm, reject.", rich_markup_mode=None
)

Ident = Annotated[str, typer.Argument(metavar="DRAFT", help="its id, or enough of its first characters")]


def _find(node: Node, word: str) -> Draft:
    """A waiting draft. Raises `NotFound`."""
    fits = [d for d in node.access.pending() if d.id.startswith(word if word.startswith("f-") else f"f-{word}")]
    if len(fits) != 1:
        raise NotFound(
            "access.draft_unknown",
            "no such draft waits, or more than one",
            step="find the draft",
            field="DRAFT",
            hint="tansiq draft list",
        )
    return fits[0]


def _act(draft: Draft) -> tuple[str, dict[str, Any]]:
    """What kind of act it is, and what its first officer wrote."""
    held = msgspec.json.decode(draft.body)
    body = held.get("body", {})
    return str(body.get("type") or held.get("kind") or held.get("act") or draft.act), held


@app.command("list")
def show_all(ctx: typer.Context) -> None:
    """What waits for a second officer, oldest first; without its content.

    tansiq --home ./madrid draft list
    """
    with open_node(ctx) as node:
        names = {o.id: o.name for o in node.access.officers()}
        waiting = node.access.pending()
    said = [
        {
            "draft": d.id,
            "act": _act(d)[0],
            "first": d.first,
            "needs": d.needs,
            "at": d.proposed_at,
            "dossier": d.ref,
        }
        for d in waiting
    ]

    def show(out: Console) -> None:
        rows = [(d.id, _act(d)[0], names.get(d.first, d.first), d.needs, when(d.proposed_at)) for d in waiting]
        out.print(table("draft", "act", "first officer", "needs", "since", rows=rows) if rows else "nothing waits")

    emit(ctx, {"drafts": said}, show)


@app.command("show")
def show_one(ctx: typer.Context, draft: Ident) -> None:
    """Read a draft before you decide on it: for its first officer and for those who may confirm it. Logged.

    tansiq --home ./madrid --officer rosa --purpose investigation --why "four eyes" draft show f-4c1a
    """
    with open_node(ctx) as node:
        by = acting(ctx, node)
        found = _find(node, draft)
        if found.first != by.officer and found.needs not in by.roles:
            raise Refused(
                "access.role",
                f"for its first officer and for a {found.needs}",
                step="read the draft",
                field="--officer",
            )
        node.consult(found.id, by)
        act, held = _act(found)
    said = {
        "draft": found.id,
        "act": act,
        "first": found.first,
        "needs": found.needs,
        "purpose": found.purpose,
        "justification": found.justification,
        "at": found.proposed_at,
        "held": held,
    }

    def show(out: Console) -> None:
        facts(out, [(k, v) for k, v in said.items() if k != "held"])
        out.print(safe(msgspec.json.format(msgspec.json.encode(held), indent=1).decode()), soft_wrap=True)

    emit(ctx, said, show)


@app.command("confirm")
def confirm(
    ctx: typer.Context,
    draft: Ident,
    no_send: Annotated[bool, typer.Option("--no-send", help="queue only; the running node's courier sends")] = False,
) -> None:
    """Confirm as the second officer: the act is done and sent in the names of both. --why is your own reason.

    tansiq --home ./madrid --officer rosa --why "checked the case file" draft confirm f-4c1a
    """
    with open_node(ctx) as node:
        by = acting(ctx, node)
        dossier = node.confirm(_find(node, draft).id, by)
        send_and_tell(ctx, node, {"dossier": dossier}, no_send=no_send)


@app.command("reject")
def reject(ctx: typer.Context, draft: Ident) -> None:
    """End a draft: as its first officer, or as one who could have confirmed it. Nothing is sent.

    tansiq --home ./madrid --officer rosa --why "not urgent" draft reject f-4c1a
    """
    with open_node(ctx) as node:
        by = acting(ctx, node)
        ended = node.access.reject(_find(node, draft).id, by)
    said = {"draft": ended.id, "state": ended.state}
    emit(ctx, said, lambda out: facts(out, said.items()))
