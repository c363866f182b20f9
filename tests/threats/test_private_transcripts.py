"""A curious holder: given all that its process saw, it cannot tell one question from another."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np
import pytest
from sqlalchemy import text

from tansiq.crypto import peek
from tansiq.private.batches import ask as ask_batches
from tansiq.private.wire import parse_batch, parse_frame, split
from tests.support.checks import HAMMUSCHI, HAMMUSCHI_IN_ARABIC, ask, serve
from tests.support.private import describe
from tests.support.services import Federation

MANY_KEYS = {
    "names": ["María Fernández Ortega", "Carmen Ortega"],
    "birth_dates": ["1968-09-21"],
    "phones": ["+34612000001", "+34612000002"],
}
ROUNDS = 12
SIGMAS = 4.5
"""A fair coin is further off once in 150,000 runs."""


@pytest.fixture
def asked(services: Federation) -> Federation:
    services.chosen["madrid"] = {"quota_low": 100_000}
    services.restart("madrid")
    services.hold("madrid", [HAMMUSCHI])
    serve(services, "madrid", "rabat")
    return services


def rank_sum(a: Sequence[float], b: Sequence[float]) -> float:
    """Mann and Whitney's statistic in standard deviations."""
    order = np.concatenate([a, b]).argsort(kind="stable").argsort(kind="stable") + 1
    n, m = len(a), len(b)
    expected, spread = n * (n + m + 1) / 2, math.sqrt(n * m * (n + m + 1) / 12)
    return float((order[:n].sum() - expected) / spread)


def test_sizes_and_times_are_those_of_any_question(asked: Federation) -> None:
    f = asked
    madrid = f.nodes["madrid"].private
    took: dict[str, list[float]] = {"one": [], "many": []}
    sizes: dict[str, set[tuple[int, int, int]]] = {"one": set(), "many": set()}
    door = madrid.answer
    spent: list[float] = []

    def timed(raw: bytes) -> bytes:
        began = time.perf_counter()
        answer = door(raw)
        spent.append(time.perf_counter() - began)
        return answer

    madrid.answer = timed  # type: ignore[method-assign]
    for _ in range(ROUNDS):
        for name, wanted in (("one", HAMMUSCHI_IN_ARABIC), ("many", MANY_KEYS)):
            before = len(spent)
            ask(f, "rabat", "madrid", wanted)
            took[name] += spent[before:]
            raw, answer = f.asked[-1][1], f.answered[-1][1]
            header, elements = parse_batch(peek(parse_frame(raw, 1 << 20)[0]).body, parse_frame(raw, 1 << 20)[1])
            sizes[name].add((len(raw), len(answer), header.count))
            assert len(elements) == 64 * 32
    assert sizes["one"] == sizes["many"]
    assert len(sizes["one"]) == 1
    assert abs(rank_sum(took["one"], took["many"])) < SIGMAS
    with f.nodes["madrid"].store.read() as tx:
        rows = tx.execute(text("select count, purpose, length(elements), length(body) from private_answered")).all()
    assert len(set(rows)) == 1, "what the holder keeps is the same for each question"


BATCHES = 120


def elements_of(inputs: list[bytes]) -> np.ndarray:
    """Batches of one question again and again: bits of each element, BATCHES x 64 x 256."""
    descriptor = describe(b"", 0)
    raw = [
        ask_batches(inputs, descriptor, sequence=n + 1, case="0" * 64, purpose="investigation")[0].elements
        for n in range(BATCHES)
    ]
    found = split(b"".join(raw), 32)
    assert len(set(found)) == len(found), "no element is ever sent twice"
    bits = np.unpackbits(np.frombuffer(b"".join(raw), dtype=np.uint8), bitorder="little")
    return bits.reshape(BATCHES, 64, 256)


def test_elements_are_uniform_and_two_questions_cannot_be_told_apart() -> None:
    one = elements_of([b"nd\x1fMS KRM 1987-03-14"])
    many = elements_of([f"phone\x1f+3461200{n:04}".encode() for n in range(64)])
    for bits in (one, many):
        share = bits.reshape(-1, 256)[:, 1:254].mean(axis=0)
        off = (share - 0.5) * 2 * math.sqrt(BATCHES * 64)
        # A sign is never negative (bit 0) and 2^255-19 has no bit 255; all others are coins.
        assert float(np.abs(off).max()) < 5.5
        assert abs(float((off**2).sum()) - 253) < SIGMAS * math.sqrt(2 * 253)
    # The best that a holder can learn from half of the transcripts does not help it with the other half.
    half = BATCHES // 2
    features = [bits.mean(axis=1) for bits in (one, many)]
    towards = features[0][:half].mean(axis=0) - features[1][:half].mean(axis=0)
    cut = float((features[0][:half].mean(axis=0) + features[1][:half].mean(axis=0)) @ towards / 2)
    right = int((features[0][half:] @ towards > cut).sum()) + int((features[1][half:] @ towards <= cut).sum())
    assert abs(right - half) < SIGMAS * math.sqrt(2 * half) / 2


def test_the_measure_would_notice_a_blind_that_is_used_twice() -> None:
    """The statistics above can fail: constant elements are seen at once."""
    one = elements_of([b"nd\x1fMS KRM 1987-03-14"])
    leaking = one.copy()
    leaking[:, 0, :] = leaking[0, 0, :]
    features = leaking.mean(axis=1)
    off = (features.mean(axis=0)[1:254] - 0.5) * 2 * math.sqrt(BATCHES * 64)
    assert float((off**2).sum()) - 253 > SIGMAS * math.sqrt(2 * 253)
