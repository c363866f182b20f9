"""`tansiq node`: make a node, print its card, run it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
import typer
from rich.console import Console

from tansiq.cli.call import call_of, open_node, write_file
from tansiq.cli.screen import console, emit, facts
from tansiq.errors import Invalid
from tansiq.settings import FILE, LANGUAGES

app = typer.Typer(no_args_is_help=True, help="Make a node, print its card, run it.", rich_markup_mode=None)


@app.command("init")
def init(
    ctx: typer.Context,
    name: Annotated[str, typer.Option(help="the service's name, as partners read it")],
    country: Annotated[str, typer.Option(help="ISO 3166 alpha-2, e.g. MA", metavar="CC")],
    url: Annotated[str, typer.Option(help="where partners reach it; empty: it polls them instead")] = "",
    languages: Annotated[str, typer.Option(help="in the order of preference", metavar="fr,ar")] = "en",
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="of the pages and the API; 8080")] = None,
    exchange_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="of the partners' door; that of --url, or 8443")
    ] = None,
    database: Annotated[
        str,
        typer.Option(
            envvar="TANSIQ_DATABASE",
            help="postgresql://user@host/database; empty: SQLite in the home folder",
            metavar="URL",
            show_envvar=False,
        ),
    ] = "",
) -> None:
    """Make a node: its keys, its database, its settings file.

    tansiq --home ./rabat node init --name "Rabat" --country MA --languages ar,fr --url https://127.0.0.1:8443
    """
    call = call_of(ctx)
    home = call.home_folder()
    from tansiq.node import Node

    spoken = tuple(word for part in languages.split(",") if (word := part.strip()))
    secret = bool(urlsplit(database).password)
    # Kept in the file: a later command in another shell must not open an empty SQLite file instead.
    chosen = _chosen(spoken, url, port, exchange_port, "" if secret else database)
    if secret and getattr(ctx.get_parameter_source("database"), "name", "") != "ENVIRONMENT":
        raise kept_password("init node")
    node = Node.init(home, name, country, passphrase=call.passphrase(), url=url, languages=spoken, chosen=chosen)
    try:
        made = {"node": node.node_id, "name": name, "country": node.country, "home": str(home)}
        forward = _forwarded(url, node.settings.exchange.port)
    finally:
        node.close()
    loud = ["TANSIQ_DATABASE holds a password and was not kept: set it for every command"] if secret else []
    emit(ctx, made, lambda out: _show_made(out, made, [*loud, forward] if forward else loud))


def _show_made(out: Console, made: Mapping[str, object], loud: list[str]) -> None:
    home = shlex.quote(str(made["home"]))
    facts(out, made.items())
    out.print(f"next: tansiq --home {home} officer add NAME --role admin --role analyst --role liaison", style="dim")
    out.print(f"then: tansiq --home {home} serve", style="dim")
    for line in loud:
        out.print(line, style="bold")


def _chosen(
    spoken: tuple[str, ...], url: str, port: int | None, exchange_port: int | None, database: str
) -> dict[str, dict[str, object]]:
    """The settings that differ from their defaults, by table."""
    own = next((word for word in spoken if word in LANGUAGES), "")
    chosen: dict[str, dict[str, object]] = {"node": {"language": own}} if own else {}
    # The door listens at the port that the address names; where it names none, or --exchange-port another, the machine
    # in front forwards.
    exchange_port = exchange_port if exchange_port is not None else _port_of(url)
    for table, value in (("web", port), ("exchange", exchange_port)):
        if value is not None:
            chosen[table] = {"port": value}
    return chosen | ({"database": {"url": database}} if database else {})


def kept_password(step: str) -> Invalid:
    """Of an address that was given by an option."""
    return Invalid(
        "node.database_password",
        "no password in the address: it would be kept in the settings file",
        step=step,
        field="--database",
        hint="put it into ~/.pgpass, or set TANSIQ_DATABASE for every command",
    )


def _port_of(url: str) -> int | None:
    """The port that an address names; what is no address is refused where it is read."""
    try:
        return urlsplit(url).port
    except ValueError:
        return None


def _forwarded(url: str, listening: int) -> str:
    """What the administrator has to do where the card says another port than the door listens at; else empty."""
    told = (_port_of(url) or 443) if url else listening
    if listening in (told, 0):
        return ""
    return (
        f"partners come to port {told}, the door listens at {listening}: forward {told} to {listening}, "
        f"or set port = {told} under [exchange] in {FILE}"
    )


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


@app.command("rotate")
def rotate(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="where to write the new card, for the partners", metavar="FILE")],
) -> None:
    """New keys for this node under its old id. Stop it first; then give the new card to every partner.

    A partner takes it with `tansiq peer add` as it took the first: the former keys vouch for the new ones. Until it
    has, it can neither deliver to this node nor take anything from it. What was signed before still verifies.

    tansiq --home ./rabat node rotate --out rabat-2.card
    """
    call = call_of(ctx)
    home = call.home_folder()
    from tansiq.exchange import verify_card_file
    from tansiq.node import Node

    raw = Node.rotate(home, passphrase=call.passphrase())
    write_file(out, raw, "--out")
    card = verify_card_file(raw)
    said = {"node": card.card.node, "version": card.card.version, "fingerprint": card.fingerprint, "card": str(out)}

    def show(screen: Console) -> None:
        facts(screen, said.items())
        screen.print("next: give the card to every partner; each runs `tansiq peer add` with it", style="dim")

    emit(ctx, said, show)


def serve(
    ctx: typer.Context,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="of the pages, for this run")] = None,
) -> None:
    """Run the node: pages and API, the partners' door, the courier. Ctrl-C stops it cleanly.

    tansiq --home ./rabat serve --port 8080
    """
    from tansiq.serving import serve as run_node

    with open_node(ctx) as node:
        # A machine that waits for its turn says so again and again: no address that nobody answers at.
        if node.store.alone.take() and not call_of(ctx).as_json:
            web, door = node.settings.web, node.settings.exchange
            scheme = "https" if web.tls_certificate else "http"
            shown = web.port if port is None else port
            facts(
                console(),
                [
                    ("pages", f"{scheme}://{web.host}:{shown}" if shown else "on a free port: see the log"),
                    ("partners' door", door.url or f"https://{door.host}:{door.port}, told to nobody: we poll"),
                    ("forward", _forwarded(door.url, door.port)),
                    ("stop", "Ctrl-C"),
                ],
            )
        run_node(node, port)


app.command("serve")(serve)
