"""The scorecard: one side's figures about its work with another, from its own dossiers; differences shown, not hidden.

There is no central counter. Each side counts what it holds, signs it (`committee.scorecard_given`) and sets the
other's figures beside its own. A figure's `out` is the other side's `in`. Shares are in thousandths, times in seconds;
-1 says that there was no case, which is not nought.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tansiq.dossiers.model import DossierState, Figure, Kind, Window

NO_CASE = -1

SHARES: dict[str, tuple[str, str]] = {
    "requests.{way}.answered_in_time_share": ("requests.{way}.answered_in_time", "requests.{way}.answered"),
    "requests.{way}.urgent_share": ("requests.{way}.urgent", "requests.{way}"),
    "messages.{way}.structured_share": ("messages.{way}.structured", "messages.{way}"),
    "hits.{way}.confirmed_share": ("hits.{way}.confirmed", "hits.{way}"),
    "hits.{way}.disclosed_share": ("hits.{way}.disclosed", "hits.{way}.confirmed"),
    "warnings.{way}.acknowledged_in_time_share": ("warnings.{way}.acknowledged_in_time", "warnings.{way}.addressed"),
    "recommendations.{way}.closed_share": ("recommendations.{way}.closed", "recommendations.{way}"),
}
"""Share -> (of these, out of those)."""


def frame_figures(state: DossierState, window: Window) -> tuple[Figure, ...]:
    """What every dossier adds: messages and their structure, recalls, corrections, permissions."""
    found: list[Figure] = []
    void = state.voided()
    for entry in state.entries:
        s = entry.statement
        way = window.way(s.author)
        told = window.other if way == "out" else window.me
        if not way or entry.id in void or told not in s.addressees or not window.holds(s.at):
            continue
        found.append(Figure(f"messages.{way}"))
        if any(p.kind in ("entity", "link") for p in s.parts):
            found.append(Figure(f"messages.{way}.structured"))
        if s.type in ("dossier.recalled", "dossier.corrected", "dossier.feedback"):
            found.append(Figure(f"{s.type.removeprefix('dossier.')}.{way}"))
        if s.type == "dossier.permission_answered":
            found.append(Figure(f"permissions.{way}.{s.facts.get('answer', 'answered')}"))
    return tuple(found)


def count(
    states: Iterable[DossierState], kinds: Mapping[str, Kind], window: Window, more: Iterable[Figure] = ()
) -> dict[str, int]:
    """All figures of our work with the partner. `more`: what is counted outside dossiers, e.g. hits and conflicts."""
    found: list[Figure] = list(more)
    for state in states:
        found += figures_of(state, kinds.get(state.kind), window)
    return summed(found)


def figures_of(state: DossierState, kind: Kind | None, window: Window) -> tuple[Figure, ...]:
    """What one dossier adds; nothing where the two services do not share it."""
    if kind is None or not {window.me, window.other} <= {state.opener, *state.members}:
        return ()
    return (*frame_figures(state, window), *kind.figures(state, window))


def summed(figures: Iterable[Figure]) -> dict[str, int]:
    """Counts added up; of times the median, the 80th percentile and how many; then the shares."""
    counts: dict[str, int] = {}
    times: dict[str, list[int]] = {}
    for f in figures:
        if f.how == "seconds":
            times.setdefault(f.name, []).append(f.value)
        else:
            counts[f.name] = counts.get(f.name, 0) + f.value
    for name, values in times.items():
        counts[f"{name}.median"] = _at(values, 0.5)
        counts[f"{name}.p80"] = _at(values, 0.8)
    for share, (of, among) in SHARES.items():
        for way in ("out", "in"):
            whole = counts.get(among.format(way=way), 0)
            part = counts.get(of.format(way=way), 0)
            counts[share.format(way=way)] = round(1000 * part / whole) if whole else NO_CASE
    return dict(sorted(counts.items()))


def _at(values: list[int], share: float) -> int:
    """The smallest value that at least this share of the cases do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def mirrored(name: str) -> str:
    """The other side's name of a figure: its `out` is our `in`."""
    swap = {"out": "in", "in": "out"}
    return ".".join(swap.get(word, word) for word in name.split("."))


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of the scorecard with both sides' numbers; None: that side told none."""

    name: str
    ours: int | None
    theirs: int | None

    @property
    def differs(self) -> bool:
        return self.ours is not None and self.theirs is not None and self.ours != self.theirs


def beside(ours: Mapping[str, int], theirs: Mapping[str, int] | None) -> tuple[Line, ...]:
    """Our figures and the partner's about the same, line by line. `theirs` None: the partner sent none."""
    mirror = {mirrored(k): v for k, v in (theirs or {}).items()}
    silent = theirs is None

    def told(name: str) -> int | None:
        # A side that sent figures and names no such case counted none.
        return None if silent else mirror.get(name, 0)

    return tuple(Line(n, ours.get(n, 0), told(n)) for n in sorted({*ours, *mirror}))
