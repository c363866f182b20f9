"""What both sides of the private checks stand on: store, vault, ledger, gate, the partners' line, the key process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection

from tansiq.access.model import Acting, Role
from tansiq.bank import Bank
from tansiq.crypto import PublicKeys, SigningKeys, Vault, peek, sign, verify
from tansiq.errors import Conflict, Refused, TansiqError, Untrusted
from tansiq.evaluator import EvaluatorClient
from tansiq.evaluator.model import Alarm, Quota
from tansiq.ledger import Ledger
from tansiq.policy import Gate
from tansiq.policy.model import Action, Permit, Question, Refusal
from tansiq.private import records
from tansiq.private.model import Chance
from tansiq.private.wire import MAX_ENVELOPE, frame
from tansiq.store import Store
from tansiq.terms import LogVerb, NodeId, format_instant
from tansiq.terms.ids import country_of

log = structlog.get_logger("tansiq.private")
ITEM = "private"
"""The kind of our items in the exchange; the first word of an item's reference says what it is."""


@dataclass(frozen=True, slots=True)
class PrivateSettings:
    """What the operator chose. `node.py` fills it from the settings file."""

    epoch_days: int = 90
    grace_days: int = 7
    log_days: int = 400
    item_days: int = 60
    quotas: dict[str, Quota] = field(default_factory=dict)
    """tier -> the quota of every partner that has no line of its own."""
    partners: dict[tuple[str, str], Quota] = field(default_factory=dict)
    """(partner, tier) -> its own quota."""
    ceilings: dict[str, int] = field(default_factory=dict)

    def quota(self, partner: str, tier: str) -> Quota:
        return self.partners.get((partner, tier)) or self.quotas[tier]


class Peers(Protocol):
    """What we need of the exchange."""

    def keys_of(self, tx: Connection, node: NodeId) -> PublicKeys: ...

    def resolve(self, word: str) -> NodeId: ...

    def enqueue(self, tx: Connection, *, to: NodeId, kind: str, ref: str, expires_at: datetime) -> None: ...


