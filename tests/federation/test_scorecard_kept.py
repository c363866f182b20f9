"""Figures that were counted before are those that a node would count anew: nothing that came since is missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

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
