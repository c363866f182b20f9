"""Nouns of an operation: the typed facts of its acts."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

import msgspec

from tansiq.terms import CrimeArea, RefusalGround

Form = Literal["joint_operation", "jit", "controlled_delivery", "cross_border_surveillance", "coordination"]
Measure = Literal["controlled_delivery", "cross_border_surveillance"]

FORMS_TO_SIGN = ("joint_operation", "jit")
"""Forms that rest on an agreement of the parties: nothing opens before all have signed."""

SURVEILLANCE_WITHOUT_LEAVE = timedelta(hours=5)
"""Schengen Convention art. 40(2): it stops if no authorisation came within five hours of the crossing."""
EVALUATE = timedelta(days=30)
ACKNOWLEDGE_ABORT = timedelta(minutes=30)
ANSWER = timedelta(hours=24)
REPORT = timedelta(days=7)
"""Proposals, no standard: an evaluation, the acknowledgement of an abort, an answer where the request tells no other
time, and the report after a measure."""

Count = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]


class Proposed(msgspec.Struct, forbid_unknown_fields=True):
    """`operation.proposed`. The model agreement's texts are parts (see `rules.required`)."""

    form: Form
    window_from: str = ""
    window_until: str = ""
    """The period, as instants; an investigation team has a limited one."""
    crime_areas: list[CrimeArea] = []
    states: list[str] = []
    """Where it operates: ISO 3166-1 alpha-2."""


class Amended(msgspec.Struct, forbid_unknown_fields=True):
    """`operation.amended`: what changes is a part; a new end of the period is a fact."""

    window_until: str = ""


class About(msgspec.Struct, forbid_unknown_fields=True):
    """An act upon what `about` names."""

    about: str


class Signed(msgspec.Struct, forbid_unknown_fields=True):
    """`operation.signed`, `operation.declined`: of the proposal or an amendment, by its entry id."""

    about: str


class Task(msgspec.Struct, forbid_unknown_fields=True):
    """`operation.task_given`."""

    owner: str
    due: str = ""
    urgency: Literal["normal", "urgent"] = "normal"


class Situation(msgspec.Struct, forbid_unknown_fields=True):
    """`operation.situation_reported`: numbered by each service, without a gap."""

    number: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    at: str = ""


class Decision(msgspec.Struct, forbid_unknown_fields=True):
    """`operation.decision_taken`: what was decided and why are parts."""

    number: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class Exhibit(msgspec.Struct, forbid_unknown_fields=True):
    """`operation.exhibit_logged`: the thing's description is a part; a file is bound by its hash."""

    form: Literal["document", "image", "audio", "video", "data", "object", "sample"]
    digest: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""
    size: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)] = 0


class Custody(msgspec.Struct, forbid_unknown_fields=True):
    """`operation.custody_given`: to the member `owner`."""

    about: str
    owner: str


class Touched(msgspec.Struct, forbid_unknown_fields=True):
    """`operation.exhibit_touched`: opened, copied, examined or exported; each is a link of the chain."""

    about: str
    how: Literal["opened", "copied", "examined", "exported"]


class Result(msgspec.Struct, forbid_unknown_fields=True):
    """`operation.result_recorded`: counted once for all parties; it counts when every one agreed."""

    arrests: Count = 0
    seizures: Count = 0
    victims_freed: Count = 0
    cells_dismantled: Count = 0
    networks_dismantled: Count = 0
    firearms: Count = 0
    drugs_grams: Count = 0
    cash_eur: Count = 0


class MeasureRequested(msgspec.Struct, forbid_unknown_fields=True):
    """`operation.measure_requested`: to each addressee. Goods, route, officers and subjects are parts."""

    measure: Measure
    urgency: Literal["normal", "urgent"] = "normal"
    due: str = ""
    """When the answer is needed."""
    crossing_at: str = ""
    """Of an urgent surveillance: when the border was crossed; the five hours run from it."""
    until: str = ""
    """When the measure is to end."""
    offence_max_penalty_months: Count = 0


class Authorised(msgspec.Struct, forbid_unknown_fields=True):
    """`operation.measure_authorised`; conditions, if any, are a part."""

    about: str
    conditions: bool = False


class Refused(msgspec.Struct, forbid_unknown_fields=True):
    """`operation.measure_refused`."""

    about: str
    grounds: Annotated[list[RefusalGround], msgspec.Meta(min_length=1, max_length=20)]


class Reported(msgspec.Struct, forbid_unknown_fields=True):
    """`operation.measure_reported`: what the measure brought, to every State that authorised it."""

    about: str
    outcome: Literal["carried_out", "not_carried_out", "broken_off", "handed_over"]


class Closed(msgspec.Struct, forbid_unknown_fields=True):
    """`operation.closed`: every party erases what it holds by `due`, as the agreement says."""

    due: str
    outcome: Literal["objective_reached", "partly_reached", "not_reached", "broken_off"]


class Evaluated(msgspec.Struct, forbid_unknown_fields=True):
    """`operation.evaluated`: by each party for itself; the words are parts."""

    about: str
    worth: Annotated[int, msgspec.Meta(ge=1, le=5)]
    """1 nothing gained ... 5 would do it again as it was."""


class Erased(msgspec.Struct, forbid_unknown_fields=True):
    """`operation.erased`: how many parts this node erased, with the proof; the node writes it."""

    about: str
    parts: Count
    leaf: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
    proof: Annotated[str, msgspec.Meta(min_length=1)]
    """Inclusion proof of the ledger's leaf with its signed checkpoint, as text (`tansiq ledger verify`)."""
