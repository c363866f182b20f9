"""The life cycle of an operation.

open (unsigned) ──every party signed──► open (active) ──closed──► closed ──every party erased──► closed, nothing owed
amendment: awaited (each other party) ──► signed | declined; it holds when every party signed
task:      given ──► done | refused | cancelled
exhibit:   held ──custody_given──► handed ──custody_taken──► held ... ──► released
result:    awaited (each other party) ──► agreed | disputed
measure:   asked (each addressee) ──► authorised | refused | aborted; what ran, however it ended ──► reported
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tansiq.dossiers.model import ActRule, DossierState, Duty, Entry, Erasure, Figure, Kind, Window
from tansiq.errors import TansiqError
from tansiq.kinds.items import Cycle, Facts, Item, Items, Move, Owed, Step, after, stop, told
from tansiq.kinds.operation.matrix import WITHIN, possible
from tansiq.kinds.operation.model import (
    ACKNOWLEDGE_ABORT,
    ANSWER,
    EVALUATE,
    FORMS_TO_SIGN,
    REPORT,
    SURVEILLANCE_WITHOUT_LEAVE,
    About,
    Amended,
    Authorised,
    Closed,
    Custody,
    Decision,
    Erased,
    Evaluated,
    Exhibit,
    MeasureRequested,
    Proposed,
    Refused,
    Reported,
    Result,
    Signed,
    Situation,
    Task,
    Touched,
)
from tansiq.terms import EntryId, NodeId, country_of, later, parse_instant

_TEXT = frozenset({"subject", "narrative", "note", "link", "entity"})
_NOTE = frozenset({"note"})
_AGREEMENT = _TEXT | {"purpose", "objective", "leaders", "participants", "evidence_rules", "data_rules", "arrangements"}
_ROUTE = _TEXT | {"goods", "route", "officers", "means", "abort_criteria", "conditions"}
_JIT = "EU MLA Convention 2000 art. 13"
_OPEN = ("open",)
_ENDED = ("closed",)

ACTS = (
    ActRule("operation.proposed", "opener", (), "open", _JIT, _AGREEMENT | _ROUTE, Proposed),
    ActRule("operation.signed", "member", _OPEN, "", _JIT, _NOTE, Signed),
    ActRule("operation.declined", "member", _OPEN, "", "", _NOTE, Signed),
    ActRule("operation.amended", "member", _OPEN, "", _JIT, _AGREEMENT, Amended),
    ActRule("operation.task_given", "member", _OPEN, "", "", _TEXT | {"task"}, Task),
    ActRule("operation.task_done", "member", _OPEN, "", "", _TEXT, About),
    ActRule("operation.task_refused", "member", _OPEN, "", "", _NOTE, About),
    ActRule("operation.task_cancelled", "member", _OPEN, "", "", _NOTE, About),
    ActRule("operation.situation_reported", "member", _OPEN, "", "", _TEXT | {"situation"}, Situation),
    ActRule("operation.decision_taken", "member", _OPEN, "", "", _TEXT | {"decision"}, Decision),
    ActRule("operation.exhibit_logged", "member", _OPEN, "", "", _TEXT | {"exhibit"}, Exhibit),
    ActRule("operation.custody_given", "member", _OPEN, "", "", _NOTE, Custody),
    ActRule("operation.custody_taken", "member", _OPEN, "", "", _NOTE, About),
    ActRule("operation.exhibit_touched", "member", _OPEN, "", "Reg. (EU) 2023/969", _NOTE, Touched),
    ActRule("operation.exhibit_released", "member", _OPEN, "", "", _NOTE, About),
    ActRule("operation.measure_requested", "member", _OPEN, "", "", _ROUTE, MeasureRequested),
    ActRule("operation.measure_authorised", "member", _OPEN, "", "", _NOTE | {"conditions"}, Authorised),
    ActRule("operation.measure_refused", "member", _OPEN, "", "", _NOTE, Refused),
    ActRule("operation.measure_aborted", "member", _OPEN, "", "", _NOTE, About),
    ActRule("operation.abort_acknowledged", "member", _OPEN, "", "", _NOTE, About),
    ActRule("operation.measure_reported", "member", _OPEN, "", "Schengen Convention art. 40", _TEXT, Reported),
    ActRule("operation.result_recorded", "member", _OPEN, "", "", _TEXT, Result),
    ActRule("operation.result_agreed", "member", (), "", "", _NOTE, About),
    ActRule("operation.result_disputed", "member", (), "", "", _NOTE, About),
    ActRule("operation.closed", "opener", _OPEN, "closed", "", _TEXT, Closed),
    ActRule("operation.evaluated", "member", _ENDED, "", _JIT, _TEXT | {"evaluation"}, Evaluated),
    ActRule("operation.erased", "member", _ENDED, "", "Reg. (EU) 2023/969", _NOTE, Erased),
)


def _answer_by(facts: Facts, at: datetime) -> datetime:
    """An urgent surveillance: five hours from the crossing. Else the time that the request tells, or a day."""
    if facts.get("measure") == "cross_border_surveillance" and facts.get("urgency") == "urgent":
        return later(told("crossing_at")(facts, at) or at, SURVEILLANCE_WITHOUT_LEAVE)
    return told("due")(facts, at) or later(at, ANSWER)


CYCLE = Cycle(
    steps=(
        Step("operation.amended", "amendment", "each", "any", (), "awaited"),
        Step("operation.signed", "amendment", "", "owner", ("awaited", "declined"), "signed"),
        Step("operation.declined", "amendment", "", "owner", ("awaited",), "declined"),
        Step("operation.task_given", "task", "one", "any", (), "given", told("due")),
        Step("operation.task_done", "task", "", "owner", ("given",), "done", stop),
        Step("operation.task_refused", "task", "", "owner", ("given",), "refused", stop),
        Step("operation.task_cancelled", "task", "", "author", ("given",), "cancelled", stop),
        Step("operation.exhibit_logged", "exhibit", "one", "any", (), "held"),
        Step("operation.custody_given", "exhibit", "", "owner", ("held",), "handed", after(ANSWER), "told"),
        Step("operation.custody_taken", "exhibit", "", "owner", ("handed",), "held", stop),
        Step("operation.exhibit_touched", "exhibit", "", "owner", ("held",), "held"),
        Step("operation.exhibit_released", "exhibit", "", "owner", ("held",), "released"),
        Step("operation.measure_requested", "measure", "each", "any", (), "asked", _answer_by),
        Step("operation.measure_authorised", "measure", "", "owner", ("asked",), "authorised", told("until")),
        Step("operation.measure_refused", "measure", "", "owner", ("asked", "authorised"), "refused", stop),
        Step("operation.measure_aborted", "abort", "each", "any", (), "awaited", after(ACKNOWLEDGE_ABORT)),
        Step("operation.abort_acknowledged", "abort", "", "owner", ("awaited",), "acknowledged", stop),
        Step("operation.result_recorded", "result", "each", "any", (), "awaited"),
        Step("operation.result_agreed", "result", "", "owner", ("awaited", "disputed"), "agreed"),
        Step("operation.result_disputed", "result", "", "owner", ("awaited", "agreed"), "disputed"),
        Step("operation.closed", "evaluation", "all", "any", (), "awaited", after(EVALUATE)),
        Step("operation.evaluated", "evaluation", "", "owner", ("awaited",), "given", stop),
    ),
    owed=(
        Owed("amendment", ("awaited",), "operation.sign", _JIT),
        Owed("task", ("given",), "operation.task", "", urgent=("urgent",)),
        Owed("exhibit", ("handed",), "operation.take_custody", "Reg. (EU) 2023/969"),
        Owed("measure", ("asked",), "operation.answer_measure", "", urgent=("urgent",)),
        Owed("abort", ("awaited",), "operation.acknowledge_abort", ""),
        Owed("result", ("awaited",), "operation.agree_result", ""),
        Owed("evaluation", ("awaited",), "operation.evaluate", _JIT),
    ),
    moves=(
        Move("measure", ("asked", "authorised"), "aborted", "operation.measure_aborted"),
        Move("measure", ("authorised", "aborted", "refused"), "reported", "operation.measure_reported: if it ran"),
    ),
)

UNSIGNED_MAY = (
    "operation.signed", "operation.declined", "operation.amended", "operation.closed", "operation.erased"
)  # fmt: skip

RAN = ("authorised", "aborted", "refused")
"""States in which a measure that ran is still to be reported; `refused`: its leave was taken back."""
AFTERWARDS = ("operation.evaluate", "operation.agree_result")
"""What is still owed when it is closed, besides the erasure."""


@dataclass(frozen=True, slots=True)
class OperationState:
    """The operation: who signed, what is under way, what came of it."""

    facts: Mapping[str, Any]
    proposal: EntryId
    items: Items
    signed: frozenset[NodeId]
    declined: frozenset[NodeId] = frozenset()
    active: bool = False
    """Every party signed once; it stays open for those that did."""
    numbers: Mapping[tuple[str, NodeId], int] = field(default_factory=dict)
    """(act, author) -> the last number used."""
    closed: EntryId | None = None
    closed_at: datetime | None = None
    erase_by: datetime | None = None
    erased: frozenset[NodeId] = frozenset()

    def sort(self, name: str) -> tuple[Item, ...]:
        return tuple(i for i in self.items.values() if i.sort == name)


def begin(opening: Entry) -> OperationState:
    s = opening.statement
    active = s.facts.get("form") not in FORMS_TO_SIGN or not (set(s.addressees) - {s.author})
    return OperationState(dict(s.facts), opening.id, {}, frozenset((s.author,)), active=active)


def _period_fault(facts: Facts) -> str:
    ends = []
    for name in ("window_from", "window_until", "crossing_at", "due", "until"):
        if text := str(facts.get(name, "") or ""):
            try:
                ends.append((name, parse_instant(text)))
            except TansiqError:
                return f"{name} is no instant"
    told_ends = dict(ends)
    first, last = told_ends.get("window_from"), told_ends.get("window_until")
    return "it ends before it begins" if first and last and last < first else ""


def check(state: DossierState, entry: Entry) -> str:
    """Why this act is illegal now; empty when legal."""
    s = entry.statement
    if fault := _period_fault(s.facts):
        return fault
    if s.type == "operation.proposed":
        form = str(s.facts.get("form", ""))
        if form == "jit" and not s.facts.get("window_until"):
            return "an investigation team has a limited period"
        return _impossible(form, (s.author, *s.addressees))
    own: OperationState | None = state.own
    if own is None:
        return ""
    if s.type not in UNSIGNED_MAY and not own.active and state.phase == "open":
        return "not before every party signed"
    if s.type not in UNSIGNED_MAY and own.facts.get("form") in FORMS_TO_SIGN and s.author not in own.signed:
        return "not before they signed"
    return _check_act(own, entry) or CYCLE.check(state, own.items, _not_the_proposal(own, entry))


def _not_the_proposal(own: OperationState, entry: Entry) -> Entry:
    """Signatures of the proposal itself are kept beside the items: the act then touches none."""
    s = entry.statement
    if s.type in ("operation.signed", "operation.declined") and s.facts.get("about") == own.proposal:
        return replace(entry, statement=replace(s, type=f"{s.type}.proposal"))
    return entry


def _check_act(own: OperationState, entry: Entry) -> str:
    s = entry.statement
    match s.type:
        case "operation.signed" if s.facts.get("about") == own.proposal and s.author in own.signed:
            return "signed already"
        case "operation.declined" if s.facts.get("about") == own.proposal and s.author in own.signed:
            return "signed already"
        case "operation.situation_reported" | "operation.decision_taken":
            expected = own.numbers.get((s.type, s.author), 0) + 1
            return "" if s.facts.get("number") == expected else f"the next number is {expected}"
        case "operation.measure_requested":
            return _impossible(str(s.facts.get("measure", "")), (s.author, *s.addressees))
        case "operation.measure_aborted" | "operation.measure_reported":
            lanes = _lanes(own, str(s.facts.get("about", "")), "measure")
            if not lanes:
                return "it names no measure of this dossier"
            if s.type == "operation.measure_reported":
                if lanes[0].author != s.author:
                    return "who asked for the measure reports on it"
                if any(_to_report(i) for i in lanes):
                    return ""
                return "reported already" if any(i.state == "reported" for i in lanes) else "nobody authorised it"
            return "" if any(i.state in ("asked", "authorised") for i in lanes) else "it has ended"
        case "operation.erased":
            if s.facts.get("about") != own.closed:
                return "it names no end of this dossier"
            return "erased already" if s.author in own.erased else ""
    return ""


def _impossible(measure: str, nodes: tuple[NodeId, ...]) -> str:
    """A measure that the countries' instruments do not allow; services of one country coordinate among themselves."""
    countries = {country_of(n) for n in nodes}
    if measure == WITHIN or len(countries) < 2 or measure in possible(countries):
        return ""
    return f"{measure} is not possible between {', '.join(sorted(countries))}"


