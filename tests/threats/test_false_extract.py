"""Files that `ledger verify` is given: what a service signs is not yet an extract, and no file eats the reader."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from tansiq.access.model import Acting, Role
from tansiq.crypto import canonical, sha256, sign, to_base64
from tansiq.demo import people
from tansiq.errors import Invalid, Untrusted
from tansiq.node import Node
from tansiq.oversight import EXTRACT_TYPE, read_person, verify_extract, verify_log
from tansiq.oversight.model import Found, Right
from tansiq.terms import LogVerb
from tests.support.services import Federation
from tests.support.transcripts import run

ASKED = [{"property": "name", "value": "Youssef Benomar Zerouali"}, {"property": "birthDate", "value": "1989-06-17"}]


def protection(node: Node, why: str = "request 12 of the person") -> Acting:
    there = next((o for o in node.access.officers() if Role.PROTECTION in o.roles), None)
    officer = there or node.access.add_officer("Guardian", (Role.PROTECTION,), None)[0]
    return Acting(officer.id, frozenset({Role.PROTECTION}), "investigation", why)


def find_for(node: Node, why: str) -> Found:
    return node.oversight.find(read_person(ASKED), Right.ACCESS, protection(node, why))


def signed_by(node: Node, body: object, subject: str = "person.extract") -> bytes:
    """A file that this node signed and logged, whatever it says."""
    raw = canonical(body)
    digest = sha256(EXTRACT_TYPE, raw).hex()
    leaf = node.store.write(
        lambda tx: node.ledger.append(
            tx, verb=LogVerb.CONSULT, subject=subject, content={"digest": digest}, at=node.clock()
        )
    )
    file = {
        "type": EXTRACT_TYPE,
        "card": node.exchange.card_bytes().decode(),
        "signed": to_base64(sign(EXTRACT_TYPE, raw, node.keys.signing, node.node_id)),
        "leaf": json.loads(node.ledger.bundle(leaf, disclose=True)),
    }
    return json.dumps(file).encode()


def test_a_true_signature_over_another_shape_is_no_extract(services: Federation) -> None:
    """Its own node may sign anything: another shape, another service's name, a leaf of another act."""
    f = services
    f.hold("madrid", people.MADRID_HOLDINGS)
    node, person = f.nodes["madrid"], read_person(ASKED)
    items = [t.id for t in find_for(node, "request 12").things]
    good = verify_extract(node.oversight.extract(person, Right.ACCESS, items, protection(node)))["extract"]
    assert verify_extract(signed_by(node, good))["extract"] == good
    thing, *_ = good["things"]
    berlin = f.nodes["berlin"]
    other = {"node": berlin.node_id, "name": berlin.name, "country": berlin.country}
    shapes: list[object] = [
        [1], {"v": 1, "things": []}, good | {"v": 2}, good | {"more": 1}, good | {"at": "today"},
        good | {"right": "all"},
        good | {"service": "Madrid"}, good | {"things": [{}]}, good | {"things": [thing | {"sort": "more"}]},
        good | {"things": [thing | {"kept_back": 1}]}, good | {"things": [thing | {"content": "text"}]},
        good | {"things": [thing | {"disclosures": [{}]}]}, good | {"things": [thing | {"log": [1]}]},
    ]  # fmt: skip
    others = [{**good["service"], name: value} for name, value in other.items()]
    bad = {
        "proof.shape": [signed_by(node, s) for s in shapes],
        "proof.service": [signed_by(node, good | {"service": s}) for s in (other, *others)],
        "proof.subject": [signed_by(node, good, "person.find")],
    }
    for code, files in bad.items():
        for raw in files:
            with pytest.raises(Untrusted) as failure:
                verify_extract(raw)
            assert failure.value.code == code


def test_a_reason_without_an_end_makes_no_log_that_cannot_be_verified(services: Federation) -> None:
    node = services.nodes["madrid"]
    with pytest.raises(Invalid) as failure:
        find_for(node, "x" * 1_100_000)
    assert failure.value.code == "ledger.content"
    with pytest.raises(Invalid) as failure:
        node.access.acting(protection(node).officer, "investigation", "x" * 2_001)
    assert failure.value.field == "justification"
    assert verify_log(node.oversight.archive(protection(node), open_them=True))["held_back"] == 0


@pytest.mark.parametrize("whole_head", [True, False])
def test_a_file_larger_than_memory_is_refused_in_little_of_it(
    services: Federation, tmp_path: Path, *, whole_head: bool
) -> None:
    """A sparse file costs its sender nothing; its line has no end."""
    node = services.nodes["madrid"]
    head = next(iter(node.oversight.archive(protection(node), open_them=True)))
    file = tmp_path / "log.jsonl"
    with file.open("wb") as sparse:
        sparse.write(head if whole_head else head.rstrip(b"\n"))
        sparse.truncate(64 * 1024**3)
    tracemalloc.start()
    try:
        code, out, err = run(["ledger", "verify", str(file), "--json"])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (code, json.loads(out)["code"]) == (Untrusted.exit_code, "archive.malformed"), out + err
    assert peak < 256 * 1024**2
