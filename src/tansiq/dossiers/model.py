"""Nouns of the dossier: entries, parts, members, duties, and what a kind must bring."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from tansiq.terms import DossierId, EntryId, Handling, NodeId, PartId

RETURNED = "returned"
"""Kind of the item with which an entry goes back to its author, who lost it; its ref is the entry's id."""


class Presence(StrEnum):
    """What this node has of a part. The three absences never look alike."""

    HELD = "held"
    WITHHELD = "withheld"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class PartRef:
    """A part as its entry's statement names it: everybody sees this much, nobody can undo it."""

    id: PartId
    kind: str
    """`subject`, `narrative`, `entity`, `link`, `note`, or a kind's own word such as `question`."""
    size: int


@dataclass(frozen=True, slots=True)
class Legal:
    """Why and by what right (LED arts 4, 35-38), until when (LED art. 5)."""

    purpose: str
    legal_basis: str
    agreements: Mapping[str, str]
    """Recipient country -> agreement id; `*` for every recipient."""
    transfer_basis: str = ""
    review_on: str = ""
    erase_on: str = ""

    def agreement_with(self, country: str) -> str:
        return self.agreements.get(country, self.agreements.get("*", ""))


@dataclass(frozen=True, slots=True)
class Statement:
    """What an author signed. Holds no personal data: facts are codes, times and ids; content sits in parts."""

    dossier: DossierId
    kind: str
    type: str
    author: NodeId
    officer: str
    clock: int
    at: datetime
    parents: tuple[EntryId, ...]
    addressees: tuple[NodeId, ...]
    handling: Handling
    legal: Legal
    facts: Mapping[str, Any]
    parts: tuple[PartRef, ...]
    members: tuple[NodeId, ...] | None = None
    """The whole new member list, in the opening entry and in `dossier.members` entries only. Empty means nobody."""
    nonce: str = ""
    """In the opening entry only: the dossier's id is the hash of (opener, nonce), so nobody else can open it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part with what this node has of it. `content` is None unless held."""

    ref: PartRef
    presence: Presence
    content: Mapping[str, Any] | None
    erased: tuple[str, ...] = ()
    """Properties of the values in it that were erased on a day of their own: what is left of it goes to nobody."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry whose signatures and commitments verified. Only `wire.verify_entry` and `records` make one."""

    id: EntryId
    statement: Statement
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that officers must see about an entry: why it does not count, or what is odd about it."""

    entry: EntryId
    code: str
    """`not_a_member`, `illegal_act`, `clock_wrong`, `unknown_type`, `facts_wrong`, `equivocation` ..."""
    void: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Duty:
    """Who owes what until when, under which clause. `owner` is the node that owes it. Owed from `since` on."""

    dossier: DossierId
    owner: NodeId
    code: str
    """What is owed, e.g. `request.answer`, `dossier.review`, `dossier.permission.answer`."""
    due_at: datetime | None
    """None while a clock is stopped."""
    since: datetime
    clause: str
    entry: EntryId | None = None
    urgent: bool = False
    creditor: NodeId | None = None
    paused: str = ""
    later: bool = False
    """It begins at `since`, which may lie ahead, and is nobody's before. Others are owed from when they are known."""


@dataclass(frozen=True, slots=True)
class Permission:
    """A partner's wish to pass something on, and the originator's answer."""

    asked: EntryId
    by: NodeId
    to: str
    """The wished-for recipient: a node id, or a country where the node is not known yet."""
    at: datetime
    answer: str = ""
    """empty while open, then `granted`, `granted_with_conditions` or `refused`."""
    answered: EntryId | None = None


