"""`tansiq token`: bearer tokens with which programs act for an officer."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from tansiq.cli.call import find_officer, open_node
from tansiq.cli.screen import emit, facts

app = typer.Typer(no_args_is_help=True, help="Bearer tokens for the API.", rich_markup_mode=None)


@app.command("new")
def new(
    ctx: typer.Context,
    officer: Annotated[str, typer.Argument(help="for whom: name or id", metavar="OFFICER")],
    label: Annotated[str, typer.Option(help="which program holds it")],
    days: Annotated[int, typer.Option(min=1, max=366, help="how long it lives")] = 30,
) -> None:
    """Make a token; it is shown once and stored as its hash.

    tansiq --home ./rabat token new yasmine --label "case system" --days 30
    """
    with open_node(ctx) as node:
        found = find_officer(node, officer, "OFFICER")
        text = node.access.new_token(found.id, label, days)
    said = {"officer": found.id, "token": text, "days": days}

    def show(out: Console) -> None:
        facts(out, said.items())
        out.print("it is not shown again", style="dim")

    emit(ctx, said, show)
