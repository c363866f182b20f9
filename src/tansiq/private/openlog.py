"""The openable log, between two supervisors: one draws, the other opens, the first checks.

Drawing after the fact is what makes it bite: whoever asked did not know which elements would be opened. An opening
tells the holder's supervisor what was asked; that is its price, and why a sample is small.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from tansiq.access.model import Acting, Role
from tansiq.errors import Invalid, NotFound, TansiqError, Untrusted
from tansiq.private import records
from tansiq.private.asker import Asker
from tansiq.private.ground import Ground
from tansiq.private.model import BatchHeader
from tansiq.private.openings import check_opening, sampled
from tansiq.private.wire import (
    openings_file,
    parse_batch,
    parse_openings,
    parse_sample,
    sample_file,
)
from tansiq.terms import LogVerb, NodeId, format_instant

MOST_DAYS = 400


class OpenLog:
    """Samples drawn, opened and checked."""

    def __init__(self, ground: Ground, asker: Asker) -> None:
        self._g = ground
        self._asker = asker

    def draw(self, partner: NodeId, share: float, days: int, by: Acting) -> bytes:
        g = self._g
        g.need(by, Role.SUPERVISOR)
        if not 0.0 < share <= 1.0:
            raise Invalid("sample.share", "a share is above 0 and at most 1", step="draw sample", field="share")
        if not 1 <= days <= MOST_DAYS:
            raise Invalid("sample.days", f"1 to {MOST_DAYS} days", step="draw sample", field="days")
        since = format_instant(g.clock() - timedelta(days=days))
        c = records.answered.c
        with g.store.read() as tx:
            rows = records.rows(tx, records.answered, c.at >= since, by=(c.at,), partner=partner, code="")
        seed = g.random(32)
        raw = sample_file(g.node, partner, seed, share, [r["id"] for r in rows])
        facts = {"partner": partner, "batches": len(rows), "share": f"{share:g}", "seed": seed.hex()}
        g.store.write(lambda tx: g.leaf(tx, LogVerb.CONSULT, "private.sample", by, "drawn", **facts))
        return raw

    def open(self, sample: bytes, by: Acting) -> bytes:
        g = self._g
        g.need(by, Role.SUPERVISOR)
        holder, asker, seed, share, batches = parse_sample(sample)
        if asker != g.node:
            raise Invalid("sample.asker", "a sample of another node's questions", step="open sample", field="asker")
        found: list[bytes] = []
        with g.store.read() as tx:
            for ident in batches:
                row = records.row(tx, records.asked, id=ident)
                if row is None or row["holder"] != holder:
                    raise NotFound(
                        "sample.batch", "a batch that is not in our log", step="open sample", field="batches"
                    )
                _, openings = self._asker.openings(row)
                chosen = sampled([_bare(row, g.node)], seed, share)
                found += [openings[at] for _, at in chosen]
        facts = {"partner": holder, "openings": len(found), "seed": seed.hex()}
        g.store.write(lambda tx: g.leaf(tx, LogVerb.DISCLOSE, "private.sample", by, "opened", **facts))
        return openings_file(holder, asker, seed, share, found)

    def check(self, raw: bytes, by: Acting) -> dict[str, Any]:
        """{questions, padding, cases, missing, wrong}: each opening against the kept elements, and whether all that
        were drawn came."""
        g = self._g
        g.need(by, Role.SUPERVISOR)
        holder, asker, seed, share, openings = parse_openings(raw)
        if holder != g.node:
            raise Invalid("sample.holder", "openings of what another node was asked", step="check", field="holder")
        seen, wrong, questions, padding = set(), [], 0, 0
        cases: dict[str, int] = {}
        batches: dict[str, tuple[BatchHeader, bytes]] = {}
        with g.store.read() as tx:
            for opening in openings:
                try:
                    kept = self._kept(tx, opening.batch, asker, batches)
                    real = check_opening(opening, *kept)
                except TansiqError as exc:
                    wrong.append({"batch": opening.batch, "position": opening.position, "code": exc.code})
                    continue
                seen.add((opening.batch, opening.position))
                questions, padding = questions + real, padding + (not real)
                if real:
                    cases[opening.case] = cases.get(opening.case, 0) + 1
            drawn = self._drawn(tx, asker, seed, share)
        missing = len(drawn - seen)
        facts = {"partner": asker, "questions": questions, "padding": padding, "wrong": len(wrong), "missing": missing}
        g.store.write(lambda tx: g.leaf(tx, LogVerb.CONSULT, "private.sample", by, "checked", **facts))
        return {
            "partner": asker,
            "questions": questions,
            "padding": padding,
            "cases": cases,
            "missing": missing,
            "wrong": wrong,
        }

    def _kept(
        self, tx: Connection, ident: str, asker: str, known: dict[str, tuple[BatchHeader, bytes]]
    ) -> tuple[BatchHeader, bytes]:
        if ident not in known:
            row = records.row(tx, records.answered, id=ident, partner=asker, code="")
            if row is None:
                raise Untrusted(
                    "opening.batch", "an opening of a batch that was not asked", step="opening", field="batch"
                )
            known[ident] = parse_batch(bytes(row["body"]), bytes(row["elements"]))
        return known[ident]

    def _drawn(self, tx: Connection, asker: str, seed: bytes, share: float) -> set[tuple[str, int]]:
        """What our own sample of this seed asked for: the ledger has the seed and how many batches it covered."""
        leaves = self._g.ledger.find("private.sample")
        drawn = next(
            (
                x
                for x in leaves
                if x.content and x.content.get("decision") == "drawn" and x.content.get("seed") == seed.hex()
            ),
            None,
        )
        if drawn is None or drawn.content is None:
            raise Untrusted("sample.unknown", "we drew no such sample", step="check", field="seed")
        rows = records.rows(
            tx, records.answered, records.answered.c.at <= format_instant(drawn.at), by=(records.answered.c.at,),
            partner=asker, code="",
        )  # fmt: skip
        last = rows[-int(drawn.content["batches"]) :] if drawn.content["batches"] else []
        return set(sampled([_bare(r, NodeId(asker)) for r in last], seed, share))


def _bare(row: dict[str, Any], asker: NodeId) -> BatchHeader:
    """What the choice of a sample looks at: digest and count."""
    names = ("tier", "epoch", "sequence", "count", "case", "purpose")
    return BatchHeader(asker=asker, holder=asker, keyspec="", digest=row["id"], **{n: row[n] for n in names})
