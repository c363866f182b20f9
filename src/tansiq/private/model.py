"""The nouns of the private check: a list that is shipped, its changes, a batch of questions, and its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from tansiq.crypto import Blinded
from tansiq.evaluator.model import AlarmKind
from tansiq.terms import NodeId

SUITE = "ristretto255-SHA512/1"
"""RFC 9497 mode 1. In every descriptor, so that a later suite is told, not guessed."""
TAG_BYTES, LABEL_BYTES, RID_BYTES, CHECK_BYTES = 8, 16, 12, 4
ELEMENT_BYTES, OUTPUT_BYTES, PROOF_BYTES = 32, 64, 64
BATCH_SIZES = (64, 256)
Chance = Callable[[int], bytes]
BLOCK = 256
"""A delta adds and removes this many tags, or a multiple."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a holder signs about one list: whose, for whom, by which key and rules, how long, how many."""

    holder: NodeId
    partner: NodeId
    tier: str
    epoch: int
    keyspec: str
    classes: tuple[str, ...]
    public: bytes
    count: int
    labelled: bool
    digest: str
    begins_on: str
    ends_on: str
    suite: str = SUITE


@dataclass(frozen=True, slots=True)
class Delta:
    """One signed change of a list: as many tags in as out, so that a list's length says nothing."""

    holder: NodeId
    partner: NodeId
    tier: str
    epoch: int
    sequence: int
    before: str
    after: str
    added: bytes = field(repr=False)
    labels: bytes = field(repr=False)
    removed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class BatchHeader:
    """What stands beside the elements of a batch, signed: all that the holder learns of a question."""

    asker: NodeId
    holder: NodeId
    tier: str
    epoch: int
    keyspec: str
    sequence: int
    count: int
    case: str
    purpose: str
    digest: str


@dataclass(frozen=True, slots=True)
class AskedBatch:
    """What the asker keeps until the answer comes: the first `real` questions are its own, the rest is padding."""

    header: BatchHeader
    blinded: tuple[Blinded, ...] = field(repr=False)
    real: int

    @property
    def elements(self) -> bytes:
        return b"".join(b.element for b in self.blinded)


@dataclass(frozen=True, slots=True)
class AnswerHeader:
    """What the holder signs beside the evaluated elements."""

    holder: NodeId
    asker: NodeId
    tier: str
    epoch: int
    sequence: int
    digest: str
    asked: str
    proof: bytes


@dataclass(frozen=True, slots=True)
class Opening:
    """What the asker keeps of one question, sealed, for its supervisor."""

    input: bytes = field(repr=False)
    blind: bytes = field(repr=False)
    case: str
    case_salt: bytes = field(repr=False)
    batch: str
    position: int


class ConflictClass(StrEnum):
    """DOMAIN 5.6: near in place and time; the same target; both."""

    SPACE_TIME = "space_time"
    TARGET = "target"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Plan:
    """A planned event: a circle on the map and a window, in degrees, metres and milliseconds since 1970."""

    latitude: float
    longitude: float
    radius_m: float
    begins_ms: int
    ends_ms: int


@dataclass(frozen=True, slots=True)
class Grid:
    """The agreed map and clock of deconfliction; both sides must have the same."""

    cell_m: float = 1000.0
    margin_m: float = 500.0
    bucket_minutes: int = 60
    long_bucket_minutes: int = 24 * 60
    long_from_minutes: int = 48 * 60
    time_margin_minutes: int = 30


# --- what the service shows ------------------------------------------------------------------------------------


class Tier(StrEnum):
    """What a key evaluates; the evaluator's word for it is the same."""

    HIGH = "high"
    LOW = "low"
    PLAN = "plan"


class CheckKind(StrEnum):
    PERSON = "person"
    PLAN = "plan"


