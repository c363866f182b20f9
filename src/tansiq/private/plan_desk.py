"""What the verbs of plans and the letters about them stand on: names, rows, letters and leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from tansiq.access.model import Acting
from tansiq.crypto import Vault
from tansiq.exchange import Exchange
from tansiq.ledger import Ledger
from tansiq.private import plan_records as kept
from tansiq.private import plans as rules
from tansiq.private.model import ConflictClass, Grid
from tansiq.private.plan_wire import Letter, PlaceWire, Test, Told, ToldWire, letter_bytes
from tansiq.private.plans import Meeting, MeetingState, PlannedEvent, Sensitivity
from tansiq.store import Store
from tansiq.terms import LogVerb, NodeId, format_instant

KIND = "plan"
"""The exchange's kind of item for letters about plans."""


@dataclass(slots=True)
class Desk:
    """One node's, shared by both sides of the work."""

    store: Store
    vault: Vault
    ledger: Ledger
    exchange: Exchange
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    grid: Grid

    @property
    def node(self) -> NodeId:
        return self.exchange.node

    def met_row(
        self, event: PlannedEvent, partner: NodeId, places: list[str], targets: list[str], now: datetime
    ) -> Meeting:
        hidden = event.sensitivity is Sensitivity.HIDDEN
        return Meeting(
            id=f"m-{self.new_id()}",
            plan=event.id,
            partner=partner,
            state=MeetingState.HELD if hidden else MeetingState.FOUND,
            found_at=now,
            begins_at=rules.begins_at(event),
            expires_at=rules.expires_at(event),
            rids=tuple(places + targets),
            by_place=bool(places),
            by_target=bool(targets),
            told={"places": len(places)},
        )

    def send_test(self, tx: Connection, event: PlannedEvent, meeting: Meeting, now: datetime) -> None:
        """The exact test: circle and window go to the partner's node, for the met tokens alone."""
        cut = int(meeting.told.get("places", 0))
        live = rules.live_place(event, now) if meeting.by_place else None
        place = PlaceWire(live.latitude, live.longitude, live.radius_m, live.begins_ms, live.ends_ms) if live else None
        letter = Test(
            v=1,
            alias=self.alias(event.id, meeting.partner),
            places=list(meeting.rids[:cut])[:64],
            targets=list(meeting.rids[cut:])[:64],
            place=place,
        )
        self.send(tx, meeting, letter)
        self.keep(tx, replace(meeting, state=MeetingState.ASKED))
        told = {"partner": meeting.partner, "decision": "exact_test", "place": place is not None}
        self.leaf(tx, LogVerb.DISCLOSE, event.id, event.acting, told)

    def tell(self, tx: Connection, event: PlannedEvent, meeting: Meeting) -> None:
        """What both sides' consent lets out, when there is more of it than the contacts."""
        level = rules.agreed_level(meeting)
        if level < 2:
            return
        what = ToldWire(**rules.told_at(event, level))
        self.send(tx, meeting, Told(v=1, meeting=self.shared(meeting), what=what))
        content = {"partner": meeting.partner, "decision": f"told_level_{level}"}
        self.leaf(tx, LogVerb.DISCLOSE, event.id, event.acting, content)

    def alias(self, plan: str, partner: NodeId) -> str:
        """Our name for a plan towards one partner: two partners can't tell that they have met the same one."""
        return self.vault.mac("plan.alias", f"{plan} {partner}")[:12].hex()

    def shared(self, meeting: Meeting) -> str:
        if not meeting.theirs:
            return ""
        return rules.shared_id(
            [(self.node, self.alias(meeting.plan, meeting.partner)), (meeting.partner, meeting.theirs)]
        )

    def keep(self, tx: Connection, meeting: Meeting) -> None:
        kept.save_meeting(tx, self.vault, meeting, self.shared(meeting))

    def send(self, tx: Connection, meeting: Meeting, letter: Letter) -> None:
        ref, now = f"plan:{self.new_id()}", self.clock()
        kept.save_letter(tx, self.vault, ref, meeting.partner, letter_bytes(letter), now)
        until = max(meeting.expires_at, now + timedelta(hours=1))
        self.exchange.enqueue(tx, to=meeting.partner, kind=KIND, ref=ref, expires_at=until)

    def leaf(self, tx: Connection, verb: LogVerb, plan: str, by: Acting, content: Mapping[str, Any]) -> None:
        whole = {"officer": by.officer, "purpose": by.purpose, "justification": by.justification, **content}
        if by.second:
            whole["second"] = by.second
        self.ledger.append(tx, verb=verb, subject=f"plan:{plan}", content=whole, at=self.clock())


def with_word(meeting: Meeting, word: str, side: str, now: datetime) -> Meeting:
    """One side acknowledged or resolved; who resolves has acknowledged too. Both resolved: it is settled."""
    at = format_instant(now)
    acknowledged = {side: at, **meeting.acknowledged}
    resolved = {side: at, **meeting.resolved} if word == "resolved" else meeting.resolved
    made = replace(meeting, acknowledged=acknowledged, resolved=resolved)
    return replace(made, state=MeetingState.RESOLVED) if rules.is_settled(made) else made


def decided(meeting: Meeting, kind: ConflictClass | None) -> Meeting:
    """A verdict never takes back what an earlier one found: near in place and the same target are critical."""
    if kind is None:
        apart = meeting.state in (MeetingState.FOUND, MeetingState.ASKED)
        return replace(meeting, state=MeetingState.APART) if apart else meeting
    both = {meeting.kind, kind.value} == {"space_time", "target"} or "critical" in (meeting.kind, kind.value)
    word = ConflictClass.CRITICAL if both else kind
    state = meeting.state if meeting.state in (MeetingState.RESOLVED, MeetingState.CONFLICT) else MeetingState.CONFLICT
    return replace(meeting, kind=word.value, state=state)
