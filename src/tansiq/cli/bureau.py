"""`tansiq dossier search|link|links`, `tansiq watch`, `tansiq template`: what a service keeps for its own officers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tansiq.cli.call import acting, open_node, read_object
from tansiq.cli.dossier import Dossier
from tansiq.cli.screen import emit, facts, safe, table
from tansiq.errors import NotFound
from tansiq.terms.plain import plain

watch = typer.Typer(
    no_args_is_help=True, help="Standing queries: be told when something arrives.", rich_markup_mode=None
)
template = typer.Typer(no_args_is_help=True, help="Bodies of acts with places to fill in.", rich_markup_mode=None)


def search(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="words, names or numbers, in any script")],
    limit: Annotated[int, typer.Option(min=1, max=200, help="so many at the most")] = 20,
) -> None:
    """Search the subjects and texts of all dossiers that you may read; logged in the ledger as a consultation.

    tansiq --home ./madrid --officer ines --purpose prevention --why "duty" dossier search الحموشي puerto
    """
    with open_node(ctx) as node:
        found = node.bureau.search(" ".join(words), limit, acting(ctx, node))
        complete = node.bureau.words.complete

    rows = [(x.dossier[:14], x.kind, "confirm the restriction first" if x.unread else x.snippet) for x in found]
    emit(
        ctx,
        {"results": plain(found), "complete": complete},
        lambda out: out.print(table("dossier", "part", "words", rows=rows) if rows else "no result"),
    )


def link(
    ctx: typer.Context,
    dossier: Dossier,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="the other dossier's id")],
    why: Annotated[
        str, typer.Option("--as", help="follows_from, leads_to, same_matter, same_persons, lesson or hit")
    ] = "same_matter",
) -> None:
    """Note that two dossiers belong together. The note stays on this node: no partner is told of it.

    tansiq --home ./madrid --officer ines dossier link d-41c0 d-9b3e --as same_persons
    """
    with open_node(ctx) as node:
        by = acting(ctx, node)
        made = node.bureau.link(node.dossiers.find(dossier), node.dossiers.find(other), why, by)
    said = {"link": made.id, "from": made.origin, "to": made.target, "as": made.why}
    emit(ctx, said, lambda out: facts(out, said.items()))


def links(ctx: typer.Context, dossier: Dossier) -> None:
    """The dossiers that this one is linked with, as far as you may read them.

    tansiq --home ./madrid --officer ines dossier links d-41c0
    """
    with open_node(ctx) as node:
        found = node.dossiers.find(dossier)
        rows = [(x.id, x.other(found), x.why) for x in node.bureau.links(found, acting(ctx, node))]
    said = [{"link": i, "dossier": d, "as": w} for i, d, w in rows]
    emit(ctx, {"links": said}, lambda out: out.print(table("link", "dossier", "as", rows=rows) if rows else "no link"))


# --- standing queries ---


@watch.command("add")
def watch_add(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="a name in any script, a number, or words")],
    until: Annotated[str, typer.Option(help="its last day, within a year", metavar="YYYY-MM-DD")],
    kind: Annotated[str, typer.Option(help="name, number or words")] = "name",
) -> None:
    """Be told when a name, a number or words arrive with an entry or come into our holdings. Purpose and end needed.

    tansiq --officer ines --purpose investigation --why "case 12" watch add "Karim Alami" --until 2027-03-01
    """
    with open_node(ctx) as node:
        made = node.bureau.watch(kind, text, until, acting(ctx, node))
    said = {"watch": made.id, "kind": made.kind.value, "until": made.expires_on}
    emit(ctx, said, lambda out: facts(out, said.items()))


@watch.command("list")
def watch_list(ctx: typer.Context) -> None:
    """Your standing queries.

    tansiq --home ./madrid --officer ines watch list
    """
    with open_node(ctx) as node:
        found = node.bureau.watches.kept(acting(ctx, node).officer)
    rows = [(w.id, w.kind.value, w.text, w.expires_on, w.purpose) for w in found]
    emit(
        ctx,
        {"watches": plain(found)},
        lambda out: out.print(table("watch", "kind", "text", "until", "purpose", rows=rows) if rows else "no query"),
    )


@watch.command("remove")
def watch_remove(
    ctx: typer.Context,
    watch_id: Annotated[str, typer.Argument(metavar="WATCH", help="its id, or enough of its first characters")],
) -> None:
    """End one of your standing queries.

    tansiq --home ./madrid --officer ines watch remove WATCH
    """
    with open_node(ctx) as node:
        by = acting(ctx, node)
        fits = [w.id for w in node.bureau.watches.kept(by.officer) if w.id.startswith(watch_id)]
        if len(fits) != 1:
            raise NotFound("watch.unknown", "no such standing query", step="remove it", field="WATCH")
        node.bureau.watches.remove(fits[0], by)
    emit(ctx, {"removed": fits[0]}, lambda out: facts(out, [("removed", fits[0])]))


@watch.command("notices")
def watch_notices(
    ctx: typer.Context, seen: Annotated[str, typer.Option(help="a notice that you have read", metavar="NOTICE")] = ""
) -> None:
    """What met your standing queries and was not read yet.

    tansiq --home ./madrid --officer ines watch notices
    """
    with open_node(ctx) as node:
        by = acting(ctx, node)
        if not node.bureau.watches.notices(by.officer):
            node.settle()
        if seen:
            node.bureau.watches.seen(seen, by)
        found = node.bureau.notices(by)
    rows = [(n.id, n.watch[:10], n.dossier[:14] or "our holdings", n.what) for n in found]
    emit(
        ctx,
        {"notices": plain(found)},
        lambda out: out.print(table("notice", "watch", "where", "what", rows=rows) if rows else "no notice"),
    )


# --- templates ---


@template.command("save")
def template_save(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="how it is called on this node")],
    kind: Annotated[str, typer.Argument(metavar="KIND", help="the kind of dossier that it opens")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a body as JSON, with places such as {{place}}")],
) -> None:
    """Keep a body as a template, on this node alone; one of the same name is replaced.

    tansiq --home ./rabat --officer yasmine template save port-report report report.json
    """
    body = read_object(file, "FILE")
    with open_node(ctx) as node:
        made = node.bureau.keep_template(name, kind, body, acting(ctx, node))
    said = {"template": made.name, "kind": made.kind, "places": list(made.places)}
    emit(ctx, said, lambda out: facts(out, said.items()))


@template.command("list")
def template_list(ctx: typer.Context) -> None:
    """The templates of this node, with their places.

    tansiq --home ./rabat template list
    """
    with open_node(ctx) as node:
        found = node.bureau.templates.kept()
    rows = [(t.name, t.kind, ", ".join(t.places)) for t in found]
    emit(ctx, {"templates": plain(found)}, lambda out: out.print(table("template", "kind", "places", rows=rows)))


@template.command("remove")
def template_remove(
    ctx: typer.Context, name: Annotated[str, typer.Argument(metavar="NAME", help="as `template list` shows it")]
) -> None:
    """Remove a template.

    tansiq --home ./rabat --officer yasmine template remove port-report
    """
    with open_node(ctx) as node:
        node.bureau.may_keep_templates(acting(ctx, node))
        node.bureau.templates.remove(name)
    emit(ctx, {"removed": name}, lambda out: out.print(safe("removed")))
