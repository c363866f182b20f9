"""The cryptographic suite: one name for the whole set of algorithms, so that nothing is negotiated piece by piece."""

from __future__ import annotations

from tansiq.errors import Untrusted

SUITE = "tansiq-1"
"""DSSE with Ed25519 and ML-DSA-65; HPKE with ML-KEM-768 + X25519, HKDF-SHA-256, AES-256-GCM; SHA-256."""

_KNOWN = frozenset({SUITE})


def require_suite(name: object) -> str:
    """The suite's name if this node speaks it; else `Untrusted("suite.unknown")`, which names it.

    Hazard: a partner (or one who sits between) that could choose an older suite would choose the broken one.
    """
    if isinstance(name, str) and name in _KNOWN:
        return name
    raise Untrusted("suite.unknown", f"this node does not speak the suite {shown(name)}", step="suite", field="suite")


def shown(name: object) -> str:
    """A foreign word made fit for an error message: printable ASCII, short, quoted."""
    if not isinstance(name, str):
        return f"<{type(name).__name__}>"
    return repr("".join(c if " " <= c <= "~" else "?" for c in name[:40]))
