"""Arithmetic in the prime-order group ristretto255 (RFC 9496), by libsodium.

Rules this module keeps:
- no curve arithmetic of our own for anything secret: every operation is one call into libsodium, from the system or
  from the wheel that carries it (ADR 10), and both give the same bytes. Sums over public values: `kernel`;
- nothing of a wrong length reaches a foreign function: C reads 32 bytes whatever it is given;
- no product is the identity, nor a factor of one: an element that hides nothing is refused by name;
- an element has one spelling. libsodium 1.0.18 overlooks the top bit of the last byte, so it is looked at here.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from functools import cache

from tansiq.errors import Broken, Invalid, Untrusted

ORDER = 2**252 + 27742317777372353535851937790883648493  # RFC 9496 section 4.4
ELEMENT_BYTES = SCALAR_BYTES = 32
HASH_BYTES = 64
_IDENTITY = bytes(ELEMENT_BYTES)
_LAST_BYTE = 0x7F

_SYSTEM = ("libsodium.so.26", "libsodium.so.23", "libsodium.26.dylib", "libsodium.23.dylib")
_CARRIER = "pyzmq"  # its wheels hold a complete, current libsodium as a file of its own; zmq itself is never imported

_POINT, _SCALAR = "crypto_core_ristretto255_", "crypto_core_ristretto255_scalar_"
_FUNCTIONS = {
    "mul": "crypto_scalarmult_ristretto255",
    "mul_base": "crypto_scalarmult_ristretto255_base",
    "add": f"{_POINT}add",
    "from_hash": f"{_POINT}from_hash",
    "is_valid": f"{_POINT}is_valid_point",
    "reduce": f"{_SCALAR}reduce",
    "scalar_mul": f"{_SCALAR}mul",
    "scalar_sub": f"{_SCALAR}sub",
}
_ARGUMENTS = {"mul_base": 2, "from_hash": 2, "is_valid": 1, "reduce": 2}
_Buffer = ctypes.c_char * ELEMENT_BYTES
_Foreign = Callable[..., int]


class Ristretto:
    """The group, by one library; elements and scalars are 32 bytes. Python's lock is let go of in each call."""

    __slots__ = (*(f"_{own}" for own in _FUNCTIONS), "name")
    _mul: _Foreign
    _mul_base: _Foreign
    _add: _Foreign
    _from_hash: _Foreign
    _is_valid: _Foreign
    _reduce: _Foreign
    _scalar_mul: _Foreign
    _scalar_sub: _Foreign

    def __init__(self, library: ctypes.CDLL, name: str) -> None:
        if library.sodium_init() < 0:
            raise Broken("group.library", "libsodium does not start", step="group")
        for own, foreign in _FUNCTIONS.items():
            function = getattr(library, foreign)
            function.argtypes = [ctypes.c_char_p] * _ARGUMENTS.get(own, 3)
            function.restype = None if own in {"reduce", "scalar_mul", "scalar_sub"} else ctypes.c_int
            setattr(self, f"_{own}", function)
        library.sodium_version_string.restype = ctypes.c_char_p
        self.name = f"{name} {library.sodium_version_string().decode('ascii', 'replace')}"

    def mul(self, scalar: bytes, element: bytes) -> bytes:
        """scalar · element. Raises `Untrusted` when the element is not one, or the result hides nothing."""
        if len(scalar) != SCALAR_BYTES or len(element) != ELEMENT_BYTES:
            raise _wrong_length()
        out = _Buffer()
        if element[31] > _LAST_BYTE or self._mul(out, scalar, element):  # also -1 when the result is the identity
            raise self._named(element)
        return out.raw

    def mul_base(self, scalar: bytes) -> bytes:
        """scalar · G. Raises `Invalid` for the zero scalar."""
        if len(scalar) != SCALAR_BYTES:
            raise _wrong_length()
        out = _Buffer()
        if self._mul_base(out, scalar):
            raise Invalid("oprf.scalar", "zero is no secret scalar", step="group")
        return out.raw

    def add(self, a: bytes, b: bytes) -> bytes:
        """a + b."""
        if len(a) != ELEMENT_BYTES or len(b) != ELEMENT_BYTES:
            raise _wrong_length()
        out = _Buffer()
        if a[31] > _LAST_BYTE or b[31] > _LAST_BYTE or self._add(out, a, b):
            raise self._named(b if self._is_element(a) else a)
        return out.raw

    def from_hash(self, uniform: bytes) -> bytes:
        """The element for 64 uniform bytes (RFC 9496 section 4.3.4)."""
        if len(uniform) != HASH_BYTES:
            raise _wrong_length()
        out = _Buffer()
        self._from_hash(out, uniform)
        return out.raw

    def check(self, element: bytes, field: str = "") -> bytes:
        """The element, if it is canonical and not the identity; else `Untrusted("oprf.length|identity|element")`."""
        if len(element) != ELEMENT_BYTES:
            raise _wrong_length(field)
        if element == _IDENTITY or not self._is_element(element):
            raise self._named(element, field)
        return element

    def reduce(self, wide: bytes) -> bytes:
        """64 bytes, little-endian, modulo the order."""
        if len(wide) != HASH_BYTES:
            raise _wrong_length()
        out = _Buffer()
        self._reduce(out, wide)
        return out.raw

    def scalar_mul(self, a: bytes, b: bytes) -> bytes:
        """a · b modulo the order, in constant time."""
        return self._scalars(self._scalar_mul, a, b)

    def scalar_sub(self, a: bytes, b: bytes) -> bytes:
        """a - b modulo the order, in constant time."""
        return self._scalars(self._scalar_sub, a, b)

    def _scalars(self, function: _Foreign, a: bytes, b: bytes) -> bytes:
        if len(a) != SCALAR_BYTES or len(b) != SCALAR_BYTES:
            raise _wrong_length()
        out = _Buffer()
        function(out, a, b)
        return out.raw

    def _is_element(self, element: bytes) -> bool:
        return element[31] <= _LAST_BYTE and self._is_valid(element) == 1

    def _named(self, element: bytes, field: str = "") -> Untrusted:
        """What is wrong with an element that the library refused."""
        if element == _IDENTITY:
            return Untrusted("oprf.identity", "the identity is no blinded element", step="group", field=field)
        if not self._is_element(element):
            return Untrusted("oprf.element", "not the canonical form of a group element", step="group", field=field)
        return Untrusted("oprf.identity", "a product that is the identity", step="group", field=field)


