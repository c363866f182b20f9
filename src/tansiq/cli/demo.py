"""`tansiq demo`: the main job on three nodes of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tansiq.cli.call import call_of


def demo(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="play the story and stop the nodes")] = False,
    data: Annotated[
        Path | None, typer.Option(help="public lists to load, e.g. the UN consolidated list", metavar="DIR")
    ] = None,
    press: Annotated[Path | None, typer.Option(help="Arabic press releases for Rabat's reports", metavar="DIR")] = None,
) -> None:
    """Three services exchange a report, find a hit across scripts and answer a request against its clock.

    Three nodes start as three processes on loopback, with homes of their own. People are invented.
    Without --once they stay up, with their addresses and sign-ins shown, until Ctrl-C.

    tansiq demo --once --json
    """
    from tansiq.demo import play

    play(once=once, as_json=call_of(ctx).as_json, data=data, press=press)
