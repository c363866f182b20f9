"""Each act folds its whole dossier, so what a fold costs must not be spent again for what has not changed."""

from __future__ import annotations

from collections.abc import Callable

from tests.support import acts
from tests.support.services import Federation


def test_a_fold_parses_no_statement_twice(make_federation: Callable[..., Federation]) -> None:
    federation = make_federation()
    federation.add("rabat", "madrid")
    rabat, madrid = federation.nodes["rabat"], federation.nodes["madrid"]
    dossier = rabat.dossiers.open("report", acts.report(), ["es"], federation.officers["rabat"])
    for n in range(5):
        rabat.dossiers.append(dossier, acts.note("report.note_added", f"note {n}"), federation.officers["rabat"])
    federation.pump()
    first, second = (madrid.dossiers.state(dossier).entries for _ in range(2))
    assert len(first) == 6
    assert all(a.statement is b.statement for a, b in zip(first, second, strict=True))
