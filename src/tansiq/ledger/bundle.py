"""A leaf's proof in one file that a third party checks off-line, with nothing but the log's public keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tansiq.crypto import PublicKeys, canonical
from tansiq.errors import TansiqError, Untrusted
from tansiq.ledger.checkpoint import verify_checkpoint, verify_cosignature
from tansiq.ledger.leaves import commit_content, content_bytes, hash_leaf
from tansiq.ledger.merkle import verify_inclusion
from tansiq.ledger.model import Cosignature, Proven
from tansiq.ledger.wire import BundleWire, parse_bundle, render_bundle


def make_bundle(bundle: BundleWire) -> bytes:
    """The bundle's file, in canonical JSON."""
    return canonical(render_bundle(bundle))


def verify_bundle(
    raw: bytes | Mapping[str, Any], origin: str, public: PublicKeys, witnesses: Mapping[str, PublicKeys] | None = None
) -> Proven:
    """What the bundle proves about the log `origin`. Raises `Untrusted` unless every step verifies.

    `raw` is the file, or its JSON value out of a larger one. `witnesses` are those whose word the reader
    takes; which of them cosigned is in the answer, and none need have.
    """
    bundle = parse_bundle(raw if isinstance(raw, bytes) else canonical(dict(raw)))
    checkpoint = verify_checkpoint(bundle.checkpoint, origin, public)
    leaf = hash_leaf(bundle.leaf)
    if not verify_inclusion(leaf, bundle.index, checkpoint.size, bundle.path, checkpoint.root):
        raise Untrusted(
            "bundle.inclusion", "the leaf is not in the tree of that checkpoint", step="bundle", field="path"
        )
    if bundle.salt is not None and bundle.content is not None:
        disclosed = commit_content(bundle.salt, content_bytes(bundle.content))
        if disclosed != bundle.leaf.commitment:
            raise Untrusted("bundle.content", "not what the leaf commits to", step="bundle", field="content")
    cosigned: list[Cosignature] = []
    for name, keys in sorted((witnesses or {}).items()):
        try:
            cosigned.append(verify_cosignature(bundle.checkpoint, name, keys))
        except TansiqError as exc:
            if exc.code != "cosignature.missing":
                raise
    return Proven(
        checkpoint.origin,
        bundle.index,
        checkpoint.size,
        checkpoint.root,
        bundle.leaf,
        bundle.content,
        tuple(cosigned),
        leaf,
    )
