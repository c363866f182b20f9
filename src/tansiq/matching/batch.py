"""The word comparison of `edit` and `names` for many words at once, in numpy: the same whole numbers, word for word.

The inner loop of the edit distance is a running minimum: with C the summed prices of leaving units out,
`cur - C` is the least so far of `A - C`, so one row of the table is five array operations over all words together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tansiq.matching.edit import FAR, TABLES, edges
from tansiq.matching.names import ACCENT, KNOTS, SLIP, known, rarity, worth
from tansiq.matching.parts import GROUPS, Part
from tansiq.matching.text import ARABIC, MAX_UNITS

Ints = npt.NDArray[np.int32]


class Words:
    """A growing table of distinct words, ready to be compared with one word."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._room(256)
        self._groups: dict[int, list[int]] = {}
        self._sub = np.asarray(TABLES.sub, dtype=np.int32)
        self._worth = np.asarray([worth(i) for i in range(KNOTS[-1] + 1)], dtype=np.int32)
        self._linked = np.asarray(TABLES.row["linked"], dtype=np.int32)
        self._spelled: dict[str, list[int]] = {}
        self._bared: dict[tuple[int, str], list[int]] = {}
        self._edited = np.asarray(TABLES.row["edited"], dtype=np.int32)

    def _room(self, rows: int) -> None:
        """Arrays for `rows` words; what is held moves over."""
        held = len(self.parts)
        shapes = {
            "units": MAX_UNITS,
            "gaps0": MAX_UNITS,
            "gaps1": MAX_UNITS,
            "start0": MAX_UNITS + 1,
            "start1": MAX_UNITS + 1,
        }
        for name, width in shapes.items():
            new = np.zeros((width, rows), dtype=np.int16)
            if held:
                new[:, :held] = getattr(self, name)[:, :held]
            setattr(self, name, new)
        facts = np.zeros((5, rows), dtype=np.int32)
        if held:
            facts[:, :held] = self.facts[:, :held]
        self.facts: Ints = facts  # length, rarity, script, known, linked
        self.rows = rows

    units: npt.NDArray[np.int16]

    def add(self, p: Part) -> int:
        """The row of a new word."""
        row = len(self.parts)
        if row == self.rows:
            self._room(2 * self.rows)
        self.parts.append(p)
        n = len(p.units)
        self.units[:n, row] = p.units
        for other in (0, 1):
            gaps, start = edges(p.units, p.skips, other)
            getattr(self, f"gaps{other}")[:n, row] = gaps
            getattr(self, f"start{other}")[: n + 1, row] = start
            getattr(self, f"start{other}")[n + 1 :, row] = FAR
        self.facts[:, row] = (n, rarity(p), p.script, known(p), p.letters in TABLES.links)
        self._spelled.setdefault(p.letters, []).append(row)
        self._bared.setdefault((p.script, p.bare), []).append(row)
        for g in GROUPS.get(p.letters, ()):
            self._groups.setdefault(g, []).append(row)
        return row

    def costs(self, p: Part, rows: Ints, script: int) -> Ints:
        """`edit.cost` of the word against rows that are all of one script."""
        length = self.facts[0, rows]
        m = int(length.max(initial=1))
        units = self.units[:m, rows]
        gaps = getattr(self, f"gaps{p.script}")[:m, rows].astype(np.int32)
        prev = getattr(self, f"start{p.script}")[: m + 1, rows].astype(np.int32)
        summed = np.zeros_like(prev)
        np.cumsum(gaps, axis=0, out=summed[1:])
        mine, start = edges(p.units, p.skips, script)
        for i, x in enumerate(p.units):
            cur = prev + mine[i]
            np.minimum(cur[1:], prev[:-1] + self._sub[x][units], out=cur[1:])
            cur[0] = start[i + 1]
            cur -= summed
            np.minimum.accumulate(cur, axis=0, out=cur)
            cur += summed
            prev = cur
        out: Ints = np.minimum(prev[length, np.arange(len(rows))], FAR)
        same = (
            [k for k, r in enumerate(rows) if self.parts[r].units == p.units] if len(rows) < 64 else self._same(p, rows)
        )
        out[same] = 0
        return out

    def _same(self, p: Part, rows: Ints) -> npt.NDArray[np.bool_]:
        n = len(p.units)
        same: npt.NDArray[np.bool_] = (self.facts[0, rows] == n) & (self.facts[2, rows] == p.script)
        same &= (self.units[:n, rows] == np.asarray(p.units, dtype=np.int16)[:, None]).all(axis=0)
        return same

    def _ties(self, p: Part, at: Ints, script: int) -> Ints:
        """`names.relation` of the word with each row."""
        out = np.zeros(len(at), dtype=np.int32)
        links = TABLES.links.get(p.letters)
        if not links or p.script == script == ARABIC:
            return out
        out[self.facts[4, at] > 0] = 2
        words = links if p.script != script else {w for x in links for w in TABLES.links[x]}
        rows = [r for w in words for r in self._spelled.get(w, ())]
        if rows:
            out[np.isin(at, rows)] = 1
        return out

    def points(self, p: Part, rows: Sequence[int] | Ints) -> Ints:
        """Worth minus price of the word against each row, in centibits (`names.meet` without its floor)."""
        at = np.asarray(rows, dtype=np.int32)
        out = np.empty(len(at), dtype=np.int32)
        for script in (0, 1):
            mask = self.facts[2, at] == script
            if mask.any():
                out[mask] = self._one_script(p, at[mask], script)
        self._grouped(p, at, out)
        return out

    def _one_script(self, p: Part, at: Ints, script: int) -> Ints:
        raw = self.costs(p, at, script)
        length = np.minimum(self.facts[0, at], len(p.units))
        bucket = (length > 3).astype(np.int32) + (length > 5)
        ties = self._ties(p, at, script)
        kind = p.script + script
        floor = np.where(ties == 0, SLIP, 0) if kind == 1 else np.zeros_like(raw)
        judged = raw + self._edited[kind][known(p) + self.facts[3, at], bucket] + self._linked[kind][ties]
        price = np.where((raw > floor) | (ties == 2), np.maximum(floor, judged), raw)
        if p.script == script:
            bare = np.isin(at, self._bared.get((script, p.bare), ()))
            price = np.where(bare, np.minimum(raw, ACCENT), price)
            price[np.isin(at, self._spelled.get(p.letters, ())) & (raw == 0)] = 0
        info = np.clip((self.facts[1, at] + rarity(p)) // 2, KNOTS[0], KNOTS[-1])
        out: Ints = self._worth[info] - price
        return out

    def _grouped(self, p: Part, at: Ints, out: Ints) -> None:
        """Forms of one given name in two languages cost a fixed price."""
        groups = GROUPS.get(p.letters)
        if not groups:
            return
        akin = np.asarray(sorted({r for g in groups for r in self._groups.get(g, ())}), dtype=np.int32)
        mask = np.isin(at, akin) & ~np.isin(at, self._bared.get((p.script, p.bare), ()))
        if mask.any():
            info = np.clip((self.facts[1, at[mask]] + rarity(p)) // 2, KNOTS[0], KNOTS[-1])
            out[mask] = np.maximum(out[mask], self._worth[info] - TABLES.row["group"])
