"""What groups of letters tell of two names: how rare they are, and which names are spelled in many ways.

    rare(names)                            how much a group of three letters that two names share is worth (judge.alike)
    learn(words, y, w, base)               a logistic regression on top of the costs (judge.say)
                                           words: [(column, letters), ...] of each pair; base: centibits known before
All numbers are whole and fit a byte: what is measured here is what is used. `learn` needs scipy (train.txt).
"""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from tansiq.matching import judge
from tansiq.matching.parts import parts

CENTIBITS = 100 / np.log(2)
PULL, STEPS = 10.0, 40
"""The ridge that holds every number towards nothing, and the steps of L-BFGS."""
RARE = 1.5
"""So that the square of the greatest inverse frequency fits a byte."""

Words = Sequence[tuple[int, str]]
AT = [name for name, _ in judge.FEATURES].index("groups")


def rare(names: Iterable[str]) -> bytes:
    """The squares of the inverse frequencies of groups of three letters among names, each name counted once."""
    seen: Counter[int] = Counter()
    total = 1
    for name in names:
        seen.update({at >> 2 for p in parts(name) for at in judge.groups(p.letters)[1]})
        total += 1
    return bytes(round(RARE * (math.log(total / (1 + seen[k])) + 1) ** 2) for k in range(judge.BINS))


def _matrix(words: Sequence[Words]):
    """One row a pair, one column a place in the table: how often it is read."""
    from scipy.sparse import csr_matrix

    at, ends = [], [0]
    for pair in words:
        for column, letters in pair:
            at += [judge.COLUMNS * row + column for places in judge.groups(letters) for row in places]
        ends.append(len(at))
    size = judge.ROWS * judge.COLUMNS
    found = csr_matrix((np.ones(len(at)), np.array(at), np.array(ends)), shape=(len(words), size))
    found.sum_duplicates()
    return found


def learn(words: Sequence[Words], y: np.ndarray, w: np.ndarray, base: np.ndarray) -> np.ndarray:
    """The numbers that best tell true pairs from false ones, given what the costs said already; in centibits."""
    from scipy.optimize import minimize

    m, known = _matrix(words), base / CENTIBITS
    turned = m.T.tocsr()

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        z = known + m @ theta
        p = 1 / (1 + np.exp(-np.clip(z, -50, 50)))
        wrong = np.sum(w * np.logaddexp(0, np.where(y > 0, -z, z))) + PULL / 2 * theta @ theta
        return wrong, turned @ (w * (p - y)) + PULL * theta

    start = np.zeros(m.shape[1])
    return minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x * CENTIBITS


def table(learned: Sequence[np.ndarray]) -> list[int]:
    """The mean of what was learned, a byte a number."""
    return np.clip(np.round(np.mean(learned, axis=0)), -127, 127).astype(int).tolist()


def written(numbers: Sequence[int] | bytes) -> str:
    """Bytes as they stand in learned.json."""
    return base64.b64encode(np.array(list(numbers)).astype(np.int8).tobytes()).decode()
