"""The law gate's word on each thing that a partner sent: may the machine compare it? Asked before it is searched."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from tansiq.access.model import Acting
from tansiq.bank import question
from tansiq.bank.model import BankRecord, Entity, Provenance
from tansiq.policy import Gate, clauses_of
from tansiq.policy.model import Action, Refusal


@dataclass(slots=True)
class Answers:
    """What was answered in one examination, for its leaf."""

    clauses: set[str] = field(default_factory=set)
    """That permitted what was compared."""
    refusing: set[str] = field(default_factory=set)
    not_compared: int = 0

    def as_content(self) -> dict[str, object]:
        found: dict[str, object] = {"clauses": sorted(self.clauses)}
        if self.not_compared:
            found |= {"not_compared": self.not_compared, "refused_by": sorted(self.refusing)}
        return found


class Comparing:
    """Asks for the node itself: no officer takes part in an examination. Equal things are one question to the gate."""

    def __init__(self, gate: Gate, clock: Callable[[], datetime]) -> None:
        self._gate = gate
        self._clock = clock
        self._by = replace(Acting.machine(), justification="examination")

    def may(self, entity: Entity, originator: str, handling: Iterable[str], answers: Answers | None = None) -> bool:
        """Whether it may be compared by the machine. What nothing permits is not."""
        prov = Provenance("dossier", "", originator=originator, handling=tuple(str(c) for c in handling))
        asked = question(
            Action.MATCH, self._gate.country, self._by, about=[entity], prov=prov, today=self._clock().date()
        )
        decision = self._gate.decide(asked)
        refused = isinstance(decision, Refusal)
        if answers is not None:
            (answers.refusing if refused else answers.clauses).update(clauses_of(decision))
            answers.not_compared += refused
        return not refused

    def may_meet(self, record: BankRecord) -> bool:
        """Whether what came with a dossier earlier may be met now. A service's own files and lists are its own."""
        prov = record.provenance
        return prov.source != "dossier" or self.may(record.entity, prov.originator, prov.handling)
