"""`tansiq officer`: who may act on this node."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from tansiq.cli.call import find_officer, open_node, read_file
from tansiq.cli.screen import emit, facts, table
from tansiq.errors import Invalid

if TYPE_CHECKING:
    from tansiq.access.model import Officer

app = typer.Typer(no_args_is_help=True, help="Who may act on this node.", rich_markup_mode=None)


@app.command("add")
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="the sign-in name; it never leaves this node")],
    role: Annotated[
        list[str],
        typer.Option(
            help="analyst, liaison, supervisor, protection or admin; may be given several times", metavar="ROLE"
        ),
    ],
    password_file: Annotated[
        Path | None, typer.Option(help="a file (or -) whose first line is the password for the pages", metavar="FILE")
    ] = None,
    totp: Annotated[bool, typer.Option("--totp", help="ask for a one-time code at each sign-in")] = False,
    language: Annotated[
        str, typer.Option(help="of the pages; that of the node where none is given", metavar="ar|fr|es|de|en")
    ] = "",
) -> None:
    """Add an officer. Without a password the officer acts on this machine only, not through the pages.

    tansiq --home ./rabat officer add yasmine --role analyst --role liaison --password-file pw.txt
    """
    password = _first_line(password_file) if password_file is not None else None
    with open_node(ctx) as node:
        officer, secret = node.access.add_officer(name, role, password, language or node.settings.language, totp=totp)
    roles = sorted(str(r) for r in officer.roles)
    said = {"officer": officer.id, "roles": roles, "totp_secret": secret}

    def show(out: Console) -> None:
        facts(out, [("officer", officer.id), ("roles", ", ".join(roles)), ("one-time-code secret", secret)])
        if secret:
            out.print("enter the secret into an authenticator now: it is not shown again", style="dim")
        if password is None:
            out.print("no password: this officer cannot sign in to the pages (`tansiq officer password`)", style="dim")

    emit(ctx, said, show)


@app.command("password")
def password(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="OFFICER", help="name or id")],
    password_file: Annotated[
        Path, typer.Option(help="a file (or -) whose first line is the new password", metavar="FILE")
    ],
) -> None:
    """Give an officer a password for the pages, or another one. Ends the officer's open sessions.

    tansiq --home ./rabat officer password yasmine --password-file pw.txt
    """
    word = _first_line(password_file)
    with open_node(ctx) as node:
        found = find_officer(node, name, "OFFICER")
        node.access.set_password(found.id, word)
    said = {"officer": found.id, "password": "set"}
    emit(ctx, said, lambda out: facts(out, said.items()))


@app.command("change")
def change(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="OFFICER", help="name or id")],
    role: Annotated[
        list[str] | None, typer.Option(help="the roles from now on, all of them; may be given several times")
    ] = None,
    language: Annotated[str, typer.Option(help="of the pages", metavar="ar|fr|es|de|en")] = "",
    totp: Annotated[
        bool | None,
        typer.Option("--totp/--no-totp", help="a new secret for one-time codes, as for a lost telephone; or none"),
    ] = None,
) -> None:
    """Other roles, another language of the pages, or one-time codes. What is not named stays as it is.

    tansiq --home ./rabat officer change yasmine --role analyst --role supervisor
    """
    if not role and not language and totp is None:
        raise Invalid("cli.no_change", "say what changes", step="change officer", field="--role")
    with open_node(ctx) as node:
        found = find_officer(node, name, "OFFICER")
        now = node.access.change_officer(found.id, roles=role or None, language=language or None)
        secret = None if totp is None else node.access.set_totp(found.id, wanted=totp)
    roles = sorted(str(r) for r in now.roles)
    said = {"officer": now.id, "roles": roles, "totp_secret": secret}

    def show(out: Console) -> None:
        facts(out, [("officer", now.id), ("roles", ", ".join(roles)), ("one-time-code secret", secret)])
        if secret:
            out.print("enter the secret into an authenticator now: it is not shown again", style="dim")

    emit(ctx, said, show)


@app.command("leave")
def leave(ctx: typer.Context, name: Annotated[str, typer.Argument(metavar="OFFICER", help="name or id")]) -> None:
    """An officer leaves: may not act any more, and loses sessions and tokens at once. The log keeps what was done.

    tansiq --home ./rabat officer leave yasmine
    """
    with open_node(ctx) as node:
        found = find_officer(node, name, "OFFICER")
        node.access.change_officer(found.id, active=False)
    said = {"officer": found.id, "state": "left"}
    emit(ctx, said, lambda out: facts(out, said.items()))


def _first_line(file: Path) -> str:
    return read_file(file, "--password-file", 4096).split(b"\n")[0].rstrip(b"\r").decode("utf-8", "replace")


@app.command("list")
def show_all(ctx: typer.Context) -> None:
    """The officers of this node, with their roles.

    tansiq --home ./rabat officer list
    """
    with open_node(ctx) as node:
        officers = node.access.officers()
    said = [
        {"officer": o.id, "name": o.name, "roles": sorted(o.roles), "active": o.active, "as_of": o.as_of}
        for o in officers
    ]

    def show(out: Console) -> None:
        rows = [(o.name, o.id, ", ".join(sorted(o.roles)), _state(o)) for o in officers]
        out.print(table("name", "officer", "roles", "", rows=rows))

    emit(ctx, {"officers": said}, show)


def _state(officer: Officer) -> str:
    if not officer.active:
        return "inactive"
    return "to confirm: tansiq restored" if officer.as_of else ""
