"""`tansiq backup` and `tansiq restore`: all that a node is in one folder, and a node made of it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console

from tansiq.cli.call import call_of, open_node
from tansiq.cli.node import kept_password
from tansiq.cli.screen import emit, facts
from tansiq.terms import format_instant


def backup(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="a new folder for it")],
) -> None:
    """Copy the node into a new folder, while it runs: database, keys, settings, rules; listed with hashes and signed.

    Whoever has the folder, and the passphrase or the `node.kek` in it, has everything: move its `keys` elsewhere.

    tansiq --home ./rabat backup /mnt/backup/rabat-2026-11-22
    """
    with open_node(ctx) as node:
        from tansiq.backup import back_up

        made = back_up(node, folder)
    said = {
        "node": made.node,
        "at": format_instant(made.at),
        "leaves": made.leaves,
        "root": made.root,
        "files": len(made.files),
        "bytes": sum(f.size for f in made.files),
        "elsewhere": list(made.elsewhere),
        "folder": str(folder),
    }

    def show(out: Console) -> None:
        facts(out, said.items())
        if made.elsewhere:
            out.print("the files of `elsewhere` are not in it: keep them yourself", style="bold")
        out.print("next: keep its folder `keys` in another place than the rest", style="dim")

    emit(ctx, said, show)


def restore(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="of `tansiq backup`")],
    keys: Annotated[
        Path | None, typer.Option(help="where its folder `keys` is kept, if not in it", metavar="DIR")
    ] = None,
    database: Annotated[
        str,
        typer.Option(help="another than before: postgresql://user@host/database, or the word sqlite", metavar="URL"),
    ] = "",
) -> None:
    """Make the node of a backup, in a home folder and a database that hold nothing yet.

    Hashes and signature are checked before anything is written, the whole ledger after it. Then the partners are asked,
    by courier, to give back what this node wrote since and to send again what they sent; nobody is signed in any more.

    tansiq --home ./rabat restore /mnt/backup/rabat-2026-11-22
    """
    call = call_of(ctx)
    home = call.home_folder()
    if urlsplit(database).password:
        raise kept_password("restore")
    from tansiq import backup as capability

    done = capability.restore(folder, home, passphrase=call.passphrase(), keys=keys, database=database)
    made = done.inventory
    said = {
        "node": made.node,
        "at": format_instant(made.at),
        "leaves": made.leaves,
        "root": made.root,
        "asked": list(done.asked),
        "elsewhere": list(made.elsewhere),
        "home": str(home),
    }

    def show(out: Console) -> None:
        facts(out, said.items())
        if made.elsewhere:
            out.print("put the files of `elsewhere` in place before you serve", style="bold")
        again = f"tansiq --home {shlex.quote(str(home))} serve"
        out.print(f"a drill ends here. Else stop the other one for good, then: {again}", style="dim")
        out.print("what a backup that is older than the loss means: docs/operating.md", style="dim")

    emit(ctx, said, show)