def _lanes(own: OperationState, begun: str, sort: str) -> tuple[Item, ...]:
    return tuple(i for i in own.items.values() if i.sort == sort and i.begun == begun)


def step(state: DossierState, entry: Entry) -> tuple[str, OperationState]:
    s = entry.statement
    own: OperationState = state.own
    own = replace(own, items=CYCLE.step(own.items, _not_the_proposal(own, entry)))
    about = str(s.facts.get("about", ""))
    match s.type:
        case "operation.signed" if about == own.proposal:
            signed = own.signed | {s.author}
            active = own.active or all(n in signed for n in state.members)
            own = replace(own, signed=signed, declined=own.declined - {s.author}, active=active)
        case "operation.signed":
            own = _amended(own, about)
        case "operation.declined" if about == own.proposal:
            own = replace(own, declined=own.declined | {s.author})
        case "operation.situation_reported" | "operation.decision_taken":
            own = replace(own, numbers={**own.numbers, (s.type, s.author): int(s.facts["number"])})
        case "operation.measure_aborted":
            own = _ended(own, about, ("asked", "authorised"), "aborted", entry)
        case "operation.measure_reported":
            own = _ended(own, about, RAN, "reported", entry)
        case "operation.closed":
            due = told("due")(s.facts, s.at) or later(s.at, EVALUATE)
            own = replace(own, closed=entry.id, closed_at=s.at, erase_by=due)
        case "operation.erased":
            own = replace(own, erased=own.erased | {s.author})
    rule = OPERATION.act(s.type)
    return (rule.after if rule and rule.after else state.phase), own


