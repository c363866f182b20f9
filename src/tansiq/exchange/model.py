"""Nouns of the exchange: node cards, peers, envelopes, items, receipts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from tansiq.terms import NodeId

if TYPE_CHECKING:
    from sqlalchemy import Connection


class ItemState(StrEnum):
    """Where one item for one addressee stands, in words that an officer reads."""

    QUEUED = "queued"
    SENT = "sent"
    RECEIVED = "received"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class NodeCard:
    """A node's signed self-description (self-signed by its own keys; pinned by its fingerprint)."""

    node: NodeId
    version: int
    name: str
    country: str
    url: str
    """`https://host:port`, or empty where the node cannot be reached and polls instead."""
    languages: tuple[str, ...]
    contact: str
    signing_keys: dict[str, str]
    """`ed25519`, `mldsa65`: public keys, standard base64."""
    sealing_keys: dict[str, str]
    """`x25519`, `mlkem768`: public keys, standard base64."""
    tls_sha256: str
    """SHA-256 of the node's TLS certificate (DER), hex."""
    suites: tuple[str, ...]
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Peer:
    """A pinned partner."""

    card: NodeCard
    fingerprint: str
    state: str
    """`pinned` or `removed`."""
    pinned_at: datetime
    last_contact_at: datetime | None
    poll: bool
    """We poll it, because it cannot reach us (or because the settings say so)."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing inside an envelope. `payload` is opaque to the exchange."""

    kind: str
    """`entry` or `ask`; the inbox has one handler for each."""
    ref: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What the recipient's handler said of one item. `reason` is a stable code, no personal data."""

    ref: str
    received: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A recipient's signed word that it has an envelope. Stored by both; a third party can check it alone."""

    envelope: str
    envelope_sha256: str
    sender: NodeId
    recipient: NodeId
    received_at: datetime
    items: tuple[ItemResult, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One outbox row as a user reads it."""

    ref: str
    kind: str
    to: NodeId
    state: ItemState
    reason: str
    attempts: int
    queued_at: datetime
    sent_at: datetime | None
    received_at: datetime | None
    expires_at: datetime


class InboxHandler(Protocol):
    """Files one item inside the receiving transaction. Must be idempotent by `ref`; refuses by returning a result."""

    def __call__(self, tx: Connection, sender: NodeId, item: Item) -> ItemResult: ...


OutboxLoader = Callable[["Connection", str, NodeId], bytes | None]
"""(tx, ref, to) -> the payload to send now, or None where it may no longer be sent (removed member, recalled)."""
