"""Which of the two runs, and the checks that both share."""

from __future__ import annotations

from collections.abc import Sequence

from tansiq.crypto.ristretto import ELEMENT_BYTES, check_scalar, group
from tansiq.errors import Invalid, Untrusted

try:
    from tansiq.crypto.kernel import _group

    _why_not = ""
except ImportError as exc:
    _group = None  # type: ignore[assignment]
    _why_not = str(exc) if exc.path else "not built: no C compiler when this was installed"

_IDENTITY = bytes(ELEMENT_BYTES)


def combine(scalars: Sequence[bytes], elements: Sequence[bytes]) -> bytes:
    """The sum of each scalar times its element; *public values only*. Raises `Untrusted("oprf.length|scalar|identity|
    element")` for what is no scalar above zero or no element, and for a sum that is the identity."""
    if _group is None:
        return twin(scalars, elements)
    _require(scalars, elements)
    found = _group.combine(b"".join(scalars), b"".join(elements))
    if isinstance(found, int):
        group().check(elements[found])
        raise Untrusted("oprf.element", "not the canonical form of a group element", step="group")
    return _hides(found)


def twin(scalars: Sequence[bytes], elements: Sequence[bytes]) -> bytes:
    """The same, product by product, by libsodium."""
    _require(scalars, elements)
    mul, add = group().mul, group().add
    total = b""
    for scalar, element in zip(scalars, elements, strict=True):
        term = mul(scalar, element)
        total = add(total, term) if total else term
    return _hides(total)


def in_use() -> tuple[str, str, str]:
    """(the library that multiplies, `compiled` or `twin` for sums, why not compiled)."""
    return (group().name, "twin", _why_not) if _group is None else (group().name, "compiled", "")


def _require(scalars: Sequence[bytes], elements: Sequence[bytes]) -> None:
    if len(scalars) != len(elements) or not elements:
        raise Invalid("oprf.count", "not one scalar for each element", step="group")
    for scalar in scalars:
        check_scalar(scalar)
    if any(len(element) != ELEMENT_BYTES for element in elements):
        raise Untrusted("oprf.length", "an element or scalar of the wrong length", step="group")


def _hides(total: bytes) -> bytes:
    if total == _IDENTITY:
        raise Untrusted("oprf.identity", "a sum that is the identity", step="group")
    return total
