"""Nouns of the law gate: a question, and its two answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Action(StrEnum):
    """What is asked for. Each send, view, search, append, export, match and erase is a question to the gate."""

    COLLECT = "collect"
    APPEND = "append"
    SEND = "send"
    FORWARD = "forward"
    VIEW = "view"
    SEARCH = "search"
    MATCH = "match"
    CHECK = "check"
    """To ask a partner privately; it learns that it was asked, and not what."""
    ANSWER_CHECK = "answer_check"
    DECIDE = "decide"
    EXPORT = "export"
    JUDICIAL_USE = "judicial_use"
    ERASE = "erase"
    ADMINISTER = "administer"


@dataclass(frozen=True, slots=True)
class Question:
    """Everything that the gate may look at, as plain values; `policy` reads no clock and no store.

    `recipient` and `originator` are ISO 3166 alpha-2. `consent` is the originator's consent to this very recipient.
    `urgency` is `urgent` or `normal`. Sets are of code values (`terms.codes`).
    """

    action: Action
    country: str
    roles: frozenset[str]
    originator: str
    kind: str = ""
    entry_type: str = ""
    recipient: str | None = None
    recipients: int = 0
    agreement: str = ""
    purpose: str = ""
    legal_basis: str = ""
    transfer_basis: str = ""
    justification: str = ""
    handling: frozenset[str] = frozenset()
    handling_text: str = ""
    classification: str = "UNCLASSIFIED"
    urgency: str = "normal"
    crime_areas: frozenset[str] = frozenset()
    person_roles: frozenset[str] = frozenset()
    properties: frozenset[str] = frozenset()
    """`<role>:<property>` for each claim about a person, for the whitelist of Reg. 2016/794 Annex II.B."""
    has_persons: bool = False
    has_text: bool = False
    """Free text goes with it, in which anything may stand: then a protective act is asked as content is."""
    has_minors: bool = False
    has_special_categories: bool = False
    strictly_necessary: bool = False
    graded: bool = False
    review_on: str = ""
    erase_on: str = ""
    consent: bool = False
    interpol_channel: bool = False
    article_3: bool = False
    """The officer declares that the matter is not political, military, religious or racial (INTERPOL art. 3)."""
    assurances: frozenset[str] = frozenset()
    """`no_death_penalty`, `no_torture`: assurances that the recipient's side has given for this case."""
    risk: frozenset[str] = frozenset()
    """`death_penalty`, `torture`: risks that the officer flagged for the recipient."""
    second_officer: bool = False
    event_ends_on: str = ""
    """The day on which the event ends that the dossier's personal data are for; empty: they are for none."""
    recipient_signed: bool = True
    """False where the dossier rests on an agreement of its members, and the recipient has not signed it."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A rule that decided: its id, where it stands in law, and what a lawyer calls it. No personal data."""

    id: str
    law: str
    title: str
    source: str
    """The policy file, e.g. `agreements/ma-es.cedar`."""


@dataclass(frozen=True, slots=True)
class Permit:
    """Permitted, and why: the rules that permit, then those that put an obligation on it.

    `four_eyes` must be met before the act; `acknowledge_h3` before the officer reads on; `inform_originator`,
    `notify_dpa` and `document_transfer` after it.
    """

    clauses: tuple[Clause, ...]
    obligations: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Not permitted. No clause at all means that nothing permits it (default deny)."""

    clauses: tuple[Clause, ...]
    reason: str
    """A stable code: `default_deny`, the id of the first forbidding rule, `gate.other_country` or `gate.error`."""
    missing: tuple[str, ...] = ()
    """What the officer could add or change, as words of the question: `agreement`, `erase_on`, `consent`, `role` ..."""
    parts: tuple[str, ...] = ()
    """Where a clause forbids it for the handling of single values alone: the places of the parts that hold them. The
    gate sees no parts; who asks it finds them."""


Decision = Permit | Refusal


@dataclass(frozen=True, slots=True)
class Agreement:
    """One agreement between services, as read from the annotations of its file's first rule.

    `clocks` maps `urgent_direct`, `urgent_indirect` and `other` to ISO 8601 durations such as `PT8H`.
    """

    id: str
    parties: tuple[str, ...]
    title: str
    in_force_since: str
    clocks: dict[str, str] = field(default_factory=dict)
