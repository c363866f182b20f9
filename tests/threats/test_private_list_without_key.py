"""A partner, or a thief of its disk, that has a tag list and no key: the list is noise."""

from __future__ import annotations

import hashlib

import numpy as np

from tansiq.crypto import derive_oprf_key, evaluate
from tansiq.matching import held_keys
from tansiq.private.holder import own_descriptor
from tansiq.private.lists import TagList
from tansiq.private.model import Tier
from tests.support.checks import HAMMUSCHI, HAMMUSCHI_IN_ARABIC, ask, hits, person, serve
from tests.support.services import Federation

HELD = [
    person(f"Person {chr(65 + n % 26)}{chr(65 + n // 26)}ndersen", f"19{60 + n % 40}-03-1{n % 10}", f"h-{n}")
    for n in range(60)
]


def opened(f: Federation, asker: str, tier: str = "low") -> TagList:
    node = f.nodes[asker]
    (row,) = [x for x in node.private.lists() if (x.side, x.tier) == ("taken", tier)]
    with node.store.read() as tx:
        raw = node.private._asker.taking.lists(tx, row.node, Tier(tier))["descriptor"]  # type: ignore[index, arg-type]
    return TagList(node.settings.home / "private" / f"{row.digest}.tags", own_descriptor(bytes(raw)))


def test_without_the_key_the_list_finds_nothing(services: Federation) -> None:
    f = services
    f.hold("madrid", [HAMMUSCHI, *HELD])
    serve(f, "madrid", "rabat", "berlin")
    assert hits(ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)) == {"nd", "nh"}, "with the key it does"
    tags = opened(f, "rabat")
    guess = derive_oprf_key(bytes(32), b"a key of my own")
    wanted = {"names": ["Karim Hammuschi"], "birth_dates": ["1987-03-14"], "phones": ["+34612345678"]}
    for key in held_keys(wanted):
        for output in (
            evaluate(guess, key.input),
            hashlib.sha512(key.input).digest(),
            key.input.ljust(64, b"\0")[:64],
        ):
            assert tags.find(output) is None
    tags.close()


def test_two_partners_lists_have_nothing_in_common_and_a_list_is_uniform(services: Federation) -> None:
    f = services
    f.hold("madrid", [HAMMUSCHI, *HELD])
    serve(f, "madrid", "rabat", "berlin")
    lists = [opened(f, name) for name in ("rabat", "berlin")]
    values = []
    for tags in lists:
        raw = bytes(tags._raw[: tags.descriptor.count * 8])
        values.append({raw[at : at + 8] for at in range(0, len(raw), 8)})
        counts = np.bincount(np.frombuffer(raw, dtype=np.uint8), minlength=256)
        expected = len(raw) / 256
        assert abs(float(((counts - expected) ** 2 / expected).sum()) - 255) < 4.5 * (2 * 255) ** 0.5
        tags.close()
    assert not values[0] & values[1]
    assert lists[0].descriptor.public != lists[1].descriptor.public


def test_the_length_is_a_public_ceiling(services: Federation) -> None:
    f = services
    f.hold("madrid", [HAMMUSCHI])
    f.hold("berlin", [HAMMUSCHI, *HELD])
    serve(f, "madrid", "rabat")
    serve(f, "berlin", "rabat")
    counts = {x.node: x.count for x in f.nodes["rabat"].private.lists() if x.tier == "low"}
    assert len(counts) == 2
    assert len(set(counts.values())) == 1, "one record and sixty look alike"


def test_neither_disk_tells_who_was_asked_or_listed(services: Federation) -> None:
    f = services
    f.hold("madrid", [HAMMUSCHI])
    serve(f, "madrid", "rabat")
    ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC, "case Zanzibar 77")
    f.close()
    for name in ("rabat", "madrid"):
        home = f.folder / name
        raw = b"".join(p.read_bytes() for p in sorted(home.rglob("*")) if p.is_file())
        for secret in ("حموشي", "Hammuschi", "1987-03-14", "+34612345678", "Zanzibar 77", "KRM MS"):
            assert secret.encode() not in raw, (name, secret)
