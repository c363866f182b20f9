"""Keys, signatures, sealing, commitments. Pure: no disk, no network, no clock; chance only for keys and nonces.

Promises:
- `sign`/`verify`: DSSE v1 with Ed25519 and ML-DSA-65; a body comes out only if both verify, for the expected payload
  type and the expected node. `begin_sign` signs beside other work. `peek` tells who claims to have signed, and says in
  its type that nothing is verified.
- `begin_batch`: one such signature for several documents, each of which verifies alone; a reader who does not ask for
  `batches` takes none of them. A `Batch` is one that verified: it completes the document that came without signature.
- `seal`/`open_sealed`: HPKE (RFC 9180) with ML-KEM-768 + X25519 to one node.
- `Vault`: rows at rest and blind indexes; a stolen database without the key says nothing.
- `canonical`/`sha256`/`commit_part`: one byte form, domain-separated hashes, salted commitments.
- `NodeKeys` with `seal_keyfile`/`open_keyfile`; `make_tls_certificate`/`certificate_sha256`.
- `derive_oprf_key`/`blind`/`blind_evaluate_proved`/`finalize_verified`: RFC 9497 over ristretto255, by libsodium.
- `require_suite`: a suite that this node does not speak is refused by name.
Untrusted bytes are parsed strictly and in canonical form only; every failure is one of the seven.
"""

from tansiq.crypto.batch import BATCH_TYPE, Member, Signing
from tansiq.crypto.chance import random_bytes
from tansiq.crypto.dsse import Batch, Unverified, begin_batch, begin_sign, pae, peek, sign, verify
from tansiq.crypto.hashing import commit_part, framed, new_salt, sha256
from tansiq.crypto.hpke import SealingKeys, SealingPublic, fingerprint, open_sealed, seal
from tansiq.crypto.jcs import MAX_DEPTH, canonical
from tansiq.crypto.kernel import in_use as group_in_use
from tansiq.crypto.keyfile import KdfCost, NodeKeys, open_keyfile, seal_keyfile
from tansiq.crypto.keys import PublicKeys, SigningKeys, node_id
from tansiq.crypto.oprf import (
    Blinded,
    OprfKey,
    blind,
    blind_evaluate_proved,
    blind_with,
    evaluate,
    finalize_verified,
    require_element,
)
from tansiq.crypto.oprf import derive_key as derive_oprf_key
from tansiq.crypto.suites import SUITE, require_suite
from tansiq.crypto.tls import certificate_sha256, make_tls_certificate
from tansiq.crypto.vault import Vault
from tansiq.crypto.wire import MAX_ENVELOPE_BYTES, from_base64, parse_canonical, to_base64

__all__ = [
    "BATCH_TYPE",
    "MAX_DEPTH",
    "MAX_ENVELOPE_BYTES",
    "SUITE",
    "Batch",
    "Blinded",
    "KdfCost",
    "Member",
    "NodeKeys",
    "OprfKey",
    "PublicKeys",
    "SealingKeys",
    "SealingPublic",
    "Signing",
    "SigningKeys",
    "Unverified",
    "Vault",
    "begin_batch",
    "begin_sign",
    "blind",
    "blind_evaluate_proved",
    "blind_with",
    "canonical",
    "certificate_sha256",
    "commit_part",
    "derive_oprf_key",
    "evaluate",
    "finalize_verified",
    "fingerprint",
    "framed",
    "from_base64",
    "group_in_use",
    "make_tls_certificate",
    "new_salt",
    "node_id",
    "open_keyfile",
    "open_sealed",
    "pae",
    "parse_canonical",
    "peek",
    "random_bytes",
    "require_element",
    "require_suite",
    "seal",
    "seal_keyfile",
    "sha256",
    "sign",
    "to_base64",
    "verify",
]
