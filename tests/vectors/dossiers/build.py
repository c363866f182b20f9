"""Builds `fold.json`: dossiers as they arrive, and what rules D-2 to D-6 make of them.

    python tests/vectors/dossiers/build.py

Statements stand as their canonical bytes, unsigned: the fold begins where signatures have verified. Their order in the
file is none: a fold depends on the set alone (D-1).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

from tansiq.dossiers import fold
from tansiq.dossiers.model import DossierState, Entry
from tansiq.dossiers.wire import dossier_id, entry_id, parse_statement, statement_to_bytes
from tansiq.kinds import KINDS
from tests.support.entries import BERLIN, LISBON, MADRID, RABAT, START, Desk, make, part_ref

HERE = Path(__file__).parent
REPORT = KINDS["report"]
NOTE = "report.note_added"


def _town() -> tuple[Entry, Desk, Desk, Desk]:
    """Rabat opens to Madrid and Berlin, and all three have it."""
    rabat, madrid, berlin = (Desk(n, REPORT) for n in (RABAT, MADRID, BERLIN))
    facts = {"crime_areas": ["terrorism"], "grade": "B2", "scheme": "4x4"}
    opening = rabat.open((MADRID, BERLIN), facts)
    madrid.see(opening)
    berlin.see(opening)
    return opening, rabat, madrid, berlin


def _stories() -> Iterable[tuple[str, str, list[Entry]]]:
    """(Rule, what happens, all entries of the dossier)."""
    opening, rabat, madrid, berlin = _town()
    yield "D-2", "the opener's entry makes the dossier", [opening]
    forged = make(replace(opening.statement, author=BERLIN))
    yield "D-2", "another's opening under the opener's dossier id", [forged, opening]
    yield "D-2", "another's opening, alone", [forged]
    other = make(replace(opening.statement, nonce="m"))
    yield "D-2", "an opening whose nonce does not give the dossier's id", [other]
    taken = madrid.write("dossier.members", members=(MADRID,))
    yield "D-2", "a member list of one who is not the opener", [taken, opening]
    first = rabat.write("dossier.members", members=(RABAT, MADRID, BERLIN, LISBON))
    second = rabat.write("dossier.members", members=(RABAT, LISBON))
    yield "D-2", "each list replaces the last", [second, first, opening]
    nobody = rabat.write("dossier.members", members=())
    yield "D-2", "an empty list means nobody", [nobody, second, first, opening]

    opening, rabat, madrid, berlin = _town()
    stranger = Desk(LISBON, REPORT)
    stranger.see(opening)
    yield "D-3", "a stranger's entry", [stranger.write(NOTE), opening]
    late = berlin.write(NOTE)
    removal = rabat.write("dossier.members", members=(RABAT, MADRID))
    yield "D-3", "a removed member's entry that the removal had not seen", [late, removal, opening]
    opening, rabat, madrid, berlin = _town()
    early = berlin.write(NOTE)
    rabat.see(early)
    removal = rabat.write("dossier.members", members=(RABAT, MADRID))
    yield "D-3", "a removed member's entry that the removal had seen", [removal, early, opening]

    yield from _partings()

    opening, rabat, madrid, berlin = _town()
    yield "D-4", "one more than the newest parent's", [madrid.write(NOTE), opening]
    opening, rabat, madrid, berlin = _town()
    yield "D-4", "a clock that races", [madrid.write(NOTE, clock=900), opening]
    opening, rabat, madrid, berlin = _town()
    yield "D-4", "a clock that turns back", [rabat.write(NOTE, clock=0), opening]
    opening, rabat, madrid, berlin = _town()
    one, two = madrid.write(NOTE), madrid.write(NOTE)
    child = make(replace(two.statement, author=BERLIN, parents=(two.id,), clock=3, at=START + timedelta(hours=1)))
    yield "D-4", "a parent that is missing, and a clock that may be true", [child, one, opening]
    far = make(replace(child.statement, clock=1002))
    yield "D-4", "a parent that is missing, and a clock further ahead than 1000", [far, one, opening]

    opening, rabat, madrid, berlin = _town()
    one = madrid.write(NOTE)
    madrid.seen.pop(one.id)
    two = madrid.write(NOTE, at=START + timedelta(hours=2))
    yield "D-5", "two entries of one author under one clock", [two, one, opening]
    berlin.see(one)
    yield (
        "D-5",
        "two authors under one clock are no fault",
        [
            one,
            make(replace(one.statement, author=BERLIN)),
            opening,
        ],
    )

    opening, rabat, madrid, berlin = _town()
    yield "D-6", "an act of another kind", [madrid.write("request.answered"), opening]
    opening, rabat, madrid, berlin = _town()
    yield "D-6", "an act that nobody knows", [madrid.write("report.invented"), opening]
    opening, rabat, madrid, berlin = _town()
    yield "D-6", "facts of the wrong form", [rabat.write("report.closed", {"outcome": "exploded"}), opening]
    opening, rabat, madrid, berlin = _town()
    closed = rabat.write("report.closed", {"outcome": "complete"})
    madrid.see(closed)
    yield "D-6", "a note to a closed report", [madrid.write(NOTE), closed, opening]
    opening, rabat, madrid, berlin = _town()
    facts = {"about": opening.id, "part": part_ref(1).id, "reason": "other"}
    yield "D-6", "a recall by another than the author", [madrid.write("dossier.recalled", facts), opening]


def _partings() -> Iterable[tuple[str, str, list[Entry]]]:
    """What counts still of a member that was removed."""
    opening, rabat, madrid, berlin = _town()
    note = berlin.write(NOTE, parts=(part_ref(1),))
    rabat.see(note)
    removal = rabat.write("dossier.members", members=(RABAT, MADRID))
    facts = {"about": note.id, "part": part_ref(1).id, "reason": "source_protection"}
    recall = berlin.write("dossier.recalled", facts)
    dossier = [recall, removal, note, opening]
    yield "D-22", "a removed member takes a part of its own back", dossier
    again = berlin.write("dossier.recalled", facts)
    yield "D-22", "and takes it back again", [again, *dossier]
    madrid.see(note, removal, recall)
    answer = {"recall": recall.id, "part": part_ref(1).id, "held": False}
    held = madrid.write("dossier.erased", answer, addressees=(RABAT, BERLIN))
    yield "D-22", "a member answers it", [held, *dossier]
    another = {"about": opening.id, "part": part_ref(1).id, "reason": "other"}
    yield "D-22", "a removed member takes another's part back", [berlin.write("dossier.recalled", another), *dossier]
    parents = (recall.id, "e-" + "0" * 64)
    lost = make(replace(recall.statement, clock=recall.statement.clock + 1, parents=parents))
    yield "D-22", "its recall names a parent that nobody has: it is not missing", [lost, removal, note, opening]

    opening, rabat, madrid, berlin = _town()
    note = madrid.write(NOTE, parts=(part_ref(1),))
    berlin.see(note)
    rabat.see(note)
    removal = rabat.write("dossier.members", members=(RABAT, MADRID))
    madrid.see(removal)
    facts = {"about": note.id, "part": part_ref(1).id, "reason": "other"}
    recall = madrid.write("dossier.recalled", facts, addressees=(RABAT, BERLIN))
    berlin.see(recall)
    answer = {"recall": recall.id, "part": part_ref(1).id, "held": False}
    dossier = [berlin.write("dossier.erased", answer), recall, removal, note, opening]
    yield "D-22", "a removed member answers a recall that it was sent", dossier
    unasked = madrid.write("dossier.recalled", facts | {"reason": "expired"}, addressees=(RABAT,))
    berlin.see(unasked)
    answer = {"recall": unasked.id, "part": part_ref(1).id, "held": False}
    dossier = [berlin.write("dossier.erased", answer), unasked, recall, removal, note, opening]
    yield "D-22", "a removed member answers a recall that it was not sent", dossier


def outcome(state: DossierState) -> dict[str, Any]:
    """What two implementations must agree on."""
    return {
        "opener": state.opener,
        "members": list(state.members),
        "phase": state.phase,
        "order": [e.id for e in state.entries],
        "heads": list(state.heads),
        "missing": list(state.missing),
        "recalls": sorted([r.entry, r.about, r.part, sorted(r.erased)] for r in state.recalls),
        "marks": sorted([m.entry, m.code, m.void] for m in state.marks),
    }


def entries_of(case: dict[str, Any]) -> list[Entry]:
    """A case's entries, from their bytes."""
    raw = [text.encode() for text in case["statements"]]
    return [Entry(entry_id(body), parse_statement(body)) for body in raw]


def fold_json() -> dict[str, Any]:
    cases = []
    for rule, what, entries in _stories():
        dossier = entries[0].statement.dossier
        statements = [statement_to_bytes(e.statement).decode() for e in entries]
        found = outcome(fold(dossier, entries, REPORT))
        cases.append({"rule": rule, "what": what, "dossier": dossier, "statements": statements, "state": found})
    ids = [{"opener": n, "nonce": x, "dossier": dossier_id(n, x)} for n in (RABAT, MADRID) for x in ("n", "", "é")]
    about = "Entries of one dossier of kind report, as they arrive, and the state that their fold has (D-1 to D-6)."
    return {"about": about, "ids": ids, "cases": cases}


if __name__ == "__main__":
    text = json.dumps(fold_json(), ensure_ascii=False, indent=1) + "\n"
    (HERE / "fold.json").write_text(text, encoding="utf-8")
