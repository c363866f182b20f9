"""The append-only signed log of one node, its proofs and its witnesses.

Promises:
- `Ledger.append` logs one processing operation (LED art. 25(1)) in the caller's own transaction: no leaf, no act.
- The tree (RFC 9162) holds salted commitments and ids only. Content is sealed, and erased without breaking a proof.
- `checkpoint` signs the head as a C2SP note with Ed25519 and ML-DSA-65, and never signs a fork; `witness` cosigns a
  partner's log only when it extends what we saw of it.
- `Witnesses` lays our newest checkpoint before each partner once a day and cosigns theirs, as items of the exchange;
  what contradicts what was cosigned before is kept with its note, shown, and owed until an officer settles it.
- `select` finds leaves by time, verb, record and officer, in pages.
- `verify` recomputes everything and says at which leaf it breaks. `bundle` and `verify_bundle` prove one leaf to a
  third party off-line, with nothing but the log's public keys.
- `archive` and `verify_archive` do so for the whole log, with the contents that were chosen to be opened; who carries
  the file changes nothing in it unseen. What a proof could not hold is not logged: `append` bounds a leaf's content.
- `KnownTime` says whether the clock may be believed where a day decides on an erasure.
- `merkle`'s functions are pure and re-exported.
It keeps nothing in memory: a rolled-back transaction leaves no trace.
"""

from tansiq.ledger.archive import as_said, verify_archive
from tansiq.ledger.bundle import verify_bundle
from tansiq.ledger.checkpoint import (
    NOTHING_SEEN,
    add_line,
    cosign,
    sign_checkpoint,
    verify_checkpoint,
    verify_cosignature,
)
from tansiq.ledger.choosing import wanted
from tansiq.ledger.known_time import ESCALATIONS as CLOCK_ESCALATIONS
from tansiq.ledger.known_time import ClockDuty, KnownTime, running
from tansiq.ledger.merkle import (
    EMPTY_ROOT,
    consistency,
    inclusion,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from tansiq.ledger.service import Ledger
from tansiq.ledger.wire import ARCHIVE_TYPE, MAX_ARCHIVE_HEAD, archive_lines, parse_archive_head
from tansiq.ledger.witnessing import (
    CHECKPOINT,
    COSIGNATURE,
    DISTRUSTED,
    ESCALATIONS,
    KNOWN_BACK,
    PUT_BACK,
    REWRITTEN,
    Standing,
    WitnessDuty,
    Witnesses,
)

__all__ = [
    "ARCHIVE_TYPE",
    "CHECKPOINT",
    "CLOCK_ESCALATIONS",
    "COSIGNATURE",
    "DISTRUSTED",
    "EMPTY_ROOT",
    "ESCALATIONS",
    "KNOWN_BACK",
    "MAX_ARCHIVE_HEAD",
    "NOTHING_SEEN",
    "PUT_BACK",
    "REWRITTEN",
    "ClockDuty",
    "KnownTime",
    "Ledger",
    "Standing",
    "WitnessDuty",
    "Witnesses",
    "add_line",
    "archive_lines",
    "as_said",
    "consistency",
    "cosign",
    "inclusion",
    "leaf_hash",
    "node_hash",
    "parse_archive_head",
    "root",
    "running",
    "sign_checkpoint",
    "verify_archive",
    "verify_bundle",
    "verify_checkpoint",
    "verify_consistency",
    "verify_cosignature",
    "verify_inclusion",
    "wanted",
]
