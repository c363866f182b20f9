"""Nouns: a scorecard with both sides, an offer that meets a wish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tansiq.dossiers.model import Window
from tansiq.kinds import FigureLine, Fit
from tansiq.terms import DossierId, EntryId, NodeId


@dataclass(frozen=True, slots=True)
class Told:
    """A partner's figures about its work with us, as a committee's dossier has them."""

    dossier: DossierId
    entry: EntryId
    by: NodeId
    begins: datetime
    ends: datetime
    figures: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Our figures about our work with one partner beside the partner's own, if it sent any."""

    window: Window
    figures: Mapping[str, int]
    told: Told | None
    lines: tuple[FigureLine, ...]

    @property
    def same_period(self) -> bool:
        """Whether the partner counted the same days; else a difference may be one of the period alone."""
        return self.told is not None and (self.told.begins, self.told.ends) == (self.window.begins, self.window.ends)


@dataclass(frozen=True, slots=True)
class Meeting:
    """An offer and a wish that meet."""

    offer: DossierId
    wish: DossierId
    offered_by: NodeId
    wished_by: NodeId
    fit: Fit
    facts: Mapping[str, Any]
    """Those of the offer."""
