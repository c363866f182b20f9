"""Builds the golden files of `crypto` and `ledger`: good cases, and bad ones with the rule that each breaks.

    python tests/vectors/crypto/build.py

Keys come from fixed seeds. ML-DSA-65 signatures, sealed boxes and TLS keys hold chance, so what is in the files is
kept as long as it still holds; a file changes only when the format does. The keys are for these files alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tansiq.crypto import (
    BATCH_TYPE,
    KdfCost,
    Member,
    NodeKeys,
    SealingKeys,
    SigningKeys,
    Vault,
    begin_batch,
    canonical,
    commit_part,
    fingerprint,
    from_base64,
    node_id,
    open_keyfile,
    open_sealed,
    pae,
    seal,
    seal_keyfile,
    sha256,
    sign,
    to_base64,
    verify,
)
from tansiq.crypto.batch import places, root_body
from tansiq.errors import TansiqError
from tansiq.ledger import cosign, sign_checkpoint, verify_checkpoint
from tansiq.ledger.leaves import commit_content, content_bytes, hash_leaf, make_leaf
from tansiq.ledger.merkle import consistency, inclusion, root
from tansiq.ledger.model import Checkpoint
from tansiq.ledger.wire import BundleWire, render_bundle
from tansiq.terms import LogVerb

HERE = Path(__file__).parent
LEDGER = HERE.parent / "ledger"
NOW = datetime(2026, 11, 22, 4, 17, 31, 123000, UTC)
TYPE = "application/vnd.tansiq.statement.v1+json"
BODY = '{"text":"تنسيق","v":1}'.encode()
INFO = b"envelope|ma|es"


def stream(name: str) -> Callable[[int], bytes]:
    """Chance that is the same each time: a SHAKE-256 stream per name."""
    state = {"at": 0}

    def random(count: int) -> bytes:
        start = state["at"]
        state["at"] += count
        return hashlib.shake_256(name.encode()).digest(state["at"])[start:]

    return random


ALICE = SigningKeys.generate(stream("alice"))
MALLORY = SigningKeys.generate(stream("mallory"))
SEALING = SealingKeys.generate(stream("sealing"))
OTHER_SEALING = SealingKeys.generate(stream("other sealing"))
NODE = node_id("MA", ALICE.public)
MALLORY_NODE = node_id("ES", MALLORY.public)
ORIGIN = "tansiq.example/ma"
WITNESS = "tansiq.example/es"


def previous(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def save(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def kept(old: str | None, holds: Callable[[str], object], make: Callable[[], str]) -> str:
    """The old value while it still holds, else a new one."""
    if old is not None:
        try:
            if holds(old) is not False:
                return old
        except (TansiqError, ValueError):
            pass
    return make()


def edited(envelope: str, change: Callable[[dict[str, Any]], None]) -> str:
    value = json.loads(envelope)
    change(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def bad(name: str, rule: str, code: str, raw: str, **more: object) -> dict[str, object]:
    return {"name": name, "rule": rule, "code": code, "raw": raw, **more}


def canonical_file() -> None:
    values: list[Any] = [
        None, True, 0, -1, 2**53 - 1, "", "a/b", 'quote " backslash \\', "\b\t\n\f\r\x00\x1f\x7f", "\u2028 é تنسيق 😀",
        [], {}, [1, [2, [3]]], {"b": 1, "a": {"z": None, "A": False}, "": []},
    ]  # fmt: skip
    save(
        HERE / "canonical.json",
        {
            "about": "RFC 8785 subset: `value` has the bytes `hex`; each `raw` is refused when parsed with that code.",
            "good": [{"value": v, "hex": canonical(v).hex()} for v in values],
            "bad": [
                bad("white space", "no white space", "canonical.form", '{"a": 1}'),
                bad("order", "keys in ascending order", "canonical.form", '{"b":1,"a":2}'),
                bad("repeated key", "a key once", "canonical.form", '{"a":1,"a":2}'),
                bad("escape", "only the short escapes", "canonical.form", '{"a":"\\u0062"}'),
                bad("slash", "a slash is not escaped", "canonical.form", '"\\/"'),
                bad("float", "integers only", "canonical.float", "1.0"),
                bad("exponent", "integers only", "canonical.float", "1e2"),
                bad("large", "within 2^53 - 1", "canonical.int", "9007199254740992"),
                bad("huge", "within 2^53 - 1", "canonical.int", "1" + "0" * 30),
                bad("minus zero", "one zero", "canonical.form", "-0"),
                bad("key", "ASCII keys", "canonical.key", '{"é":1}'),
                bad("deep", "at most 32 levels", "canonical.depth", "[" * 33 + "]" * 33),
                bad("very deep", "at most 32 levels", "canonical.malformed", "[" * 20000),
                bad("surrogate", "valid Unicode", "canonical.malformed", '"\\ud800"'),
                bad("trailing", "one value", "canonical.malformed", "1 1"),
                bad("empty", "one value", "canonical.malformed", ""),
                bad("comment", "JSON", "canonical.malformed", "/**/1"),
                bad("NaN", "JSON", "canonical.malformed", "NaN"),
            ],
        },
    )


def hashing_file() -> None:
    save(
        HERE / "hashing.json",
        {
            "about": "Domain-separated hashes, part commitments, node ids, fingerprints; all from the seeds given.",
            "sha256": [
                {"domain": d, "parts": [p.hex() for p in ps], "hex": sha256(d, *ps).hex()}
                for d, ps in (
                    ("t", ()),
                    ("t", (b"",)),
                    ("t", (b"ab", b"c")),
                    ("t", (b"a", b"bc")),
                    ("u", (b"ab", b"c")),
                )
            ],
            "parts": [
                {"kind": k, "salt": s.hex(), "content": c.hex(), "id": commit_part(k, s, c)}
                for k, s, c in (("narrative", bytes(32), b""), ("narrative", b"\x01" * 32, "نص".encode()))
            ],
            "nodes": [
                {
                    "country": country,
                    "signing_seeds": keys.to_bytes().hex(),
                    "node": node_id(country, keys.public),
                    "public": keys.public.to_wire(),
                }
                for country, keys in (("MA", ALICE), ("ES", MALLORY))
            ],
            "fingerprint": {
                "sealing_seeds": SEALING.to_bytes().hex(),
                "sealing_public": SEALING.public.to_wire(),
                "digits": fingerprint(ALICE.public, SEALING.public),
            },
        },
    )


def keys_file() -> None:
    good = ALICE.public.to_wire()
    seal_good = SEALING.public.to_wire()
    save(
        HERE / "keys.json",
        {
            "about": "Public keys from the wire; every bad one is refused with its code.",
            "signing_good": [good],
            "sealing_good": [seal_good],
            "signing_bad": [
                {"name": n, "rule": r, "code": c, "value": v}
                for n, r, c, v in (
                    ("unknown field", "exactly two keys", "key.malformed", {**good, "rsa": "AA=="}),
                    ("missing field", "exactly two keys", "key.malformed", {"ed25519": good["ed25519"]}),
                    ("short", "32 bytes", "key.malformed", {**good, "ed25519": to_base64(b"1" * 31)}),
                    ("long", "1952 bytes", "key.malformed", {**good, "mldsa65": to_base64(b"1" * 1953)}),
                    ("base64", "standard base64", "key.malformed", {**good, "ed25519": good["ed25519"][:-1]}),
                    ("url base64", "standard base64", "key.malformed", {**good, "ed25519": "_" * 43 + "="}),
                    ("spare bits", "canonical base64", "key.malformed", {**good, "ed25519": "A" * 42 + "B="}),
                    ("not text", "base64 text", "key.malformed", {**good, "ed25519": 7}),
                    ("list", "an object", "key.malformed", [good]),
                    (
                        "identity",
                        "no key of small order",
                        "key.weak",
                        {**good, "ed25519": to_base64(b"\1" + bytes(31))},
                    ),
                    ("zero", "no key of small order", "key.weak", {**good, "ed25519": to_base64(bytes(32))}),
                    (
                        "sign bit",
                        "no key of small order",
                        "key.weak",
                        {**good, "ed25519": to_base64(bytes(31) + b"\x80")},
                    ),
                )
            ],
            "sealing_bad": [
                {"name": n, "rule": r, "code": c, "value": v}
                for n, r, c, v in (
                    ("short", "1184 bytes", "key.malformed", {**seal_good, "mlkem768": to_base64(b"1" * 1183)}),
                    ("modulus", "FIPS 203 7.2", "key.malformed", {**seal_good, "mlkem768": to_base64(b"\xff" * 1184)}),
                    ("missing field", "exactly two keys", "key.malformed", {"x25519": seal_good["x25519"]}),
                )
            ],
        },
    )


def dsse_file() -> None:
    path = HERE / "dsse.json"
    old = previous(path)
    good = kept(
        old.get("good", {}).get("raw"),
        lambda raw: verify(raw.encode(), TYPE, ALICE.public, NODE) == BODY,
        lambda: sign(TYPE, BODY, ALICE, NODE).decode(),
    )
    forged = kept(
        old.get("forged"),
        lambda raw: verify(raw.encode(), TYPE, MALLORY.public, NODE) == BODY,
        lambda: sign(TYPE, BODY, MALLORY, NODE).decode(),
    )
    value = json.loads(good)
    first, second = value["signatures"]

    def flip(text: str) -> str:
        raw = bytearray(from_base64(text))
        raw[7] ^= 1
        return to_base64(bytes(raw))

    def signatures(*lines: dict[str, str]) -> str:
        return edited(good, lambda v: v.update(signatures=list(lines)))

    mixed = json.loads(forged)["signatures"]
    cases = [
        bad(
            "body changed",
            "both signatures verify",
            "dsse.ed25519",
            edited(good, lambda v: v.update(payload=flip(v["payload"]))),
        ),
        bad(
            "type changed",
            "the expected payload type",
            "dsse.payload_type",
            edited(good, lambda v: v.update(payloadType="text/plain")),
        ),
        bad(
            "Ed25519 flipped",
            "both signatures verify",
            "dsse.ed25519",
            signatures({**first, "sig": flip(first["sig"])}, second),
        ),
        bad(
            "ML-DSA-65 flipped",
            "both signatures verify",
            "dsse.mldsa65",
            signatures(first, {**second, "sig": flip(second["sig"])}),
        ),
        bad("ML-DSA-65 missing", "exactly two signatures", "dsse.signatures", signatures(first)),
        bad("Ed25519 missing", "exactly two signatures", "dsse.signatures", signatures(second)),
        bad("none", "exactly two signatures", "dsse.signatures", signatures()),
        bad("a third", "exactly two signatures", "dsse.signatures", signatures(first, second, second)),
        bad("Ed25519 twice", "each algorithm once", "dsse.signatures", signatures(first, first)),
        bad("order", "Ed25519 first", "dsse.signatures", signatures(second, first)),
        bad(
            "algorithm unknown",
            "an unknown suite is refused by name",
            "suite.unknown",
            signatures({**first, "keyid": f"{NODE}#rsa"}, second),
        ),
        bad(
            "two nodes", "one signer", "dsse.signer", signatures(first, {**second, "keyid": f"{MALLORY_NODE}#mldsa65"})
        ),
        bad("another node", "the expected signer", "dsse.signer", good, node=MALLORY_NODE),
        bad("forged", "the author's keys", "dsse.ed25519", forged),
        bad("half forged", "both signatures verify", "dsse.mldsa65", signatures(first, mixed[1])),
        bad("key id", "node#algorithm", "dsse.keyid", signatures({**first, "keyid": "ed25519"}, second)),
        bad(
            "key id not a node",
            "node#algorithm",
            "dsse.keyid",
            signatures({**first, "keyid": "x#ed25519"}, {**second, "keyid": "x#mldsa65"}),
        ),
        bad("signature too short", "both signatures verify", "dsse.ed25519", signatures({**first, "sig": ""}, second)),
        bad("unknown field", "no unknown fields", "dsse.malformed", edited(good, lambda v: v.update(extra=1))),
        bad("unknown inner field", "no unknown fields", "dsse.malformed", signatures({**first, "alg": "x"}, second)),
        bad(
            "repeated key",
            "canonical form",
            "dsse.not_canonical",
            good.replace('{"payload"', '{"payload":"","payload"', 1),
        ),
        bad("white space", "canonical form", "dsse.not_canonical", good + "\n"),
        bad(
            "field order",
            "canonical form",
            "dsse.not_canonical",
            json.dumps(dict(reversed(value.items())), separators=(",", ":")),
        ),
        bad(
            "base64 of the body",
            "strict base64",
            "dsse.base64",
            edited(good, lambda v: v.update(payload=v["payload"] + "\n")),
        ),
        bad("base64 spare bits", "canonical base64", "dsse.base64", edited(good, lambda v: v.update(payload="AB=="))),
        bad("base64 of a signature", "strict base64", "dsse.base64", signatures({**first, "sig": "!"}, second)),
        bad("null", "a DSSE envelope", "dsse.malformed", "null"),
        bad("nested", "a DSSE envelope", "dsse.malformed", "[" * 5000),
        bad("too large", "the size limit", "dsse.too_large", good, max_bytes=100),
    ]
    save(
        path,
        {
            "about": "DSSE envelopes; bad ones are refused by `verify` with that code (`node`, `max_bytes` if given).",
            "payload_type": TYPE,
            "node": NODE,
            "public": ALICE.public.to_wire(),
            "good": {"raw": good, "body": BODY.decode(), "pae_sha256": hashlib.sha256(pae(TYPE, BODY)).hexdigest()},
            "forged": forged,
            "bad": cases,
        },
    )


MAIN_TYPE, OTHER_TYPE = "application/vnd.tansiq.main.v1+json", "application/vnd.tansiq.other.v1"


def batch_file() -> None:
    """Four documents: the main one, three others, and one leaf of chance that fills their tree up."""
    path = HERE / "batch.json"
    old = previous(path)
    salts, fill = stream("batch salts"), stream("batch fill")(32)
    main = Member(MAIN_TYPE, b'{"v":1}', salts(32))
    others = [Member(OTHER_TYPE, f"sealed {n}".encode(), salts(32)) for n in range(3)]
    root, of_main, of_others = places(main, others, lambda _count: fill)
    documents = [main, *others]

    def holds(raws: str) -> bool:
        for document, raw in zip(documents, json.loads(raws), strict=True):
            assert verify(raw.encode(), document.payload_type, ALICE.public, NODE, batches=True) == document.body
        return True

    def make() -> str:
        signing = begin_batch(main, others, ALICE, NODE, lambda _count: fill)
        return json.dumps([signing.whole().decode(), *(signing.other(n).decode() for n in range(3))])

    raws = json.loads(kept(json.dumps(old["raws"]) if old else None, holds, make))
    first, second = json.loads(raws[1])["signatures"]
    place = of_others[0]
    alone_raw = kept(
        old.get("alone"),
        lambda raw: verify(raw.encode(), OTHER_TYPE, ALICE.public, NODE) == others[0].body,
        lambda: sign(OTHER_TYPE, others[0].body, ALICE, NODE).decode(),
    )
    alone = json.loads(alone_raw)["signatures"]
    mixed = to_base64(place.to_bytes() + from_base64(alone[0]["sig"]))
    by_ed25519 = from_base64(first["sig"])[-64:]

    def signatures(*lines: dict[str, str]) -> str:
        return edited(raws[1], lambda v: v.update(signatures=list(lines)))

    def at(raw: bytes) -> str:
        return signatures({**first, "sig": to_base64(raw + by_ed25519)}, second)

    good = place.to_bytes()
    cases = [
        bad("another's place", "the path leads to the root", "dsse.ed25519", at(of_others[1].to_bytes())),
        bad("no salt", "the path leads to the root", "dsse.ed25519", at(bytes(32) + good[32:])),
        bad("moved", "the path leads to the root", "dsse.ed25519", at(good[:32] + bytes([good[32] ^ 1]) + good[33:])),
        bad("shorter path", "the path leads to the root", "batch.place", at(good[:-32])),
        bad("shorter, index too", "the path leads to the root", "dsse.ed25519", at(good[:32] + b"\x01" + good[33:65])),
        bad("longer path", "the path leads to the root", "dsse.ed25519", at(good + bytes(32))),
        bad("no path", "1 to 8 hashes", "batch.place", at(good[:32] + b"\x00")),
        bad("nine hashes", "1 to 8 hashes", "batch.place", at(good + bytes(32 * 6))),
        bad("index beyond the path", "no bit of the index above the path", "batch.place",
            at(good[:32] + b"\xff" + good[33:])),
        bad("cut", "whole hashes", "batch.place", at(good[:-1])),
        bad("no place", "a place before the signature", "batch.place", at(b"")),
        bad("no signature", "a place before the signature", "batch.place", signatures({**first, "sig": ""}, second)),
        bad("half alone", "both signatures of one kind", "dsse.signatures", signatures(first, alone[1])),
        bad("the other half", "both signatures of one kind", "dsse.signatures", signatures(alone[0], second)),
        bad("order", "Ed25519 first", "dsse.signatures", signatures(second, first)),
        bad("signatures of the document", "both signatures are of the root", "dsse.ed25519",
            signatures({**first, "sig": mixed}, {**second, "sig": alone[1]["sig"]})),
        bad("renamed", "the leaf holds the payload type", "dsse.ed25519",
            edited(raws[0], lambda v: v.update(payloadType=OTHER_TYPE))),
        bad("by itself", "a batch only where one is expected", "dsse.in_batch", raws[1], batches=False),
    ]  # fmt: skip
    save(
        path,
        {
            "about": "A batch, the main document first; each of `raws` verifies. Bad ones are refused by `verify`, for "
            "the other documents' type, with that code (`batches`: false if given).",
            "node": NODE,
            "public": ALICE.public.to_wire(),
            "batch_type": BATCH_TYPE,
            "documents": [
                {
                    "payload_type": d.payload_type,
                    "body": d.body.decode(),
                    "salt": d.salt.hex(),
                    "leaf": d.leaf.hex(),
                    "place": where.to_bytes().hex(),
                }
                for d, where in zip(documents, [of_main, *of_others], strict=True)
            ],
            "fill": fill.hex(),
            "root": root.hex(),
            "signed": root_body(root).decode(),
            "loose": main.loose().decode(),
            "raws": raws,
            "alone": alone_raw,
            "bad": cases,
        },
    )


def seal_file() -> None:
    path = HERE / "seal.json"
    old = previous(path)
    sealed = kept(
        old.get("good", {}).get("sealed"),
        lambda raw: open_sealed(bytes.fromhex(raw), SEALING, INFO) == BODY,
        lambda: seal(BODY, SEALING.public, INFO).hex(),
    )
    raw = bytes.fromhex(sealed)
    cases = [
        ("encapsulation flipped", bytes([raw[0] ^ 1]) + raw[1:], INFO, SEALING),
        ("X25519 part flipped", raw[:1100] + bytes([raw[1100] ^ 1]) + raw[1101:], INFO, SEALING),
        ("ciphertext flipped", raw[:-1] + bytes([raw[-1] ^ 1]), INFO, SEALING),
        ("cut short", raw[:-1], INFO, SEALING),
        ("cut in the encapsulation", raw[:1000], INFO, SEALING),
        ("empty", b"", INFO, SEALING),
        ("other info", raw, b"envelope|ma|de", SEALING),
        ("other recipient", raw, INFO, OTHER_SEALING),
    ]
    vault = Vault(b"\x07" * 32, stream("vault"))
    save(
        path,
        {
            "about": "HPKE boxes for the keys of these seeds; a bad one is `seal.open`. One vault row.",
            "good": {"seeds": SEALING.to_bytes().hex(), "info": INFO.hex(), "sealed": sealed, "plain": BODY.hex()},
            "bad": [
                {"name": n, "code": "seal.open", "seeds": k.to_bytes().hex(), "info": i.hex(), "sealed": r.hex()}
                for n, r, i, k in cases
            ],
            "vault": {
                "key": "07" * 32,
                "table": "bank_records",
                "row": "r-1",
                "plain": BODY.hex(),
                "sealed": vault.seal("bank_records", "r-1", BODY).hex(),
                "mac": {"kind": "phone", "value": "+212600000000", "hex": vault.mac("phone", "+212600000000").hex()},
            },
        },
    )


def keyfile_file() -> None:
    path = HERE / "keyfile.json"
    old = previous(path)
    kek = b"k" * 32

    def fresh() -> str:
        keys = NodeKeys.generate("MA", now=NOW, random=stream("alice"))
        return seal_keyfile(keys, kek=kek, random=stream("keyfile")).decode()

    cost = KdfCost(memory_kib=64, iterations=1, lanes=1)
    good = kept(
        old.get("good"), lambda raw: open_keyfile(raw.encode(), kek=kek).signing.to_bytes() == ALICE.to_bytes(), fresh
    )
    keys = open_keyfile(good.encode(), kek=kek)
    phrase = seal_keyfile(keys, "correct horse", random=stream("phrase"), cost=cost).decode()

    def change(**fields: object) -> str:
        return edited(phrase, lambda v: v.update(fields))

    save(
        path,
        {
            "about": "Key files. `good` opens with the key, `good_passphrase` with the passphrase, the bad not.",
            "kek": kek.hex(),
            "passphrase": "correct horse",
            "node": NODE,
            "good": good,
            "good_passphrase": phrase,
            "bad": [
                bad("version", "known versions", "keyfile.version", change(v=2)),
                bad("suite", "an unknown suite is refused by name", "suite.unknown", change(suite="tansiq-0")),
                bad("cost lowered", "the header is bound in", "keyfile.passphrase", change(iterations=2)),
                bad("cost absurd", "bounded memory", "keyfile.kdf", change(memory_kib=2**30)),
                bad("lanes absurd", "bounded lanes", "keyfile.kdf", change(lanes=2**20)),
                bad("kdf", "Argon2id", "keyfile.kdf", change(kdf="md5")),
                bad("kdf none", "a passphrase file", "keyfile.passphrase", change(kdf="none")),
                bad("salt", "16 bytes", "keyfile.malformed", change(salt="AAAA")),
                bad("nonce", "strict base64", "keyfile.malformed", change(nonce="*")),
                bad("unknown field", "no unknown fields", "keyfile.malformed", change(hint="x")),
                bad("not JSON", "a key file", "keyfile.malformed", "hello"),
            ],
        },
    )


def ledger_file() -> None:
    path = LEDGER / "proofs.json"
    old = previous(path)
    salt = stream("salt")
    contents = [{"officer": "o-0123456789abcdef", "decision": "permit", "n": n} for n in range(7)]
    salts = [salt(32) for _ in contents]
    leaves = [
        make_leaf(LogVerb.DISCLOSE, f"e-{n}", s, content_bytes(c), NOW)
        for n, (s, c) in enumerate(zip(salts, contents, strict=True))
    ]
    hashes = [hash_leaf(leaf) for leaf in leaves]
    note = kept(
        old.get("checkpoint"),
        lambda raw: verify_checkpoint(raw, ORIGIN, ALICE.public) == Checkpoint(ORIGIN, 7, root(hashes)),
        lambda: sign_checkpoint(Checkpoint(ORIGIN, 7, root(hashes)), ALICE),
    )
    seen = (4, root(hashes[:4]))
    _, line = cosign(note, (ORIGIN, ALICE.public), seen, consistency(hashes, 4), (WITNESS, MALLORY), NOW)
    whole = note + line
    value = render_bundle(BundleWire(5, leaves[5], salts[5], contents[5], tuple(inclusion(hashes, 5)), whole))
    bundle = canonical(value).decode()
    hidden = canonical({**value, "disclosed": None}).decode()
    text, _, lines = note.rpartition("\n\n")
    by_ed25519, by_mldsa65 = lines.splitlines()

    def change(**fields: object) -> str:
        return canonical({**value, **fields}).decode()

    def flipped(line: str) -> str:
        """The signature line with one bit of its signature changed."""
        start, _, encoded = line.rpartition(" ")
        raw = bytearray(from_base64(encoded))
        raw[20] ^= 1
        return f"{start} {to_base64(bytes(raw))}"

    save(
        path,
        {
            "about": "A log of seven leaves, its checkpoint with one cosignature, and the bundle of leaf 5.",
            "origin": ORIGIN,
            "public": ALICE.public.to_wire(),
            "witness": WITNESS,
            "witness_public": MALLORY.public.to_wire(),
            "salts": [s.hex() for s in salts],
            "contents": contents,
            "commitments": [commit_content(s, content_bytes(c)).hex() for s, c in zip(salts, contents, strict=True)],
            "leaf_hashes": [h.hex() for h in hashes],
            "root": root(hashes).hex(),
            "checkpoint": note,
            "cosignature": line,
            "bundle": bundle,
            "bundle_hidden": hidden,
            "bad_checkpoints": [
                bad("size changed", "signed text", "checkpoint.ed25519", note.replace("\n7\n", "\n8\n", 1)),
                bad(
                    "origin changed", "the expected log", "checkpoint.origin", note.replace(ORIGIN, "tansiq.example/xx")
                ),
                bad("leading zero", "no leading zeroes", "checkpoint.malformed", note.replace("\n7\n", "\n07\n", 1)),
                bad("minus", "a decimal size", "checkpoint.malformed", note.replace("\n7\n", "\n-7\n", 1)),
                bad("root cut", "32 bytes", "checkpoint.malformed", note.replace(text.split("\n")[2], "AAAA", 1)),
                bad("Ed25519 missing", "both signatures", "checkpoint.signatures", f"{text}\n\n{by_mldsa65}\n"),
                bad("ML-DSA-65 missing", "both signatures", "checkpoint.signatures", f"{text}\n\n{by_ed25519}\n"),
                bad("Ed25519 twice", "each once", "checkpoint.signatures", f"{note}{by_ed25519}\n"),
                bad("Ed25519 flipped", "both", "checkpoint.ed25519", note.replace(by_ed25519, flipped(by_ed25519))),
                bad("ML-DSA-65 flipped", "both", "checkpoint.mldsa65", note.replace(by_mldsa65, flipped(by_mldsa65))),
                bad("no signature", "signature lines", "note.malformed", text + "\n"),
                bad("no final newline", "lines end", "note.malformed", note[:-1]),
                bad(
                    "control character", "no control characters", "note.malformed", note.replace("\n7\n", "\n7\r\n", 1)
                ),
                bad("dash", "an em dash", "note.malformed", note.replace("—", "-")),
                bad(
                    "empty line",
                    "a blank line ends the text",
                    "checkpoint.malformed",
                    note.replace("\n7\n", "\n\n7\n", 1),
                ),
                bad("extension unsigned", "signed text", "checkpoint.ed25519", note.replace("\n\n—", "\nx\n\n—", 1)),
            ],
            "bad_bundles": [
                bad("index", "the leaf's place", "bundle.inclusion", change(index=4)),
                bad("index outside", "the leaf's place", "bundle.inclusion", change(index=7)),
                bad("index negative", "a leaf index", "bundle.malformed", change(index=-1)),
                bad(
                    "leaf changed",
                    "the leaf's hash",
                    "bundle.inclusion",
                    change(leaf={**value["leaf"], "subject": "e-6"}),
                ),
                bad("verb unknown", "LED art. 25", "bundle.malformed", change(leaf={**value["leaf"], "verb": "look"})),
                bad("path cut", "the whole path", "bundle.inclusion", change(path=value["path"][:-1])),
                bad(
                    "path longer", "the whole path", "bundle.inclusion", change(path=[*value["path"], value["path"][0]])
                ),
                bad(
                    "content changed",
                    "the commitment",
                    "bundle.content",
                    change(disclosed={**value["disclosed"], "content": {"n": 9}}),
                ),
                bad(
                    "salt changed",
                    "the commitment",
                    "bundle.content",
                    change(disclosed={**value["disclosed"], "salt": to_base64(bytes(32))}),
                ),
                bad("suite", "an unknown suite is refused by name", "suite.unknown", change(suite="tansiq-0")),
                bad("type", "a proof bundle", "bundle.malformed", change(type="x")),
                bad("unknown field", "no unknown fields", "bundle.malformed", change(extra=1)),
                bad("white space", "canonical form", "canonical.form", bundle + " "),
                bad("checkpoint unsigned", "a signed checkpoint", "note.malformed", change(checkpoint="x")),
            ],
        },
    )


def main() -> None:
    LEDGER.mkdir(exist_ok=True)
    canonical_file()
    hashing_file()
    keys_file()
    dsse_file()
    batch_file()
    seal_file()
    keyfile_file()
    ledger_file()


if __name__ == "__main__":
    main()
