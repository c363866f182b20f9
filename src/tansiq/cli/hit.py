"""`tansiq hit`: what the machine matched, and the officer's word on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from tansiq.cli.call import acting, call_of, open_node
from tansiq.cli.screen import emit, facts, share, table, when
from tansiq.errors import Invalid

if TYPE_CHECKING:
    from tansiq.bank.model import Entity
    from tansiq.hits.model import Match

app = typer.Typer(
    no_args_is_help=True, help="Matches, and the officer's word that makes one a hit.", rich_markup_mode=None
)


NUMBERS = ("number", "registrationNumber", "passportNumber", "idNumber", "iban", "email", "address")


@app.command("list")
def show_all(
    ctx: typer.Context,
    decided: Annotated[bool, typer.Option("--decided", help="the decided ones too")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="so many at the most, the newest")] = 200,
) -> None:
    """What arrived and met what we hold; undecided ones, with the score. It shows persons: say why; it is logged.

    tansiq --home ./madrid --officer ines --purpose investigation --why "desk" hit list
    """
    from tansiq.hits.model import MatchState

    with open_node(ctx) as node:
        by = acting(ctx, node)
        node.consult("hits.list", by)
        states = tuple(MatchState) if decided else (MatchState.OPEN, MatchState.UNCLEAR)
        found = [m for state in states for m in node.hits.page(state, "", limit)]
        found = sorted(found, key=lambda m: (m.found_at, m.score, m.id), reverse=True)[:limit]
        counts = node.hits.counts()
        more = sum(counts[state] for state in states) - len(found)
        blind = node.settings.review.blind
        dossiers = {d for m in found for d in (m.dossier, m.holding.provenance.dossier) if d}
        unread = node.dossiers.restrictions.unread(dossiers, by)

    def show(out: Console) -> None:
        rows = [
            (
                m.id,
                m.state.value,
                "hidden" if _hidden(m, blind) else share(m.score),
                m.originator,
                "H3: acknowledge first" if _is_unread(m, unread) else _called(m.incoming),
                "-" if _is_unread(m, unread) else _called(m.holding.entity),
                when(m.found_at),
            )
            for m in found
        ]
        heads = ("match", "state", "score", "from", "arrived", "held", "found")
        out.print(table(*heads, rows=rows) if rows else "nothing waits for a decision")
        if more > 0:
            out.print(f"{more} older ones: --limit shows more of them")

    shown = [_plain(m, blind, unread=_is_unread(m, unread)) for m in found]
    emit(ctx, {"matches": shown, "more": max(0, more)}, show)


@app.command("decide")
def decide(
    ctx: typer.Context,
    match: Annotated[str, typer.Argument(metavar="MATCH", help="its id, as `hit list` shows it")],
    word: Annotated[
        str, typer.Argument(metavar="hit|no_hit|unclear", help="the same person, another, or not known yet")
    ],
) -> None:
    """The officer's word on a match; --why is its reason. Only a person decides (LED art. 11), and the ledger keeps it.

    tansiq --home ./madrid --officer ines --purpose prevention --why "same father, same village" hit decide m-12 hit
    """
    from tansiq.hits.model import MatchState

    if word not in (choices := [s.value for s in MatchState if s is not MatchState.OPEN]):
        raise Invalid("hit.word", f"one of {', '.join(choices)}", step="decide match", field="hit|no_hit|unclear")
    with open_node(ctx) as node:
        by = acting(ctx, node)
        node.dossiers.restrictions.check_sides(node.hits.match(match).dossiers(), by, "decide")
        decided = node.hits.decide(match, MatchState(word), call_of(ctx).why, by)
    emit(ctx, _plain(decided), lambda out: facts(out, [("match", decided.id), ("state", decided.state.value)]))


def _is_unread(match: Match, unread: frozenset[str]) -> bool:
    """An entry on either side is under a restriction (H3) that this officer has not confirmed."""
    return match.entry in unread or match.holding.provenance.reference in unread


def _hidden(match: Match, blind: bool) -> bool:
    """Blind review: no score until the officer has decided (`[review] blind`)."""
    return blind and match.state.value == "open"


def _plain(match: Match, blind: bool = False, *, unread: bool = False) -> dict[str, Any]:
    hidden = unread or _hidden(match, blind)
    return {
        "match": match.id,
        "state": match.state,
        "score": None if hidden else match.score,
        "dossier": match.dossier,
        "entry": match.entry,
        "record": match.holding.id,
        "originator": match.originator,
        "found_at": match.found_at,
        "decided_at": match.decided_at,
        "explanation": None if hidden else match.explanation,
    }


def _called(entity: Entity) -> str:
    """By its name; a phone, a vehicle or a document by the number that it is."""
    if names := entity.names():
        return names[0]
    numbers = (*entity.values(*NUMBERS), *(c.value for c in entity.claims))
    return f"{entity.schema} {numbers[0]}" if numbers else entity.schema