@dataclass(slots=True)
class Ground:
    """Shared by the parts."""

    node: NodeId
    country: str
    signing: SigningKeys
    vault: Vault
    store: Store
    ledger: Ledger
    gate: Gate
    bank: Bank
    peers: Peers
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    random: Chance
    chosen: PrivateSettings
    home: Path
    """For tag lists in files that can be mapped."""
    post: Callable[[NodeId, bytes], bytes | None]
    """A question to a partner over the pinned line; None where it has no address."""
    start: Callable[[], EvaluatorClient]
    wake: Callable[[], None] = lambda: None
    fault: Callable[[str], None] = lambda _point: None
    keys: KeyProcess = field(init=False)

    def __post_init__(self) -> None:
        self.keys = KeyProcess(self.start)

    def today(self) -> date:
        return self.clock().date()

    def sign(self, payload_type: str, body: bytes, payload: bytes = b"") -> bytes:
        """A framed message in our name."""
        return frame(sign(payload_type, body, self.signing, self.node), payload)

    def verified(
        self, tx: Connection, envelope: bytes, payload_type: str, author: NodeId | None = None
    ) -> tuple[NodeId, bytes]:
        """(author, body) of a partner's envelope. Raises `Untrusted` when it is not pinned, or is not `author`."""
        claimed = peek(envelope, MAX_ENVELOPE).claimed
        if author is not None and claimed != author:
            raise Untrusted("private.author", "signed by another than expected", step="private", field="author")
        return claimed, verify(envelope, payload_type, self.peers.keys_of(tx, claimed), claimed, MAX_ENVELOPE)

    def enqueue(self, tx: Connection, to: NodeId, ref: str) -> None:
        until = self.clock() + timedelta(days=self.chosen.item_days)
        self.peers.enqueue(tx, to=to, kind=ITEM, ref=ref, expires_at=until)

    def leaf(self, tx: Connection, verb: LogVerb, subject: str, by: Acting, decision: str, **more: Any) -> None:
        """LED art. 25: who, why, and how much; never a key."""
        content = {
            "officer": by.officer,
            "purpose": by.purpose,
            "justification": by.justification,
            "decision": decision,
            **more,
        }
        self.ledger.append(tx, verb=verb, subject=subject, content=content, at=self.clock())

    def alarm(self, tx: Connection, kind: str, partner: str, tier: str, count: int, of: int, ref: str = "") -> None:
        """What the supervisor must see: a row until somebody has seen it, and a leaf for ever."""
        now = format_instant(self.clock())
        records.add(
            tx,
            records.alarms,
            id=f"al-{self.new_id()}",
            kind=kind,
            partner=partner,
            tier=tier,
            count=count,
            of=of,
            ref=ref,
            at=now,
            seen_at="",
            seen_by="",
        )
        more = {"partner": partner, "tier": tier, "count": count, "of": of}
        self.leaf(tx, LogVerb.CONSULT, f"private.alarm.{kind}", Acting.machine(), "alarm", **more)

    def alarms(self, tx: Connection, found: Iterable[Alarm]) -> None:
        for a in found:
            self.alarm(tx, a.kind.value, a.partner, a.tier, a.count, a.of)

    # --- who may ---

    def agreement(self, partner: NodeId) -> str:
        """The narrowest agreement that both countries are parties to; empty where there is none."""
        found = self.gate.agreements_between(self.country, country_of(partner))
        return found[0].id if found else ""

    def ask_gate(self, partner: NodeId, by: Acting, case: str) -> Permit:
        """The law gate's word on a private check. Raises `Refused`, after the refusal stands in the ledger."""
        decision = self.gate.decide(
            Question(
                Action.CHECK,
                self.country,
                frozenset(by.roles),
                self.country,
                recipient=country_of(partner),
                agreement=self.agreement(partner),
                purpose=by.purpose,
                justification=case,
                has_persons=True,
            )
        )
        if isinstance(decision, Permit):
            return decision
        self.store.write(lambda tx: self._refused(tx, partner, by, decision))
        named = "; ".join(f"{c.title} ({c.law})" for c in decision.clauses) or "nothing permits it"
        raise Refused(
            "policy.refused",
            named,
            clauses=tuple(c.id for c in decision.clauses),
            step="private check",
            field=decision.missing[0] if decision.missing else "",
        )

    def _refused(self, tx: Connection, partner: NodeId, by: Acting, decision: Refusal) -> None:
        clauses = [c.id for c in decision.clauses]
        self.leaf(tx, LogVerb.CONSULT, "private.check", by, "refusal", partner=partner, clauses=clauses)

    def may_answer(self, partner: NodeId, purpose: str) -> None:
        """The holder's gate: the node itself answers, under an agreement, for a purpose that the law knows."""
        decision = self.gate.decide(
            Question(
                Action.ANSWER_CHECK,
                self.country,
                frozenset(),
                self.country,
                recipient=country_of(partner),
                agreement=self.agreement(partner),
                purpose=purpose,
            )
        )
        if isinstance(decision, Refusal):
            raise Refused("policy.refused", "our rules do not permit the answer", step="private check")

    @staticmethod
    def need(by: Acting, *roles: Role) -> None:
        """Raises `Refused` where the officer has none of these roles."""
        if not set(by.roles) & set(roles):
            raise Refused(
                "private.role", f"this needs the role {' or '.join(roles)}", step="private check", field="officer"
            )


class KeyProcess:
    """The evaluator, started when it is first needed and again when it has died."""

    def __init__(self, start: Callable[[], EvaluatorClient]) -> None:
        self._start = start
        self._client: EvaluatorClient | None = None
        self._lock = threading.Lock()
        self.prepare: Callable[[EvaluatorClient], None] = lambda _client: None
        """Quotas and revocations, told to each process that starts."""

    @property
    def running(self) -> bool:
        client = self._client
        return client is not None and (client.process is None or client.process.poll() is None)

    def get(self, wait_s: float = 0.0) -> EvaluatorClient:
        """Raises `Conflict("evaluator.running")` where another process of this home has it, and keeps it so long."""
        latest = time.monotonic() + wait_s
        with self._lock:
            if not self.running:
                self._drop()
                client = self._begin(latest)
                try:
                    self.prepare(client)
                except TansiqError:
                    client.close()
                    raise
                self._client = client
            if self._client is None:  # unreachable, but for the type
                raise Refused("evaluator.gone", "no key process", step="evaluator")
            return self._client

    def _begin(self, latest: float) -> EvaluatorClient:
        while True:
            try:
                return self._start()
            except Conflict as exc:
                if exc.code != "evaluator.running" or time.monotonic() > latest:
                    raise
                time.sleep(0.2)

    def stop(self) -> None:
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._client is not None:
            try:
                self._client.close()
            except OSError:
                log.warning("private.key_process_gone")
            self._client = None
