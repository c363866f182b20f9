"""Builds the golden file of an extract about one person (rules O-1 to O-3): one that verifies, and files that do not.

    python tests/vectors/oversight/build.py

Keys come from fixed seeds and are for this file alone. ML-DSA-65 signatures hold chance, so each file is kept while it
still gives its answer; they change only when the format does. The person is invented.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tansiq.crypto import SUITE, NodeKeys, SealingKeys, SigningKeys, canonical, node_id, sha256, sign, to_base64
from tansiq.errors import TansiqError
from tansiq.exchange import cards
from tansiq.exchange.model import NodeCard
from tansiq.ledger import root, sign_checkpoint
from tansiq.ledger.bundle import make_bundle
from tansiq.ledger.leaves import content_bytes, hash_leaf, make_leaf
from tansiq.ledger.model import Checkpoint
from tansiq.ledger.wire import BundleWire
from tansiq.oversight import EXTRACT_TYPE, verify_extract
from tansiq.terms import LogVerb, format_instant

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 22, 4, 17, 31, 123000, UTC)
SIGNING = SigningKeys(bytes([21]) * 32, bytes([22]) * 32)
KEYS = NodeKeys(
    node_id("ES", SIGNING.public),
    SIGNING,
    SealingKeys.generate(lambda count: hashlib.shake_256(b"oversight sealing").digest(count)),
    bytes(32),
    b"",
    b"",
)
SERVICE = {"node": KEYS.node, "name": "Example Service", "country": "ES"}
THING: dict[str, Any] = {
    "id": "b-1", "sort": "holding", "score_in_1000": 941, "content": {"kind": "entity", "name": "Imad Example"},
    "kept_back": "", "originator": "ES", "ours": True, "owners": [], "handling": ["H0"], "since": "", "others": False,
    "disclosures": [], "log": [], "purpose": "investigation", "legal_basis": "example law, art. 3",
    "review_on": "2027-05-22", "erase_on": "2029-11-22", "dossier": "", "entry": "", "part": "",
}  # fmt: skip
BODY: dict[str, Any] = {
    "v": 1, "service": SERVICE, "at": format_instant(NOW), "right": "access", "clauses": ["LED art. 14"],
    "asked": [{"property": "name", "value": "Imad Example"}], "things": [THING], "complete": True,
    "not_looked_through": ["attachments: what stands inside files"],
}  # fmt: skip


def card() -> str:
    own = NodeCard(
        node=KEYS.node, version=1, name=SERVICE["name"], country="ES", url="", languages=("es",), contact="duty room",
        signing_keys=SIGNING.public.to_wire(), sealing_keys=KEYS.sealing.public.to_wire(),
        tls_sha256=hashlib.sha256(b"oversight").hexdigest(), suites=(SUITE,), issued_at=NOW,
    )  # fmt: skip
    return cards.verify_links((cards.sign_card(own, KEYS),)).to_bytes().decode()


def signed(body: Any, **how: Any) -> dict[str, Any]:
    """A file whose signature and leaf are true, whatever the body says; `how` changes what the leaf says."""
    raw = canonical(body)
    digest = how.get("digest", sha256(EXTRACT_TYPE, raw).hex())
    content = {"officer": "o-0123456789abcdef", "justification": "request 12", "digest": digest}
    leaf = make_leaf(
        how.get("verb", LogVerb.CONSULT), how.get("subject", "person.extract"), b"s" * 32, content_bytes(content), NOW
    )
    note = sign_checkpoint(Checkpoint(f"tansiq/{KEYS.node}", 1, root([hash_leaf(leaf)])), SIGNING)
    opened = content if how.get("disclose", True) else None
    bundle = make_bundle(BundleWire(0, leaf, b"s" * 32 if opened else None, opened, (), note))
    envelope = sign(how.get("type", EXTRACT_TYPE), raw, SIGNING, KEYS.node)
    return {"type": EXTRACT_TYPE, "card": card(), "signed": to_base64(envelope), "leaf": json.loads(bundle)}


def bad() -> list[tuple[str, str, dict[str, Any]]]:
    good = signed(BODY)
    other = BODY | {"complete": False}
    return [
        ("a list", "O-1", signed([1])),
        ("a body without its fields", "O-1", signed({"v": 1, "things": []})),
        ("another version", "O-1", signed(BODY | {"v": 2})),
        ("a field that is not known", "O-1", signed(BODY | {"more": 1})),
        ("a right that is none", "O-1", signed(BODY | {"right": "all"})),
        ("a thing of no known sort", "O-1", signed(BODY | {"things": [THING | {"sort": "rumour"}]})),
        ("a time that is none", "O-1", signed(BODY | {"at": "today"})),
        ("signed as another thing", "C-3", signed(BODY, type="tansiq.ledger.log.v1")),
        ("another body's signature", "O-3", good | {"signed": signed(other)["signed"]}),
        ("another service's node", "O-2", signed(BODY | {"service": SERVICE | {"node": "de-" + "a" * 20}})),
        ("another service's name", "O-2", signed(BODY | {"service": SERVICE | {"name": "Other Service"}})),
        ("a leaf of a search", "O-3", signed(BODY, subject="person.find")),
        ("a leaf of another verb", "O-3", signed(BODY, verb=LogVerb.COLLECT)),
        ("a leaf about another extract", "O-3", signed(BODY, digest="0" * 64)),
        ("a leaf that is not opened", "O-3", signed(BODY, disclose=False)),
        ("another type of file", "O-1", good | {"type": "tansiq.person.v2"}),
        ("a file with more in it", "O-1", good | {"more": 1}),
    ]


def code_of(file: dict[str, Any]) -> str:
    try:
        verify_extract(json.dumps(file).encode())
    except TansiqError as failure:
        return failure.code
    return ""


def main() -> None:
    file = HERE / "extract.json"
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except OSError:
        known = {"file": {}, "bad": []}
    good = known["file"] if not code_of(known["file"]) else signed(BODY)
    kept = {row["name"]: row for row in known["bad"]}
    rows = []
    for name, rule, made in bad():
        old = kept.get(name)
        held = old is not None and code_of(old["file"]) == old["code"]
        rows.append(old if held else {"name": name, "rule": rule, "code": code_of(made), "file": made})
    value = {
        "about": "An extract about an invented person that verifies, and files that are refused with that code.",
        "fingerprint": verify_extract(json.dumps(good).encode())["fingerprint"],
        "body": BODY,
        "file": good,
        "bad": rows,
    }
    file.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