class CheckState(StrEnum):
    """`waiting`: a batch is on its way by envelope. `refused`: the holder said no; `code` names why."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Family:
    """One key class of a person at one holder. `hit` is None where nothing was asked: no key, or no list of it."""

    key_class: str
    hit: bool | None
    rids: tuple[str, ...] = ()
    """Opaque ids, hex: the holder alone can say what they mean."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one partner's lists say of one person (or of a plan's tokens)."""

    id: str
    kind: CheckKind
    partner: NodeId
    state: CheckState
    code: str
    families: tuple[Family, ...]
    epochs: Mapping[str, int]
    """tier -> epoch that was asked."""
    evaluations: int
    purpose: str
    officer: str
    asked_at: datetime
    ref: str = ""
    dossier: str = ""
    """The request that an officer opened on it."""
    case: str = ""

    @property
    def hit(self) -> bool:
        return any(f.hit for f in self.families)

    @property
    def rids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(rid for f in self.families for rid in f.rids))


@dataclass(frozen=True, slots=True)
class EpochRow:
    """An epoch of our own keys."""

    number: int
    state: str
    begins_on: str
    ends_on: str
    grace_until: str


@dataclass(frozen=True, slots=True)
class ListRow:
    """A list: ours for a partner (`held`), or a partner's for us (`taken`)."""

    side: str
    node: NodeId
    tier: str
    epoch: int
    state: str
    count: int
    """Its public ceiling."""
    entries: int
    """Real ones; 0 for a partner's list, where nobody can tell."""
    sequence: int
    changed_at: str
    classes: tuple[str, ...]
    public: str
    digest: str


@dataclass(frozen=True, slots=True)
class MeterRow:
    """What one partner has spent of one tier today, and what the whole quota lets it read out in an epoch."""

    partner: NodeId
    tier: str
    spent: int
    per_day: int
    burst: int
    readout: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class UseRow:
    """Batches and evaluations of one partner, tier and purpose; `code` names a refusal, empty for answers."""

    partner: NodeId
    tier: str
    purpose: str
    code: str
    batches: int
    evaluations: int
    last_at: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What a supervisor (alarms) or an officer (named ids, new findings of a watch) must look at."""

    id: str
    code: str
    """`private.alarm.<kind>`, `private.named` (a request names an opaque id of ours), `private.watch_hit`."""
    partner: str
    tier: str
    count: int
    of: int
    ref: str
    """The dossier or the check that it is about."""
    since: datetime
    seen_at: datetime | None = None


ALARMS = frozenset(f"private.alarm.{kind}" for kind in (*AlarmKind, "unknown_id", "list_broken"))
"""What goes up to the officer on duty: a quota or the ceiling half spent or spent, a canary that somebody asked for,
too many hits, a request that names an id of nobody, a list that does not verify."""
ALARM_CLAUSE = "Private checks: an alarm is looked at before the day's quotas are renewed (this program's own rule)"


@dataclass(frozen=True, slots=True)
class CheckDuty:
    """What this service's officers owe about private checks: to look at an alarm, or at a watched person's new hit."""

    notice: str
    code: str
    partner: str
    ref: str
    since: datetime
    due_at: datetime
    urgent: bool
    clause: str = ALARM_CLAUSE
    dossier: str = ""


def check_duties(notices: Iterable[Notice]) -> tuple[CheckDuty, ...]:
    """Of what nobody has seen yet, the oldest first. An id that a request names is owed by that request's dossier."""
    found = []
    for n in notices:
        if n.seen_at or n.code == "private.named":
            continue
        midnight = n.since.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        found.append(CheckDuty(n.id, n.code, n.partner, n.ref, n.since, midnight, n.code in ALARMS))
    return tuple(sorted(found, key=lambda d: (d.since, d.notice)))


@dataclass(frozen=True, slots=True)
class Watch:
    """A person under standing watch."""

    id: str
    state: str
    purpose: str
    officer: str
    case: str
    since: datetime
    until_on: str
    person: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an opaque id of ours means: a record of the bank, a canary, or what another capability listed."""

    rid: str
    partner: NodeId
    tier: str
    epoch: int
    record: str
    group: str


@dataclass(frozen=True, slots=True)
class Listing:
    """One key under which a holder lists something: `record` and `group` decide the opaque id."""

    record: str
    group: str
    input: bytes = field(repr=False)
