"""`tansiq match`, `tansiq names compare`, `tansiq import`: the information bank and the comparison of names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tansiq.cli.call import acting, open_node, read_file
from tansiq.cli.screen import emit, facts, table
from tansiq.errors import Invalid

names = typer.Typer(no_args_is_help=True, help="Compare names across scripts.", rich_markup_mode=None)

MAX_NAME = 400
MAX_LIST_BYTES = 512 * 1024 * 1024


def _name(text: str, field: str) -> str:
    """A name that can be compared. Raises `Invalid` without quoting it."""
    if not text.strip() or len(text) > MAX_NAME:
        raise Invalid("name.length", f"a name has 1 to {MAX_NAME} characters", step="read name", field=field)
    return text.strip()


def match(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="in any script")],
    born: Annotated[str, typer.Option(help="1985-03-12, 1985-03 or 1985", metavar="DATE")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100)] = 10,
) -> None:
    """Search our own bank for a person. A score is the machine's word; only an officer makes it a hit. Logged.

    tansiq --home ./madrid --officer ines --why "case 12" match "يوسف البرنوصي" --born 1985
    """
    from tansiq.bank import check_partial_date  # late: --help and `names compare` need no database
    from tansiq.bank.model import Claim, Entity

    claims = [Claim("name", _name(name, "NAME"))]
    if born:
        check_partial_date(born, "--born")
        claims.append(Claim("birthDate", born))
    with open_node(ctx) as node:
        found = node.search(Entity("query", "Person", tuple(claims)), limit, acting(ctx, node))
    said = [
        {
            "record": c.record.id,
            "score": c.score,
            "schema": c.record.entity.schema,
            "names": list(c.record.entity.names()),
            "source": c.record.provenance.source,
            "reference": c.record.provenance.reference,
            "explanation": c.explanation,
        }
        for c in found
    ]

    def show(out: Console) -> None:
        rows = [
            (f"{c.score:.2f}", (c.record.entity.names() or ("",))[0], c.record.provenance.source, c.record.id)
            for c in found
        ]
        out.print(table("score", "name", "source", "record", rows=rows) if rows else "no match in this bank")

    emit(ctx, {"matches": said}, show)


@names.command("compare")
def compare(
    ctx: typer.Context,
    a: Annotated[str, typer.Argument(metavar="A")],
    b: Annotated[str, typer.Argument(metavar="B")],
) -> None:
    """Compare two names, in any scripts, and say which part met which and why. Needs no node.

    tansiq names compare "محمد حموشي" "Mohamed Hammouchi"
    """
    from tansiq.matching import explain

    said: dict[str, Any] = dict(explain(_name(a, "A"), _name(b, "B")).to_dict())

    def show(out: Console) -> None:
        if not said.get("comparable", True):
            out.print("not comparable")
            return
        facts(out, [("score", f"{said['score']:.3f}")])
        rows = [(r["part"], r["a"], r["b"], r["outcome"], f"{r['points']:+.1f}", r["how"]) for r in said["rows"]]
        out.print(table("part", "A", "B", "outcome", "points", "how", rows=rows))

    emit(ctx, said, show)


def import_file(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    as_format: Annotated[
        str,
        typer.Option(
            "--as", help="un, eu, ofac, ca: public lists; csv: a table; ftm: FollowTheMoney", metavar="FORMAT"
        ),
    ],
    addresses: Annotated[
        Path | None, typer.Option(help="with --as ofac: its ADD.CSV, whose countries come in too", metavar="FILE")
    ] = None,
    may_shrink: Annotated[
        bool, typer.Option("--may-shrink", help="take an edition that drops more than half of the list")
    ] = False,
) -> None:
    """Read a list into the bank: what went in is what came out plus the named rejects. All of a file or nothing.

    tansiq --home ./berlin --officer anna import un.xml --as un

    tansiq --home ./berlin --officer anna import SDN.CSV --as ofac --addresses ADD.CSV
    """
    from tansiq.sources import FORMATS

    if as_format not in FORMATS:
        raise Invalid("import.format", f"one of {', '.join(sorted(FORMATS))}", step="import", field="--as")
    if addresses is not None and as_format != "ofac":
        raise Invalid("import.addresses", "goes with --as ofac alone", step="import", field="--addresses")
    raw = read_file(file, "FILE", MAX_LIST_BYTES)
    more = read_file(addresses, "--addresses", MAX_LIST_BYTES) if addresses is not None else None
    with open_node(ctx) as node:
        report = node.import_list(raw, as_format, acting(ctx, node), addresses=more, may_shrink=may_shrink)
    said = {
        "source": report.source,
        "read": report.read,
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "rejects": report.rejects,
    }

    def show(out: Console) -> None:
        facts(out, [(k, str(v)) for k, v in said.items() if k != "rejects"])
        if report.rejects:
            out.print(table("rejected", "why", "field", rows=[(r.where, r.code, r.field) for r in report.rejects]))

    emit(ctx, said, show)
