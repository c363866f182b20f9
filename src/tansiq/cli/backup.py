"""`tansiq backup`, `restore` and `restored`: all that a node is in one folder, a node of it, and who is confirmed."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console

from tansiq.cli.call import call_of, open_node
from tansiq.cli.node import kept_password
from tansiq.cli.screen import emit, facts, table, when
from tansiq.errors import Invalid
from tansiq.terms import format_instant

if TYPE_CHECKING:
    from tansiq.backup import Waiting


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

    Hashes and signature are checked before anything is written, the whole ledger after it. What was ended since the
    backup must not live again: sessions, API tokens and drafts end, no officer may act and nothing passes to or from a
    partner, until `tansiq restored` confirms them. Then the partners give back what this node wrote since.

    tansiq --home ./rabat restore /mnt/backup/rabat-2026-11-22
    """
    call = call_of(ctx)
    home = call.home_folder()
    if urlsplit(database).password:
        raise kept_password("restore")
    from tansiq import backup as capability

    done = capability.restore(folder, home, passphrase=call.passphrase(), keys=keys, database=database)
    made, ended = done.inventory, done.ended
    said = {
        "node": made.node,
        "at": format_instant(made.at),
        "leaves": made.leaves,
        "root": made.root,
        "asked": list(done.asked),
        "elsewhere": list(made.elsewhere),
        "home": str(home),
        "ended": {
            "sessions": ended.sessions,
            "drafts": ended.drafts,
            "tokens": [{"officer": o.id, "name": o.name, "label": t.label} for o, t in ended.tokens],
        },
        "to_confirm": {"officers": [o.id for o in ended.officers], "peers": list(done.asked)},
    }

    def show(out: Console) -> None:
        facts(out, [(k, v) for k, v in said.items() if k not in ("ended", "to_confirm")])
        facts(out, [("sessions ended", ended.sessions), ("drafts ended", ended.drafts)])
        facts(out, [("API tokens ended", len(ended.tokens))])
        if ended.tokens:
            gone = [(o.name, t.label, format_instant(t.expires_at)) for o, t in ended.tokens]
            out.print(table("token of", "program", "was to end", rows=gone))
            out.print("issue anew those that are still wanted: tansiq token new", style="dim")
        if made.elsewhere:
            out.print("put the files of `elsewhere` in place before you serve", style="bold")
        out.print(f"what was ended after {format_instant(made.at)} is not known here:", style="bold")
        out.print(
            f"until you confirm: {len(ended.officers)} officers may not act, {len(done.asked)} partners hear nothing",
            style="bold",
        )
        again = f"tansiq --home {shlex.quote(str(home))}"
        out.print(f"a drill ends here. Else stop the other one for good, then: {again} restored", style="dim")
        out.print(f"and then: {again} serve", style="dim")
        out.print("what a backup that is older than the loss means: docs/operating.md", style="dim")

    emit(ctx, said, show)


def restored(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME...", help="whom you confirm: officers by name or id, partners by id, country or name"
        ),
    ] = None,
    everybody: Annotated[bool, typer.Option("--all", help="confirm all that wait")] = False,
) -> None:
    """After a restore: who waits to be confirmed, and confirm them. Until then no such officer may act, and nothing
    passes to or from such a partner: who left or was dropped after the backup would be back.

    First take out who is gone: `tansiq officer leave NAME`, `tansiq peer remove NAME`. Then confirm the rest.

    tansiq --home ./rabat restored --all
    """
    if names and everybody:
        raise Invalid("restored.both", "names, or --all", step="confirm", field="--all")
    from tansiq import backup as capability

    with open_node(ctx) as node:
        done = capability.confirm(node, names or []) if names or everybody else None
        left = capability.waiting(node)
    said = {"as_of": left.made_at, "confirmed": _waiting(done) if done else None, "waiting": _waiting(left)}

    def show(out: Console) -> None:
        facts(out, [("restored as of", left.made_at or "this node was never restored")])
        for found, word in ((done, "confirmed"), (left, "WAITS")):
            if found is not None and (found.officers or found.peers):
                rows: list[tuple[str, ...]] = []
                rows += [(word, "officer", o.name, o.id, ", ".join(sorted(o.roles))) for o in found.officers]
                contact = "last contact " if word == "WAITS" else ""
                rows += [
                    (word, f"partner {p.card.country}", p.card.name, p.card.node, contact + when(p.last_contact_at))
                    for p in found.peers
                ]
                out.print(table("", "who", "name", "id", "", rows=rows))
        if left.officers or left.peers:
            out.print(
                "roles, passwords, one-time codes and pinned keys are those of that instant: what was changed since has"
                " to be changed again (`officer change`, `officer password`, `peer add`)",
                style="dim",
            )
            out.print("gone since: `officer leave NAME`, `peer remove NAME`; the rest: `restored --all`", style="dim")
        elif left.made_at:
            out.print("nobody waits", style="dim")

    emit(ctx, said, show)


def _waiting(found: Waiting) -> dict[str, list[dict[str, object]]]:
    return {
        "officers": [{"officer": o.id, "name": o.name, "roles": sorted(o.roles)} for o in found.officers],
        "peers": [
            {
                "node": p.card.node,
                "name": p.card.name,
                "country": p.card.country,
                "fingerprint": p.fingerprint,
                "last_contact_at": p.last_contact_at,
            }
            for p in found.peers
        ],
    }
