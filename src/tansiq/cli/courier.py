"""`tansiq courier`: what was delivered, and delivery by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from tansiq.cli.call import MAX_ENVELOPES_BYTES, acting, open_node, read_file, write_file
from tansiq.cli.screen import emit, facts, table, when
from tansiq.errors import Untrusted
from tansiq.terms.plain import plain

if TYPE_CHECKING:
    from tansiq.node import Node

app = typer.Typer(no_args_is_help=True, help="What was delivered; delivery by hand.", rich_markup_mode=None)


@dataclass(frozen=True, slots=True)
class Sent:
    """What one courier round brought: items with a receipt, and items still queued."""

    sent: int = 0
    waiting: int = 0


def send_round(node: Node) -> Sent:
    """One attempt for what is queued. A partner that is away is no failure: the item stays queued and is seen."""
    before = _waiting(node)
    node.send_now()
    left = _waiting(node)
    return Sent(max(before - left, 0), left)  # a running node may queue more meanwhile


def send_and_tell(ctx: typer.Context, node: Node, said: Mapping[str, Any], *, no_send: bool) -> None:
    """The end of an act: one courier round, unless that is left to the running node; then the answer."""
    sent = Sent(0, _waiting(node)) if no_send else send_round(node)
    whole = {**said, "sent": sent.sent, "waiting": sent.waiting}
    emit(ctx, whole, lambda out: facts(out, whole.items()))


def _waiting(node: Node) -> int:
    return sum(peer.queued + peer.sent for peer in node.exchange.status())


@app.command("status")
def status(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="the newest so many items")] = 50,
) -> None:
    """Each item and addressee: queued, sent, received (with the partner's signed receipt), refused, expired.

    tansiq --home ./rabat courier status
    """
    with open_node(ctx) as node:
        deliveries = node.exchange.deliveries(limit=limit)
        peers = node.exchange.status()
        strangers = node.exchange.without_card()

    def show(out: Console) -> None:
        rows = [
            (
                d.state.value,
                d.to,
                d.ref[:14],
                str(d.attempts),
                when(d.received_at or d.sent_at or d.queued_at),
                d.reason,
            )
            for d in deliveries
        ]
        out.print(table("state", "to", "item", "tries", "at", "reason", rows=rows) if rows else "nothing was sent")
        for to, waiting in strangers.items():
            out.print(f"{waiting} for {to}: its node card is not pinned here (tansiq peer add FILE)")

    emit(ctx, {"deliveries": plain(deliveries), "peers": plain(peers), "without_card": strangers}, show)


@app.command("export")
def export(
    ctx: typer.Context,
    peer: Annotated[str, typer.Argument(metavar="PEER", help="node id, country or name")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="where to write; carried by hand or through a diode")],
) -> None:
    """Write what is queued for a partner, and receipts for it, into a sealed file.

    tansiq --home ./rabat --officer yasmine --why "no line to Madrid" courier export es to-madrid.tansiq
    """
    with open_node(ctx) as node:
        raw = node.export_parcel(node.exchange.resolve(peer), acting(ctx, node))
        write_file(file, raw, "FILE")
    emit(ctx, {"file": str(file), "bytes": len(raw)}, lambda out: facts(out, [("written", file), ("bytes", len(raw))]))


@app.command("import")
def import_envelopes(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="what the partner wrote with `courier export`")],
) -> None:
    """Take in a file that a partner wrote with `courier export`. Repeats do nothing twice; receipts go into our next.

    tansiq --home ./madrid courier import to-madrid.tansiq
    """
    raw = read_file(file, "FILE", MAX_ENVELOPES_BYTES)
    with open_node(ctx) as node:
        summary = node.exchange.import_file(raw)
        node.settle()
        while node.private.work() or node.plans.work():  # what a running node does by itself
            pass
    said = plain(summary)
    emit(ctx, said, lambda out: facts(out, said.items()))
    if summary.failures:  # what verified stands; what did not must not pass for done
        raise typer.Exit(Untrusted.exit_code)
