"""Against published values: DSSE v1, XAES-256-GCM (C2SP), RFC 8785, RFC 8032."""

from __future__ import annotations

import hashlib

import pytest

from tansiq.crypto import canonical, pae
from tansiq.crypto.keys import _SMALL_ORDER, SigningKeys
from tansiq.crypto.vault import Xaes

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def test_pae_is_that_of_the_dsse_specification() -> None:
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pae("http://example.com/HelloWorld", b"hello world") == expected


@pytest.mark.parametrize(
    ("key", "aad", "sealed"),
    [
        (1, b"", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),  # the top bit of the CMAC block is 0
        (3, b"c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),  # and here it is 1
    ],
)
def test_xaes_256_gcm_gives_the_published_ciphertexts(key: int, aad: bytes, sealed: str) -> None:
    cipher = Xaes(bytes([key]) * 32)
    nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX"
    assert cipher.encrypt(nonce, b"XAES-256-GCM", aad).hex() == sealed
    assert cipher.decrypt(nonce, bytes.fromhex(sealed), aad) == b"XAES-256-GCM"


def test_xaes_256_gcm_gives_the_published_hash_of_ten_thousand_random_cases() -> None:
    count = 10_000
    stream = memoryview(hashlib.shake_128(b"").digest(count * (32 + 24 + 2 + 2 * 255)))
    at = 0

    def take(size: int) -> bytes:
        nonlocal at
        at += size
        return bytes(stream[at - size : at])

    sealed = hashlib.shake_128()
    for _ in range(count):
        key, nonce = take(32), take(24)
        plain = take(take(1)[0])
        aad = take(take(1)[0])
        sealed.update(Xaes(key).encrypt(nonce, plain, aad))
    assert sealed.hexdigest(32) == "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939"


def test_canonical_text_is_escaped_as_rfc_8785_3_2_2_2_says() -> None:
    assert canonical("\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/") == b'"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'


def test_ed25519_is_that_of_rfc_8032() -> None:
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    keys = SigningKeys(seed, bytes(32))
    assert keys.public.ed25519.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    signature = keys.sign_ed25519(b"")
    assert signature.hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155")
    assert keys.public.verify_ed25519(signature, b"")
    assert not keys.public.verify_ed25519(signature, b"x")


def test_the_refused_points_are_all_points_of_small_order() -> None:
    """Each, taken eight times, is the neutral element."""
    found = set()
    for raw in _SMALL_ORDER:
        y = int.from_bytes(raw, "little") % P
        x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
        x = pow(x2, (P + 3) // 8, P)
        if (x * x - x2) % P:
            x = x * pow(2, (P - 1) // 4, P) % P
        assert (x * x - x2) % P == 0
        point = (x, y)
        for _ in range(3):
            point = add(point, point)
        assert point == (0, 1)
        found.add(y)
    assert len(found) == 5  # y of the orders 1, 2, 4 and the two of order 8


def add(p: tuple[int, int], q: tuple[int, int]) -> tuple[int, int]:
    """Edwards addition on the curve of Ed25519."""
    (x1, y1), (x2, y2) = p, q
    cross = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + cross, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - cross, -1, P) % P
    return x, y
