"""Builds the golden file of a whole log in one file (rules L-7 to L-10): lines that verify, and lines that are refused.

    python tests/vectors/ledger/build_archive.py

Keys come from fixed seeds and are for this file alone. ML-DSA-65 signatures hold chance, so the lines are kept as long
as they still hold; the file changes only when the format does.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tansiq.crypto import SigningKeys, canonical, node_id, sign
from tansiq.errors import TansiqError
from tansiq.ledger import (
    ARCHIVE_TYPE,
    NOTHING_SEEN,
    add_line,
    cosign,
    parse_archive_head,
    root,
    sign_checkpoint,
    verify_archive,
)
from tansiq.ledger.archive import LinesDigest
from tansiq.ledger.leaves import content_bytes, hash_leaf, make_leaf
from tansiq.ledger.model import Checkpoint, Wanted, WitnessKey
from tansiq.ledger.wire import (
    ArchiveHead,
    ArchiveLeaf,
    render_archive_end,
    render_archive_head,
    render_archive_leaf,
    render_archive_note,
)
from tansiq.terms import LogVerb

HERE = Path(__file__).parent
LOG, WITNESS = (SigningKeys(bytes([n]) * 32, bytes([n + 1]) * 32) for n in (11, 13))
NODE, SEEN_BY = node_id("ES", LOG.public), node_id("MA", WITNESS.public)
ORIGIN, NAME = f"tansiq/{NODE}", f"tansiq/{SEEN_BY}"
BEGIN = datetime(2026, 11, 22, 4, 17, 31, 123000, UTC)
COUNT, FIRST, CLOSED, ERASED = 5, 3, 1, 4


def build() -> list[str]:
    """A log of five leaves: leaf 1 is not chosen, leaf 4 is erased; the tree of three is cosigned."""
    leaves, lines = [], []
    head = ArchiveHead(ORIGIN, COUNT, Wanted(verb=LogVerb.DISCLOSE), "a card file", ("another",))
    lines.append(canonical(render_archive_head(head)))
    for n in range(COUNT):
        salt, content = bytes([n]) * 32, {"officer": "o-0123456789abcdef", "justification": f"case {n}"}
        verb = LogVerb.CONSULT if n == CLOSED else LogVerb.DISCLOSE
        leaf = make_leaf(verb, f"e-{n}", salt, content_bytes(content), BEGIN + timedelta(seconds=n))
        opened = n not in (CLOSED, ERASED)
        one = ArchiveLeaf(leaf, salt if opened else None, content if opened else None, n == ERASED)
        lines.append(canonical(render_archive_leaf(one)))
        leaves.append(hash_leaf(leaf))
        if n + 1 in (FIRST, COUNT):
            note = sign_checkpoint(Checkpoint(ORIGIN, n + 1, root(leaves)), LOG)
            if n + 1 == FIRST:
                _, line = cosign(note, (ORIGIN, LOG.public), NOTHING_SEEN, [], (NAME, WITNESS), BEGIN)
                note = add_line(note, line)
            lines.append(render_archive_note(note))
    return [*(line.decode() for line in lines), end(head, lines)]


def end(head: ArchiveHead, lines: list[bytes]) -> str:
    digest = LinesDigest()
    for line in lines:
        digest.add(line)
    return sign(ARCHIVE_TYPE, render_archive_end(head, digest.value()), LOG, NODE).decode()


def verified(lines: list[str]) -> dict[str, Any]:
    head = parse_archive_head(lines[0].encode())
    rest = (line.encode() for line in lines[1:])
    report, leaves = verify_archive(head, rest, NODE, [LOG.public], {NAME: [WitnessKey(WITNESS.public)]})
    for _ in leaves:
        pass
    return {
        "root": report.root.hex(), "checkpoints": report.checkpoints, "cosigned": report.cosigned,
        "chosen": report.chosen, "opened": report.opened, "erased": report.erased, "held_back": report.held_back,
    }  # fmt: skip


def changed(line: str, **more: Any) -> str:
    return canonical(json.loads(line) | more).decode()


def bad(good: list[str]) -> list[dict[str, Any]]:
    """Each as its lines; a number stands for that line of the good one."""
    every: list[Any] = list(range(len(good)))
    head, first, closed, last = good[0], good[1], good[2], every[-1]
    opened = json.loads(first)
    false = opened["disclosed"] | {"content": opened["disclosed"]["content"] | {"justification": "another"}}
    narrow = json.loads(head)["opened"] | {"since": "2999-01-01T00:00:00.000Z"}
    note = json.loads(good[4])["checkpoint"]
    rows = [
        ("a leaf left out", "L-8", [0, *every[2:]]),
        ("two leaves changed places", "L-8", [0, 2, 1, *every[3:]]),
        ("another subject", "L-8", [0, changed(first, subject="e-9"), *every[2:]]),
        ("an opening that the leaf does not commit to", "L-9", [0, changed(first, disclosed=false), *every[2:]]),
        ("opened and erased at once", "L-9", [0, changed(first, erased=True), *every[2:]]),
        ("a field that is not known", "L-7", [0, changed(first, more=1), *every[2:]]),
        ("not canonical", "L-7", [0, " " + first, *every[2:]]),
        ("a checkpoint one leaf too early", "L-8", [0, 1, 2, 4, 3, *every[5:]]),
        ("a checkpoint twice", "L-8", [*every[:5], 4, *every[5:]]),
        ("no checkpoint of all of it", "L-8", [*every[:-2], last]),
        ("a content closed on the way", "L-10", [0, changed(first, disclosed=None), *every[2:]]),
        ("a content called erased on the way", "L-10", [0, 1, changed(closed, erased=True), *every[3:]]),
        ("the choice narrowed on the way", "L-10", [changed(head, opened=narrow), *every[1:]]),
        ("a witness's card left out", "L-10", [changed(head, witnesses=[]), *every[1:]]),
        ("a cosignature left out", "L-10", [*every[:4], changed(good[4], checkpoint=plain(note)), *every[5:]]),
        ("an older checkpoint left out", "L-10", [*every[:4], *every[5:]]),
        ("not signed", "L-10", every[:-1]),
        ("a line behind the end", "L-10", [*every, last]),
        ("another suite", "C-7", [changed(head, suite="tansiq-0"), *every[1:]]),
    ]  # fmt: skip
    return [{"name": n, "rule": rule, "code": code_of(good, lines), "lines": lines} for n, rule, lines in rows]


def plain(note: str) -> str:
    """The note with the log's own two signature lines alone."""
    return "".join(x for x in note.splitlines(keepends=True) if not x.startswith(f"— {NAME} "))


def code_of(good: list[str], lines: list[Any]) -> str:
    try:
        verified([good[x] if isinstance(x, int) else x for x in lines])
    except TansiqError as failure:
        return failure.code
    raise AssertionError("a bad vector verifies")


def main() -> None:
    file = HERE / "archive.json"
    try:
        good = json.loads(file.read_text(encoding="utf-8"))["lines"]
        verified(good)
    except (OSError, TansiqError, KeyError):
        good = build()
    value = {
        "about": "A log of five leaves in one file, and lines refused with that code; a number is a good line.",
        "node": NODE, "public": LOG.public.to_wire(), "witness": NAME, "witness_public": WITNESS.public.to_wire(),
        "lines": good, "proves": verified(good), "bad": bad(good),
    }  # fmt: skip
    file.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
