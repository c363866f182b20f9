"""What a node gives its oversight: the capabilities that hold something, seen by what is asked of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from tansiq import crypto
from tansiq.access import Access
from tansiq.access.model import Acting
from tansiq.attachments.model import FileText
from tansiq.bank import Bank
from tansiq.bureau.model import Place, Watch
from tansiq.dossiers.model import DossierState, Unerased
from tansiq.exchange import Exchange
from tansiq.hits import Hits
from tansiq.ledger import Ledger
from tansiq.policy import Gate
from tansiq.private.model import CheckResult
from tansiq.private.model import Watch as PrivateWatch
from tansiq.store import Store
from tansiq.terms import DossierId, EntryId, NodeId, PartId


class Restrictions(Protocol):
    """Which entries this officer has still to read the restriction (H3) of."""

    def unread(self, dossiers: Iterable[str], by: Acting) -> frozenset[str]: ...


class Granted(Protocol):
    """Why an entry of ours went to a node, and which parts of it did not."""

    @property
    def entry(self) -> EntryId: ...
    @property
    def node(self) -> NodeId: ...
    @property
    def at(self) -> datetime: ...
    @property
    def clauses(self) -> tuple[str, ...]: ...
    @property
    def withheld(self) -> tuple[PartId, ...]: ...


class Folds(Protocol):
    """What is asked of the dossiers."""

    @property
    def restrictions(self) -> Restrictions: ...
    def dossier_of(self, entry: EntryId) -> DossierId | None: ...
    def state(self, dossier: DossierId) -> DossierState: ...
    def may_show(self, dossier: DossierId, by: Acting) -> bool: ...
    def grants(self, dossier: DossierId) -> Sequence[Granted]: ...
    def unerased(self) -> list[Unerased]: ...
    def filed_at(self, dossier: DossierId) -> Mapping[str, datetime]: ...


class Words(Protocol):
    """The search over texts."""

    complete: bool

    def find(self, text: str, limit: int) -> list[Place]: ...


class Queries(Protocol):
    """All officers' standing queries."""

    def kept(self, officer: str = "") -> list[Watch]: ...


class Checks(Protocol):
    """What this node asked partners privately."""

    def checks(self, since: datetime | None = None, ref: str = "", limit: int = 200) -> list[CheckResult]: ...
    def person_of(self, check: str) -> Mapping[str, Any]: ...
    def watches(self) -> list[PrivateWatch]: ...


class Files(Protocol):
    """The texts of attached files."""

    def texts(self) -> Iterable[FileText]: ...


@dataclass(frozen=True, slots=True)
class Sources:
    """One node's capabilities."""

    node: NodeId
    name: str
    country: str
    signing: crypto.SigningKeys
    clock: Callable[[], datetime]
    store: Store
    ledger: Ledger
    gate: Gate
    access: Access
    bank: Bank
    hits: Hits
    exchange: Exchange
    dossiers: Folds
    words: Words
    queries: Queries
    checks: Checks
    files: Files
