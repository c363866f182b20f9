"""The program `tansiq`: its groups, its global options, and the one place where failures become exit codes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer

import tansiq
from tansiq.cli import (
    backup,
    bureau,
    check,
    clock,
    courier,
    demo,
    doctor,
    dossier,
    draft,
    duties,
    files,
    hit,
    ledger,
    node,
    officer,
    peer,
    person,
    plan,
    records,
    together,
    token,
)
from tansiq.cli.call import Call
from tansiq.cli.problems import INTERRUPTED, tell, unexpected, usage
from tansiq.errors import Invalid, TansiqError
from tansiq.settings import LANGUAGES, terminal_language

app = typer.Typer(
    name="tansiq",
    help=(
        "Services of several countries work together as equals: each runs its own node.\n\n"
        "A first look at everything: tansiq demo --once\n\n"
        "A node of your own:\n\n"
        "  tansiq --home ./rabat node init --name 'Rabat' --country MA\n\n"
        "  tansiq --home ./rabat officer add yasmine --role analyst --role liaison --password-file FILE\n\n"
        "  tansiq --home ./rabat serve --port 8080\n\n"
        "A first report: tansiq dossier example report > report.json"
    ),
    epilog="Exit codes: 0 done, 2 invalid, 3 refused, 4 not found, 5 conflict, 6 unavailable, 7 untrusted, 8 broken.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback shows local variables, and those hold people
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(node.app, name="node")
app.command("serve")(node.serve)
app.add_typer(peer.app, name="peer")
app.add_typer(officer.app, name="officer")
app.add_typer(token.app, name="token")
app.add_typer(dossier.app, name="dossier")
app.add_typer(draft.app, name="draft")
app.command("duties")(duties.duties)
dossier.app.command("items")(together.items)
app.command("scorecard")(together.scorecard)
app.add_typer(together.assessment, name="assessment")
app.add_typer(together.expertise, name="expertise")
app.command("match")(records.match)
app.add_typer(hit.app, name="hit")
app.add_typer(plan.app, name="plan")
app.command("import")(records.import_file)
app.add_typer(records.names, name="names")
app.add_typer(check.app, name="check")
app.add_typer(ledger.app, name="ledger")
app.add_typer(person.app, name="person")
app.add_typer(courier.app, name="courier")
dossier.app.command("attach")(files.attach)
dossier.app.command("fetch")(files.fetch)
dossier.app.command("translate")(files.translate)
dossier.app.command("search")(bureau.search)
dossier.app.command("link")(bureau.link)
dossier.app.command("links")(bureau.links)
app.add_typer(bureau.watch, name="watch")
app.add_typer(bureau.template, name="template")
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("clock")(clock.clock)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("restored")(backup.restored)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tansiq {tansiq.__version__}")
        raise typer.Exit


@app.callback()
def options(  # noqa: PLR0913, PLR0917 - one parameter for each global option, as the parser wants them
    ctx: typer.Context,
    home: Annotated[
        Path | None, typer.Option(envvar="TANSIQ_HOME", help="the node's home folder", metavar="DIR")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout, failures too")] = False,
    officer: Annotated[str, typer.Option(help="who acts: an officer's name or id", metavar="NAME")] = "",
    second: Annotated[str, typer.Option(help="the second officer of a four-eyes act", metavar="NAME")] = "",
    purpose: Annotated[
        str,
        typer.Option(
            help="for what, kept in the ledger: prevention, detection, investigation, prosecution, "
            "execution_of_penalties or public_security",
            metavar="CODE",
        ),
    ] = "",
    why: Annotated[str, typer.Option(help="the justification; kept in the ledger", metavar="TEXT")] = "",
    passphrase_file: Annotated[
        Path | None, typer.Option(help="a file whose first line opens the key file", metavar="FILE")
    ] = None,
    lang: Annotated[
        str,
        typer.Option(
            help="the language of failures: ar, fr, es, de or en; else TANSIQ_LANG, or the system's", metavar="CODE"
        ),
    ] = "",
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="the program's version")
    ] = False,
) -> None:
    """Global options stand before or after the command."""
    if lang and lang not in LANGUAGES:
        raise Invalid("cli.lang", f"one of {', '.join(LANGUAGES)}", step="choose the language", field="--lang")
    ctx.obj = Call(home, as_json, officer, second, purpose, why, passphrase_file)


FLAGS = {"--json"}
VALUED = {"--home", "--officer", "--second", "--purpose", "--why", "--passphrase-file", "--lang"}
ITS_OWN: dict[tuple[str, ...], set[str]] = {("dossier", "translate"): {"--lang"}}
"""What a command calls its own under a global option's name: behind the command's words it is the command's."""


def globals_first(argv: list[str]) -> list[str]:
    """Global options may stand anywhere before `--`; the parser wants them first. `ITS_OWN` stay with the command."""
    front: list[str] = []
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word.split("=", 1)[0] in ITS_OWN.get(tuple(rest[:2]), ()):
            rest.append(word)
        elif word in FLAGS or (word.split("=", 1)[0] in VALUED and "=" in word):
            front.append(word)
        elif word in VALUED:
            front += [word, *([value] if (value := next(words, None)) is not None else [])]
        else:
            rest.append(word)
    return front + rest


def _given(argv: list[str], option: str) -> str:
    """The option's last value among the global ones, which stand first; empty where it is not there."""
    found, words = "", iter(argv)
    for word in words:
        if word in FLAGS:
            continue
        name, equals, value = word.partition("=")
        if name not in VALUED:
            break
        value = value if equals else next(words, "")
        found = value if name == option else found
    return found


def log_to_stderr() -> None:
    """Logs are JSON lines on stderr: stdout belongs to the answer."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def call(argv: list[str]) -> int:
    """One call of the program; the exit code comes back. Never raises but for `SystemExit` of the shell's making."""
    log_to_stderr()
    argv = globals_first(argv)
    as_json = "--json" in argv[: argv.index("--")] if "--" in argv else "--json" in argv
    home, said = _given(argv, "--home"), _given(argv, "--lang")
    language = said if said in LANGUAGES else terminal_language()
    try:
        code = app(argv, prog_name="tansiq", standalone_mode=False)
    except TansiqError as failure:
        return tell(failure, as_json=as_json, home=home, language=language)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # the reader went away; the interpreter would complain once more at exit
        return 0
    except Exception as exc:  # noqa: BLE001 - the shell's edge: one of three places that may (STYLE 3.4)
        if type(exc).__name__ == "NoArgsIsHelpError":
            typer.echo(getattr(exc, "message", ""))
            return 0
        if hasattr(exc, "format_message"):
            return tell(usage(exc), as_json=as_json, language=language)
        return tell(unexpected(exc), as_json=as_json, home=home, language=language)
    return code if isinstance(code, int) else 0


def run() -> None:
    """The console script."""
    raise SystemExit(call(sys.argv[1:]))
