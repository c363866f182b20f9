"""`tansiq dossier`: open, append, show, list; what would be permitted; passing on with the originator's consent."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from tansiq.cli.call import acting, open_node, read_object
from tansiq.cli.courier import send_and_tell
from tansiq.cli.screen import emit, facts, safe, table, when
from tansiq.errors import Conflict, Invalid, NotFound
from tansiq.terms import country_of
from tansiq.terms.plain import plain

if TYPE_CHECKING:
    from tansiq.dossiers.model import DossierState, Entry, Part
    from tansiq.node import Node
    from tansiq.policy.model import Decision
    from tansiq.terms import EntryId, PartId

app = typer.Typer(
    no_args_is_help=True,
    help="The file that services share: every entry signed, delivered by its author alone.",
    rich_markup_mode=None,
)

Dossier = Annotated[str, typer.Argument(metavar="ID", help="the dossier's id, or enough of its first characters")]
Body = Annotated[Path, typer.Argument(metavar="FILE", help="the entry's body as JSON; - reads standard input")]
To = Annotated[str, typer.Option(help="node ids, countries or names, with commas", metavar="es,de")]
Propose = Annotated[
    bool, typer.Option("--propose", help="lay it down for a second officer instead of sending (`tansiq draft`)")
]
NoSend = Annotated[bool, typer.Option("--no-send", help="queue only; the running node's courier sends")]


def _words(text: str) -> list[str]:
    return [word for part in text.split(",") if (word := part.strip())]


@app.command("open")
def open_dossier(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="report, request, warning, operation, assessment ...")],
    to: To,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="its body as JSON; - reads stdin")] = None,
    template: Annotated[str, typer.Option(help="a template of this node instead of FILE", metavar="NAME")] = "",
    put: Annotated[
        list[str] | None, typer.Option("--set", help="a place of the template; several times", metavar="PLACE=TEXT")
    ] = None,
    no_send: NoSend = False,
    propose: Propose = False,
) -> None:
    """Open a dossier with its first entry and queue it to partners, each permitted by the law gate.

    `tansiq dossier example report` writes a body to begin with; docs/dossier-body.md says what stands in it.

    tansiq --home ./rabat --officer yasmine --why "case 12" dossier open report --to es,de report.json
    """
    if (file is None) == (not template):
        raise Invalid("cli.file", "give FILE or --template", step="read body", field="FILE")
    with open_node(ctx) as node:
        by = acting(ctx, node)
        body = read_object(file, "FILE") if file is not None else _from_template(node, kind, template, put or [])
        if propose:
            node.dossiers.preview(kind, body, _words(to), by)
            _proposed(ctx, node.propose({"kind": kind, "body": body, "to": _words(to)}, by))
            return
        made = node.dossiers.open(kind, body, _words(to), by)
        opening = node.dossiers.state(made).entries[0].id
        send_and_tell(ctx, node, {"dossier": made, "entry": opening}, no_send=no_send)


def _from_template(node: Node, kind: str, name: str, put: list[str]) -> dict[str, Any]:
    from tansiq.bureau import fill

    found = node.bureau.templates.get(name)
    if found.kind != kind:
        raise Invalid("template.kind", f"it opens a {found.kind}", step="fill in", field="--template")
    pairs = dict(p.partition("=")[::2] for p in put)
    return fill(found, pairs)


@app.command("append")
def append(ctx: typer.Context, dossier: Dossier, file: Body, no_send: NoSend = False, propose: Propose = False) -> None:
    """Append an entry: an answer, a clarification, feedback, a recall ... `type` in the body says which act it is.

    tansiq --home ./madrid --officer ines dossier append d-41c0 answer.json
    """
    body = read_object(file, "FILE")
    with open_node(ctx) as node:
        by = acting(ctx, node)
        if propose:
            _proposed(ctx, node.propose({"dossier": node.dossiers.find(dossier), "body": body}, by))
            return
        entry = node.dossiers.append(node.dossiers.find(dossier), body, by)
        send_and_tell(ctx, node, {"entry": entry}, no_send=no_send)


@app.command("preview")
def preview(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="report, request, warning, operation, assessment ...")],
    file: Body,
    to: To,
) -> None:
    """What the law gate would say for each recipient, with its clauses. Records nothing, sends nothing.

    tansiq --home ./rabat --officer yasmine dossier preview report --to es,de report.json
    """
    body = read_object(file, "FILE")
    with open_node(ctx) as node:
        decisions = node.dossiers.preview(kind, body, _words(to), acting(ctx, node))
        between = {n: [a.id for a in node.gate.agreements_between(node.country, country_of(n))] for n, _ in decisions}
    said = [{"to": to_node, **_decision(decision), "agreements": between[to_node]} for to_node, decision in decisions]

    def show(out: Console) -> None:
        rows = [
            (
                d["to"],
                d["decision"],
                ", ".join(d["obligations"]),
                "; ".join(f"{c['title']} ({c['law']})" for c in d["clauses"])
                or ("" if d["decision"] == "permit" else "nothing permits it"),
                ", ".join(d["missing"]),
                ", ".join(d["agreements"]),
            )
            for d in said
        ]
        out.print(table("to", "decision", "obligations", "clauses", "missing", "agreements in force", rows=rows))

    emit(ctx, {"decisions": said}, show)


@app.command("forward")
def forward(
    ctx: typer.Context,
    dossier: Dossier,
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="whose content a further service should get")],
    to: Annotated[str, typer.Option(help="node id, country or name of that service")],
    no_send: NoSend = False,
) -> None:
    """Ask to pass another's entry on. Its originator alone delivers; without consent H2 forbids it (exit code 3).

    tansiq --home ./berlin --officer anna --why "case 12" dossier forward d-41c0 e-5f0c... --to pt
    """
    with open_node(ctx) as node:
        by = acting(ctx, node)
        found = node.dossiers.find(dossier)
        asked = node.dossiers.forward(found, entry_in(node.dossiers.state(found), entry), to, by)
        send_and_tell(ctx, node, {"entry": asked}, no_send=no_send)


@app.command("admit")
def admit(
    ctx: typer.Context,
    dossier: Dossier,
    to: Annotated[str, typer.Option(help="node id, country or name of the newcomer")],
    give: Annotated[
        list[str] | None, typer.Option(help="a part that was withheld from others, given to this one", metavar="PART")
    ] = None,
    no_send: NoSend = False,
) -> None:
    """Add a member: our own entries are asked of the law gate again and delivered; other authors deliver theirs.

    A part that was withheld from anybody before is withheld from the newcomer too, unless --give names it.

    tansiq --home ./rabat --officer yasmine --why "case 12" dossier admit d-41c0 --to pt
    """
    from tansiq.terms.ids import parse_part_id

    parts = [parse_part_id(part, "--give") for part in give or []]
    with open_node(ctx) as node:
        by = acting(ctx, node)
        entry = node.dossiers.admit(node.dossiers.find(dossier), to, by, parts)
        send_and_tell(ctx, node, {"entry": entry}, no_send=no_send)


@app.command("deliver")
def deliver(
    ctx: typer.Context,
    dossier: Dossier,
    to: Annotated[str, typer.Option(help="node id, country or name of a member")],
    give: Annotated[
        list[str] | None, typer.Option(help="a part that was withheld from it so far; several times", metavar="PART")
    ] = None,
    no_send: NoSend = False,
) -> None:
    """Deliver our own entries to a member that another service added, or give a member a part withheld so far.

    Only an author delivers; the law gate is asked again for each entry.

    tansiq --home ./rabat --officer yasmine --why "case 12" dossier deliver d-41c0 --to de --give p-77ab
    """
    with open_node(ctx) as node:
        by = acting(ctx, node)
        found = node.dossiers.find(dossier)
        parts = [_part_in(node.dossiers.state(found), word) for word in give or []]
        count = node.dossiers.deliver_to(found, to, by, parts)
        send_and_tell(ctx, node, {"entries": count}, no_send=no_send)


@app.command("declare")
def declare(
    ctx: typer.Context,
    dossier: Dossier,
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="an entry of ours: its id, or its first characters")],
    body: Annotated[Path, typer.Argument(metavar="FILE", help="what is declared, as JSON; - reads standard input")],
) -> None:
    """Say anew what was declared with an entry of ours, where a restore lost it: without it the law gate is
    not asked, and the entry goes to nobody new.

    The file has the fields that declare, as in the body of an act: strictly_necessary, special_categories,
    interpol_channel, article_3, risk, assurances. What is left out is not so; `{}` declares nothing.

    tansiq --home ./rabat --officer yasmine --why "the file of case 12" dossier declare d-41c0 e-77ab declared.json
    """
    raw = read_object(body, "FILE")
    with open_node(ctx) as node:
        found = _entry_in(node.dossiers.state(node.dossiers.find(dossier)), entry)
        node.dossiers.declare(found, raw, acting(ctx, node))
    said = {"entry": found, "declared": True}
    emit(ctx, said, lambda out: facts(out, said.items()))


@app.command("purge")
def purge(ctx: typer.Context, dossier: Dossier, no_send: NoSend = False) -> None:
    """Erase every part of an operation or an event that has ended, and prove it to its members. A supervisor's act.

    What is not purged by then the node erases by itself on the agreed day.

    tansiq --home ./madrid --officer ines --purpose investigation --why "closed" dossier purge d-41c0
    """
    with open_node(ctx) as node:
        found = node.dossiers.find(dossier)
        parts = node.dossiers.purge(found, acting(ctx, node))
        node.settle()
        send_and_tell(ctx, node, {"dossier": found, "erased": parts}, no_send=no_send)


@app.command("show")
def show_one(ctx: typer.Context, dossier: Dossier) -> None:
    """Show a dossier with all its entries; logged in the ledger as a consultation.

    tansiq --home ./madrid --officer ines --purpose prevention --why "duty" dossier show d-41c0
    """
    with open_node(ctx) as node:
        state = node.show(node.dossiers.find(dossier), acting(ctx, node))
        deliveries = {e.id: node.exchange.deliveries(ref=e.id) for e in state.entries}
    said = {**plain(state), "deliveries": plain({k: v for k, v in deliveries.items() if v})}

    def show(out: Console) -> None:
        facts(
            out,
            [
                ("dossier", state.id),
                ("kind", state.kind),
                ("phase", state.phase),
                ("opened", f"{when(state.opened_at)} by {state.opener}" if state.opener else "its opening is missing"),
                ("members", ", ".join(state.members)),
                ("missing", ", ".join(state.missing)),
            ],
        )
        for entry in state.entries:
            marks = [m for m in state.marks if m.entry == entry.id]
            shown = [f"{d.to}: {d.state.value}" for d in deliveries[entry.id]]
            out.print(_panel(entry, [f"{m.code}{' (void)' if m.void else ''}" for m in marks], shown))

    emit(ctx, said, show)


@app.command("acknowledge")
def acknowledge(ctx: typer.Context, dossier: Dossier) -> None:
    """Read the restrictions (H3) of a dossier and confirm that you keep to them; before that nothing of it is shown.

    tansiq --home ./madrid --officer ines --purpose investigation --why "duty" dossier acknowledge d-41c0
    """
    with open_node(ctx) as node:
        found, by = node.dossiers.find(dossier), acting(ctx, node)
        due = node.h3_due(found, by)
        if due:
            node.acknowledge_h3(found, by)
    said = {"dossier": found, "restrictions": [{"entry": entry, "text": text} for entry, text in due]}

    def show(out: Console) -> None:
        out.print(table("entry", "restriction", rows=due) if due else "nothing to acknowledge")

    emit(ctx, said, show)


@app.command("list")
def show_all(
    ctx: typer.Context,
    kind: Annotated[str, typer.Option(help="only this kind")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="the newest so many")] = 100,
) -> None:
    """The dossiers of this node, newest first.

    tansiq --home ./rabat dossier list --kind request
    """
    with open_node(ctx) as node:
        rows = node.dossiers.rows(kind, "", limit)

    def show(out: Console) -> None:
        cells = [
            (
                r.id,
                r.kind,
                r.phase,
                "ours" if r.outgoing else r.opener[:2].upper(),
                r.subject,
                f"{r.updated_at[:16].replace('T', ' ')}Z",
            )
            for r in rows
        ]
        out.print(table("dossier", "kind", "phase", "from", "subject", "updated", rows=cells))

    emit(ctx, {"dossiers": rows}, show)


def entry_in(state: DossierState, word: str) -> Any:
    """An entry of the dossier by its id or enough of its first characters; the word itself where none fits."""
    fits = [e.id for e in state.entries if e.id.startswith(word)]
    return fits[0] if len(fits) == 1 else word


def _entry_in(state: DossierState, word: str) -> EntryId:
    found = [e.id for e in state.entries if word and e.id.startswith(word)]
    if len(found) == 1:
        return found[0]
    if found:
        raise Conflict("cli.entry", "several entries begin so: give more", step="find the entry", field="ENTRY")
    raise NotFound("cli.entry", "no such entry in this dossier", step="find the entry", field="ENTRY")


def _part_in(state: DossierState, word: str) -> PartId:
    """A part of this dossier by its id or enough of its first characters. Raises `NotFound`."""
    fits = [p.ref.id for e in state.entries for p in e.parts if p.ref.id.startswith(word) and len(word) > 5]
    if len(set(fits)) != 1:
        raise NotFound("part.unknown", "no such part, or more than one", step="deliver", field="--give")
    return fits[0]


def _proposed(ctx: typer.Context, draft: str) -> None:
    said = {"draft": draft, "state": "waiting"}

    def show(out: Console) -> None:
        facts(out, said.items())
        out.print(f"next: another officer runs `tansiq draft confirm {draft}`", style="dim")

    emit(ctx, said, show)


@app.command("example")
def example(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="report, request, warning, operation, assessment ...")],
) -> None:
    """Write a body to begin with, with invented people and dates that count from today. Needs no node.

    tansiq dossier example report > report.json
    """
    from tansiq.cli.examples import body_of

    body = body_of(kind)

    def show(_out: Console) -> None:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(body), indent=2).decode() + "\n")

    emit(ctx, body, show)


def _decision(decision: Decision) -> dict[str, Any]:
    from tansiq.policy.model import Permit  # late: --help needs no law gate

    permitted = isinstance(decision, Permit)
    return {
        "decision": "permit" if permitted else "refusal",
        "clauses": plain(decision.clauses),
        "obligations": sorted(decision.obligations) if isinstance(decision, Permit) else [],
        "missing": [] if isinstance(decision, Permit) else list(decision.missing),
    }


def _panel(entry: Entry, marks: list[str], deliveries: list[str]) -> Panel:
    s = entry.statement
    lines = Text()
    head = f"{s.at:%Y-%m-%d %H:%M}Z  {s.author}  {' '.join(s.handling.codes)}  {s.legal.purpose}, {s.legal.legal_basis}"
    lines.append_text(safe(head)).append("\n")
    for name, value in s.facts.items():
        shown = ", ".join(str(v) for v in value) if isinstance(value, list | tuple) else value
        lines.append_text(safe(f"{name}: {shown}")).append("\n")
    for part in entry.parts:
        lines.append_text(_part(part)).append("\n")
    for mark in marks:
        lines.append_text(Text(f"! {mark}\n", style="bold"))
    if deliveries:
        lines.append_text(Text("; ".join(deliveries), style="dim"))
    lines.rstrip()
    return Panel(lines, title=safe(f"{s.type}  {entry.id[:14]}"), title_align="left", width=110)


def _part(part: Part) -> Text:
    head = Text(f"{part.ref.kind}: ", style="bold")
    if part.presence.value != "held" or part.content is None:
        return head.append_text(Text(f"[{part.presence.value}]", style="italic"))
    if part.ref.kind == "entity":
        entity = part.content.get("entity", {})
        claims = [_claim(c) for c in entity.get("claims", [])] + [f"{p} [erased]" for p in part.erased]
        return head.append_text(safe(f"{entity.get('schema', '')} {entity.get('role', '')} {', '.join(claims)}"))
    if part.ref.kind == "link":
        c = part.content
        return head.append_text(safe(f"{c.get('from')} {c.get('type')} {c.get('to')}"))
    return head.append_text(safe(part.content.get("text", "")))


def _claim(claim: Mapping[str, Any]) -> str:
    said = [str(claim[k]) for k in ("grade", "precision", "handling", "legal_basis") if claim.get(k)]
    until = [f"erase {claim['erase_on']}"] if claim.get("erase_on") else []
    return f"{claim['property']} {claim['value']} ({', '.join([*said, *until])})"