def _amended(own: OperationState, amendment: str) -> OperationState:
    """An amendment holds when every party signed it; then its new end of the period counts."""
    lanes = _lanes(own, amendment, "amendment")
    if not lanes or any(i.state != "signed" for i in lanes):
        return own
    until = lanes[0].facts.get("window_until")
    return replace(own, facts={**own.facts, "window_until": until}) if until else own


def _to_report(item: Item) -> bool:
    """Whether the measure ran: a State authorised it, or officers crossed in urgency; however it ended since."""
    crossed = item.facts.get("urgency") == "urgent" and bool(item.facts.get("crossing_at"))
    ran = item.entered("operation.measure_authorised") is not None or (crossed and item.state != "asked")
    return ran and item.state in RAN


def _ended(own: OperationState, begun: str, states: tuple[str, ...], to: str, entry: Entry) -> OperationState:
    s = entry.statement
    moved = {
        i.key: CYCLE.moved(i, to, since=s.at, due_at=None, last=entry.id, trail=(*i.trail, (s.type, s.author, s.at)))
        for i in _lanes(own, begun, "measure")
        if i.state in states and (to != "reported" or _to_report(i))
    }
    return replace(own, items={**own.items, **moved})


def duties(state: DossierState) -> tuple[Duty, ...]:
    """Signatures, answers, the five hours, reports, evaluations and the erasure."""
    own: OperationState | None = state.own
    if own is None or state.opened_at is None:
        return ()
    if state.phase == "closed":
        kept = [d for d in CYCLE.duties(state, own.items) if d.code in AFTERWARDS and _is_party(own, d.owner)]
        kept = [d for d in kept if d.code != "operation.evaluate" or _was_used(state, own)]
        return (*kept, *_erasures(state, own))
    found = list(CYCLE.duties(state, own.items))
    if own.facts.get("form") in FORMS_TO_SIGN:
        found += [
            Duty(state.id, n, "operation.sign", None, state.opened_at, _JIT, own.proposal, creditor=state.opener)
            for n in state.members
            if n not in own.signed and n not in own.declined
        ]
    reports: dict[str, Item] = {}
    for item in own.sort("measure"):
        if item.author not in state.members:
            continue
        if item.state == "asked" and item.facts.get("crossing_at") and item.facts.get("urgency") == "urgent":
            found.append(
                Duty(
                    state.id,
                    item.author,
                    "operation.stop_surveillance",
                    item.due_at,
                    item.since,
                    "Schengen Convention art. 40(2)",
                    item.begun,
                    True,
                    item.owner,
                )
            )
        if _to_report(item):
            reports.setdefault(str(item.begun), item)
    found += [
        Duty(
            state.id,
            i.author,
            "operation.report_measure",
            _report_by(i),
            i.since,
            "Schengen Convention art. 40",
            i.begun,
            creditor=i.owner,
        )
        for i in reports.values()
    ]
    return tuple(found)


