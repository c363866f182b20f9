"""Small decision trees, one after the other on the log loss: grown by LightGBM (train.txt), told in centibits.

    forest = grow(X, y, w, base, Plan())      X whole numbers, y 0 to 1, w weights, base centibits known before
    forest.flat()                             the arrays that `tansiq.matching.edit.Forest` reads
All values are whole centibits: what is measured here is what is used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

CENTIBITS = 100 / math.log(2)


@dataclass(frozen=True)
class Plan:
    """How the trees grow."""

    trees: int = 400
    leaves: int = 31
    rate: float = 0.05
    damping: float = 20.0
    smooth: float = 50.0
    least: int = 150
    columns: float = 0.5
    rows: float = 0.8
    bins: int = 128
    seed: int = 1


class Forest:
    """Trees one after the other; the children of a node stand side by side and behind it."""

    def __init__(self) -> None:
        self.roots: list[int] = []
        self.feature: list[int] = []
        self.limit: list[int] = []
        self.left: list[int] = []
        self.value: list[int] = []

    def plant(self, tree: dict[str, Any]) -> None:
        """One tree as LightGBM tells it."""
        self.roots.append(len(self.feature))
        waiting = [tree]
        self._node(tree)
        for node in waiting:
            if "split_feature" not in node:
                continue
            at = node["at"]
            self.feature[at], self.limit[at] = node["split_feature"], math.floor(node["threshold"])
            self.left[at] = len(self.feature)
            for side in ("left_child", "right_child"):
                self._node(node[side])
                waiting.append(node[side])

    def _node(self, node: dict[str, Any]) -> None:
        node["at"] = len(self.feature)
        self.feature.append(-1)
        self.limit.append(0)
        self.left.append(0)
        self.value.append(round(CENTIBITS * node.get("internal_value", node.get("leaf_value"))))

    def predict(self, x: np.ndarray, base: np.ndarray, bound: int) -> np.ndarray:
        """Centibits: what was known before plus what all trees say, as far as `judge.most` lets them."""
        feature, limit, left, value = (np.array(a) for a in (self.feature, self.limit, self.left, self.value))
        told, rows = np.zeros(len(x), dtype=int), np.arange(len(x))
        for root in self.roots:
            at = np.full(len(x), root)
            on = rows
            while len(on := on[feature[at[on]] >= 0]):
                here = at[on]
                at[on] = left[here] + (x[on, feature[here]] > limit[here])
            told += value[at]
        base = base.astype(int)
        highest = np.maximum(bound, np.minimum(2 * bound, bound - base))
        return base + np.clip(told, -bound, highest)

    def flat(self) -> dict[str, list[int]]:
        return {k: getattr(self, k) for k in ("roots", "feature", "limit", "left", "value")}


def grow(x: np.ndarray, y: np.ndarray, w: np.ndarray, base: np.ndarray, plan: Plan) -> Forest:
    """Each tree is a step of Newton's method against what is still told wrongly."""
    try:
        import lightgbm
    except ImportError as exc:
        raise SystemExit("pip install -r benchmarks/train.txt") from exc

    asked = {
        "objective": "cross_entropy",
        "learning_rate": plan.rate,
        "num_leaves": plan.leaves,
        "min_data_in_leaf": plan.least,
        "lambda_l2": plan.damping,
        "path_smooth": plan.smooth,
        "feature_fraction": plan.columns,
        "bagging_fraction": plan.rows,
        "bagging_freq": 1,
        "max_bin": plan.bins,
        "seed": plan.seed,
        "use_missing": False,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": 1,
        "verbose": -1,
    }
    data = lightgbm.Dataset(x.astype(float), y, weight=w, init_score=base / CENTIBITS)
    forest = Forest()
    for tree in lightgbm.train(asked, data, plan.trees).dump_model()["tree_info"]:
        forest.plant(tree["tree_structure"])
    return forest
