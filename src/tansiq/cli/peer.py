"""`tansiq peer`: pin, show and drop partners."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from tansiq.cli.call import open_node, read_file
from tansiq.cli.screen import emit, facts, table, when
from tansiq.errors import Invalid, Untrusted

if TYPE_CHECKING:
    from tansiq.node import Node

app = typer.Typer(no_args_is_help=True, help="Pin, show and drop partners.", rich_markup_mode=None)

MAX_CARD_BYTES = 2 * 1024 * 1024


@app.command("add")
def add(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FILE|URL", help="the partner's card, or where its node answers")],
    fingerprint: Annotated[
        str, typer.Option(help="what the partner read to you; nothing is pinned when it differs", metavar="DIGITS")
    ] = "",
) -> None:
    """Pin a partner by its card, and print the fingerprint to compare over another channel before first use.

    tansiq --home ./rabat peer add madrid.card
    """
    with open_node(ctx) as node:
        if source.startswith("https://"):
            raw = node.exchange.fetch_card(source)
        else:
            raw = read_file(Path(source), "FILE|URL", MAX_CARD_BYTES).strip()  # a printed card ends with a line feed
        theirs = _fingerprint(node, raw)
        if fingerprint and _digits(theirs) != _digits(fingerprint):
            raise Untrusted(
                "peer.fingerprint",
                "the card's fingerprint is not the one that was given",
                step="compare fingerprint",
                field="--fingerprint",
            )
        peer = node.exchange.add_peer(raw)
    said = {
        "node": peer.card.node,
        "name": peer.card.name,
        "country": peer.card.country,
        "url": peer.card.url,
        "fingerprint": peer.fingerprint,
        "compared": bool(fingerprint),
    }

    def show(out: Console) -> None:
        facts(out, [(k, v) for k, v in said.items() if k != "compared"])
        if not fingerprint:
            out.print("compare the fingerprint with the partner over another channel before you send anything")

    emit(ctx, said, show)


@app.command("list")
def show_all(ctx: typer.Context) -> None:
    """Who is pinned, and when we last heard of each.

    tansiq --home ./rabat peer list
    """
    with open_node(ctx) as node:
        peers = node.exchange.peers()
    said = [
        {
            "node": p.card.node,
            "name": p.card.name,
            "country": p.card.country,
            "url": p.card.url,
            "state": p.state,
            "fingerprint": p.fingerprint,
            "pinned_at": p.pinned_at,
            "last_contact_at": p.last_contact_at,
        }
        for p in peers
    ]

    def show(out: Console) -> None:
        rows = [(p.card.country, p.card.name, p.card.node, p.state, when(p.last_contact_at)) for p in peers]
        out.print(table("country", "name", "node", "state", "last contact", rows=rows))

    emit(ctx, {"peers": said}, show)


@app.command("remove")
def remove(
    ctx: typer.Context,
    peer: Annotated[str, typer.Argument(help="node id, country or name")],
) -> None:
    """Drop a partner at once: nothing is sent to it and nothing is taken from it any more.

    tansiq --home ./rabat peer remove es
    """
    with open_node(ctx) as node:
        found = node.exchange.resolve(peer)
        node.exchange.remove_peer(found)
    emit(ctx, {"node": found, "state": "removed"}, lambda out: facts(out, [("removed", found)]))


def _digits(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _fingerprint(node: Node, raw: bytes) -> str:
    """Raises what is wrong with the card, and says where a good one comes from."""
    try:
        return node.exchange.card_fingerprint(raw)
    except (Invalid, Untrusted) as exc:
        raise type(exc)(
            exc.code, f"this is no good node card: {exc.message}", step="read card", field="FILE|URL",
            hint="the file that the partner made by `tansiq node card --out FILE`",
        ) from exc  # fmt: skip