@dataclass(frozen=True, slots=True)
class Recall:
    """An originator took a part back; `erased` says which members answered with what proof."""

    entry: EntryId
    about: EntryId
    """The entry whose part it is: another's entry may name the same part, and that one stays."""
    part: PartId
    reason: str
    at: datetime
    erased: Mapping[NodeId, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Restriction:
    """An originator tightened an entry's handling after sending (Reg. 2016/794 art. 19(2): "or later")."""

    entry: EntryId
    about: EntryId
    handling: Handling
    at: datetime
    acknowledged: tuple[NodeId, ...] = ()


@dataclass(frozen=True, slots=True)
class AutoAct:
    """What the rules make this node write by itself; no officer decides it and it holds no personal data."""

    type: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Erasure:
    """That the contents of a dossier are to be gone, by its members' agreement or by law, and who has proven it."""

    by: datetime
    """The last instant; on its day the node erases by itself."""
    ready: bool
    """Whether an officer may have it done before: the dossier's work has ended."""
    facts: Mapping[str, Any]
    """What the act that proves it says besides the proof."""
    told: frozenset[NodeId]
    named_by: EntryId | None = None
    """The entry that names the day, where one member alone writes it; None: it stands since the opening."""


@dataclass(frozen=True, slots=True)
class DossierState:
    """The fold. Two nodes with the same entries have the same state but for `Part.presence`."""

    id: DossierId
    kind: str
    opener: NodeId | None
    opened_at: datetime | None
    members: tuple[NodeId, ...]
    members_version: int
    entries: tuple[Entry, ...]
    """In the deterministic order (clock, author, entry id)."""
    heads: tuple[EntryId, ...]
    missing: tuple[EntryId, ...]
    """Parents that an entry names and this node has not seen."""
    marks: tuple[Mark, ...]
    permissions: tuple[Permission, ...]
    recalls: tuple[Recall, ...]
    restrictions: tuple[Restriction, ...]
    phase: str
    """The kind's own word for where it stands, e.g. `open`, `waiting_for_clarification`, `closed`."""
    own: Any = None
    """The kind's own state."""

    def entry(self, entry_id: EntryId) -> Entry | None:
        return next((e for e in self.entries if e.id == entry_id), None)

    @property
    def first(self) -> Entry:
        """The opening entry, or while it is missing the first that counts. Never a stranger's that sorts before it."""
        void = self.voided() if self.opener is not None else frozenset()
        return next((e for e in self.entries if e.id not in void), self.entries[0])

    def voided(self) -> frozenset[EntryId]:
        return frozenset(m.entry for m in self.marks if m.void)


@dataclass(frozen=True, slots=True)
class ActRule:
    """One row of a kind's life cycle: who may write what, when, and what follows."""

    type: str
    by: str
    """`opener`, `addressee` (a member that is not the opener), `member`, `originator` (author of what it is about)."""
    before: tuple[str, ...]
    """Phases in which it is legal; empty: any."""
    after: str
    """The phase it leads to; empty: stays."""
    clause: str
    parts: frozenset[str] = frozenset()
    facts: Any = None
    """A msgspec Struct with forbid_unknown_fields; None: no facts."""
    # By name alone: shifted by one position, sealed judgements would leave their node.
    kept: frozenset[str] = field(default=frozenset(), kw_only=True)
    """Those of `parts` that never leave their author's node, whatever it writes or does, e.g. a sealed judgement."""
    bare: bool = field(default=False, kw_only=True)
    """It says enough without a part or a fact: time is called, an offer is used. Moving the phase does so too."""

    def says_nothing(self, facts: Mapping[str, Any], parts: Collection[object]) -> bool:
        """Whether an act with these facts and parts would tell its readers nothing but its name."""
        moves = bool(self.before and self.after)
        return not (facts or parts or self.bare or moves) and bool(self.parts)


@dataclass(frozen=True, slots=True)
class Window:
    """What a scorecard counts: our work with one partner, from an instant to another (not included)."""

    me: NodeId
    other: NodeId
    begins: datetime
    ends: datetime

    def holds(self, at: datetime | None) -> bool:
        return at is not None and self.begins <= at < self.ends

    def way(self, author: NodeId) -> str:
        """`out` for what we did towards the partner, `in` for what it did towards us, empty for others."""
        return {self.me: "out", self.other: "in"}.get(author, "")


@dataclass(frozen=True, slots=True)
class Figure:
    """One case that a dossier adds to a scorecard: a count, or a time taken in whole seconds."""

    name: str
    """Dotted, with its way where it has one, e.g. `requests.in.answered`."""
    value: int = 1
    how: str = "count"
    """`count`: added up; `seconds`: the median and the 80th percentile are shown."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of dossier brings: its nouns and its pure rules. Everything else comes from the frame."""

    name: str
    acts: tuple[ActRule, ...]
    begin: Callable[[Entry], Any]
    """The kind's own state after the opening entry."""
    check: Callable[[DossierState, Entry], str]
    """Why this act is illegal now; empty when legal. Must never raise on a verified entry.

    It, `begin` and `step` may look at the phase, the members, the kind's own state, at entries that facts name by id
    and at the entry's ancestors: a fold that goes on (`rules.extend`) begins anew only for what it can know to be read.
    """
    step: Callable[[DossierState, Entry], tuple[str, Any]]
    """(new phase, new own state) after a legal entry."""
    duties: Callable[[DossierState], tuple[Duty, ...]]
    automatic: Callable[[DossierState, NodeId], tuple[AutoAct, ...]]
    """What this node must write by itself in this state, e.g. the receipt of a request that starts its clock."""
    part_kinds_required: Callable[[Entry], tuple[str, ...]] = lambda _entry: ()
    """Kinds of part that an act cannot do without, e.g. the six items of Dir. 2023/977 art. 4(5)."""
    figures: Callable[[DossierState, Window], tuple[Figure, ...]] = lambda _state, _window: ()
    """What the dossier adds to the scorecard of our work with a partner."""
    escalations: frozenset[str] = frozenset()
    """Codes of duties that are the duty officer's (the supervisor's), because what was owed first was not done."""
    ends_on: Callable[[Mapping[str, Any]], str] = lambda _opening: ""
    """From the opening's facts: the day on which the event ends that the personal data are for; empty: for none."""
    erased_act: str = ""
    """With this act a node proves that it erased all contents; the node writes it, no officer.

    Its facts hold besides those of `Erasure`: `parts` (how many), `leaf`, and `proof` of that leaf of the ledger.
    """
    erases: Callable[[DossierState], Erasure | None] = lambda _state: None
    """The erasure that every member owes; None: none, or none yet."""
    has_signed: Callable[[DossierState, str, NodeId], bool] = lambda _state, _act, _node: True
    """Whether a member may be given this act: it has signed what the dossier rests on, or the act asks it to."""

    @property
    def opening(self) -> ActRule:
        return self.acts[0]

    def act(self, entry_type: str) -> ActRule | None:
        return next((a for a in self.acts if a.type == entry_type), None)


@dataclass(frozen=True, slots=True)
class Unerased:
    """Contents that are held past the day on which they were to be erased."""

    dossier: DossierId
    day: str
    """The first such day, `YYYY-MM-DD`."""
    parts: int
    why: str
    """A stable code, where the last sweep of this process has tried it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a partner may lay down at once, and then each day again.

    Ten thousand entries of one dossier, which a partner catches up with, pass at once.
    """

    entries: int = 50_000
    megabytes: int = 2_000
    dossier: int = 12_000
    """Entries of one dossier."""
    waiting: int = 4_000
    """Entries that those of one dossier name and that are not here; entries of all dossiers that nobody has opened."""
    outsider: int = 250
    """Entries of one dossier whose author is no member of it, at all."""


@dataclass(frozen=True, slots=True)
class PutOff:
    """A partner that was asked to come again: what an operator reads, and owes to look at."""

    partner: NodeId
    since: datetime
    last: datetime
    times: int
    why: str
    """The newest code."""
    dossier: DossierId
    code: str = "partner.too_much"
    clause: str = "LED art. 29(1)"
    urgent: bool = False

    @property
    def due_at(self) -> datetime:
        return self.since + timedelta(days=1)
