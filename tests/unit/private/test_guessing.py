"""A partner that guesses: what its quota lets it find, what stops it, what rings, and what its log shows."""

from __future__ import annotations

from pathlib import Path

from tansiq.crypto import evaluate
from tansiq.errors import Refused
from tansiq.evaluator.model import AlarmKind, KeyName, Quota, Tier
from tansiq.evaluator.room import KeyRoom
from tansiq.evaluator.rules import hit_alarms
from tansiq.private.batches import answer_batch, ask, case_reference, finish_batch
from tansiq.private.lists import TagList, build_list
from tansiq.private.model import Descriptor
from tansiq.private.openings import check_opening, openings_of, sampled
from tansiq.private.wire import digest
from tests.support.private import ASKER, DAY, HOLDER, KEYSPEC, outputs_of, rid

HELD = [b"phone\x1f+21260000%04d" % n for n in range(0, 2000, 20)]
CANARY = b"phone\x1f+212600000777"
SPACE = [b"phone\x1f+21260000%04d" % n for n in range(2000)]
NAME = KeyName(HOLDER, ASKER, Tier.LOW, 1)


def test_a_guessing_partner_finds_what_its_quota_allows_rings_and_is_shown_by_its_own_log(tmp_path: Path) -> None:
    room = KeyRoom(tmp_path, bytes(32), lambda: DAY)
    room.open_epoch(1, 0)
    room.set_quota(ASKER, Tier.LOW, Quota(per_day=1024))
    key = room.key(NAME)
    held = build_list([evaluate(key, x) for x in (*HELD, CANARY)], [rid(n) for n in range(len(HELD) + 1)])
    (tmp_path / "list").write_bytes(raw := held.to_bytes())
    told = Descriptor(
        HOLDER,
        ASKER,
        "low",
        1,
        KEYSPEC,
        ("phone",),
        key.public,
        len(held.tags),
        True,
        digest(raw),
        "2026-11-01",
        "2027-01-30",
    )
    tags = TagList(tmp_path / "list", told)

    case = case_reference(bytes(16), "one case for everything")
    alarms, found, sent, stopped = [], set(), [], ""
    for batch in ask(SPACE, told, sequence=1, case=case, purpose="prevention"):
        try:
            evaluated, proof, counted = room.evaluate(NAME, batch.header.sequence, batch.elements)
        except Refused as refused:
            stopped = refused.code
            break
        alarms += [a.kind for a in counted.alarms]
        answer, made = answer_batch(batch.header, batch.elements, lambda _, e=evaluated, p=proof: (b"".join(e), p))
        found |= {rids[0] for output in finish_batch(batch, answer, made, told) if (rids := tags.find(output))}
        sent.append(batch)
    assert stopped == "meter.quota"
    assert len(sent) == 4  # 1,024 evaluations of 2,000 guesses
    assert alarms == [AlarmKind.QUOTA_HALF, AlarmKind.QUOTA_SPENT]
    assert 0.4 < len(found) / len(HELD) < 0.6  # contained, not prevented: the share of the space that it could try
    # what it did not spend an evaluation on stays dark, with the list in its hands
    assert not [output for output in outputs_of(SPACE[1024:]) if tags.find(output) is not None]
    tags.close()

    # its hit notices betray it: a canary that nobody has a reason to ask for
    canary_rid = rid(len(HELD))
    rung = hit_alarms(ASKER, asked=1024, hits=len(found), canaries=int(canary_rid in found))
    assert AlarmKind.CANARY in {a.kind for a in rung}

    # and so does its own log: a thousand numbers in a row, under one case
    headers = {b.header.digest: b for b in sent}
    chosen = sampled([b.header for b in sent], b"chance drawn after the fact", 0.05)
    opened = []
    for name, position in chosen:
        batch = headers[name]
        opening = openings_of(batch, "one case for everything", bytes(16))[position]
        assert check_opening(opening, batch.header, batch.elements)
        opened.append(opening.input)
    assert len(opened) > 20
    assert all(x.startswith(b"phone\x1f+21260000") for x in opened)
    room.close()
