"""What groups of letters say of two words that met (`judge.columns`): a logistic regression on top of the costs.

    told = learn(words, y, w, base)        words: [(column, letters), ...] of each pair; base: centibits known before
    say(told, words)                       the five answers that the forest is asked for
All numbers are whole centibits in one byte: what is measured here is what is used. Needs scipy (train.txt).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np

from tansiq.matching import judge

CENTIBITS = 100 / np.log(2)
PULL, STEPS = 10.0, 60
"""The ridge that holds every number towards nothing, and the steps of L-BFGS."""

Words = Sequence[tuple[int, str]]
AT = [name for name, _ in judge.FEATURES].index("grams_alone")
"""Where the five answers begin among judge.FEATURES."""


def _matrix(words: Sequence[Words]):
    """One row a pair, one column a place in the table: how often it is read."""
    from scipy.sparse import csr_matrix

    at, ends = [], [0]
    for pair in words:
        for column, letters in pair:
            at += [judge.GRAM_COLUMNS * row + column for row in judge.grams(letters)]
        ends.append(len(at))
    size = judge.GRAM_ROWS * judge.GRAM_COLUMNS
    found = csr_matrix((np.ones(len(at)), np.array(at), np.array(ends)), shape=(len(words), size))
    found.sum_duplicates()
    return found


def learn(words: Sequence[Words], y: np.ndarray, w: np.ndarray, base: np.ndarray) -> np.ndarray:
    """The table that best tells true pairs from false ones, given what the costs said already."""
    from scipy.optimize import minimize

    m, known = _matrix(words), base / CENTIBITS
    turned = m.T.tocsr()

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        z = known + m @ theta
        p = 1 / (1 + np.exp(-np.clip(z, -50, 50)))
        wrong = np.sum(w * np.logaddexp(0, np.where(y > 0, -z, z))) + PULL / 2 * theta @ theta
        return wrong, turned @ (w * (p - y)) + PULL * theta

    found = minimize(loss, np.zeros(m.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x
    return np.clip(np.round(found * CENTIBITS), -127, 127).astype(np.int8)


def say(told: np.ndarray, words: Words) -> list[int]:
    """`judge._letters` of a pair under this table."""
    said = [0] * judge.GRAM_COLUMNS
    for column, letters in words:
        said[column] += sum(int(told[judge.GRAM_COLUMNS * at + column]) for at in judge.grams(letters))
    alone, same, *rest = said
    return [alone, rest[0] + rest[1], same, rest[2] + rest[3], sum(said)]


def written(told: np.ndarray) -> str:
    """The table as it stands in learned.json."""
    return base64.b64encode(told.tobytes()).decode()
