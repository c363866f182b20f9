"""All secrets of a node, and the one file they rest in: sealed with Argon2id and a passphrase, or with a
key-encryption key that a hardware module or the operator's own safe holds.

Functions take and give bytes; reading and writing the file is the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag

from tansiq.crypto.chance import RandomBytes, random_bytes
from tansiq.crypto.hashing import framed, sha256
from tansiq.crypto.hpke import SealingKeys
from tansiq.crypto.jcs import canonical
from tansiq.crypto.keys import SigningKeys, node_id
from tansiq.crypto.suites import SUITE, require_suite
from tansiq.crypto.tls import make_tls_certificate
from tansiq.crypto.vault import KEY_BYTES, NONCE_BYTES, Xaes
from tansiq.crypto.wire import KeyfileWire, from_base64, parse_canonical, parse_keyfile, to_base64
from tansiq.errors import Invalid, Refused, TansiqError, Untrusted
from tansiq.terms import NodeId
from tansiq.terms.ids import parse_node_id

_SALT = 16
_MAX_MEMORY_KIB, _MAX_ITERATIONS, _MAX_LANES = 1024 * 1024, 64, 16


@dataclass(frozen=True, slots=True)
class KdfCost:
    """Argon2id (RFC 9106). The default is its second recommended option: 64 MiB, 3 passes, 4 lanes."""

    memory_kib: int = 65536
    iterations: int = 3
    lanes: int = 4


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """Every secret of one node. Its repr shows none of them."""

    node: NodeId
    signing: SigningKeys = field(repr=False)
    sealing: SealingKeys = field(repr=False)
    vault_key: bytes = field(repr=False)
    tls_key_pem: bytes = field(repr=False)
    tls_cert_pem: bytes = field(repr=False)

    @classmethod
    def generate(
        cls, country: str, *, now: datetime, hosts: Iterable[str] = (), random: RandomBytes = random_bytes
    ) -> NodeKeys:
        """New keys. The node's id follows from the signing keys."""
        signing = SigningKeys.generate(random)
        node = node_id(country, signing.public)
        key_pem, cert_pem = make_tls_certificate(node, now, hosts)
        return cls(node, signing, SealingKeys.generate(random), random(KEY_BYTES), key_pem, cert_pem)


def seal_keyfile(
    keys: NodeKeys,
    passphrase: str | bytes | None = None,
    *,
    kek: bytes | None = None,
    random: RandomBytes = random_bytes,
    cost: KdfCost | None = None,
) -> bytes:
    """The key file. Exactly one of `passphrase` and `kek` (32 bytes) is given."""
    cost = cost or KdfCost()
    salt, nonce = random(_SALT), random(NONCE_BYTES)
    used = KdfCost(0, 0, 0) if kek is not None else cost
    header = KeyfileWire(
        iterations=used.iterations,
        kdf="none" if kek is not None else "argon2id",
        lanes=used.lanes,
        memory_kib=used.memory_kib,
        nonce=to_base64(nonce),
        salt=to_base64(salt),
        sealed="",
        suite=SUITE,
        v=1,
    )
    inner = {
        "node": keys.node,
        "signing": to_base64(keys.signing.to_bytes()),
        "sealing": to_base64(keys.sealing.to_bytes()),
        "vault": to_base64(keys.vault_key),
        "tls_key": to_base64(keys.tls_key_pem),
        "tls_cert": to_base64(keys.tls_cert_pem),
    }
    sealed = Xaes(_wrapping_key(header, passphrase, kek)).encrypt(nonce, canonical(inner), _bound(header))
    return msgspec.json.encode(msgspec.structs.replace(header, sealed=to_base64(sealed)))


def open_keyfile(raw: bytes, passphrase: str | bytes | None = None, *, kek: bytes | None = None) -> NodeKeys:
    """The keys. A wrong passphrase or key is `Refused("keyfile.passphrase")`; it looks like a damaged file."""
    file = parse_keyfile(raw)
    if file.v != 1:
        raise Invalid("keyfile.version", "a key file of an unknown version", step="keyfile", field="v")
    require_suite(file.suite)
    if (file.kdf == "none") != (kek is not None):
        raise Refused(
            "keyfile.passphrase", "the key file opens with a passphrase or with a key, not both", step="keyfile"
        )
    try:
        nonce, sealed = _decoded(file.nonce, "nonce"), _decoded(file.sealed, "sealed")
        plain = Xaes(_wrapping_key(file, passphrase, kek)).decrypt(
            nonce, sealed, _bound(msgspec.structs.replace(file, sealed=""))
        )
    except InvalidTag as exc:
        raise Refused(
            "keyfile.passphrase",
            "the key file does not open: wrong passphrase or key, or a damaged file",
            step="keyfile",
        ) from exc
    return _parse_inner(plain)


def _parse_inner(plain: bytes) -> NodeKeys:
    try:
        inner = parse_canonical(plain, step="keyfile")
        raw = {name: from_base64(inner[name], name) for name in ("signing", "sealing", "vault", "tls_key", "tls_cert")}
        node = parse_node_id(inner["node"], "node")
    except (TansiqError, KeyError, TypeError) as exc:
        raise Invalid("keyfile.malformed", "not a key file", step="keyfile") from exc
    signing, sealing = SigningKeys.from_bytes(raw["signing"]), SealingKeys.from_bytes(raw["sealing"])
    return NodeKeys(node, signing, sealing, raw["vault"], raw["tls_key"], raw["tls_cert"])


def _wrapping_key(file: KeyfileWire, passphrase: str | bytes | None, kek: bytes | None) -> bytes:
    if (passphrase is None) == (kek is None):
        raise Invalid("keyfile.passphrase", "give a passphrase or a key, and only one", step="keyfile")
    salt = _decoded(file.salt, "salt")
    if kek is not None:
        if len(kek) != KEY_BYTES:
            raise Invalid("keyfile.kek", "a key-encryption key has 32 bytes", step="keyfile")
        return sha256("tansiq.keyfile.kek.v1", kek, salt)
    secret = passphrase.encode() if isinstance(passphrase, str) else passphrase or b""
    if not secret:
        raise Invalid("keyfile.passphrase", "an empty passphrase", step="keyfile")
    # The file names its own costs; bounded, so that a planted file cannot take the machine's memory.
    sane = 8 * file.lanes <= file.memory_kib <= _MAX_MEMORY_KIB
    if file.kdf != "argon2id" or not (
        sane and 1 <= file.iterations <= _MAX_ITERATIONS and 1 <= file.lanes <= _MAX_LANES
    ):
        raise Invalid("keyfile.kdf", "a key derivation that this node does not accept", step="keyfile", field="kdf")
    if len(salt) != _SALT:
        raise Invalid("keyfile.malformed", "not a key file", step="keyfile", field="salt")
    return hash_secret_raw(secret, salt, file.iterations, file.memory_kib, file.lanes, KEY_BYTES, Type.ID)


def _decoded(text: str, field: str) -> bytes:
    """The file is the operator's own: what is wrong with it is `Invalid`, not a peer's fault."""
    try:
        return from_base64(text, field)
    except Untrusted as exc:
        raise Invalid("keyfile.malformed", "not a key file", step="keyfile", field=field) from exc


def _bound(header: KeyfileWire) -> bytes:
    return framed(b"tansiq.keyfile.v1", msgspec.json.encode(header))
