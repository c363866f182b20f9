"""Figures that were counted before are those that a node would count anew: nothing that came since is missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from tansiq.demo import people
from tansiq.hits import records
from tansiq.hits.model import MatchState
from tansiq.store import Store
from tests.support.scenes import LEGAL, Scene, part
from tests.support.services import Federation


def test_what_was_counted_is_what_would_be_counted(make_federation: Callable[..., Federation]) -> None:
    f = make_federation()
    f.add("rabat", "madrid")
    body = {"legal": LEGAL, "facts": {"precedence": "priority"}, "parts": [part("threat", "A crowd is named.")]}
    begins, ends = f.clock() - timedelta(days=1), f.clock() + timedelta(days=300)

    def figures() -> dict[str, int]:
        return dict(f.nodes["rabat"].together.scorecard("es", begins, ends, f.officers["rabat"]).figures)

    assert not [v for v in figures().values() if v > 0], "there is no case to count"
    scene = Scene.open(f, "rabat", "warning", body, to=("es",))
    about = scene.state().first.id
    theirs = {**body, "legal": {**LEGAL, "agreement": {"MA": "ma-es-2019"}}}
    steps: list[Callable[[], object]] = [
        lambda: scene.act("madrid", "warning.acknowledged", about=about),
        lambda: scene.act("rabat", "warning.stood_down", reason="window_passed"),
        lambda: scene.act("rabat", "warning.outcome_recorded", outcome="prevented"),
        lambda: f.nodes["madrid"].dossiers.open("warning", theirs, ["ma"], f.officers["madrid"]),
    ]
    seen = [figures()]
    for step in steps:
        step()
        f.pump()
        kept = figures()
        assert kept != seen[-1], "what came is counted"
        seen.append(kept)
        f.restart("rabat")
        assert figures() == kept, "a node that remembers nothing counts the same"
    assert seen[-1]["warnings.out.outcome.prevented"] == 1
    assert seen[-1]["warnings.in"] == 1


def test_hits_are_counted_without_a_match_being_read(
    make_federation: Callable[..., Federation], monkeypatch: pytest.MonkeyPatch
) -> None:
    f = make_federation()
    f.add("rabat", "madrid", "berlin")
    f.hold("madrid", people.MADRID_HOLDINGS)
    f.hold("madrid", people.BERLIN_HOLDINGS)
    madrid, by = f.nodes["madrid"], f.officers["madrid"]
    reports = []
    for _ in range(3):
        reports.append(f.nodes["rabat"].dossiers.open("report", people.report_body([]), ["es"], f.officers["rabat"]))
        f.pump()
        f.clock.pass_time(timedelta(days=10))
    every = madrid.hits.matches()
    for match in every[1:]:
        madrid.hits.decide(match.id, MatchState.HIT, "same father, same village", by)
    first = madrid.dossiers.state(reports[0]).first.id
    feedback = {"type": "dossier.feedback", "facts": {"about": first, "outcome": "hit"}}
    madrid.dossiers.append(reports[0], feedback, by)

    def figures(begins: datetime, ends: datetime, partner: str = "ma") -> tuple[int, ...]:
        found = madrid.together.scorecard(partner, begins, ends, by).figures
        return tuple(found.get(f"hits.in{name}", 0) for name in ("", ".confirmed", ".disclosed"))

    begins, ends = f.clock() - timedelta(days=300), f.clock() + timedelta(days=1)
    told = sum(m.entry == first for m in every[1:])
    assert told, "there is a case to count"
    monkeypatch.setattr(records, "unpack", None)
    assert figures(begins, ends) == (len(every), len(every) - 1, told)
    assert figures(begins, ends, "de") == (0, 0, 0)
    oldest = min(m.found_at for m in every)
    inside = [m for m in every if m.found_at > oldest]
    assert figures(oldest + timedelta(milliseconds=1), ends)[0] == len(inside) < len(every)
    assert figures(begins, oldest)[0] == 0, "the end is not included"


def test_matches_are_counted_by_an_index_alone(sqlite_store: Store) -> None:
    asked = (
        "explain query plan select state, count(*) from hit_matches "
        "where originator = 'MA' and found_at >= '2026' and found_at < '2027' group by state"
    )
    with sqlite_store.read() as tx:
        (way, *_sorting) = [str(r.detail) for r in tx.execute(text(asked))]
    assert "COVERING INDEX hit_matches_originator" in way
