"""What a hostile partner can make: bodies of any form, properly signed and sealed with its own keys."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from tansiq.crypto import SUITE, canonical, seal, sign
from tansiq.exchange import wire
from tansiq.terms import format_instant
from tests.support.federation import BEGIN, FederationNode


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


PAYLOAD = b"content of e-1"


def items(**changes: Any) -> dict[str, Any]:
    """The head of what is sealed; `PAYLOAD` stands behind it."""
    return {"items": [{"kind": "entry", "ref": "e-1", "size": len(PAYLOAD)}], **changes}


def headed(head: object, behind: bytes) -> bytes:
    return canonical(head) + b"\n" + behind


def envelope(
    sender: FederationNode,
    to: FederationNode,
    /,
    *,
    content: object = None,
    behind: bytes = PAYLOAD,
    plaintext: bytes | None = None,
    bound: Mapping[str, str] | None = None,
    **changes: Any,
) -> bytes:
    """A signed envelope; `content` and `behind` are sealed, `changes` replace (or, with None, remove) its fields."""
    names = {"id": "x-1", "from": sender.node, "to": to.node, "suite": SUITE, **(bound or {})}
    plain = plaintext if plaintext is not None else headed(items() if content is None else content, behind)
    sealed = seal(plain, to.keys.sealing.public, canonical({"tansiq": "envelope.v1", **names}))
    body = {
        "v": 1,
        "suite": SUITE,
        "id": "x-1",
        "from": sender.node,
        "to": to.node,
        "sent_at": format_instant(BEGIN),
        "expires_at": format_instant(BEGIN.replace(year=BEGIN.year + 1)),
        "size": len(sealed),
    }
    body.update(changes)
    head = {k: v for k, v in body.items() if v is not None}
    return signed(sender, wire.ENVELOPE_TYPE, headed(head, sealed))


def signed(author: FederationNode, payload_type: str, body: object) -> bytes:
    raw = body if isinstance(body, bytes) else canonical(body)
    return sign(payload_type, raw, author.keys.signing, author.node)
