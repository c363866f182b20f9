"""The archive of a whole log, verified off-line by an oversight body that has no node."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tansiq.errors import Untrusted
from tansiq.exchange import former_keys, held_keys, verify_card_file
from tansiq.ledger import as_said, parse_archive_head, verify_archive
from tansiq.ledger.model import WitnessKey


def verify_log(lines: Iterable[bytes]) -> dict[str, Any]:
    """What the archive proves, read line by line. Raises `Untrusted` at the first line that breaks, `Invalid`."""
    rest = iter(lines)
    head = parse_archive_head(next(rest, b"").removesuffix(b"\n"))
    card = verify_card_file(head.card.encode())
    if head.origin != f"tansiq/{card.card.node}":
        raise Untrusted("archive.card", "the card is another log's", step="archive", field="card")
    cards = [verify_card_file(raw.encode()) for raw in head.witnesses]
    witnesses = {f"tansiq/{c.card.node}": [WitnessKey(*key) for key in held_keys(c)] for c in cards}
    keys = (*former_keys(card), card.signing)
    report, leaves = verify_archive(head, (line.removesuffix(b"\n") for line in rest), card.card.node, keys, witnesses)
    for _ in leaves:
        pass
    said = as_said(report)
    named = {f"tansiq/{c.card.node}": c for c in cards}
    said["node"], said["fingerprint"] = card.card.node, card.fingerprint
    said["cosigned"] = [
        {"witness": named[name].card.node, "size": size, "fingerprint": named[name].fingerprint}
        for name, size in sorted(report.cosigned.items())
    ]
    said["replaced_keys"] = [
        {"witness": named[name].card.node, "size": size} for name, size in sorted(report.replaced.items())
    ]
    return said
