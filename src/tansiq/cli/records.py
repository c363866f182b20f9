"""`tansiq match`, `tansiq names compare`, `tansiq import`: the information bank and the comparison of names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tansiq.bank.model import Candidate
from tansiq.cli.call import acting, open_node, read_file
from tansiq.cli.screen import emit, facts, share, table
from tansiq.errors import Invalid

names = typer.Typer(no_args_is_help=True, help="Compare names across scripts.", rich_markup_mode=None)

MAX_NAME = 400
MAX_LIST_BYTES = 512 * 1024 * 1024


def _name(text: str, field: str) -> str:
    """A name that can be compared. Raises `Invalid` without quoting it."""
    if not text.strip() or len(text) > MAX_NAME:
        raise Invalid("name.length", f"a name has 1 to {MAX_NAME} characters", step="read name", field=field)
    return text.strip()


_OPTIONS = {
    "born": "birthDate",
    "nationality": "nationality",
    "birthplace": "birthPlace",
    "sex": "gender",
    "father": "fatherName",
    "mother": "motherName",
    "phone": "phone",
    "passport": "passportNumber",
    "identity_card": "idNumber",
}
"""Option -> property of a person."""


def _query(name: str, told: dict[str, list[str]]) -> Any:
    """The person who is looked for, through the bank's own parser. Raises `Invalid` with the option's name."""
    from tansiq.bank import parse_entity

    claims = [{"property": "name", "value": _name(name, "NAME")}]
    options = ["NAME"]
    for value in told.get("nationality", ()):
        if not re.fullmatch(r"[A-Za-z]{2}", value):
            raise Invalid("query.country", "two letters, e.g. MA", step="read the query", field="--nationality")
    for value in told.get("sex", ()):
        if value not in ("male", "female"):
            raise Invalid("query.sex", "male or female", step="read the query", field="--sex")
    for option, values in told.items():
        claims.extend({"property": _OPTIONS[option], "value": v} for v in values)
        options.extend(f"--{option.replace('_', '-')}" for _ in values)
    try:
        return parse_entity({"id": "query", "schema": "Person", "claims": claims}, "")
    except Invalid as exc:
        at = re.search(r"claims\[(\d+)\]", exc.field)
        field = options[int(at[1])] if at else exc.field
        raise Invalid(exc.code, str(exc.message), step="read the query", field=field) from None


def match(  # noqa: PLR0913, PLR0917  # one parameter an option
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="in any script")],
    born: Annotated[list[str] | None, typer.Option(help="1985-03-12, 1985-03 or 1985", metavar="DATE")] = None,
    nationality: Annotated[list[str] | None, typer.Option(help="two letters, e.g. MA", metavar="CC")] = None,
    birthplace: Annotated[list[str] | None, typer.Option(help="town, country", metavar="PLACE")] = None,
    sex: Annotated[list[str] | None, typer.Option(help="male or female", metavar="SEX")] = None,
    father: Annotated[list[str] | None, typer.Option(help="the father's name", metavar="NAME")] = None,
    mother: Annotated[list[str] | None, typer.Option(help="the mother's name", metavar="NAME")] = None,
    phone: Annotated[list[str] | None, typer.Option(help="with its country: +212...", metavar="NUMBER")] = None,
    passport: Annotated[list[str] | None, typer.Option(metavar="NUMBER", help="the number of a passport")] = None,
    identity_card: Annotated[list[str] | None, typer.Option(metavar="NUMBER", help="its number")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="the best so many")] = 10,
    why_score: Annotated[bool, typer.Option("--explain", help="the rows behind each score")] = False,
) -> None:
    """Search our own bank for a person. A score is the machine's word; only an officer makes it a hit. Logged.

    Options may be repeated: a person may have two birth dates.

    tansiq --home ./madrid --officer ines --why "case 12" match "يوسف البرنوصي" --born 1985 --nationality MA --explain
    """
    given = (born, nationality, birthplace, sex, father, mother, phone, passport, identity_card)
    told = {option: list(values or ()) for option, values in zip(_OPTIONS, given, strict=True)}
    query = _query(name, told)
    with open_node(ctx) as node:
        found = node.search(query, limit, acting(ctx, node))
    emit(ctx, {"matches": [_plain(c) for c in found]}, lambda out: _show(out, found, explained=why_score))


def _plain(c: Candidate) -> dict[str, Any]:
    record = c.record
    return {
        "record": record.id,
        "score": c.score,
        "schema": record.entity.schema,
        "names": list(record.entity.names()),
        "source": record.provenance.source,
        "reference": record.provenance.reference,
        "dossier": record.provenance.dossier,
        "restricted": not record.entity.claims,
        "explanation": c.explanation,
    }


def _show(out: Console, found: list[Candidate], *, explained: bool) -> None:
    if not found:
        out.print("no match in this bank")
        return
    rows = [
        (share(c.score), _called(c), conflicts(c.explanation), c.record.provenance.source, c.record.id) for c in found
    ]
    out.print(table("score", "name", "in conflict", "source", "record", rows=rows))
    for c in (c for c in found if explained and c.record.entity.claims):
        out.print()
        facts(out, [("record", c.record.id)])
        draw_score(out, c.explanation)


def _called(found: Candidate) -> str:
    entity = found.record.entity
    if not entity.claims:
        return f"(restricted: read {found.record.provenance.dossier} first)"
    return (*entity.names(), entity.claims[0].value)[0]


def conflicts(explanation: Mapping[str, Any]) -> str:
    """What speaks against, by name: it stands beside the score, not behind it."""
    rows = explanation.get("rows", ())
    return ", ".join(dict.fromkeys(r["part"] for r in rows if r["outcome"] == "conflict")) or "-"


def draw_score(out: Console, explanation: Mapping[str, Any]) -> None:
    """The score table of the Hit page: start, one row for each piece of evidence, the sum."""
    if not explanation.get("comparable", True):
        out.print("not comparable: score 0")
        return
    rows: list[tuple[str, ...]] = [("start", "", "", "", f"{explanation['start']:+.1f}", "")]
    rows.extend(
        (r["part"], r["a"] or "-", r["b"] or "-", r["outcome"], f"{r['points']:+.1f}", r["how"].replace("_", " "))
        for r in explanation["rows"]
    )
    rows.append(("sum", "", "", "", f"{explanation['sum']:+.1f}", f"score {explanation['score']:.3f}"))
    out.print(table("part", "A", "B", "outcome", "points", "how", rows=rows))


@names.command("compare")
def compare(
    ctx: typer.Context,
    a: Annotated[str, typer.Argument(metavar="A", help="a name, in any script")],
    b: Annotated[str, typer.Argument(metavar="B", help="the other one")],
) -> None:
    """Compare two names, in any scripts, and say which part met which and why. Needs no node.

    Points are bits: +1 doubles the odds that it is one person, -1 halves them.

    tansiq names compare "محمد حموشي" "Mohamed Hammouchi"
    """
    from tansiq.matching import explain

    said: dict[str, Any] = dict(explain(_name(a, "A"), _name(b, "B")).to_dict())

    def show(out: Console) -> None:
        facts(out, [("score", f"{said['score']:.3f}"), ("in conflict", conflicts(said))])
        draw_score(out, said)

    emit(ctx, said, show)


def import_file(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="the list, as its publisher gives it")],
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
    counts = ("source", "read", "added", "changed", "unchanged", "removed")
    said = {name: getattr(report, name) for name in (*counts, "rejects")}

    def show(out: Console) -> None:
        facts(out, [(name, str(said[name])) for name in counts])
        if report.rejects:
            out.print(table("rejected", "why", "field", rows=[(r.where, r.code, r.field) for r in report.rejects]))

    emit(ctx, said, show)
