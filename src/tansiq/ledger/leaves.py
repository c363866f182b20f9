"""What a leaf is made of: canonical bytes, and the salted commitment that lets content be erased under it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tansiq.crypto import canonical, sha256
from tansiq.errors import Invalid
from tansiq.ledger.merkle import leaf_hash
from tansiq.ledger.model import Leaf
from tansiq.terms import LogVerb, format_instant

_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@#+=-]{0,199}")


def make_leaf(verb: LogVerb, subject: str, salt: bytes, content: bytes, at: datetime) -> Leaf:
    """A leaf for canonical content bytes. Raises `Invalid` when the subject is not an id.

    Hazard: the subject stays for ever. A name or a phone number in it could never be erased again.
    """
    if not _SUBJECT.fullmatch(subject):
        raise Invalid("ledger.subject", "a ledger subject is an id, without spaces", step="ledger", field="subject")
    return Leaf(format_instant(at), LogVerb(verb), subject, commit_content(salt, content))


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
