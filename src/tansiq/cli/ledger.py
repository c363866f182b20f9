"""`tansiq ledger`: the audit trail, its proofs and its signed heads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from tansiq.cli.call import open_node, read_file, write_file
from tansiq.cli.screen import emit, facts, plain, table
from tansiq.errors import Broken

app = typer.Typer(no_args_is_help=True, help="The audit trail: verify, prove, checkpoint.", rich_markup_mode=None)


@app.command("verify")
def verify(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="a bundle of `ledger prove`: checked alone, needs no node")
    ] = None,
) -> None:
    """Recompute the whole log against its signed checkpoints, or check a proof; ends with 8, or 7, where it breaks.

    tansiq --home ./rabat ledger verify

    tansiq ledger verify proof.json
    """
    if file is not None:
        _verify_file(ctx, file)
        return
    with open_node(ctx) as node:
        report = node.ledger.verify()
    said = report.to_dict()
    emit(ctx, said, lambda out: facts(out, [(name, str(value)) for name, value in said.items()]))
    if not report.ok:
        raise typer.Exit(Broken.exit_code)


def _verify_file(ctx: typer.Context, file: Path) -> None:
    """What a third party does: no node is asked; the fingerprints are what it compares with the services."""
    from tansiq.cli.proofs import check

    said = check(read_file(file, "FILE"))

    def show(out: Console) -> None:
        facts(out, [("proves", said["subject"]), ("logged by", said["node"]), ("fingerprint", said["fingerprint"])])
        rows = [(leaf["at"], leaf["verb"], f"leaf {leaf['index']} of {leaf['size']}") for leaf in said["leaves"]]
        out.print(table("at", "logged", "where", rows=rows))
        if said["entry"]:
            facts(out, [("written by", said["entry"]["author"]), ("at", said["entry"]["at"])])
        for receipt in said["receipts"]:
            facts(
                out,
                [
                    ("received by", receipt["recipient"]),
                    ("at", receipt["received_at"]),
                    ("taken", "yes" if receipt["received"] else f"no: {receipt['reason']}"),
                    ("fingerprint", receipt["fingerprint"]),
                ],
            )
        out.print("it holds if the fingerprints are those that the services give you")

    emit(ctx, said, show)


@app.command("prove")
def prove(
    ctx: typer.Context,
    subject: Annotated[str, typer.Argument(metavar="ID", help="an entry's id (e-...) or a leaf's number")],
    out: Annotated[Path | None, typer.Option(help="write the bundle here", metavar="FILE")] = None,
) -> None:
    """A bundle with which a third party checks alone that an entry was written, logged and received.

    tansiq --home ./madrid ledger prove e-5f0c... --out proof.json
    """
    with open_node(ctx) as node:
        bundle = plain(node.prove(subject))
    raw = msgspec.json.format(msgspec.json.encode(bundle), indent=1)
    if out is not None:
        write_file(out, raw + b"\n", "--out")

    def show(screen: Console) -> None:
        if out is None:
            sys.stdout.write(raw.decode() + "\n")
        else:
            facts(screen, [("written to", out)])

    emit(ctx, bundle, show)


@app.command("checkpoint")
def checkpoint(ctx: typer.Context) -> None:
    """Sign the log's present head as a C2SP tlog-checkpoint note; history then cannot be rewritten unseen."""
    with open_node(ctx) as node:
        note = node.ledger.checkpoint()
        size, root = node.ledger.head()
    said = {"size": size, "root": root, "checkpoint": note}

    def show(_out: Console) -> None:
        sys.stdout.write(note if note.endswith("\n") else note + "\n")

    emit(ctx, said, show)
