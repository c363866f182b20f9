"""Identifiers: every way of writing gives one form, a broken one None. All numbers are made up or test numbers."""

from __future__ import annotations

import pytest

from tansiq.matching import normal_identifier

GOOD = [
    (
        "phone",
        "MA",
        ["0612-345678", "+212 6 12 34 56 78", "00212612345678", "٠٦١٢٣٤٥٦٧٨", "(+212) 0612345678", "06.12.34.56.78"],
        "+212612345678",
    ),
    ("phone", "ES", ["612 34 56 78", "+34612345678", "0034 612345678"], "+34612345678"),
    ("phone", "DE", ["0151 23456789", "+49 151 23456789"], "+4915123456789"),
    ("phone", "FR", ["06 12 34 56 78", "+33 6 12 34 56 78"], "+33612345678"),
    ("phone", "IT", ["312 345 6789", "+39 312 3456789"], "+393123456789"),
    ("phone", "PT", ["912 345 678", "+351912345678"], "+351912345678"),
    (
        "plate",
        "MA",
        ["12345-أ-6", "12345 | A | 6", "١٢٣٤٥ أ ٦", "12345 ا 6", "12345-a-06", "6-أ-12345"],
        "MA:12345-A-6",
    ),
    ("plate", "MA", ["12345-ب-72", "12345 B 72"], "MA:12345-B-72"),
    ("plate", "MA", ["12345 د 1", "12345/D/1"], "MA:12345-D-1"),
    ("plate", "ES", ["1234 BCD", "1234-BCD", "1234bcd"], "ES:1234BCD"),
    ("plate", "FR", ["AB-123-CD", "ab 123 cd"], "FR:AB123CD"),
    ("plate", "DE", ["B-AB 1234", "B AB1234"], "DE:BAB1234"),
    ("plate", "IT", ["AB 123 CD"], "IT:AB123CD"),
    ("plate", "PT", ["12-AB-34"], "PT:12AB34"),
    ("document", "ES", ["12345678-Z", "12345678z", "12.345.678 Z"], "ES:12345678Z"),
    ("document", "ES", ["X-1234567-L", "x1234567l"], "ES:X1234567L"),
    ("document", "MA", ["AB 123456", "ab123456"], "MA:AB123456"),
    (
        "iban",
        "",
        ["DE89 3704 0044 0532 0130 00", "de89370400440532013000", "IBAN: DE89370400440532013000"],
        "DE89370400440532013000",
    ),
    ("imei", "", ["49-015420-323751-8", "490154203237518", "IMEI:490154203237518"], "49015420323751"),
    ("vin", "", ["1M8GDM9AXKP042788", "1m8gdm9a xkp042788"], "1M8GDM9AXKP042788"),
    ("vessel", "", ["IMO 9074729", "imo9074729", "9074729"], "IMO9074729"),
    ("vessel", "", ["MMSI 242123456"], "MMSI242123456"),
    ("aircraft", "", ["CN-RGA", "cnrga"], "CNRGA"),
    (
        "email",
        "",
        ["A.Ben@Example.org", "mailto:a.ben@example.org", "Someone <a.ben@example.org>"],
        "a.ben@example.org",
    ),
    ("username", "", ["https://t.me/Foo_1", "t.me/foo_1"], "telegram:foo_1"),
    ("username", "", ["@Foo_1", "foo_1"], "foo_1"),
    (
        "crypto",
        "",
        ["BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"],
        "btc:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    ),
    ("crypto", "", ["1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"], "btc:1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"),
]

BAD = [
    ("phone", "MA", "12"),
    ("phone", "", "0612345678"),
    ("plate", "MA", "12345-6"),
    ("plate", "MA", "12345-أ-99"),
    ("plate", "ES", "1234 AEI"),
    ("iban", "", "DE89 3704 0044 0532 0130 01"),
    ("imei", "", "490154203237519"),
    ("vin", "", "1M8GDM9A1KP042788"),
    ("vin", "", "1M8GDM9AXKP04278O"),
    ("vessel", "", "IMO 9074728"),
    ("email", "", "a@b"),
    ("email", "", "a..b@example.org"),
    ("crypto", "", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3"),
    ("crypto", "", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"),
    ("document", "MA", "----"),
    ("ship", "", "1"),
]


@pytest.mark.parametrize(("kind", "country", "text", "wanted"), [(k, c, t, w) for k, c, ts, w in GOOD for t in ts])
def test_one_form(kind: str, country: str, text: str, wanted: str) -> None:
    assert normal_identifier(kind, text, country) == wanted


@pytest.mark.parametrize(("kind", "country", "text"), BAD)
def test_not_by_its_grammar(kind: str, country: str, text: str) -> None:
    assert normal_identifier(kind, text, country) is None


def test_a_wrong_check_letter_is_no_identity_card() -> None:
    from tansiq.matching import normal_document

    assert normal_document("12345678A", "ES", "identity_card") is None
    assert normal_document("AB123456", "MA", "identity_card") == "MA:AB123456"
