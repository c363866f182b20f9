"""RFC 9497 against its vectors, a second implementation, hostile bytes, and both sources of libsodium."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tansiq.crypto import oprf, ristretto
from tansiq.crypto.oprf import Mode
from tansiq.errors import Invalid, Untrusted

RFC = json.loads((Path(__file__).parents[2] / "vectors" / "crypto" / "oprf_rfc9497.json").read_text(encoding="utf-8"))
CASES = [(mode, case) for mode in RFC["modes"] for case in mode["cases"]]
SEED = bytes(range(32))
ELEMENT = ristretto.group().mul_base((7).to_bytes(32, "little"))
# above the prime; odd ("negative", RFC 9496 4.3.1); an element with the top bit set, as libsodium 1.0.18 takes it
NOT_CANONICAL = [
    (2**255 - 19 + 4).to_bytes(32, "little"),
    (1).to_bytes(32, "little"),
    b"\xff" * 32,
    ELEMENT[:31] + bytes([ELEMENT[31] | 0x80]),
]


def unhex(texts: list[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


def key_of(mode: dict[str, Any]) -> oprf.OprfKey:
    return oprf.derive_key(bytes.fromhex(mode["seed"]), bytes.fromhex(mode["info"]), Mode(mode["mode"]))


@pytest.mark.parametrize("mode", RFC["modes"], ids=lambda m: f"mode {m['mode']}")
def test_derived_keys_are_those_of_the_rfc(mode: dict[str, Any]) -> None:
    key = key_of(mode)
    assert key.secret.hex() == mode["secret"]
    if mode["public"]:
        assert key.public.hex() == mode["public"]
    assert key.secret.hex() not in repr(key)


@pytest.mark.parametrize(("mode", "case"), CASES)
def test_every_step_gives_the_values_of_the_rfc(mode: dict[str, Any], case: dict[str, Any]) -> None:
    key = key_of(mode)
    inputs, blinds, outputs = (unhex(case[name]) for name in ("inputs", "blinds", "outputs"))
    asked = [oprf.blind_with(x, r, key.mode) for x, r in zip(inputs, blinds, strict=True)]
    assert [b.element for b in asked] == unhex(case["blinded"])
    answered = oprf.blind_evaluate(key, [b.element for b in asked])
    assert answered == unhex(case["evaluated"])
    assert oprf.finalize(asked, answered) == outputs
    assert [oprf.evaluate(key, x) for x in inputs] == outputs
    if "proof" in case:
        proof = oprf.prove(key, [b.element for b in asked], answered, bytes.fromhex(case["proof_scalar"]))
        assert proof.hex() == case["proof"]
        assert oprf.finalize_verified(asked, answered, proof, key.public) == outputs


def test_a_second_implementation_agrees_in_both_roles() -> None:
    other = pytest.importorskip("voprf.ristretto", reason="the test oracle is not installed")
    ours, theirs = oprf.derive_key(SEED, b"tansiq/test"), other.Evaluator.from_seed(SEED, b"tansiq/test")
    assert theirs.public_key.serialize() == ours.public
    for message in (b"\x00", b"phone\x1f+212600000001", "name\x1fطارق".encode(), bytes(5000)):
        assert theirs.evaluate_known_input(message) == oprf.evaluate(ours, message)
        # our question, their answer
        asked = oprf.blind(message)
        raw = theirs.evaluate(other.BlindedInput.deserialize(asked.element)).serialize()
        assert oprf.finalize_verified([asked], [raw[64:]], raw[:64], ours.public) == [oprf.evaluate(ours, message)]
        # their question, our answer
        client, blinded = other.Client.blind(message)
        answered, proof = oprf.blind_evaluate_proved(ours, [blinded.serialize()])
        output = other.VerifiableOutput.deserialize(proof + answered[0])
        assert client.finalize(output, theirs.public_key) == oprf.evaluate(ours, message)
    # a whole batch under one proof
    clients, blinded = zip(*(other.Client.blind(bytes([n])) for n in range(8)), strict=True)
    answered, proof = oprf.blind_evaluate_proved(ours, [b.serialize() for b in blinded])
    outputs = other.VerifiableBatchOutput.deserialize(proof + b"".join(answered))
    expected = [oprf.evaluate(ours, bytes([n])) for n in range(8)]
    assert other.Client.finalize_batch(list(clients), outputs, theirs.public_key) == expected


@pytest.mark.parametrize("where", [0, 1, 62])
def test_a_proof_fails_for_another_key_another_answer_and_any_changed_byte(where: int) -> None:
    key, other = oprf.derive_key(SEED, b"a"), oprf.derive_key(SEED, b"b")
    asked = [oprf.blind(bytes([n])) for n in range(64)]
    elements = [b.element for b in asked]
    answered, proof = oprf.blind_evaluate_proved(key, elements)
    assert len(oprf.finalize_verified(asked, answered, proof, key.public)) == 64

    swapped = [*answered]
    swapped[where] = oprf.blind_evaluate(other, [elements[where]])[0]
    changed = bytearray(proof)
    changed[where] ^= 1
    for public, answers, shown in (
        (other.public, answered, proof),
        (key.public, swapped, proof),
        (key.public, answered[::-1], proof),
        (key.public, answered, bytes(changed)),
    ):
        with pytest.raises(Untrusted) as refused:
            oprf.finalize_verified(asked, answers, shown, public)
        assert refused.value.code in {"oprf.proof", "oprf.scalar"}


@pytest.mark.parametrize(
    ("element", "code"),
    [(bytes(32), "oprf.identity"), (b"", "oprf.length"), (bytes(31), "oprf.length"), (bytes(33), "oprf.length")]
    + [(raw, "oprf.element") for raw in NOT_CANONICAL],
)
def test_what_is_no_element_is_refused_by_name_wherever_it_comes_in(element: bytes, code: str) -> None:
    key, asked = oprf.derive_key(SEED, b""), oprf.blind(b"x")
    good, proof = oprf.blind_evaluate_proved(key, [asked.element])
    attempts = [
        lambda: oprf.blind_evaluate(key, [element]),
        lambda: oprf.blind_evaluate_proved(key, [asked.element, element]),
        lambda: oprf.finalize([asked], [element]),
        lambda: oprf.finalize_verified([asked], [element], proof, key.public),
        lambda: oprf.finalize_verified([asked], good, proof, element),
        lambda: ristretto.group().check(element),
    ]
    for attempt in attempts:
        with pytest.raises(Untrusted) as refused:
            attempt()
        assert refused.value.code == code
        assert element.hex() not in str(refused.value) or not element


def test_scalars_out_of_range_and_wrong_sizes_are_refused() -> None:
    key, asked = oprf.derive_key(SEED, b""), oprf.blind(b"x")
    answered, proof = oprf.blind_evaluate_proved(key, [asked.element])
    for scalar in (bytes(32), ristretto.ORDER.to_bytes(32, "little"), b"\xff" * 32):
        with pytest.raises(Untrusted, match="scalar"):
            oprf.OprfKey(scalar)
        with pytest.raises(Untrusted) as refused:
            oprf.finalize_verified([asked], answered, proof[:32] + scalar, key.public)
        assert refused.value.code == "oprf.scalar"
    with pytest.raises(Untrusted, match="64 bytes"):
        oprf.finalize_verified([asked], answered, proof[:-1], key.public)
    with pytest.raises(Untrusted, match="each question"):
        oprf.finalize_verified([asked], answered * 2, proof, key.public)
    with pytest.raises(Untrusted, match="each question"):
        oprf.finalize([asked], [])
    with pytest.raises(Invalid, match="65,535"):
        oprf.blind(bytes(2**16))
    with pytest.raises(Invalid, match="32 bytes"):
        oprf.derive_key(SEED[:31], b"")
    with pytest.raises(Invalid, match="mode 1"):
        oprf.prove(oprf.derive_key(SEED, b"", Mode.PLAIN), [asked.element], answered, asked.blind)
    assert oprf.invert_all([]) == []


def test_batch_inversion_is_inversion() -> None:
    scalars = [oprf.random_scalar() for _ in range(17)]
    for scalar, inverse in zip(scalars, oprf.invert_all(scalars), strict=True):
        product = int.from_bytes(scalar, "little") * int.from_bytes(inverse, "little") % ristretto.ORDER
        assert product == 1


def test_the_two_modes_never_give_the_same_value() -> None:
    secret = oprf.random_scalar()
    assert oprf.evaluate(oprf.OprfKey(secret), b"x") != oprf.evaluate(oprf.OprfKey(secret, Mode.PLAIN), b"x")


def both_groups() -> list[ristretto.Ristretto]:
    found = [g for g in (ristretto.system_group(), ristretto.carried_group()) if g]
    if len(found) < 2:
        pytest.skip("only one libsodium here")
    return found


def test_the_system_library_and_the_carried_one_give_the_same_bytes() -> None:
    system, carried = both_groups()
    for n in range(50):
        wide = hashlib.sha512(bytes([n])).digest()
        element, scalar = system.from_hash(wide), system.reduce(wide[::-1])
        assert (element, scalar) == (carried.from_hash(wide), carried.reduce(wide[::-1]))
        assert system.mul(scalar, element) == carried.mul(scalar, element)
        assert system.mul_base(scalar) == carried.mul_base(scalar)
        assert system.add(element, system.mul(scalar, element)) == carried.add(element, carried.mul(scalar, element))
        assert system.scalar_mul(scalar, scalar) == carried.scalar_mul(scalar, scalar)
        assert system.scalar_sub(scalar, wide[:31] + b"\0") == carried.scalar_sub(scalar, wide[:31] + b"\0")
    for raw in (bytes(32), *NOT_CANONICAL):
        for library in (system, carried):
            for attempt in (library.check, partial(library.mul, scalar)):
                with pytest.raises(Untrusted):
                    attempt(raw)
            if any(raw):  # a sum may pass through the identity
                with pytest.raises(Untrusted):
                    library.add(element, raw)


def test_the_carried_library_is_there_after_a_plain_install() -> None:
    """What `pip install` brought: the RFC's vectors must pass on a machine that has no libsodium of its own."""
    program = (
        "from tansiq.crypto import ristretto, oprf\n"
        "ristretto._SYSTEM = ()\n"
        "key = oprf.derive_key(bytes.fromhex('a3' * 32), b'test key')\n"
        "assert 'pyzmq' in ristretto.group().name, ristretto.group().name\n"
        "print(key.public.hex())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == RFC["modes"][1]["public"]


def test_without_any_library_the_failure_says_what_to_install() -> None:
    program = (
        "from tansiq.crypto import ristretto\n"
        "from tansiq.errors import Broken\n"
        "ristretto._SYSTEM, ristretto._CARRIER = (), 'no-such-wheel'\n"
        "try:\n    ristretto.group()\n"
        "except Broken as failed:\n    print(failed.code, failed)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("group.library group: no libsodium")
