"""`tansiq doctor`: is this node sound?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from tansiq.cli.call import open_node
from tansiq.cli.screen import emit, table
from tansiq.errors import Broken, Conflict, TansiqError

if TYPE_CHECKING:
    from tansiq.node import Node


def _kernel() -> str:
    """Which name scoring runs; the slower one is no fault."""
    from tansiq.matching import kernel_in_use

    name, why_not = kernel_in_use()
    return f"scored in C ({name})" if not why_not else f"scored in Python ({name}): {why_not}"


def _group() -> str:
    """Which library multiplies for private checks, and which sums their proofs."""
    from tansiq.crypto import group_in_use

    library, name, why_not = group_in_use()
    return f"{library}; proofs summed in C ({name})" if not why_not else f"{library}; proofs: {name}: {why_not}"


def _believed(node: Node) -> str:
    if node.known_time.doubt() is not None:
        raise Conflict("clock.leapt", "further ahead than anything vouches for", step="look", field="clock")
    return "believed"


def doctor(ctx: typer.Context) -> None:
    """Open the node and try its parts: keys, database, ledger, bank, courier. Says what is wrong and ends with 8.

    tansiq --home ./rabat doctor
    """
    checks: list[dict[str, Any]] = []
    with open_node(ctx) as node:

        def check(name: str, look: Callable[[], str]) -> None:
            try:
                checks.append({"name": name, "ok": True, "detail": look()})
            except TansiqError as failure:
                checks.append({"name": name, "ok": False, "detail": failure.code})

        check("keys", lambda: str(node.node_id))
        check("database", lambda: str(node.store.dialect))
        check("ledger", lambda: f"{node.ledger.head()[0]} leaves")
        check("bank", lambda: f"{node.bank.count()} records")
        check("officers", lambda: f"{len(node.access.officers())} officers")
        check("peers", lambda: f"{len(node.exchange.peers())} pinned")
        waits = len([o for o in node.access.officers() if o.active and not o.may_act])
        waits += len([p for p in node.exchange.peers() if p.state == "held"])
        if waits:
            check("restored", lambda: f"{waits} officers and partners wait: tansiq restored")
        check("clock", lambda: _believed(node))
        check("names", _kernel)
        check("group", _group)

    def show(out: Console) -> None:
        rows = [("ok" if c["ok"] else "WRONG", c["name"], c["detail"]) for c in checks]
        out.print(table("", "part", "", rows=rows))

    emit(ctx, {"ok": all(c["ok"] for c in checks), "checks": checks}, show)
    if not all(c["ok"] for c in checks):
        raise typer.Exit(Broken.exit_code)
