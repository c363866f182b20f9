"""Builds a node: settings, keys, store, clock, services. START READING HERE.

A node is one home folder: `tansiq.toml`, the sealed key file, and (with SQLite) the database. `Node.init` makes one,
`Node.open` wires its services; `tansiq.serving` runs it. This module alone owns the clock and chance; everything below
takes them as arguments.

Order at the door: exchange.receive → hits.look_ahead (an entry that came alone) → dossiers.file (entry, parts, leaf,
inbox row, bank, what it meets or its place in the queue: one transaction) → receipt signed → settle (examinations that
wait, automatic acts) → duty on an officer's page.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection

from tansiq import crypto
from tansiq.access import Access
from tansiq.access.model import Acting, Role
from tansiq.attachments.model import PART as ATTACHMENT
from tansiq.attachments.service import ITEM as CHUNK_ITEM
from tansiq.attachments.service import Attachments, Files
from tansiq.bank import Bank
from tansiq.bank.model import Candidate, Entity
from tansiq.bureau.service import Access as Readable
from tansiq.bureau.service import Bureau
from tansiq.dossiers.model import RETURNED, Bounds, DossierState, Entry
from tansiq.dossiers.service import Dossiers, Wiring
from tansiq.errors import Broken, Conflict, Invalid, NotFound, TansiqError
from tansiq.evaluator import start_evaluator
from tansiq.evaluator.model import Quota
from tansiq.exchange import PRIVATE_PATH, Exchange, HttpsTransport, Missed
from tansiq.exchange.model import MISSED, ExchangeSettings, Item, ItemResult, SignedAhead, Transport
from tansiq.hits import Ahead, Hits
from tansiq.keyring import KeyLock, write_keys, write_secret
from tansiq.kinds import KINDS
from tansiq.ledger import CHECKPOINT, COSIGNATURE, KnownTime, Ledger, Witnesses, running
from tansiq.oversight import Oversight, Sources
from tansiq.policy import clauses_of, load_gate, permitted, refused
from tansiq.policy.model import Action, Question, Refusal
from tansiq.private import Plans
from tansiq.private.service import ITEM, Ground, Private, PrivateSettings
from tansiq.settings import FILE, Settings
from tansiq.sources import import_into, read
from tansiq.store import STOPS, UNFORESEEN, Store, why
from tansiq.terms import (
    DossierId,
    EntryId,
    LogVerb,
    NodeId,
    PartId,
    country_of,
    format_instant,
)
from tansiq.terms.ids import parse_entry_id
from tansiq.together import Together

log = structlog.get_logger()

NEXT = ".next"
"""The key file of a rotation that is not finished yet."""
STANDING_S = 2.0
"""How long one round compares new holdings with what was held of partners; a list of twenty thousand takes many."""


def wall_clock() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return secrets.token_hex(16)


class Node:
    """One service's node: its capabilities, wired. Close it when done."""

    def __init__(
        self,
        settings: Settings,
        keys: crypto.NodeKeys,
        clock: Callable[[], datetime] = wall_clock,
        fault: Callable[[str], None] = lambda _point: None,
        line: Transport | None = None,
        elapsed: Callable[[], float] = running,
    ) -> None:
        """`line` carries single questions to partners; by default HTTPS with the pinned certificate. `elapsed`: seconds
        that no setting of the clock moves."""
        self.settings = settings
        self.keys = keys
        self.clock = clock
        self.new_id = _new_id
        self.name = settings.node.name
        self.country = settings.node.country
        self.node_id: NodeId = keys.node
        self.vault = crypto.Vault(keys.vault_key)
        self.gate = load_gate(settings.node.country, settings.policy_directory)
        self.store = Store.open(settings.database_url)
        self.ledger = Ledger(self.store, keys.signing, self.vault, self.node_id, f"tansiq/{self.node_id}")
        self.access = Access(self.store, self.vault, clock, secrets.token_bytes)
        self.bank = Bank(self.store, self.vault, self.ledger, clock, _new_id, self.gate, self.country)
        self.known_time = KnownTime(self.store, clock, elapsed)
        self.exchange = Exchange(
            self.store,
            keys,
            self.ledger,
            clock=clock,
            new_id=_new_id,
            settings=_exchange_settings(settings),
            fault=fault,
            hear=self.known_time.hear,
            past=self.known_time.past,
        )
        self.ledger.trust_former(self.exchange.former)  # its own checkpoints of before a rotation
        self.hits = Hits(
            self.store, self.vault, self.ledger, self.bank, clock, _new_id, self.gate, self.country,
            lambda tx, entry, part: self.dossiers.part_in(tx, EntryId(entry), PartId(part)),
        )  # fmt: skip
        self._line = line
        self._line_lock = threading.Lock()
        self.private_work = threading.Event()
        self.private = Private(self._private_ground(fault))
        self.dossiers = Dossiers(self._wiring(fault))
        self.private.attach(self.dossiers)
        self.exchange.handle(
            "entry",
            self._file,
            self._load_entry,
            self.dossiers.prepare,
            in_groups=True,
            together=self._file_together,
        )
        self._stand_on_the_exchange()
        self._stand_on_dossiers()
        self._unswept: dict[str, str] = {}
        """Where the last sweep failed as a whole -> why, as a code."""
        self._warm = threading.Lock()
        self._is_warm = False
        self.work = threading.Event()
        """Set when there is something to settle; `private_work` the same for the private checks."""
        self.stopping = threading.Event()

    def _stand_on_the_exchange(self) -> None:
        """What partners' items besides entries go to."""
        self.exchange.handle(ITEM, self.private.file, self.private.load)
        self.exchange.handle("ask", self._asked, _load_ask)
        self.missed = Missed(self.store, self.clock, self._send_again)
        self.exchange.handle(MISSED, self.missed.file, self.missed.load)
        self.exchange.handle(RETURNED, self._returned, self.dossiers.returning.load)
        self.witnesses = Witnesses(
            self.store,
            self.ledger,
            keys_of=self.exchange.keys_of,
            enqueue=self._enqueue,
            clock=self.clock,
            every=timedelta(hours=self.settings.ledger.witness_hours),
            item_days=self.settings.exchange.item_days,
        )
        self.exchange.handle(CHECKPOINT, self._witness, self.witnesses.load_checkpoint)
        self.exchange.handle(COSIGNATURE, self._cosigned, self.witnesses.load_cosignature)

    def _stand_on_dossiers(self) -> None:
        """The capabilities that need the dossiers."""
        self.together = Together(
            self.node_id,
            KINDS,
            self.dossiers,
            self.hits,
            self.consult,
            self.exchange.resolve,
            self.clock,
            secrets.token_bytes,
        )
        self.plans = Plans(
            self.store,
            self.vault,
            self.ledger,
            self.exchange,
            self.dossiers,
            self.gate,
            self.private,
            clock=self.clock,
            new_id=_new_id,
            country=self.country,
            past=self.known_time.past,
        )
        self.attachments = Attachments(
            self.store,
            self.vault,
            self.ledger,
            self.clock,
            secrets.token_bytes,
            own=self.node_id,
            entry_of=lambda tx, entry: self.dossiers.entry_with(tx, entry, ATTACHMENT),
            gives=lambda tx, *what: self.dossiers.gives(tx, *what) or self.dossiers.returning.gives(tx, *what),
            enqueue=self._enqueue,
        )
        self.exchange.handle(CHUNK_ITEM, self.attachments.file, self.attachments.load)
        self.files = Files(self.attachments, self.dossiers.append_in, self.show)
        self.bureau = Bureau(
            self.store, self.vault, self.ledger, self.bank, self.gate, self.country, self.clock, _new_id,
            changed=self.dossiers.changed_since, contents=self.dossiers.contents, count=self.dossiers.count,
            entry=self.dossiers.entry,
            access=Readable(self.dossiers.readable), kinds=KINDS,
        )  # fmt: skip
        self.oversight = Oversight(
            Sources(
                self.node_id, self.name, self.country, self.keys.signing, self.clock, self.store, self.ledger,
                self.gate, self.access, self.bank, self.hits, self.exchange, self.dossiers, self.bureau.words,
                self.bureau.watches, self.private, self.attachments,
            )
        )  # fmt: skip

    # --- making and opening ---

    @classmethod
    def init(
        cls,
        home: Path,
        name: str,
        country: str,
        *,
        passphrase: bytes | None = None,
        url: str = "",
        languages: Iterable[str] = (),
        chosen: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Node:
        """Make a home folder with settings and keys. Raises `Conflict` where one is; `Invalid` on a wrong value.

        Without a passphrase the key file is opened by a key-encryption key beside it (mode 0600): for demos and for
        machines whose disk is the only secret there is. `chosen` holds further settings, by table.
        """
        if (home / FILE).exists():
            raise Conflict("node.exists", "this home folder holds a node already", step="init node", field="--home")
        tables = {name: dict(values) for name, values in (chosen or {}).items()}
        tables["node"] = {"name": name, "country": country} | tables.get("node", {})
        if languages:
            tables["node"]["languages"] = list(languages)
        if url:
            tables["exchange"] = tables.get("exchange", {}) | {"url": url}
        text = Settings.template(tables)
        made = Settings.parse(text, home)
        keys = crypto.NodeKeys.generate(made.node.country, now=wall_clock(), hosts=_hosts(url))
        write_keys(made.keys_file, keys, passphrase)
        # The settings file last: a home folder without it is no node, and `init` may be said again.
        write_secret(home / FILE, text.encode())
        # A database that was chosen is the one that is made: the environment's may be another node's.
        settings = made if made.database.url else Settings.read(home)
        try:
            return cls(settings, keys)
        except TansiqError as exc:
            (home / FILE).unlink()
            if exc.code == "card.keys_changed":
                raise Conflict(
                    "node.database_taken", "this database belongs to another node", step="init node", field="database"
                ) from exc
            raise

    @classmethod
    def open(cls, home: Path, *, passphrase: bytes | None = None, clock: Callable[[], datetime] = wall_clock) -> Node:
        """Wire the node in a home folder. Raises `NotFound` where none is, `Refused` on a wrong passphrase."""
        settings = Settings.read(home)
        lock = KeyLock.find(settings, passphrase)
        following = settings.keys_file.with_suffix(NEXT)
        try:
            node = cls(settings, lock.read(settings.keys_file), clock)
        except Broken as exc:
            # A rotation was cut off between its transaction and the change of files: go on where it stopped.
            if exc.code != "card.keys_changed" or not following.exists():
                raise
            node = cls(settings, lock.read(following), clock)
            following.replace(settings.keys_file)
        return node

    @classmethod
    def rotate(
        cls, home: Path, *, passphrase: bytes | None = None, clock: Callable[[], datetime] = wall_clock
    ) -> bytes:
        """New signing, sealing and TLS keys for a node that is not running; the new card file, for its partners.

        The id stays, and the vault's key: what is stored stays readable. Crash safe: the new keys are on the disk
        before the card that names them is in the database, and `open` finishes what was begun.
        """
        node = cls.open(home, passphrase=passphrase, clock=clock)
        try:
            if not node.store.alone.take():
                raise Conflict(
                    "node.running", "a running node would go on under its former keys", step="rotate keys",
                    field="--home", hint="stop the node, then say it again",
                )  # fmt: skip
            lock = KeyLock.find(node.settings, passphrase)
            made = crypto.NodeKeys.generate(node.country, now=clock(), hosts=_hosts(node.settings.exchange.url))
            new = replace(made, node=node.node_id, vault_key=node.keys.vault_key)
            following = node.settings.keys_file.with_suffix(NEXT)
            write_secret(following, lock.seal(new))
            card = node.exchange.rotate(new)
            following.replace(node.settings.keys_file)
            return card
        finally:
            node.close()

    def _wiring(self, fault: Callable[[str], None]) -> Wiring:
        return Wiring(
            node=self.node_id,
            country=self.country,
            signing=self.keys.signing,
            vault=self.vault,
            store=self.store,
            ledger=self.ledger,
            gate=self.gate,
            bank=self.bank,
            kinds=KINDS,
            clock=self.clock,
            random=secrets.token_bytes,
            enqueue=self._enqueue,
            requeue=self._requeue,
            foresee=self.exchange.foresee,
            resolve=self.exchange.resolve,
            keys_of=self.exchange.keys_of,
            log_keys=self.exchange.log_keys,
            look_ahead=self._look_ahead,
            after_file=[self._queue_examination],
            after_erase=[self._forget_matches],
            after_reduce=[lambda *a: self.hits.part_reduced(*a), lambda *a: self.bureau.part_reduced(*a)],
            item_days=self.settings.exchange.item_days,
            bounds=_bounds(self.settings),
            believes=lambda: self.known_time.doubt() is None,
            fault=fault,
        )

    def _private_ground(self, fault: Callable[[str], None]) -> Ground:
        return Ground(
            node=self.node_id,
            country=self.country,
            signing=self.keys.signing,
            vault=self.vault,
            store=self.store,
            ledger=self.ledger,
            gate=self.gate,
            bank=self.bank,
            peers=self.exchange,
            clock=self.clock,
            new_id=_new_id,
            random=secrets.token_bytes,
            chosen=_private_settings(self.settings),
            home=self.settings.home / "private",
            post=self._ask_partner,
            start=lambda: start_evaluator(
                self.settings.home / "evaluator", crypto.sha256("tansiq.evaluator.v1", self.keys.vault_key)
            ),
            wake=self.private_work.set,
            fault=fault,
        )

    def _ask_partner(self, node: NodeId, raw: bytes) -> bytes | None:
        """A single question over the pinned line; None where the partner has no address and polls us."""
        peer = self.exchange.peer(node)
        if not peer.card.url:
            return None
        with self._line_lock:
            if self._line is None:
                self._line = HttpsTransport(self.exchange.settings.connect_timeout_s)
        return self._line.post(peer, PRIVATE_PATH, raw, self.exchange.settings.answer_timeout_s)

    def _enqueue(
        self,
        tx: Connection,
        to: NodeId,
        kind: str,
        ref: str,
        expires_at: datetime,
        ahead: SignedAhead | None = None,
    ) -> None:
        self.exchange.enqueue(tx, to=to, kind=kind, ref=ref, expires_at=expires_at, ahead=ahead)
        if kind == "entry":
            self.attachments.queue(tx, EntryId(ref), to, expires_at)

    def _requeue(self, tx: Connection, to: NodeId, kind: str, ref: str, expires_at: datetime) -> None:
        self.exchange.requeue(tx, to=to, kind=kind, ref=ref, expires_at=expires_at)
        if kind == "entry":
            self.attachments.queue(tx, EntryId(ref), to, expires_at)

    def _look_ahead(self, tx: Connection, entry: Entry, entities: Mapping[PartId, Entity]) -> Ahead | None:
        """Whom an entry meets, while its envelope is being taken in."""
        try:
            return self.hits.look_ahead(tx, entry, entities, country_of(entry.statement.author), self._entry)
        except Exception as exc:  # noqa: BLE001 # a partner's delivery must not fail by it: the queue tries again
            log.error("look ahead", entry=entry.id, kind=type(exc).__name__, code=getattr(exc, "code", ""))  # noqa: TRY400
            return None

    def _entry(self, entry: str) -> Entry:
        return self.dossiers.entry(EntryId(entry))

    def _queue_examination(
        self, tx: Connection, dossier: DossierId, entry: EntryId, originator: str, ahead: object
    ) -> None:
        self.hits.queue(tx, dossier, entry, originator, ahead=ahead if isinstance(ahead, Ahead) else None)
        self.bureau.watches.note(tx, entry, dossier)
        self.private.note_entry(tx, entry)
        self.store.after_commit(tx, self.work.set)

    def _forget_matches(self, tx: Connection, entry: EntryId, part: PartId, gone: list[str]) -> None:
        self.hits.erase_part(tx, entry, part, gone)
        self.attachments.erase(tx, entry, part)
        self.bureau.watches.forget(tx, part, gone)

    # --- what goes ---

    def _load_entry(self, tx: Connection, ref: str, to: NodeId) -> bytes | None:
        """The outbox's loader. An entry that former keys signed goes under the present ones: partners pin no others."""
        payload = self.dossiers.load(tx, ref, to)
        if payload is None or not self.exchange.former:
            return payload
        delivery = msgspec.json.decode(payload, type=dict[str, msgspec.Raw])
        delivery["entry"] = msgspec.Raw(self.exchange.under_present_keys(bytes(delivery["entry"])))
        return msgspec.json.encode(delivery)

    # --- what arrives ---

    def _file(self, tx: Connection, sender: NodeId, item: Item) -> ItemResult:
        result = self.dossiers.file(tx, sender, item)
        self.store.after_commit(tx, self.work.set)
        return result

    def _file_together(self, tx: Connection, sender: NodeId, items: Sequence[Item]) -> list[ItemResult] | None:
        results = self.dossiers.file_together(tx, sender, items)
        self.store.after_commit(tx, self.work.set)
        return results

    def _asked(self, tx: Connection, sender: NodeId, item: Item) -> ItemResult:
        """A partner misses an entry that others named. Ours goes again if it was granted; silence otherwise."""
        try:
            entry = parse_entry_id(item.payload.decode("ascii", "strict"))
        except (TansiqError, UnicodeDecodeError):
            return ItemResult(item.ref, received=False, reason="ask.malformed")
        if self.dossiers.load(tx, entry, sender) is not None:
            expires_at = self.clock() + timedelta(days=self.settings.exchange.item_days)
            self._requeue(tx, sender, "entry", entry, expires_at)
        return ItemResult(item.ref, received=True)

    def _send_again(self, tx: Connection, sender: NodeId, since: datetime) -> None:
        """To a partner that came out of a backup. What it wrote since goes back, and then what it signed for since once
        more, each item by its own loader: before it answers what it has answered already, it has its answers."""
        expires_at = self.clock() + timedelta(days=self.settings.exchange.item_days)
        for entry in self.dossiers.returning.give_back(tx, sender, since):
            self.exchange.requeue(tx, to=sender, kind=RETURNED, ref=entry, expires_at=expires_at)
            for chunk in self.attachments.held_of(tx, entry):
                self.exchange.requeue(tx, to=sender, kind=CHUNK_ITEM, ref=chunk, expires_at=expires_at)
        for kind, ref in self.exchange.received_since(tx, sender, since):
            if kind in ("entry", CHUNK_ITEM) or (kind == ITEM and self.private.is_of_list(ref)):
                self._requeue(tx, sender, kind, ref, expires_at)

    def _returned(self, tx: Connection, sender: NodeId, item: Item) -> ItemResult:
        """An entry of ours that was lost, from a partner that was asked for what we miss."""
        result = self.dossiers.returning.file(tx, sender, item, self.missed.asked_since(tx, sender))
        self.store.after_commit(tx, self.work.set)
        return result

    def _witness(self, tx: Connection, sender: NodeId, item: Item) -> ItemResult:
        refused_for = self.witnesses.file_checkpoint(tx, sender, item.ref, item.payload)
        return ItemResult(item.ref, received=not refused_for, reason=refused_for)

    def _cosigned(self, tx: Connection, sender: NodeId, item: Item) -> ItemResult:
        self.witnesses.file_cosignature(tx, sender, item.payload)
        return ItemResult(item.ref, received=True)

    # --- verbs that need several capabilities ---

    def settle(self) -> int:
        """Do what is due without an officer: examinations, automatic acts. Returns the matches found.

        What has come into the bank since is compared for `STANDING_S` at most; the rest waits for the next time.
        """
        self.bank.warm()  # now, and not when the next delivery is looked up
        found = self._examine()
        self.dossiers.settle()
        self.bureau.watches.compare(self._entry)
        latest = time.monotonic() + STANDING_S
        more = True
        while more and not self.stopping.is_set() and time.monotonic() < latest:
            matches, more = self.hits.examine_holdings()
            found += len(matches) + (self._examine() if more else 0)
        if more:
            self.work.set()
        return found

    def _examine(self) -> int:
        return len(self.hits.examine_queued(self._entry))

    def warm(self) -> None:
        """Read the bank's names into memory, once. A command that searches nothing does not pay for it."""
        with self._warm:
            if not self._is_warm:
                self.bank.warm()
                self._is_warm = True

    def send_now(self) -> None:
        """Deliver what waits for reachable partners, once: for commands on a home whose node may not be running."""
        transport = HttpsTransport(self.exchange.settings.connect_timeout_s)
        try:
            for peer in self.exchange.peers():
                if peer.state != "pinned" or not peer.card.url:
                    continue
                try:
                    while self.exchange.deliver_once(peer.card.node, transport):
                        pass
                except TansiqError as exc:
                    log.info("not sent", peer=peer.card.node, code=exc.code)
        finally:
            transport.close()

    def search(self, entity: Entity, limit: int, by: Acting) -> list[Candidate]:
        """Search our own bank: asked of the gate and logged as a consultation (LED art. 25)."""
        self._consulted(self._asked_by(Action.SEARCH, by), "bank.search", "search", by, {"schema": entity.schema})
        self.warm()
        return self.dossiers.restrictions.veil(self.bank.find(entity, limit), by)

    def consult(self, subject: str, by: Acting) -> None:
        """An officer looks at a list of persons: asked of the gate and logged (LED art. 25). Raises `Refused`."""
        self._consulted(self._asked_by(Action.VIEW, by), subject, "show", by, {})

    def _asked_by(self, action: Action, by: Acting) -> Question:
        """What is asked of the law gate where no single record is meant."""
        roles = frozenset(by.roles)
        return Question(action, self.country, roles, self.country, purpose=by.purpose, justification=by.justification)

    def _consulted(self, asked: Question, subject: str, step: str, by: Acting, more: Mapping[str, Any]) -> None:
        """The answer goes into the ledger, a refusal too. Raises `Refused`."""
        decision = self.gate.decide(asked)
        refusal = decision if isinstance(decision, Refusal) else None
        content = {"officer": by.officer, "purpose": by.purpose, "justification": by.justification, **more}
        content |= {"clauses": clauses_of(decision), "decision": "refusal" if refusal else "permit"}
        self.store.write(
            lambda tx: self.ledger.append(tx, verb=LogVerb.CONSULT, subject=subject, content=content, at=self.clock())
        )
        if refusal:
            raise refused(refusal, step, hint="state a purpose")

    def export_parcel(self, peer: NodeId, by: Acting) -> bytes:
        """What waits for a partner, as a sealed file for somebody's hands. Each act in it was permitted as a sending;
        that an officer takes it out of the node is asked besides, and the leaf says who. Raises `Refused`."""
        permit = permitted(self.gate, self._asked_by(Action.EXPORT, by), "export", hint="state a purpose")
        said = {"officer": by.officer, "purpose": by.purpose, "justification": by.justification}
        return self.exchange.export_file(peer, {**said, "clauses": clauses_of(permit)})

    def h3_due(self, dossier: DossierId, by: Acting) -> list[tuple[EntryId, str]]:
        """The restrictions (H3) that the gate wants this officer to read and confirm before the dossier is used.

        Empty where there are none, or where this officer confirmed these very texts already.
        """
        return self.dossiers.restrictions.due(dossier, by)

    def acknowledge_h3(self, dossier: DossierId, by: Acting) -> None:
        """An officer has read the restrictions and will keep to them; the ledger keeps that word."""
        self.dossiers.restrictions.acknowledge(dossier, by)

    def show(self, dossier: DossierId, by: Acting) -> DossierState:
        """A dossier as an officer reads it. Raises `Refused` while a restriction (H3) is not confirmed."""
        self.dossiers.restrictions.check_read(dossier, by)
        return self.dossiers.show(dossier, by)

    def import_list(
        self, raw: bytes, as_: str, by: Acting, *, addresses: bytes | None = None, may_shrink: bool = False
    ) -> Any:
        """A public list or a table into the bank. Counts in equal counts out plus named rejects.

        `addresses` goes with `ofac` (ADD.CSV); `may_shrink` takes an edition that lost more than half of its entries.
        """
        if addresses is not None and as_ != "ofac":
            raise Invalid("source.addresses", "only the OFAC list has such a file", step="import", field="addresses")
        self.warm()
        rows = read(raw, as_, addresses=addresses)
        return import_into(self.bank, self.store, self.ledger, rows, by, may_shrink=may_shrink)

    def propose(self, held: Mapping[str, Any], by: Acting) -> str:
        """Lay an act down for a second officer: `kind`, `to`, `body` of an opening, or `dossier` and `body`.

        Raises what writing it would raise: nobody is asked to confirm what could never be written.
        """
        act = "dossier.open" if "kind" in held else "dossier.append"
        both = replace(by, second=by.officer)  # asked as if the second officer had agreed: more cannot be had
        if "kind" in held:
            self.dossiers.check_open(held["kind"], held["body"], held["to"], both)
        else:
            self.dossiers.check_append(DossierId(held["dossier"]), held["body"], both)
        return self.access.propose(
            act, msgspec.json.encode(dict(held)), by, Role.SUPERVISOR, str(held.get("dossier", ""))
        )

    def confirm(self, draft: str, by: Acting) -> DossierId:
        """The second officer's word and the act it confirms, in one transaction: neither stands without the other."""

        def work(tx: Connection) -> DossierId:
            confirmed, both = self.access.confirm_in(tx, draft, by)
            held = msgspec.json.decode(confirmed.body)
            if "kind" in held:
                return self.dossiers.open_in(tx, held["kind"], held["body"], held["to"], both)
            dossier = DossierId(held["dossier"])
            self.dossiers.append_in(tx, dossier, held["body"], both)
            return dossier

        return self.store.write(work)

    def prove(self, ref: str) -> dict[str, Any]:
        """What a third party needs to check without us: the signed entry, its ledger leaves, partners' receipts."""
        leaves = self.ledger.page(int(ref) + 1, 1) if ref.isascii() and ref.isdigit() else self.ledger.find(ref)
        if not leaves or (ref.isdigit() and leaves[0].index != int(ref)):
            raise NotFound("prove.unknown", "nothing in the ledger under this id", step="prove", field="id")
        ref = leaves[0].subject if ref.isdigit() else ref
        found: dict[str, Any] = {
            "v": 1,
            "subject": ref,
            "origin": f"tansiq/{self.node_id}",
            "card": self.exchange.card_bytes().decode(),
            "leaves": [msgspec.json.decode(self.ledger.bundle(x.index)) for x in leaves],
            "receipts": [],
        }
        if ref.startswith("e-"):
            signed = self.exchange.under_present_keys(self.dossiers.signed(EntryId(ref)))
            author = crypto.peek(signed).claimed
            if author != self.node_id:
                found["author"] = self.exchange.card_file(author).decode()
            found["entry"] = crypto.to_base64(signed)
            found["receipts"] = [msgspec.json.decode(p) for p in self.exchange.prove_receipt(ref)]
        return found

    # --- what runs again and again ---

    def tick(self) -> None:
        """What the calendar wants of private checks: keys and logs are ended for good, so as with `sweep`."""
        if self.known_time.doubt() is None:
            self.private.tick()

    def be_witnessed(self) -> list[NodeId]:
        """Lay our log before the partners whose turn it is (`[ledger] witness_hours`)."""
        if not self.settings.ledger.witness_hours:
            return []
        return self.witnesses.ask(p.card.node for p in self.exchange.peers() if p.state == "pinned")

    def sweep(self) -> None:
        """Erase what has reached its date (LED art. 5), in groups: writers have their turn between them.

        What fails in one place keeps no other waiting for its erasure; it is tried again within the hour. Nothing is
        erased on the word of a clock that has leapt: nobody could take that back.
        """
        if (doubt := self.known_time.doubt()) is not None:
            log.error("sweep waits for the clock", known=format_instant(doubt.since), now=format_instant(doubt.now))
            return
        self.known_time.note()
        sweeps: tuple[tuple[str, Callable[[], object]], ...] = (
            ("dossiers", self.dossiers.sweep),
            ("attachments", self.attachments.sweep),
            ("watches", self.bureau.watches.sweep),
            ("bank", self.bank.sweep),
            # Behind the others: what they erased, and what recalls have erased since the last time.
            ("disk", self.store.forget),
        )
        for what, sweep in sweeps:
            self._unswept.pop(what, None)
            try:
                sweep()
            except STOPS as exc:
                self._unswept[what] = why(exc)
                raise
            except Exception as exc:  # noqa: BLE001 # of one place: the others have their turn
                self._unswept[what] = why(exc)
                log.error("sweep", what=what, code=why(exc))  # noqa: TRY400 # no traceback: it may hold texts

    def confirm_clock(self, officer: str = "") -> None:
        """An officer, or who runs the machine, has compared the clock: what is due today may be erased."""
        now, doubt = self.clock(), self.known_time.doubt()
        content = {"officer": officer, "decision": "confirmed", "known": format_instant(doubt.since) if doubt else ""}

        def work(tx: Connection) -> None:
            self.ledger.append(tx, verb=LogVerb.ALTER, subject="node.clock", content=content, at=now)
            self.known_time.set(tx, now)

        self.store.write(work)

    def refused_erasures(self) -> dict[str, str]:
        """What is due to be erased and was not: an entry, a dossier or a record of the bank -> why, as a code."""
        of_dossiers = {of: code for (of, _part), code in self.dossiers.refused_erasures().items()}
        return of_dossiers | self.bank.refused

    def unforeseen(self) -> int:
        """What failed at the last sweep in a way that nobody foresaw, or stopped it: single items, and whole places."""
        codes = [*self.dossiers.refused_erasures().values(), *self.bank.refused.values()]
        return sum(code.startswith(UNFORESEEN) for code in codes) + len(self._unswept)

    def stop(self) -> None:
        """Tell the loops that run this node (`tansiq.serving`) to come to their end."""
        for event in (self.stopping, self.work, self.private_work):
            event.set()

    def close(self) -> None:
        """Finish the queued writes and let the database go."""
        self.stopping.set()
        self.private.close()
        if isinstance(self._line, HttpsTransport):
            self._line.close()
        self.store.close()


def _exchange_settings(settings: Settings) -> ExchangeSettings:
    return ExchangeSettings(
        name=settings.node.name,
        url=settings.exchange.url,
        languages=settings.node.languages,
        contact=settings.node.contact,
        poll=tuple(NodeId(n) for n in settings.exchange.poll),
        send_workers=settings.exchange.send_workers,
        poll_seconds=settings.exchange.poll_seconds,
        backoff_cap_s=settings.exchange.backoff_cap_seconds,
    )


def _bounds(settings: Settings) -> Bounds:
    chosen = settings.exchange
    return Bounds(
        chosen.take_entries,
        chosen.take_megabytes,
        chosen.take_of_dossier,
        chosen.take_waiting,
        chosen.take_of_outsider,
    )


def _private_settings(settings: Settings) -> PrivateSettings:
    p = settings.private
    own = (line.split() for line in p.quotas)
    return PrivateSettings(
        epoch_days=p.epoch_days,
        grace_days=p.grace_days,
        log_days=p.log_days,
        item_days=settings.exchange.item_days,
        quotas={
            "high": Quota(p.quota_high, p.burst_high),
            "low": Quota(p.quota_low, p.burst_low),
            "plan": Quota(p.quota_plan, p.burst_plan),
        },
        partners={(node, tier): Quota(int(day), int(burst)) for node, tier, day, burst in own},
        ceilings={"high": p.ceiling_high, "low": p.ceiling_low, "plan": p.ceiling_plan},
    )


def _load_ask(_tx: Connection, ref: str, _to: NodeId) -> bytes | None:
    """An `ask` is the id of the missing entry, which its ref ends with."""
    return ref.rpartition(":")[2].encode()


def _hosts(url: str) -> list[str]:
    host = url.removeprefix("https://").rpartition(":")[0] if url else ""
    return [host] if host else []
