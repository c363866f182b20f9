"""What a leaf is made of: canonical bytes, and the salted commitment that lets content be erased under it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tansiq.crypto import MAX_DEPTH, canonical, sha256
from tansiq.errors import Invalid
from tansiq.ledger.merkle import leaf_hash
from tansiq.ledger.model import Leaf
from tansiq.terms import LogVerb, format_instant

MAX_CONTENT_BYTES = 512 * 1024
"""So that a leaf with its content always fits into a line of an archive, and with a full checkpoint into a bundle."""
CONTENT_DEPTH = MAX_DEPTH - 2
"""A bundle and an archive hold the content two levels down."""

_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@#+=-]{0,199}")


def make_leaf(verb: LogVerb, subject: str, salt: bytes, content: bytes, at: datetime) -> Leaf:
    """A leaf for canonical content bytes. Raises `Invalid` when the subject is not an id.

    Hazard: the subject stays for ever. A name or a phone number in it could never be erased again.
    """
    if not _SUBJECT.fullmatch(subject):
        raise Invalid("ledger.subject", "a ledger subject is an id, without spaces", step="ledger", field="subject")
    return Leaf(format_instant(at), LogVerb(verb), subject, commit_content(salt, content))


def content_to_log(content: Mapping[str, Any]) -> bytes:
    """The bytes of a content that is to be logged. Raises `Invalid` where no proof could hold them.

    Hazard: a leaf that is larger than what verifiers read would make the archive of the whole log worthless for ever.
    """
    raw = canonical(dict(content), CONTENT_DEPTH)
    if len(raw) > MAX_CONTENT_BYTES:
        raise Invalid(
            "ledger.content", f"more than {MAX_CONTENT_BYTES} bytes for one leaf", step="ledger", field="content"
        )
    return raw


def content_bytes(content: Mapping[str, Any]) -> bytes:
    return canonical(dict(content))


def commit_content(salt: bytes, content: bytes) -> bytes:
    """The commitment; without the salt, which is erased with the content, nobody can guess the content out of it."""
    return sha256("tansiq.ledger.content.v1", salt, content)


def hash_leaf(leaf: Leaf) -> bytes:
    return leaf_hash(
        canonical(
            {
                "v": 1,
                "at": leaf.at,
                "verb": leaf.verb.value,
                "subject": leaf.subject,
                "commitment": leaf.commitment.hex(),
            }
        )
    )
