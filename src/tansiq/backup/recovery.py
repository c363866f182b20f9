"""What a restore ends and holds, because its backup does not know what was ended since; and how that is confirmed.

An officer who left, a token that was withdrawn, a partner that was dropped: after the backup, so they live again in it.
Nothing on this machine can know them. So sessions, tokens and drafts end, officers may not act and nothing passes to or
from a partner, until somebody who knows has said of each that it still holds. One command says it of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from tansiq.access.model import Ended, Officer
from tansiq.errors import Conflict, NotFound
from tansiq.exchange.model import MISSED, Peer
from tansiq.node import Node
from tansiq.terms import LogVerb, NodeId, format_instant, later

SUBJECT = "node.restored"
WITHIN = timedelta(hours=1)
"""A partner that is not confirmed is one whose requests nobody answers."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who came out of a backup and was not confirmed since."""

    made_at: str
    """Of which instant the last backup was that this node came out of; empty where it never did."""
    officers: tuple[Officer, ...]
    peers: tuple[Peer, ...]


@dataclass(frozen=True, slots=True)
class HeldDuty:
    """Partners wait to be confirmed; officers who may act see it, and have it done."""

    since: datetime
    code: str = "restored.held"
    clause: str = "LED art. 29"
    urgent: bool = True
    dossier: str = ""

    @property
    def due_at(self) -> datetime:
        return later(self.since, WITHIN)


def recover(node: Node, made_at: datetime) -> tuple[list[NodeId], Ended]:
    """This database has just come out of a backup. What it lacks is asked for, and what it must not repeat ended.

    The partners hear of it by courier once they are confirmed: each gives back what this node wrote since, and sends
    again what it signed for since. Private checks go on under a new epoch: keys and numbers that were used since are
    gone.
    """
    now = node.clock()
    expires_at = now + timedelta(days=node.settings.exchange.item_days)

    def work(tx: Connection) -> tuple[list[NodeId], Ended]:
        content = {"officer": "", "decision": "restored", "made_at": format_instant(made_at)}
        node.ledger.append(tx, verb=LogVerb.ALTER, subject=SUBJECT, content=content, at=now)
        ended = node.access.hold(tx, made_at)
        node.private.renew(tx)
        node.known_time.set(tx, made_at)
        partners = node.exchange.hold_peers(tx)
        for partner in partners:
            node.exchange.requeue(tx, to=partner, kind=MISSED, ref=format_instant(made_at), expires_at=expires_at)
        return partners, ended

    return node.store.write(work)


def waiting(node: Node) -> Waiting:
    """Who waits to be confirmed."""
    officers = tuple(o for o in node.access.officers() if o.active and o.as_of is not None)
    peers = tuple(p for p in node.exchange.peers() if p.state == "held")
    leaves = node.ledger.find(SUBJECT)
    content = (leaves[-1].content or {}) if leaves else {}
    return Waiting(str(content.get("made_at", "")), officers, peers)


def duties(node: Node) -> list[HeldDuty]:
    """One while a partner waits, since the restore."""
    if not any(p.state == "held" for p in node.exchange.peers()):
        return []
    leaves = node.ledger.find(SUBJECT)
    return [HeldDuty(leaves[-1].at if leaves else node.clock())]


def confirm(node: Node, words: Sequence[str]) -> Waiting:
    """Confirm those whom the words name (an officer's name or id, a partner's id, country or name); without words all.

    All or none, each with a leaf. Returns who was confirmed. Raises `NotFound` with the place of a word that names
    nobody who waits, `Conflict` where it names several.
    """
    there = waiting(node)
    named = _named(there, words) if words else there
    now = node.clock()

    def work(tx: Connection) -> None:
        said = {"officer": "", "decision": "confirmed", "made_at": there.made_at}
        for officer in named.officers:
            if node.access.confirm_officer(tx, officer.id):
                node.ledger.append(tx, verb=LogVerb.ALTER, subject=officer.id, content=said, at=now)
        for peer in named.peers:
            if node.exchange.confirm_peer(tx, peer.card.node):
                node.ledger.append(tx, verb=LogVerb.ALTER, subject=peer.card.node, content=said, at=now)

    node.store.write(work)
    return named


def _named(there: Waiting, words: Sequence[str]) -> Waiting:
    officers: list[Officer] = []
    peers: list[Peer] = []
    for place, word in enumerate(words, 1):
        low = word.strip().lower()
        persons = [o for o in there.officers if word in (o.id, o.name)]
        partners = [p for p in there.peers if low in (p.card.node, p.card.country.lower(), p.card.name.lower())]
        if not persons and not partners:
            raise NotFound(
                "restored.unknown", "nobody of that name waits to be confirmed", step="confirm", field=f"NAME {place}",
                hint="tansiq restored",
            )  # fmt: skip
        if len(persons) + len(partners) > 1:
            raise Conflict(
                "restored.ambiguous", "several answer to that name: give the id", step="confirm", field=f"NAME {place}"
            )
        officers += persons
        peers += partners
    return Waiting(there.made_at, tuple(officers), tuple(peers))
