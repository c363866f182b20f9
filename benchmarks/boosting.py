"""Small decision trees, grown one after the other on the log loss in bits (histogram boosting). Needs numpy only.

    forest = grow(X, y, w, base, Plan())      X whole numbers, y 0 or 1, w weights, base centibits known before
    forest.flat()                             the arrays that `tansiq.matching.edit.Forest` reads
All values are whole centibits: what is learned is what is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

BIT = np.log(2) / 100


@dataclass(frozen=True)
class Plan:
    """How the trees grow."""

    trees: int = 200
    leaves: int = 16
    rate: float = 0.1
    damping: float = 20.0
    least: int = 40
    columns: float = 0.6
    rows: float = 0.8
    bins: int = 64
    seed: int = 1


class Split(NamedTuple):
    gain: float
    column: int
    bin: int


Node = tuple[int, int, int, int]
"""column (-1: leaf), last bin that goes left, left child (the right one follows it), centibits."""


@dataclass
class Forest:
    """Trees over the bins that `limits` cut each column into."""

    limits: list[np.ndarray]
    trees: list[list[Node]] = field(default_factory=list)

    def bins(self, x: np.ndarray) -> np.ndarray:
        cut = [np.searchsorted(limit, x[:, k], side="left") for k, limit in enumerate(self.limits)]
        return np.stack(cut, 1).astype(np.int32)

    def predict(self, x: np.ndarray, base: np.ndarray) -> np.ndarray:
        """Centibits: what was known before plus what each tree says."""
        binned = self.bins(x)
        return base + sum(said(tree, binned) for tree in self.trees)

    def flat(self) -> dict[str, list[int]]:
        out: dict[str, list[int]] = {k: [] for k in ("roots", "feature", "limit", "left", "value")}
        for tree in self.trees:
            first = len(out["feature"])
            out["roots"].append(first)
            for column, last, left, value in tree:
                out["feature"].append(column)
                out["limit"].append(int(self.limits[column][last]) if column >= 0 else 0)
                out["left"].append(first + left if column >= 0 else 0)
                out["value"].append(value)
        return out


def said(tree: list[Node], binned: np.ndarray) -> np.ndarray:
    nodes = np.array(tree)
    at = np.zeros(len(binned), dtype=int)
    while True:
        column = nodes[at, 0]
        on = np.flatnonzero(column >= 0)
        if not len(on):
            return nodes[at, 3]
        here = at[on]
        at[on] = nodes[here, 2] + (binned[on, nodes[here, 0]] > nodes[here, 1])


def limits_of(x: np.ndarray, most: int) -> list[np.ndarray]:
    """Where each column may be cut: all its values, or as many quantiles."""
    out = []
    for column in x.T:
        values = np.unique(column)
        if len(values) > most:
            values = np.unique(np.quantile(column, np.linspace(0, 1, most + 1), method="lower").astype(int))
        out.append(values[:-1])
    return out


class Growing:
    """One tree on the pairs and columns drawn for it."""

    def __init__(
        self, plan: Plan, binned: np.ndarray, slope: np.ndarray, bend: np.ndarray, columns: np.ndarray
    ) -> None:
        self.plan, self.columns = plan, columns
        self.binned, self.slope, self.bend = binned, slope, bend
        self.width = int(binned.max()) + 1
        self.offset = np.arange(len(columns)) * self.width

    def histogram(self, rows: np.ndarray) -> tuple[np.ndarray, ...]:
        n = len(self.columns)
        at = (self.binned[rows][:, self.columns] + self.offset).ravel()
        made = (
            np.bincount(at, np.repeat(values, n), minlength=n * self.width)
            for values in (self.slope[rows], self.bend[rows], np.ones(len(rows)))
        )
        return tuple(h.reshape(n, self.width) for h in made)

    def best(self, held: tuple[np.ndarray, ...]) -> Split:
        slope, bend, count = held
        g, h, n = slope[0].sum(), bend[0].sum(), count[0].sum()
        gl, hl, nl = slope.cumsum(1), bend.cumsum(1), count.cumsum(1)
        damping = self.plan.damping * BIT
        gain = gl**2 / (hl + damping) + (g - gl) ** 2 / (h - hl + damping) - g * g / (h + damping)
        gain[(nl < self.plan.least) | (n - nl < self.plan.least)] = -1
        k = np.unravel_index(gain.argmax(), gain.shape)
        return Split(float(gain[k]), int(self.columns[k[0]]), int(k[1]))

    def value(self, rows: np.ndarray) -> int:
        step = self.slope[rows].sum() / (self.bend[rows].sum() + self.plan.damping * BIT)
        return round(float(-self.plan.rate * step))

    def tree(self, rows: np.ndarray) -> list[Node]:
        held = self.histogram(rows)
        nodes: list[Node] = [(-1, 0, 0, self.value(rows))]
        waiting = [(self.best(held), 0, rows, held)]
        for _ in range(self.plan.leaves - 1):
            waiting.sort(key=lambda entry: entry[0].gain)
            split, at, rows, held = waiting.pop()
            if split.gain <= 1e-9:
                break
            goes_left = self.binned[rows, split.column] <= split.bin
            halves = rows[goes_left], rows[~goes_left]
            small = int(len(halves[1]) < len(halves[0]))
            counted = self.histogram(halves[small])
            rest = tuple(a - b for a, b in zip(held, counted, strict=True))
            nodes[at] = (split.column, split.bin, len(nodes), nodes[at][3])
            for side in (0, 1):
                of = counted if side == small else rest
                waiting.append((self.best(of), len(nodes), halves[side], of))
                nodes.append((-1, 0, 0, self.value(halves[side])))
        return nodes


def grow(x: np.ndarray, y: np.ndarray, w: np.ndarray, base: np.ndarray, plan: Plan) -> Forest:
    """Each tree is a step of Newton's method against what is still told wrongly."""
    rnd = np.random.default_rng(plan.seed)
    forest = Forest(limits_of(x, plan.bins))
    binned, z = forest.bins(x), base.astype(float).copy()
    for _ in range(plan.trees):
        p = 1 / (1 + np.exp2(-np.clip(z, -6000, 6000) / 100))
        bend = np.maximum(w * p * (1 - p), 1e-6) * BIT
        rows = np.flatnonzero(rnd.random(len(y)) < plan.rows)
        columns = np.sort(rnd.permutation(x.shape[1])[: int(np.ceil(x.shape[1] * plan.columns))])
        tree = Growing(plan, binned, w * (p - y), bend, columns).tree(rows)
        forest.trees.append(tree)
        z += said(tree, binned)
    return forest
