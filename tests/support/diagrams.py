"""The life-cycle diagrams as the documents show them, and what of a folded dossier does not stand in them."""

from __future__ import annotations

import re
from functools import cache

from tansiq.dossiers.model import DossierState
from tansiq.kinds import items_of
from tests.support.tree import read

OF = re.compile(r"^#{2,3} (?P<kind>[a-z_]+)(?:: (?P<sort>[a-z_]+))?(?: \(.*\))?$", re.M)
EDGE = re.compile(r"^    (\[\*\]|[a-z_]+) --> ([a-z_]+): ", re.M)


@cache
def drawn() -> dict[tuple[str, str], frozenset[str]]:
    """(kind, sort of item; empty: the dossier) -> every state that its diagram shows."""
    text = read("docs/life-cycles.md")
    heads = [*OF.finditer(text)]
    ends = [h.start() for h in heads[1:]] + [len(text)]
    return {
        (h["kind"], h["sort"] or ""): frozenset(
            s for edge in EDGE.findall(text[h.end() : end].split("### ")[0]) for s in edge if s != "[*]"
        )
        for h, end in zip(heads, ends, strict=True)
    }


def outside_the_diagram(state: DossierState) -> set[tuple[str, str]]:
    """(sort, state) of items and lanes, and the phase (no sort), that the documents do not show."""
    stand = {(i.sort, i.state) for i in items_of(state)}
    stand |= {("lane", lane.state) for lane in (getattr(state.own, "lanes", None) or {}).values()}
    stand |= {("", state.phase)} if state.own is not None else set()
    return {(sort, s) for sort, s in stand if s not in drawn().get((state.kind, sort), ())}
