"""Addresses of crypto currencies, each with its own check sum: Bitcoin, Litecoin, Dogecoin, Tron, Ethereum, Monero."""

from __future__ import annotations

import re
from hashlib import sha256
from itertools import pairwise

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VERSIONS = {0x00: "btc", 0x05: "btc", 0x30: "ltc", 0x32: "ltc", 0x1E: "doge", 0x16: "doge", 0x41: "tron"}
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_NETWORKS = {"bc": "btc", "ltc": "ltc"}
_MONERO = frozenset({18, 19, 42})
"""Main network: standard, with a payment id, sub-address."""


def _number(text: str) -> int | None:
    number = 0
    for c in text:
        at = _BASE58.find(c)
        if at < 0:
            return None
        number = number * 58 + at
    return number


def base58check(text: str) -> bytes | None:
    """The 21 bytes of a base58check address, or None."""
    number = _number(text)
    if number is None or number >= 1 << 200:
        return None
    raw = number.to_bytes(25, "big")
    # a leading zero byte is written as one leading `1`, no more and no fewer
    if len(text) - len(text.lstrip("1")) != len(raw) - len(raw.lstrip(b"\0")):
        return None
    return raw[:-4] if sha256(sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:] else None


def _polymod(values: list[int]) -> int:
    check = 1
    for v in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ v
        for i, g in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= g if (top >> i) & 1 else 0
    return check


def segwit(text: str) -> str | None:
    """The network of a BIP 173 or BIP 350 address: version 0 by Bech32, every later one by Bech32m."""
    if text not in (text.lower(), text.upper()):
        return None
    human, _, data = text.lower().rpartition("1")
    if human not in _BECH32_NETWORKS or len(data) < 8 or len(text) > 90 or any(c not in _BECH32 for c in data):
        return None
    values = [_BECH32.index(c) for c in data]
    version, length = values[0], (len(values) - 7) * 5 // 8
    if version > 16 or not 2 <= length <= 40 or (version == 0 and length not in (20, 32)):
        return None
    found = _polymod([ord(c) >> 5 for c in human] + [0] + [ord(c) & 31 for c in human] + values)
    return _BECH32_NETWORKS[human] if found == (1 if version == 0 else 0x2BC830A3) else None


# Keccak-256 as Ethereum and Monero use it: SHA-3's permutation with the padding it had before it was a standard.

_MASK = (1 << 64) - 1


def _round_constants() -> list[int]:
    found, lfsr = [], 1
    for _ in range(24):
        constant = 0
        for j in range(7):
            if lfsr & 1:
                constant |= 1 << ((1 << j) - 1)
            lfsr = (lfsr << 1) ^ (0x171 if lfsr & 0x80 else 0)
        found.append(constant)
    return found


_ROUNDS = _round_constants()


def _rotated(word: int, by: int) -> int:
    by %= 64
    return ((word << by) | (word >> (64 - by))) & _MASK if by else word


def _permuted(a: list[int]) -> list[int]:
    """Keccak-f[1600] on 25 lanes, lane (x, y) at x + 5 * y."""
    for constant in _ROUNDS:
        columns = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        mixed = [columns[(x - 1) % 5] ^ _rotated(columns[(x + 1) % 5], 1) for x in range(5)]
        a = [lane ^ mixed[i % 5] for i, lane in enumerate(a)]
        x, y, carried = 1, 0, a[1]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            carried, a[x + 5 * y] = a[x + 5 * y], _rotated(carried, (t + 1) * (t + 2) // 2)
        a = [
            a[x + 5 * y] ^ (~a[(x + 1) % 5 + 5 * y] & _MASK & a[(x + 2) % 5 + 5 * y])
            for y in range(5)
            for x in range(5)
        ]
        a[0] ^= constant
    return a


def keccak256(data: bytes) -> bytes:
    """The hash of `data` (here: less than a few blocks, an address)."""
    rate = 136
    padded = bytearray(data + b"\x01" + b"\0" * (-(len(data) + 1) % rate))
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), rate):
        for i in range(rate // 8):
            lanes[i] ^= int.from_bytes(padded[start + 8 * i : start + 8 * i + 8], "little")
        lanes = _permuted(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def ethereum(text: str) -> bool:
    """Forty hexadecimal digits; written in both cases, the cases are the check sum of EIP-55."""
    digits = text[2:]
    if digits in (digits.lower(), digits.upper()):
        return True
    marks = keccak256(digits.lower().encode()).hex()
    return all(c == (c.upper() if int(m, 16) > 7 else c.lower()) for c, m in zip(digits, marks, strict=False))


_BLOCK = {11: 8, 10: 7, 9: 6, 7: 5, 6: 4, 5: 3, 3: 2, 2: 1}
"""Signs of a Monero block and the bytes they hold."""


def monero(text: str) -> bool:
    """95 signs (106 with a payment id) in blocks of eleven, with a Keccak check sum."""
    if len(text) not in (95, 106):
        return False
    raw = b""
    for start, end in pairwise([*range(0, len(text), 11), len(text)]):
        number, size = _number(text[start:end]), _BLOCK.get(end - start)
        if number is None or size is None or number >= 1 << (8 * size):
            return False
        raw += number.to_bytes(size, "big")
    return raw[0] in _MONERO and keccak256(raw[:-4])[:4] == raw[-4:]


def wallet(plain: str) -> str | None:
    """`network:address` in its one written form, or None."""
    if re.fullmatch(r"0[xX][0-9a-fA-F]{40}", plain):
        return f"eth:{plain.lower()}" if ethereum(plain) else None
    if re.match(r"(?i)(bc|ltc)1", plain):
        network = segwit(plain)
        return f"{network}:{plain.lower()}" if network else None
    if monero(plain):
        return f"xmr:{plain}"
    raw = base58check(plain) if 25 <= len(plain) <= 36 else None
    network = _VERSIONS.get(raw[0]) if raw else None
    return f"{network}:{plain}" if network else None
