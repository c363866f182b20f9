"""What the crypto capability promises, beyond the golden files."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from tansiq.crypto import (
    SUITE,
    KdfCost,
    NodeKeys,
    SealingKeys,
    SealingPublic,
    SigningKeys,
    Vault,
    begin_sign,
    canonical,
    certificate_sha256,
    commit_part,
    fingerprint,
    make_tls_certificate,
    new_salt,
    node_id,
    open_keyfile,
    open_sealed,
    random_bytes,
    require_suite,
    seal,
    seal_keyfile,
    sha256,
    sign,
    verify,
)
from tansiq.errors import Broken, Invalid, Refused, Untrusted
from tansiq.terms import LogVerb
from tansiq.terms.ids import parse_node_id

NOW = datetime(2026, 11, 22, 4, 17, tzinfo=UTC)
CHEAP = KdfCost(memory_kib=64, iterations=1, lanes=1)


@pytest.fixture(scope="module")
def keys() -> NodeKeys:
    return NodeKeys.generate("MA", now=NOW, hosts=["node.example", "192.0.2.7"])


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1.0, "canonical.float"),
        ({"a": [float("nan")]}, "canonical.float"),
        (2**53, "canonical.int"),
        ({1: 2}, "canonical.key"),
        ({"é": 1}, "canonical.key"),
        ({1, 2}, "canonical.type"),
        (b"x", "canonical.type"),
        (NOW, "canonical.type"),
        ("\ud800", "canonical.text"),
    ],
)
def test_what_has_no_canonical_form_is_invalid(value: object, code: str) -> None:
    with pytest.raises(Invalid) as failure:
        canonical(value)
    assert failure.value.code == code


def test_nesting_is_bounded_both_ways() -> None:
    value: object = 1
    for _ in range(32):
        value = [value]
    assert canonical(value)
    with pytest.raises(Invalid, match="nested"):
        canonical([value])


def test_words_of_the_field_and_tuples_have_a_canonical_form() -> None:
    assert canonical({"verb": LogVerb.ERASE, "to": ("a", "b")}) == b'{"to":["a","b"],"verb":"erase"}'


def test_a_hash_depends_on_its_domain_and_on_where_its_parts_end() -> None:
    hashes = {
        sha256("a"),
        sha256("a", b""),
        sha256("a", b"", b""),
        sha256("b"),
        sha256("a", b"bc"),
        sha256("a", b"b", b"c"),
    }
    assert len(hashes) == 6


def test_a_part_needs_a_whole_salt() -> None:
    assert commit_part("narrative", b"s" * 32, b"x").startswith("p-")
    with pytest.raises(Invalid):
        commit_part("narrative", b"s" * 31, b"x")
    assert len(new_salt()) == 32
    assert new_salt() != new_salt()


def test_chance_has_the_length_asked_for() -> None:
    assert [len(random_bytes(n)) for n in (0, 1, 24, 32, 33, 64, 100)] == [0, 1, 24, 32, 33, 64, 100]


def test_a_node_id_is_the_form_of_the_field_and_follows_from_the_keys(keys: NodeKeys) -> None:
    assert parse_node_id(keys.node) == keys.node == node_id("ma", keys.signing.public)
    assert node_id("ES", keys.signing.public)[3:] == keys.node[3:]
    assert node_id("MA", SigningKeys.generate().public) != keys.node
    with pytest.raises(Invalid):
        node_id("MAR", keys.signing.public)


def test_a_fingerprint_reads_as_twelve_groups_and_covers_every_key(keys: NodeKeys) -> None:
    said = fingerprint(keys.signing.public, keys.sealing.public)
    assert [len(group) for group in said.split(" ")] == [5] * 12
    assert said.replace(" ", "").isdigit()
    assert fingerprint(keys.signing.public, SealingKeys.generate().public) != said
    assert fingerprint(SigningKeys.generate().public, keys.sealing.public) != said
    assert fingerprint(keys.signing.public, keys.sealing.public, b"tls") != said


def test_keys_never_show_in_a_repr(keys: NodeKeys) -> None:
    shown = repr(keys) + repr(keys.signing) + repr(keys.sealing) + repr(Vault(keys.vault_key))
    assert keys.vault_key.hex() not in shown
    assert "PRIVATE" not in shown
    assert repr(keys) == f"NodeKeys(node='{keys.node}')"


def test_what_is_signed_beside_other_work_verifies_each_under_its_own_body(keys: NodeKeys) -> None:
    begun = [(body, begin_sign("application/x", body, keys.signing, keys.node)) for body in (b"a", b"b", b"c")]
    for body, signed in reversed(begun):
        assert verify(signed(), "application/x", keys.signing.public, keys.node) == body
    with pytest.raises(Invalid, match="ASCII"):
        begin_sign("é", b"a", keys.signing, keys.node)


def test_a_signature_that_nobody_fetches_holds_nobody_up(keys: NodeKeys) -> None:
    thrown_away = [begin_sign("application/x", b"refused", keys.signing, keys.node) for _ in range(20)]
    wanted = begin_sign("application/x", b"wanted", keys.signing, keys.node)
    del thrown_away
    assert verify(wanted(), "application/x", keys.signing.public, keys.node) == b"wanted"


def test_signing_and_sealing_keys_survive_their_bytes(keys: NodeKeys) -> None:
    assert SigningKeys.from_bytes(keys.signing.to_bytes()).public == keys.signing.public
    assert SealingKeys.from_bytes(keys.sealing.to_bytes()).public == keys.sealing.public
    for raw in (b"", b"\x02" + bytes(64), bytes(65), keys.signing.to_bytes() + b"x"):
        with pytest.raises(Invalid):
            SigningKeys.from_bytes(raw)
        with pytest.raises(Invalid):
            SealingKeys.from_bytes(raw)


def test_an_envelope_says_nothing_for_another_document(keys: NodeKeys) -> None:
    raw = sign("application/a", b"body", keys.signing, keys.node)
    assert verify(raw, "application/a", keys.signing.public, keys.node) == b"body"
    with pytest.raises(Untrusted) as failure:
        verify(raw, "application/b", keys.signing.public, keys.node)
    assert failure.value.code == "dsse.payload_type"


@pytest.mark.parametrize("kind", ["", "ünicode", "a\nb"])
def test_a_payload_type_is_printable_ascii(kind: str, keys: NodeKeys) -> None:
    with pytest.raises(Invalid):
        sign(kind, b"", keys.signing, keys.node)


def test_a_box_opens_for_its_recipient_and_its_purpose_only(keys: NodeKeys) -> None:
    sealed = seal(b"plain", keys.sealing.public, b"info")
    assert b"plain" not in sealed
    assert open_sealed(sealed, keys.sealing, b"info") == b"plain"
    assert seal(b"plain", keys.sealing.public, b"info") != sealed
    for info, opener in ((b"other", keys.sealing), (b"info", SealingKeys.generate())):
        with pytest.raises(Untrusted) as failure:
            open_sealed(sealed, opener, info)
        assert failure.value.code == "seal.open"


def test_sealing_to_a_curve_point_of_small_order_is_refused(keys: NodeKeys) -> None:
    weak = SealingPublic(keys.sealing.public.mlkem768, bytes(32))
    with pytest.raises(Untrusted) as failure:
        seal(b"plain", weak, b"")
    assert failure.value.code == "seal.key"


def test_a_row_is_bound_to_its_place(keys: NodeKeys) -> None:
    vault = Vault(keys.vault_key)
    sealed = vault.seal("bank", "1", b"row")
    assert vault.open("bank", "1", sealed) == b"row"
    assert vault.seal("bank", "1", b"row") != sealed
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for table, row, raw in (
        ("bank", "2", sealed),
        ("other", "1", sealed),
        ("ban", "k1", sealed),
        ("bank", "1", changed),
        ("bank", "1", sealed[:30]),
        ("bank", "1", b""),
        ("bank", "1", b"\x02" + sealed[1:]),
    ):
        with pytest.raises(Broken) as failure:
            vault.open(table, row, raw)
        assert failure.value.code == "vault.open"


def test_an_index_key_is_keyed_and_tells_kinds_apart(keys: NodeKeys) -> None:
    vault = Vault(keys.vault_key)
    assert vault.mac("phone", "1") == vault.mac("phone", b"1") == Vault(keys.vault_key).mac("phone", "1")
    others = {
        vault.mac("plate", "1"),
        vault.mac("phone", "2"),
        vault.mac("phon", "e1"),
        Vault(bytes(32)).mac("phone", "1"),
    }
    assert len(others | {vault.mac("phone", "1")}) == 5


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_vault_key_has_32_bytes(size: int) -> None:
    with pytest.raises(Invalid):
        Vault(bytes(size))


def test_a_key_file_gives_back_what_went_in(keys: NodeKeys) -> None:
    raw = seal_keyfile(keys, "phrase", cost=CHEAP)
    for again in (
        open_keyfile(raw, "phrase"),
        open_keyfile(raw, b"phrase"),
        open_keyfile(seal_keyfile(keys, kek=b"k" * 32), kek=b"k" * 32),
    ):
        assert again.node == keys.node
        assert again.signing.to_bytes() == keys.signing.to_bytes()
        assert again.sealing.to_bytes() == keys.sealing.to_bytes()
        assert (again.vault_key, again.tls_key_pem, again.tls_cert_pem) == (
            keys.vault_key,
            keys.tls_key_pem,
            keys.tls_cert_pem,
        )
    assert keys.vault_key not in raw


def test_a_key_file_opens_for_nobody_else(keys: NodeKeys) -> None:
    by_phrase, by_key = seal_keyfile(keys, "phrase", cost=CHEAP), seal_keyfile(keys, kek=b"k" * 32)
    for raw, phrase, kek in (
        (by_phrase, "Phrase", None),
        (by_phrase, None, b"k" * 32),
        (by_key, "phrase", None),
        (by_key, None, b"j" * 32),
    ):
        with pytest.raises(Refused) as failure:
            open_keyfile(raw, phrase, kek=kek)
        assert failure.value.code == "keyfile.passphrase"


@pytest.mark.parametrize(("phrase", "kek"), [(None, None), ("a", b"k" * 32), ("", None), (None, b"short")])
def test_a_key_file_is_sealed_with_one_real_secret(phrase: str | None, kek: bytes | None, keys: NodeKeys) -> None:
    with pytest.raises(Invalid):
        seal_keyfile(keys, phrase, kek=kek, cost=CHEAP)


def test_the_default_cost_is_that_of_rfc_9106() -> None:
    assert KdfCost() == KdfCost(memory_kib=64 * 1024, iterations=3, lanes=4)


def test_the_certificate_is_for_its_hosts_and_ten_years(keys: NodeKeys) -> None:
    certificate = x509.load_pem_x509_certificate(keys.tls_cert_pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "node.example"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "192.0.2.7"]
    assert certificate.not_valid_before_utc < NOW
    assert certificate.not_valid_after_utc - NOW >= timedelta(days=3652)


def test_the_certificate_and_its_hash_are_what_tls_uses(keys: NodeKeys, tmp_path) -> None:
    (tmp_path / "key.pem").write_bytes(keys.tls_key_pem)
    (tmp_path / "cert.pem").write_bytes(keys.tls_cert_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    der = ssl.PEM_cert_to_DER_cert(keys.tls_cert_pem.decode())
    assert (
        certificate_sha256(der)
        == certificate_sha256(keys.tls_cert_pem)
        == certificate_sha256(keys.tls_cert_pem.decode())
    )
    with pytest.raises(Invalid):
        certificate_sha256("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")


def test_a_host_name_is_ascii() -> None:
    with pytest.raises(Invalid):
        make_tls_certificate("x", NOW, ["tansiq.مثال"])


@pytest.mark.parametrize("name", ["tansiq-0", "", None, 1, "TANSIQ-1", "x" * 500, "a\x1b[31m"])
def test_an_unknown_suite_is_refused_by_name(name: object) -> None:
    with pytest.raises(Untrusted) as failure:
        require_suite(name)
    assert failure.value.code == "suite.unknown"
    assert len(failure.value.message) < 100
    assert failure.value.message.isprintable()
    if name == "tansiq-0":
        assert "'tansiq-0'" in failure.value.message


def test_the_suite_is_known() -> None:
    assert require_suite(SUITE) == SUITE == "tansiq-1"
