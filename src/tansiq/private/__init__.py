"""Private checks and private deconfliction: ask without telling, answer without opening the files.

Promises:
1. The asker learns hit or no hit for each key it evaluated, and an opaque id; the holder learns a count, a tier and
   the case's reference hash, never a key. What else leaks stands in docs/private-matching.md.
2. A tag list without its key finds nothing; its length is a public ceiling, and its changes come in fixed blocks.
3. Every element that was ever asked can be opened by its asker to its input, padding too, and to no other input.
4. A proof that fails, an epoch, key rule or number that is not the expected one is refused by name.
5. Two plans that are closer than their radii and margin at the same time always share a token.

Read `model.py`, then `batches.py` (asking), `lists.py` (what a holder ships), `openings.py` (audit), `grid.py` (plans).
Plans: `plans.py` (rules), `plan_service.py` (verbs), `plan_letters.py` (what partners write).
"""

from tansiq.private.batches import answer_batch, ask, finish_batch, read_batch
from tansiq.private.grid import conflict_between, held_tokens, planned_tokens, target_tokens
from tansiq.private.lists import HeldList, TagList, apply_delta, build_list
from tansiq.private.model import ALARMS, CheckDuty
from tansiq.private.openings import check_opening, sampled
from tansiq.private.plan_service import Plans
from tansiq.private.plans import ESCALATIONS as PLAN_ESCALATIONS
from tansiq.private.plans import EventType, Meeting, MeetingState, PlanDuty, PlannedEvent, PlanStatus, Sensitivity
from tansiq.private.plans import stage as plan_stage
from tansiq.private.plans import status_of as plan_status
from tansiq.private.plans import window_of as plan_window

ESCALATIONS = ALARMS | PLAN_ESCALATIONS
"""Duties that go up to the officer on duty (role supervisor), as `kinds.ESCALATIONS` does for dossiers."""

__all__ = [
    "ESCALATIONS",
    "CheckDuty",
    "EventType",
    "HeldList",
    "Meeting",
    "MeetingState",
    "PlanDuty",
    "PlanStatus",
    "PlannedEvent",
    "Plans",
    "Sensitivity",
    "TagList",
    "answer_batch",
    "apply_delta",
    "ask",
    "build_list",
    "check_opening",
    "conflict_between",
    "finish_batch",
    "held_tokens",
    "plan_stage",
    "plan_status",
    "plan_window",
    "planned_tokens",
    "read_batch",
    "sampled",
    "target_tokens",
]
