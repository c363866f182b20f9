"""`tansiq person`: everything held on one person, for who asks by right (LED arts 14, 16, 17)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from tansiq.cli.call import acting, open_node, write_file
from tansiq.cli.screen import emit, facts, share, table, when
from tansiq.terms.plain import plain

if TYPE_CHECKING:
    from tansiq.oversight.model import Found, Thing

app = typer.Typer(
    no_args_is_help=True, help="Everything held on one person, for the data-protection officer.", rich_markup_mode=None
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="in any script; '' where only a number is known")]
Born = Annotated[list[str] | None, typer.Option(help="1985-03-12, 1985-03 or 1985", metavar="DATE")]
Alias = Annotated[list[str] | None, typer.Option(help="another name or spelling", metavar="NAME")]
Phone = Annotated[list[str] | None, typer.Option(help="with its country: +212...", metavar="NUMBER")]
Passport = Annotated[list[str] | None, typer.Option(metavar="NUMBER", help="the number of a passport")]
Card = Annotated[list[str] | None, typer.Option("--identity-card", metavar="NUMBER", help="its number")]
By = Annotated[
    str, typer.Option("--right", metavar="RIGHT", help="access, rectification, erasure, or authority (through it)")
]


@app.command("find")
def find(
    ctx: typer.Context,
    name: Name,
    born: Born = None,
    alias: Alias = None,
    phone: Phone = None,
    passport: Passport = None,
    card: Card = None,
    right: By = "access",
) -> None:
    """Look through holdings, dossiers, matches, standing queries, drafts and private checks for a person. Logged.

    What it lists is the machine's word: which of it is this person is the officer's, said with `person export`.

    tansiq --home ./madrid --officer vera --purpose investigation --why "request 12" person find "Yusef Serruali" --born 1989-06-17
    """  # noqa: E501
    with open_node(ctx) as node:
        from tansiq.oversight import read_person, read_right

        person = read_person(_claims(name, alias, born, phone, passport, card))
        found = node.oversight.find(person, read_right(right), acting(ctx, node))
    left_out = [b.value for b in found.left_out]
    said = {"leaf": found.leaf, "complete": found.complete, "left_out": left_out}
    said["things"] = [plain(t) for t in found.things]
    emit(ctx, said, lambda out: _show(out, found))


@app.command("export")
def export(  # noqa: PLR0913, PLR0917  # one parameter an option
    ctx: typer.Context,
    name: Name,
    item: Annotated[list[str], typer.Option(help="what is this person, as `person find` names it", metavar="ID")],
    out: Annotated[Path, typer.Option(help="where to write the signed extract", metavar="FILE")],
    consented: Annotated[
        list[str] | None, typer.Option(help="an item whose owner has consented to give it out", metavar="ID")
    ] = None,
    born: Born = None,
    alias: Alias = None,
    phone: Phone = None,
    passport: Passport = None,
    card: Card = None,
    right: By = "access",
    decided: Annotated[
        int | None, typer.Option(help="the leaf of the decision that it carries out", metavar="LEAF")
    ] = None,
) -> None:
    """Write a signed extract of the items that are this person; `ledger verify FILE` checks it off-line. Logged.

    What a partner gave or answered stands in it by its id and the consent that it needs, without content, unless
    --consented.

    tansiq --home ./madrid --officer vera --purpose investigation --why "request 12" person export "Yusef Serruali" --born 1989-06-17 --item b-12 --out extract.json
    """  # noqa: E501
    with open_node(ctx) as node:
        from tansiq.oversight import read_person, read_right, verify_extract

        person = read_person(_claims(name, alias, born, phone, passport, card))
        by = acting(ctx, node)
        raw = node.oversight.extract(person, read_right(right), item, by, consented or (), decided)
    write_file(out, raw, "--out")
    extract = verify_extract(raw)["extract"]
    things = extract["things"]
    said = {"written to": out, "items": len(things), "kept back": sum(1 for t in things if t["kept_back"])}
    said["complete"] = extract["complete"]
    emit(ctx, said, lambda screen: facts(screen, said.items()))


@app.command("decide")
def decide(
    ctx: typer.Context,
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="its number in your books; no name")],
    decision: Annotated[str, typer.Option(help="granted, restricted (given in part) or refused", metavar="DECISION")],
    right: By = "access",
    ground: Annotated[
        list[str] | None, typer.Option(help="a letter of LED art. 15(1): a, b, c, d or e", metavar="LETTER")
    ] = None,
    reason: Annotated[str, typer.Option(help="the factual or legal reasons, for the authority", metavar="TEXT")] = "",
    item: Annotated[
        list[str] | None, typer.Option(help="what it is about, as `person find` names it", metavar="ID")
    ] = None,
) -> None:
    """Keep what was decided on a person's request, and why (LED art. 15(4)). Logged; the data-protection officer's.

    Grounds of a restriction or a refusal: a inquiries and procedures, b offences and penalties, c public security,
    d national security, e rights and freedoms of others.

    tansiq --home ./madrid --officer vera --purpose investigation --why "request 12" person decide "2026/12" --decision restricted --ground b --reason "an open investigation would be told to its subject"
    """  # noqa: E501
    with open_node(ctx) as node:
        from tansiq.oversight import decide as made
        from tansiq.oversight import read_right

        kept = made(request, read_right(right), decision, ground or (), reason, item or ())
        leaf = node.oversight.decide(kept, acting(ctx, node))
    said = {"request": kept.request, "decision": kept.ruling.value, "leaf": leaf}
    emit(ctx, said, lambda screen: facts(screen, said.items()))


@app.command("decisions")
def decisions(
    ctx: typer.Context,
    request: Annotated[str, typer.Option(help="of this request only", metavar="REQUEST")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="how many at most")] = 50,
) -> None:
    """What was decided on persons' requests, on which grounds and why; for those who oversee.

    tansiq --home ./madrid --officer vera person decisions --request "2026/12"
    """
    with open_node(ctx) as node:
        kept = node.oversight.decisions(acting(ctx, node), request, limit)
    said = [{"leaf": k.leaf, "at": k.at, "officer": k.officer, **plain(k.decision)} for k in kept]

    def show(out: Console) -> None:
        rows = [
            (k.leaf, when(k.at), k.decision.request, k.decision.right.value, k.decision.ruling.value,
             " ".join(k.decision.grounds), k.decision.reason)
            for k in kept
        ]  # fmt: skip
        heads = ("leaf", "at", "request", "right", "decision", "grounds", "reason")
        out.print(table(*heads, rows=rows) if rows else "nothing was decided")

    emit(ctx, {"decisions": said}, show)


def _claims(
    name: str,
    alias: list[str] | None,
    born: list[str] | None,
    phone: list[str] | None,
    passport: list[str] | None,
    card: list[str] | None,
) -> list[dict[str, str]]:
    told = {"name": [name] if name.strip() else [], "alias": alias, "birthDate": born, "phone": phone}
    told |= {"passportNumber": passport, "idNumber": card}
    return [{"property": prop, "value": value} for prop, values in told.items() for value in values or ()]


def _show(out: Console, found: Found) -> None:
    if not found.things:
        out.print("nothing is held that may be this person")
    else:
        rows = [
            (t.id, t.sort.value, share(t.score), t.kept.value or _called(t), _of(t), len(t.disclosures))
            for t in found.things
        ]
        out.print(table("item", "sort", "score", "what", "from", "disclosed to", rows=rows))
        for t in found.things:
            for d in t.disclosures:
                facts(out, [("item", t.id), ("to", d.to), ("at", when(d.at)), ("under", ", ".join(d.clauses))])
    if not found.complete:
        out.print("NOT COMPLETE: more may be held on this person than one search goes through or lists")
        facts(out, [("not to the end", ", ".join(b.value for b in found.left_out))])
    facts(out, [("logged as leaf", found.leaf)])


def _of(thing: Thing) -> str:
    return thing.originator if thing.ours else f"{', '.join(thing.owners) or thing.originator}: needs its consent"


def _called(thing: Thing) -> str:
    what: dict[str, Any] = dict(thing.what or {})
    if "entity" in what:
        return str(next((c["value"] for c in what["entity"].get("claims", ())), thing.id))
    return str(what.get("passage") or what.get("text") or what.get("case") or what.get("act") or what.get("rule") or "")