def _was_used(state: DossierState, own: OperationState) -> bool:
    """A room that a met plan opened and nobody wrote into has nothing to evaluate."""
    idle = ("operation.proposed", "operation.closed", "operation.evaluated", "operation.erased")
    return own.facts.get("form") in FORMS_TO_SIGN or any(e.statement.type not in idle for e in state.entries)


def _is_party(own: OperationState, node: NodeId) -> bool:
    return node in own.signed or own.facts.get("form") not in FORMS_TO_SIGN


def _report_by(item: Item) -> datetime | None:
    """A week after the measure ends, as told or broken off; None while nobody knows when it will."""
    if item.state == "authorised":
        return later(item.due_at, REPORT) if item.due_at else None
    return later(item.since, REPORT)


def _erasures(state: DossierState, own: OperationState) -> list[Duty]:
    if own.erase_by is None or own.closed_at is None:
        return []
    return [
        Duty(
            state.id, n, "operation.erase", own.erase_by, own.closed_at, "Reg. (EU) 2023/969; LED art. 5", own.proposal
        )
        for n in state.members
        if n not in own.erased
    ]


def erases(state: DossierState) -> Erasure | None:
    """After its end every party erases what it holds, by the day that the agreement sets."""
    own: OperationState | None = state.own
    if own is None or own.closed is None or own.erase_by is None:
        return None
    return Erasure(own.erase_by, True, {"about": own.closed}, own.erased, own.closed)


