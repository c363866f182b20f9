"""`tansiq node`: make a node, print its card, run it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from tansiq.cli.call import call_of, open_node, write_file
from tansiq.cli.screen import emit, facts

app = typer.Typer(no_args_is_help=True, help="Make a node, print its card, run it.", rich_markup_mode=None)


@app.command("init")
def init(
    ctx: typer.Context,
    name: Annotated[str, typer.Option(help="the service's name, as partners read it")],
    country: Annotated[str, typer.Option(help="ISO 3166 alpha-2, e.g. MA", metavar="CC")],
    url: Annotated[str, typer.Option(help="where partners reach it; empty: it polls them instead")] = "",
    languages: Annotated[str, typer.Option(help="in the order of preference", metavar="fr,ar")] = "en",
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="of the pages and the API; 8080")] = None,
    exchange_port: Annotated[int | None, typer.Option(min=0, max=65535, help="of the partners' door; 8443")] = None,
) -> None:
    """Make a node: its keys, its database, its settings file.

    tansiq --home ./rabat node init --name "Rabat" --country MA --languages ar,fr --url https://127.0.0.1:8443
    """
    call = call_of(ctx)
    home = call.home_folder()
    from tansiq.node import Node

    node = Node.init(
        home,
        name,
        country,
        passphrase=call.passphrase(),
        url=url,
        languages=tuple(word for part in languages.split(",") if (word := part.strip())),
        chosen={
            table: {"port": value} for table, value in (("web", port), ("exchange", exchange_port)) if value is not None
        },
    )
    try:
        made = {"node": node.node_id, "name": name, "country": node.country, "home": str(home)}
    finally:
        node.close()

    def show(out: Console) -> None:
        facts(out, made.items())
        out.print(f"next: tansiq --home {home} officer add NAME --role admin --role analyst", style="dim")

    emit(ctx, made, show)


@app.command("card")
def card(
    ctx: typer.Context,
    out: Annotated[Path | None, typer.Option(help="write the card here instead of printing it", metavar="FILE")] = None,
) -> None:
    """Print this node's signed card; partners add it with `tansiq peer add` and compare the fingerprint by telephone.

    tansiq --home ./rabat node card --out rabat.card
    """
    with open_node(ctx) as node:
        raw = node.exchange.card_bytes()
        said = {"node": node.node_id, "fingerprint": node.exchange.fingerprint(), "card": msgspec.json.decode(raw)}
    if out is not None:
        write_file(out, raw, "--out")

    def show(screen: Console) -> None:
        if out is None:
            sys.stdout.write(raw.decode() + "\n")
        else:
            facts(screen, [("node", said["node"]), ("fingerprint", said["fingerprint"]), ("written to", out)])

    emit(ctx, said, show)


def serve(
    ctx: typer.Context,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="of the pages, for this run")] = None,
) -> None:
    """Run the node: pages and API, the partners' door, the courier. Ctrl-C stops it cleanly.

    tansiq --home ./rabat serve --port 8080
    """
    with open_node(ctx) as node:
        node.serve(port)


app.command("serve")(serve)
