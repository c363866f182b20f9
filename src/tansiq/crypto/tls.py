"""Self-signed TLS certificates. Peers pin their hash from the signed node card; no certificate authority is asked."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tansiq.errors import Invalid

_VALID = timedelta(days=3653)
_SKEW = timedelta(days=1)  # a peer whose clock is behind must still accept a new certificate


def make_tls_certificate(common_name: str, now: datetime, hosts: Iterable[str] = ()) -> tuple[bytes, bytes]:
    """(key PEM, certificate PEM): P-256, ten years, for localhost, 127.0.0.1 and `hosts`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])
    names = [_general_name(host) for host in dict.fromkeys(("localhost", "127.0.0.1", *hosts))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return key_pem, certificate.public_bytes(serialization.Encoding.PEM)


def certificate_sha256(certificate: bytes | str) -> str:
    """The SHA-256 of the certificate's DER form, hex: what a node card pins. Takes PEM, or DER as TLS hands it out."""
    raw = certificate.encode() if isinstance(certificate, str) else certificate
    if raw.lstrip().startswith(b"-----BEGIN"):
        try:
            raw = x509.load_pem_x509_certificate(raw).public_bytes(serialization.Encoding.DER)
        except ValueError as exc:
            raise Invalid("tls.certificate", "not a certificate", step="tls", field="certificate") from exc
    return hashlib.sha256(raw).hexdigest()


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError as exc:  # not ASCII
        raise Invalid("tls.host", "a host name is ASCII (punycode)", step="tls", field="hosts") from exc