def custody(item: Item) -> tuple[tuple[str, NodeId, datetime], ...]:
    """An exhibit's chain of custody, its first link first: (what, by whom, when)."""
    return item.trail


def totals(own: OperationState) -> dict[str, int]:
    """Results that every party agreed to, added up; a disputed or unanswered one counts nowhere."""
    found: dict[str, int] = {}
    by_entry: dict[EntryId, list[Item]] = {}
    for item in own.sort("result"):
        by_entry.setdefault(item.begun, []).append(item)
    for lanes in by_entry.values():
        if all(i.state == "agreed" for i in lanes):
            for name, value in lanes[0].facts.items():
                if isinstance(value, int) and not isinstance(value, bool):
                    found[name] = found.get(name, 0) + value
    return found


def required(entry: Entry) -> tuple[str, ...]:
    """What the model agreement and a measure request cannot do without (2017/C 18/01; 1988 UN Convention art. 11)."""
    facts = entry.statement.facts
    match entry.statement.type, facts.get("form") or facts.get("measure"):
        case "operation.proposed", "jit":
            return ("purpose", "leaders", "evidence_rules", "data_rules")
        case "operation.proposed", "joint_operation":
            return ("objective",)
        case "operation.measure_requested", "controlled_delivery":
            return ("goods", "route", "abort_criteria")
        case "operation.measure_requested", "cross_border_surveillance":
            return ("route", "officers")
    return ()


def figures(state: DossierState, window: Window) -> tuple[Figure, ...]:
    """Operations by form, measures asked and authorised, and the results that every party agreed to."""
    own: OperationState | None = state.own
    if own is None or not own.active or not window.holds(state.opened_at):
        return ()
    found = [Figure(f"operations.{own.facts.get('form')}")]
    for item in own.sort("measure"):
        way = window.way(item.author)
        if way and item.owner in (window.me, window.other):
            found.append(Figure(f"measures.{way}.{item.facts.get('measure')}"))
            given = item.entered("operation.measure_authorised") is not None
            found += [Figure(f"measures.{way}.authorised")] * given
    found += [Figure(f"results.{name}", value) for name, value in totals(own).items() if value]
    return tuple(found)


def has_signed(state: DossierState, act: str, node: NodeId) -> bool:
    """Of what rests on an agreement, a member that has not signed gets what it is to sign, and the frame's acts."""
    own: OperationState | None = state.own
    if own is None or own.facts.get("form") not in FORMS_TO_SIGN or node in own.signed:
        return True
    return act in UNSIGNED_MAY or act == OPERATION.opening.type or OPERATION.act(act) is None


OPERATION = Kind(
    "operation",
    ACTS,
    begin,
    check,
    step,
    duties,
    lambda _state, _me: (),
    required,
    figures,
    has_signed=has_signed,
    erased_act="operation.erased",
    erases=erases,
)
