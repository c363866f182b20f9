"""Sums of products: the compiled kernel against its twin over libsodium, for elements and for what is none."""

from __future__ import annotations

import hashlib

import pytest

from tansiq.crypto import kernel
from tansiq.crypto.kernel import combine, door, twin
from tansiq.crypto.ristretto import ORDER, group
from tansiq.errors import Invalid, TansiqError, Untrusted

P = 2**255 - 19
compiled = pytest.mark.skipif(kernel.in_use()[1] != "compiled", reason="no C compiler where this was installed")


def scalar(number: int) -> bytes:
    return number.to_bytes(32, "little")


def stream(seed: str, size: int) -> list[bytes]:
    """Pieces of 64 bytes that follow from a seed."""
    raw = hashlib.shake_256(seed.encode()).digest(64 * size)
    return [raw[at : at + 64] for at in range(0, len(raw), 64)]


def drawn(seed: str, count: int) -> tuple[list[bytes], list[bytes]]:
    pieces = stream(seed, 2 * count)
    return [group().reduce(p) for p in pieces[:count]], [group().from_hash(p) for p in pieces[count:]]


@compiled
@pytest.mark.parametrize("count", [1, 2, 3, 5, 63, 64, 65, 128, 131])
def test_the_kernel_and_its_twin_give_the_same_bytes(count: int) -> None:
    for turn in range(40 if count < 10 else 3):
        scalars, elements = drawn(f"same {count} {turn}", count)
        assert combine(scalars, elements) == twin(scalars, elements)


@compiled
def test_scalars_whose_digits_carry_to_the_end() -> None:
    """Long runs of ones, powers of two and their neighbours: where a window of signed digits goes wrong first."""
    edges = [1, 2, 15, 16, 17, 31, 33, ORDER - 1, ORDER - 2, ORDER // 2, 2**252, 2**252 - 1, 2**252 + 1]
    edges += [2**n - 1 for n in range(3, 252, 7)] + [int("01" * 125, 2), int("1110" * 62, 2), int("11111" * 50, 2)]
    for number in edges:
        (other, _), elements = drawn(f"edge {number}", 2)
        assert combine([scalar(number), other], elements) == twin([scalar(number), other], elements)
        assert combine([other, scalar(number)], elements) == twin([other, scalar(number)], elements)


@compiled
def test_the_same_element_twice_and_sums_that_pass_through_the_identity() -> None:
    (a, b), (one, other) = drawn("twice", 2)
    minus = scalar(ORDER - int.from_bytes(a, "little"))
    for scalars, elements in (
        ([a, a], [one, one]),
        ([a, minus, b], [one, one, other]),
        ([a, b, minus], [one, other, one]),
        ([scalar(1), scalar(1)], [one, group().mul(scalar(2), one)]),
    ):
        assert combine(scalars, elements) == twin(scalars, elements)
    for way in (combine, twin):
        with pytest.raises(Untrusted) as refused:
            way([a, minus], [one, one])
        assert refused.value.code == "oprf.identity"


def refusal(way: object, scalars: list[bytes], elements: list[bytes]) -> str:
    try:
        way(scalars, elements)  # type: ignore[operator]
    except TansiqError as failed:
        return failed.code
    return ""


@compiled
def test_both_refuse_the_same_bytes_by_the_same_name() -> None:
    scalars, (good, _) = drawn("refused", 2)
    field = [0, 1, 2, 4, P - 1, P, P + 1, P + 2, P + 18, 2**255 - 2, 2**255, 2**255 + 2, 2**256 - 2]
    broken = [scalar(n) for n in field] + [good[:31] + bytes([good[31] | 0x80]), b"", good[:31], good + b"\0"]
    for raw in stream("maybe", 400):  # three of four even numbers below p are no elements
        broken.append(bytes([raw[0] & 0xFE]) + raw[1:31] + bytes([raw[31] & 0x7F]))
    names = set()
    for raw in broken:
        for elements in ([good, raw], [raw, good]):
            assert refusal(combine, scalars, elements) == refusal(twin, scalars, elements), raw.hex()
        names.add(refusal(combine, scalars, [good, raw]))
    assert names == {"", "oprf.identity", "oprf.element", "oprf.length"}
    for bad in (bytes(32), scalar(ORDER), b"\xff" * 32, b"\1"):
        assert refusal(combine, [scalars[0], bad], [good, good]).startswith("oprf.")
        assert refusal(combine, [scalars[0], bad], [good, good]) == refusal(twin, [scalars[0], bad], [good, good])


@compiled
def test_the_kernel_itself_takes_nothing_of_a_wrong_length() -> None:
    from tansiq.crypto.kernel import _group

    scalars, elements = drawn("length", 2)
    for a, b in ((b"", b""), (scalars[0], b""), (scalars[0][:31], elements[0][:31]), (b"\xff" * 32, elements[0])):
        with pytest.raises(ValueError, match=r"scalar"):
            _group.combine(a, b)
    with pytest.raises(TypeError):
        _group.combine("a", "b")  # type: ignore[arg-type]


def test_as_many_scalars_as_elements() -> None:
    scalars, elements = drawn("count", 2)
    for way in (combine, twin):
        with pytest.raises(Invalid, match="one scalar"):
            way(scalars[:1], elements)
        with pytest.raises(Invalid, match="one scalar"):
            way([], [])


def test_without_the_kernel_the_twin_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    scalars, elements = drawn("twin", 3)
    expected = twin(scalars, elements)
    monkeypatch.setattr(door, "_group", None)
    assert combine(scalars, elements) == expected
    assert kernel.in_use()[1] == "twin"
