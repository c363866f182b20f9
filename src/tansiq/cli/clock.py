"""`tansiq clock`: may the clock be believed where a day decides on an erasure?"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from tansiq.cli.call import acting, call_of, open_node
from tansiq.cli.screen import emit, facts


def clock(
    ctx: typer.Context,
    confirm: Annotated[bool, typer.Option("--confirm", help="it is right; compared with another clock")] = False,
) -> None:
    """What the clock says, and what is known to be past. Erasures wait while they lie more than a week apart.

    A partner's next signature brings them together by itself. A node that hears from nobody is told by an officer.

    tansiq --home ./rabat clock --confirm
    """
    with open_node(ctx) as node:
        if confirm:
            node.confirm_clock(acting(ctx, node).officer if call_of(ctx).officer else "")
        doubt = node.known_time.doubt()
        said = {"now": node.clock(), "known": doubt.since if doubt else None, "believed": doubt is None}

    def show(out: Console) -> None:
        facts(
            out, [("the clock says", said["now"]), ("known to be past", said["known"]), ("believed", said["believed"])]
        )
        if doubt is not None:
            out.print("it has leapt: nothing is erased on its day until a partner has been heard", style="bold")
            out.print("wrong: set it right. Right: tansiq clock --confirm", style="dim")

    emit(ctx, said, show)
