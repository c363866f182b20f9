"""Builds the golden files of `exchange`: bodies that parse and bodies that are refused; signed documents that verify.

    python tests/vectors/exchange/build.py

Keys come from fixed seeds and are for these files alone. ML-DSA-65 signatures and sealed boxes hold chance, so signed
documents are kept as long as they still hold; a file changes only when the format does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tansiq.crypto import (
    SUITE,
    NodeKeys,
    SealingKeys,
    SigningKeys,
    canonical,
    node_id,
    open_sealed,
    seal,
    sign,
    verify,
)
from tansiq.errors import TansiqError
from tansiq.exchange import cards, proofs, wire
from tansiq.exchange.ground import envelope_sha256
from tansiq.exchange.model import Item, ItemResult, NodeCard, Receipt

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 22, 4, 17, 31, 123000, UTC)


def stream(name: str) -> Callable[[int], bytes]:
    """Chance that is the same each time."""
    state = {"at": 0}

    def random(count: int) -> bytes:
        start = state["at"]
        state["at"] += count
        return hashlib.shake_256(name.encode()).digest(state["at"])[start:]

    return random


def keys(country: str, name: str) -> NodeKeys:
    signing = SigningKeys.generate(stream(name))
    return NodeKeys(
        node_id(country, signing.public), signing, SealingKeys.generate(stream(f"{name} sealing")), bytes(32), b"", b""
    )


MA, ES = keys("MA", "exchange ma"), keys("ES", "exchange es")
MA_NEXT = replace(keys("MA", "exchange ma next"), node=MA.node)
THIEF = replace(keys("MA", "exchange thief"), node=MA.node)


def card(of: NodeKeys, version: int = 1) -> NodeCard:
    return NodeCard(
        node=of.node,
        version=version,
        name="Example Service",
        country=of.node[:2].upper(),
        url=f"https://{of.node[:2]}.example:8443",
        languages=("ar", "fr") if of.node.startswith("ma") else ("es", "en"),
        contact="duty room, 24 h",
        signing_keys=of.signing.public.to_wire(),
        sealing_keys=of.sealing.public.to_wire(),
        tls_sha256=hashlib.sha256(of.node.encode()).hexdigest(),
        suites=(SUITE,),
        issued_at=NOW,
    )


ITEMS = [Item("entry", "e-" + "0" * 64, b'{"v":1}'), Item("ask", "e-" + "1" * 64, b"")]
ENVELOPE = wire.SealedEnvelope("x-1", SUITE, MA.node, ES.node, NOW, NOW + timedelta(days=30), b"sealed")
RECEIPT = Receipt(
    "x-1",
    "0" * 64,
    MA.node,
    ES.node,
    NOW,
    (
        ItemResult(ITEMS[0].ref, True, kind="entry"),
        ItemResult(ITEMS[1].ref, False, "expired", "ask"),
    ),
)
POLL = wire.Poll("q-1", MA.node, ES.node, NOW)
PARSERS: dict[str, Callable[[bytes], object]] = {
    "card": wire.parse_card,
    "envelope": wire.parse_envelope,
    "items": wire.parse_items,
    "receipt": wire.parse_receipt,
    "poll": wire.parse_poll,
}
GOOD = {
    "card": wire.render_card(card(MA)),
    "envelope": wire.render_envelope(ENVELOPE),
    "items": wire.render_items(ITEMS),
    "receipt": wire.render_receipt(RECEIPT),
    "poll": wire.render_poll(POLL),
}


def parted(what: str) -> tuple[str, str]:
    """The canonical JSON of a good body, and what stands behind it."""
    head, line_feed, behind = GOOD[what].decode().partition("\n")
    return head, line_feed + behind


def changed(what: str, **changes: Any) -> str:
    head, behind = parted(what)
    body = {**json.loads(head), **changes}
    return canonical({k: v for k, v in body.items() if v is not None}).decode() + behind


def bad_bodies() -> list[tuple[str, str, str, str]]:
    """(what, name, rule, body)."""
    one, two = json.loads(parted("items")[0])["items"]
    refused = {"kind": "entry", "ref": "e-1", "received": False, "reason": "expired"}
    unnamed = {name: value for name, value in refused.items() if name != "kind"}
    rows = [
        ("card", "country of another node", "X-1", changed("card", country="ES")),
        ("card", "plain http", "X-1", changed("card", url="http://ma.example")),
        ("card", "a path in the address", "X-1", changed("card", url="https://ma.example/x")),
        ("card", "no suite", "X-9", changed("card", suites=[])),
        ("card", "version zero", "X-1", changed("card", version=0)),
        ("envelope", "unknown suite", "C-7", changed("envelope", suite="tansiq-0")),
        ("envelope", "an id like an entry's", "X-2", changed("envelope", id="e-" + "0" * 64)),
        ("envelope", "an id with a blank", "X-2", changed("envelope", id="x 1")),
        ("envelope", "seconds without milliseconds", "X-2", changed("envelope", sent_at="2026-11-22T04:17:31Z")),
        ("envelope", "no such day", "X-2", changed("envelope", expires_at="2026-02-30T00:00:00.000Z")),
        ("envelope", "nothing behind its head", "X-2", parted("envelope")[0]),
        ("envelope", "less behind its head than said", "X-2", changed("envelope", size=7)),
        ("envelope", "more behind its head than said", "X-2", changed("envelope", size=5)),
        ("items", "none", "X-3", parted("items")[0].partition("[")[0] + "[]}\n"),
        ("items", "one twice", "X-3", changed("items", items=[two, one, two])),
        ("items", "nothing behind their head", "X-3", parted("items")[0]),
        ("items", "less behind the head than said", "X-3", changed("items", items=[{**one, "size": 8}, two])),
        ("items", "more behind the head than said", "X-3", changed("items", items=[{**one, "size": 6}, two])),
        ("items", "a size below zero", "X-3", changed("items", items=[{**one, "size": 8}, {**two, "size": -1}])),
        ("items", "a size as text", "X-3", changed("items", items=[{**one, "size": "7"}, two])),
        ("items", "sixty-five", "X-3", changed("items", items=[{**one, "ref": f"e-{n}"} for n in range(65)])),
        ("items", "an unknown field in an item", "X-9", changed("items", items=[{**one, "until": "x"}])),
        ("items", "a kind in capitals", "X-3", changed("items", items=[{**one, "kind": "Entry"}])),
        ("receipt", "a free word as reason", "X-6", changed("receipt", items=[{**refused, "reason": "No way"}])),
        ("receipt", "an item without its kind", "X-6", changed("receipt", items=[unnamed])),
        ("receipt", "a hash in capitals", "X-6", changed("receipt", envelope_sha256="A" * 64)),
        ("poll", "an instant with an offset", "X-7", changed("poll", at="2026-11-22T04:17:31.123+01:00")),
    ]  # fmt: skip
    for what, good in GOOD.items():
        text, (head, behind) = good.decode(), parted(what)
        rows += [
            (what, "an unknown field", "X-9", changed(what, zz=1)),
            (what, "white space", "C-1", text.replace(":", ": ", 1)),
            (what, "a repeated key", "C-1", "{" + text[1:].split(",", 1)[0] + "," + text[1:]),
            (what, "cut short", "C-1", head[:-1] + behind),
            (what, "nested without end", "X-9", '{"v":' + "[" * 2000),
        ]
        if what != "items":
            rows.append((what, "an unknown version", "X-9", changed(what, v=2)))
    return rows


def refusal(parse: Callable[[bytes], object], raw: bytes) -> TansiqError:
    try:
        parse(raw)
    except TansiqError as exc:
        return exc
    raise AssertionError(raw)


def bodies() -> dict[str, Any]:
    bad = []
    for what, name, rule, body in bad_bodies():
        found = refusal(PARSERS[what], body.encode())
        bad.append({"what": what, "name": name, "rule": rule, "code": found.code, "field": found.field, "body": body})
    return {
        "about": "Bodies as they are signed or sealed. Good ones render to the same bytes; bad ones are refused so.",
        "good": [{"what": what, "body": body.decode()} for what, body in GOOD.items()],
        "bad": bad,
    }


def documents() -> dict[str, Any]:
    """Everything with a signature or a seal in it: made once, kept while it verifies."""
    first, second = cards.sign_card(card(MA), MA), cards.sign_card(card(MA_NEXT, 2), MA_NEXT)
    chain = wire.render_card_file([first, cards.sign_rotation(second, MA)])
    partner = cards.sign_card(card(ES), ES)
    info = wire.envelope_info("x-1", MA.node, ES.node, SUITE)
    sealed = seal(wire.render_items(ITEMS), ES.sealing.public, info)
    envelope = sign(wire.ENVELOPE_TYPE, wire.render_envelope(replace(ENVELOPE, sealed=sealed)), MA.signing, MA.node)
    digest = envelope_sha256(envelope)
    receipt = sign(
        wire.RECEIPT_TYPE, wire.render_receipt(replace(RECEIPT, envelope_sha256=digest)), ES.signing, ES.node
    )
    proof = wire.render_proof(wire.ReceiptProof("entry", ITEMS[0].ref, "x-1", digest, receipt, first, partner))
    thief = cards.sign_card(card(THIEF, 3), THIEF)
    forged, older = cards.sign_rotation(thief, THIEF), cards.sign_card(card(MA_NEXT, 1), MA_NEXT)
    bad = [
        ("new keys without a rotation", "X-1", wire.render_card_file([first, thief])),
        ("a rotation that its former keys did not sign", "X-1", wire.render_card_file([first, forged])),
        ("an id that does not follow from the keys", "C-4", thief),
        ("a rotation back", "X-1", wire.render_card_file([first, cards.sign_rotation(older, MA)])),
    ]
    return {
        "about": "Signed documents that verify, and card files that are refused with that code.",
        "recipient_sealing_keys_hex": ES.sealing.to_bytes().hex(),
        "card": partner.decode(),
        "card_fingerprint": cards.verify_card_file(partner).fingerprint,
        "card_chain": chain.decode(),
        "card_chain_fingerprint": cards.verify_card_file(chain).fingerprint,
        "sender_card": first.decode(),
        "envelope": envelope.decode(),
        "envelope_sha256": digest,
        "items": wire.render_items(ITEMS).decode(),
        "receipt": receipt.decode(),
        "proof": proof.decode(),
        "bad_cards": [
            {"name": name, "rule": rule, "code": refusal(cards.verify_card_file, raw).code, "file": raw.decode()}
            for name, rule, raw in bad
        ],
    }


def check(found: dict[str, Any]) -> None:
    """Raises when a document no longer holds."""
    recipient = cards.verify_card_file(found["card"].encode())
    assert recipient.fingerprint == found["card_fingerprint"]
    chain = cards.verify_card_file(found["card_chain"].encode())
    assert (chain.fingerprint, chain.card.version) == (found["card_chain_fingerprint"], 2)
    sender = cards.verify_card_file(found["sender_card"].encode())
    raw = found["envelope"].encode()
    assert envelope_sha256(raw) == found["envelope_sha256"]
    envelope = wire.parse_envelope(verify(raw, wire.ENVELOPE_TYPE, sender.signing, sender.card.node))
    keys_of_recipient = SealingKeys.from_bytes(bytes.fromhex(found["recipient_sealing_keys_hex"]))
    info = wire.envelope_info(envelope.id, envelope.sender, envelope.recipient, envelope.suite)
    assert open_sealed(envelope.sealed, keys_of_recipient, info) == found["items"].encode()
    assert wire.parse_items(found["items"].encode())
    receipt = found["receipt"].encode()
    body = verify(receipt, wire.RECEIPT_TYPE, recipient.signing, recipient.card.node)
    assert wire.parse_receipt(body).envelope_sha256 == found["envelope_sha256"]
    assert proofs.verify_receipt_proof(found["proof"].encode()).result.received
    for case in found["bad_cards"]:
        assert refusal(cards.verify_card_file, case["file"].encode()).code == case["code"], case["name"]


def save(name: str, value: dict[str, Any]) -> None:
    (HERE / name).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    save("bodies.json", bodies())
    path = HERE / "documents.json"
    try:
        check(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, AssertionError, TansiqError):
        save("documents.json", documents())


if __name__ == "__main__":
    main()