def _wrong_length(field: str = "") -> Untrusted:
    return Untrusted("oprf.length", "an element or scalar of the wrong length", step="group", field=field)


def check_scalar(scalar: bytes, field: str = "") -> bytes:
    """A scalar in [1, order - 1] in its one spelling; else `Untrusted("oprf.length" | "oprf.scalar")`."""
    if len(scalar) != SCALAR_BYTES:
        raise _wrong_length(field)
    if not 0 < int.from_bytes(scalar, "little") < ORDER:
        raise Untrusted("oprf.scalar", "not a scalar below the group's order", step="group", field=field)
    return scalar


def system_group() -> Ristretto | None:
    """By the system's libsodium (1.0.18 or later); None where there is none."""
    return next(filter(None, (_opened(name, "system libsodium") for name in _SYSTEM)), None)


def carried_group() -> Ristretto | None:
    """By the libsodium inside an installed wheel; None where the wheel is missing or carries none for this platform."""
    return next(filter(None, (_opened(path, f"{_CARRIER}'s libsodium") for path in _carried())), None)


@cache
def group() -> Ristretto:
    """The system's library where there is one, else the carried one. Raises `Broken("group.library")`."""
    found = system_group() or carried_group()
    if found is None:
        raise Broken(
            "group.library",
            f"no libsodium 1.0.18 or later: install the system's (Debian: libsodium23) or a wheel of {_CARRIER}",
            step="group",
        )
    return found


def _carried() -> Iterator[str]:
    from importlib import metadata  # 15 ms that a machine with a system library does not pay

    try:
        files = metadata.files(_CARRIER) or []
    except metadata.PackageNotFoundError:
        return
    yield from (str(f.locate()) for f in files if f.name.startswith("libsodium") and ".libs" in str(f.parent))
    yield from (str(f.locate()) for f in files if f.name.startswith("libsodium") and "dylib" in f.name)


def _opened(name: str, shown: str) -> Ristretto | None:
    try:
        return Ristretto(ctypes.CDLL(name), shown)
    except (OSError, AttributeError):  # not there, or a minimal build without the group
        return None
