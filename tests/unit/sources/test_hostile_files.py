"""Files that want to hurt: each is refused as `Invalid`, quickly, and without a word of its content."""

from __future__ import annotations

import contextlib
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.errors import Invalid
from tansiq.sources import FORMATS, read, read_press, wire
from tansiq.sources.model import Reject, SourceRow
from tests.unit.sources.test_lists import CANADA, EU, FTM, OFAC, UN

LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<CONSOLIDATED_LIST>&c;</CONSOLIDATED_LIST>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/hostname">]>
<CONSOLIDATED_LIST>&x;</CONSOLIDATED_LIST>"""


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (LAUGHS, "source.xml_hostile"),
        (OUTSIDE, "source.xml_hostile"),
        (b"<!DOCTYPE x><CONSOLIDATED_LIST/>", "source.xml_hostile"),
        (b"<CONSOLIDATED_LIST>", "source.xml"),
        (UN[: len(UN) // 2], "source.xml"),
        (b"", "source.xml"),
        (b"<other/>", "source.xml_root"),
        (b'<?xml version="1.0" encoding="nonsense"?><CONSOLIDATED_LIST/>', "source.xml"),
        (gzip.compress(UN)[:-9], "source.gzip"),
        (b"\x1f\x8b" + b"x" * 50, "source.gzip"),
        (gzip.compress(UN) + b"junk", "source.gzip"),
    ],
)
def test_a_damaged_or_hostile_list_is_refused(raw, code):
    with pytest.raises(Invalid) as caught:
        list(read(raw, "un"))
    assert caught.value.code == code
    assert "TAZEGHART" not in str(caught.value)


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(monkeypatch):
    monkeypatch.setattr(wire, "MAX_UNPACKED", 1_000_000)
    with pytest.raises(Invalid) as caught:
        list(read(gzip.compress(b"\0" * 5_000_000), "csv"))
    assert caught.value.code == "source.too_large"
    with pytest.raises(Invalid):
        list(read(b"x" * 1_000_001, "csv"))


def test_two_members_in_one_gzip_file_are_one_file():
    half = len(UN) // 2
    assert list(read(gzip.compress(UN[:half]) + gzip.compress(UN[half:]), "un")) == list(read(UN, "un"))


def test_a_table_with_zero_bytes_or_another_encoding_is_refused():
    for raw in (b"reference,name\nr,\0\n", "reference,name\nr,é\n".encode("latin-1")):
        with pytest.raises(Invalid):
            list(read(raw, "csv"))


def test_a_deep_xml_ends_as_invalid_or_as_nothing():
    deep = b"<CONSOLIDATED_LIST>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</CONSOLIDATED_LIST>"
    with contextlib.suppress(Invalid):
        assert list(read(deep, "un")) == []


SEEDS = {"un": UN, "eu": EU, "ofac": OFAC, "ca": CANADA, "ftm": FTM, "csv": b"reference,name\nr-1,X Y\n"}


@given(
    st.sampled_from(sorted(FORMATS)),
    st.lists(st.tuples(st.integers(0, 5000), st.binary(max_size=6), st.integers(0, 30)), max_size=4),
    st.booleans(),
)
def test_however_a_file_is_damaged_it_gives_rows_rejects_or_invalid(as_, cuts, packed):
    raw = bytearray(SEEDS[as_])
    for at, new, gone in cuts:
        raw[at % len(raw) : at % len(raw) + gone] = new
        raw = raw or bytearray(b"x")
    data = gzip.compress(bytes(raw)) if packed else bytes(raw)
    try:
        rows = list(read(data, as_))
    except Invalid:
        return
    assert all(isinstance(r, SourceRow | Reject) for r in rows)


@given(st.sampled_from(sorted(FORMATS)), st.binary(max_size=300))
def test_any_bytes_give_rows_rejects_or_invalid(as_, data):
    try:
        rows = list(read(data, as_))
    except Invalid:
        return
    assert all(isinstance(r, SourceRow | Reject) for r in rows)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda t: t.encode("utf-8", "surrogatepass")))
def test_any_press_bytes_give_a_draft_or_invalid(data):
    try:
        draft = read_press(data)
    except Invalid:
        return
    assert draft.narrative
