"""Work in groups, each a transaction, in which one item that fails holds no other up."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError

from tansiq.errors import Broken, TansiqError

Item = TypeVar("Item")
UNFORESEEN = "unforeseen"
"""How the code of a failure begins that is none of the seven."""
STOPS = (Broken, InterfaceError, OperationalError)
"""Failures that no item has of itself: an invariant of ours, a database that is away or full."""


def why(failure: Exception) -> str:
    """A failure as a stable code: its own, or its kind where nobody foresaw it. Never its text: that may hold names."""
    return failure.code if isinstance(failure, TansiqError) else f"{UNFORESEEN}.{type(failure).__name__}"


def in_groups(
    size: int,
    step: Callable[[int, Collection[Item]], bool],
    first: Callable[[Collection[Item]], Item | None],
) -> dict[Item, Exception]:
    """Steps until nothing is left; the items that failed, with why.

    `step(n, skip)` does up to `n` items that are not in `skip` in one transaction, and says whether there may be more.
    Where it fails, the same is tried item by item; `first(skip)` names the one that a step of one takes, and that one
    is left out from then on. None: there is no such item, and the failure is the caller's. `STOPS` always are.

    Hazard: what a partner wrote may fail in a way that nobody foresaw. It must not keep all that is behind it.
    """
    failed: dict[Item, Exception] = {}
    alone = 0
    """How many more are taken one by one: one of the group that failed is among them."""
    while True:
        most = 1 if alone else size
        try:
            more = step(most, failed)
        except STOPS:
            raise
        except Exception as failure:
            if most > 1:
                alone = size
                continue
            item = first(failed)
            if item is None:
                raise
            failed[item] = failure
        else:
            if not more:
                return failed
        alone = max(alone - 1, 0)
