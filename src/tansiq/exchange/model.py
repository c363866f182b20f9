"""Nouns of the exchange: node cards, peers, envelopes, items, receipts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tansiq.terms import NodeId

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tansiq.crypto import Batch, Member, PublicKeys, SealingPublic


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
    """`pinned`, `removed`, or `held`: came out of a backup, and nobody has confirmed it since."""
    pinned_at: datetime
    last_contact_at: datetime | None
    poll: bool
    """We poll it, because it cannot reach us (or because the settings say so)."""


@dataclass(frozen=True, slots=True)
class ExchangeSettings:
    """What the operator chose. `node.py` fills it from the settings file."""

    name: str
    url: str = ""
    """`https://host:port` under which partners reach us; empty: we poll them."""
    languages: tuple[str, ...] = ("en",)
    contact: str = ""
    poll: tuple[NodeId, ...] = ()
    """Partners that we poll although they could post to us."""
    send_workers: int = 4
    poll_seconds: float = 15.0
    poll_wait_s: float = 20.0
    """How long a poll is held open while there is nothing to hand out."""
    backoff_first_s: float = 1.0
    backoff_cap_s: float = 120.0
    lease_s: float = 90.0
    """A crashed process's envelope is taken up by its successor after this time."""
    clock_slack_s: float = 7200.0
    """How far a partner's clock may stand off ours in a poll. Envelopes carry no such limit."""
    connect_timeout_s: float = 10.0
    answer_timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Item:
    """One thing inside an envelope. `payload` is opaque to the exchange."""

    kind: str
    """`entry` or `ask`; the inbox has one handler for each."""
    ref: str
    payload: bytes
    prepared: object = None
    """What its handler's `prepare` made of the payload before the transaction; None where that failed."""
    alone: bool = False
    """Nothing else came in its envelope: what `prepare` sees is likely what its handler will see."""
    batch: Batch | None = None
    """What its envelope was signed with, if that was a batch: verified, by the sender's keys."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """An envelope of one item that is to be queued, sealed before it is: so that one signature covers both.

    It is used where, in the transaction that queues the item, it turns out to be what would have been formed then.
    """

    id: str
    to: NodeId
    kind: str
    ref: str
    expires_at: datetime
    sealing: SealingPublic
    """For whom it is sealed."""
    member: Member
    """Its body, to be signed."""


@dataclass(frozen=True, slots=True)
class SignedAhead:
    """A foreseen envelope that is being signed with what it carries."""

    envelope: Foreseen
    by: PublicKeys
    """Whose signature it is."""
    raw: Callable[[], bytes]
    """Waits for them."""
    expected: Callable[[], bytes]
    """What the item's loader gives if nothing has changed: the payload as it is in an envelope that is signed alone."""


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What the recipient's handler said of one item. `reason` is a stable code, no personal data."""

    ref: str
    received: bool
    reason: str = ""
    kind: str = ""
    """The item's; the inbox says it, no handler. Without it, what names an entry would be signed for as the entry."""


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


GroupHandler = Callable[["Connection", NodeId, Sequence[Item]], list[ItemResult] | None]
"""Files several items at once where that is the same as one by one, by their handler; None: it is not. A result for
each, in their order."""

Preparer = Callable[["Connection", NodeId, Item], object]
"""(read, sender, item) -> what the handler needs of the payload, made before the one writer is held up by it.

Whatever it was made with may have changed since: the handler looks again. What it raises, the handler raises anew.
"""

OutboxLoader = Callable[["Connection", str, NodeId], bytes | None]
"""(tx, ref, to) -> the payload to send now, or None where it may no longer be sent (removed member, recalled)."""


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """One line of `tansiq courier status`."""

    node: NodeId
    name: str
    country: str
    queued: int
    sent: int
    received: int
    refused: int
    expired: int
    oldest_queued_at: datetime | None
    last_contact_at: datetime | None
    attempts: int
    """Failed attempts since the last contact."""
    last_failure: str
    """The stable code of the last failed attempt, or empty."""


@dataclass(frozen=True, slots=True)
class ParcelSummary:
    """What the import of a file carried by hand did. A second import shows the same things as `repeated`."""

    sender: NodeId | None
    """Who made it, by a signature in it. None where nothing in it is signed by whom its first line names."""
    envelopes: int
    repeated: int
    receipts: int
    failures: tuple[tuple[int, str], ...]
    """(line number, stable code) of each element that did not verify; the others stand."""


@dataclass(frozen=True, slots=True)
class ProvenReceipt:
    """What a third party knows after `verify_receipt_proof`, with nothing but the proof in its hands."""

    ref: str
    kind: str
    """`entry`: the recipient had it. Of another kind: only that it was asked for it, or told of it."""
    result: ItemResult
    receipt: Receipt
    sender: NodeCard
    recipient: NodeCard
    recipient_fingerprint: str


class Transport(Protocol):
    """Carries bytes to a partner's exchange door and brings its answer. Knows nothing of what they mean."""

    def post(self, peer: Peer, path: str, body: bytes, timeout_s: float) -> bytes:
        """The partner's answer.

        Raises:
            PeerUnavailable: a code of `NOT_LEFT` promises that no byte of `body` left this machine; every other
                code means that it may have arrived.
        """
        ...


UNREACHABLE, OTHER_CERTIFICATE = "peer.unreachable", "peer.other_certificate"
NOT_LEFT = frozenset({UNREACHABLE, OTHER_CERTIFICATE})
"""Nobody answers; or somebody does, under a certificate that the card does not name (an impostor, or a partner whose
new card is not pinned here yet): that is for a person to look at, and no trying mends it."""
NO_CARD = "peer.no_card"
"""Why an item waits whose addressee is no partner of ours: nothing can be sealed to it before its card is pinned."""
ENVELOPES_PATH = "/exchange/v1/envelopes"
LATER = "later."
"""How the reason of an item begins that its recipient would take at another time: it stays with its sender, and goes
again after a while. Every other reason of an item that was not received is an end."""
MISSED = "missed"
"""Kind of the item with which a node that came out of a backup asks for what was exchanged since."""


class Begun(Protocol):
    """A post whose bytes may have left; its answer is still to be heard."""

    def finish(self, timeout_s: float) -> bytes:
        """As the end of `Transport.post`. Raises `PeerUnavailable`, never with a code of `NOT_LEFT`."""
        ...

    def drop(self) -> None:
        """Nobody waits for the answer."""
        ...


@runtime_checkable
class AtOnce(Protocol):
    """A transport that can give bytes to a line at rest without waiting for anybody."""

    def begin(self, card: NodeCard, path: str, body: bytes) -> Begun | None:
        """None: it cannot now, and not a byte has left. Raises `PeerUnavailable` with that promise."""
        ...


Fault = Callable[[str], None]
"""Called at each of `FAULT_POINTS`; tests raise there to simulate a crash. The default does nothing."""

FAULT_POINTS = (
    "outbox.enqueued",
    "outbox.before_form",
    "outbox.formed",
    "outbox.form_committed",
    "courier.before_post",
    "courier.after_post",
    "courier.before_failure_noted",
    "inbox.before_open",
    "inbox.opened",
    "inbox.prepared",
    "inbox.group_filed",
    "inbox.group_committed",
    "inbox.before_file",
    "inbox.filed",
    "inbox.before_commit",
    "inbox.after_commit",
    "inbox.signed",
    "receipt.before_store",
    "receipt.stored",
    "receipt.after_commit",
    "poll.before_hand",
    "poll.handed",
    "parcel.before_commit",
    "parcel.after_commit",
)
