"""Whatever bytes arrive, the parsers of `ledger` answer with a value or with one of the seven failures."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.crypto import PublicKeys
from tansiq.errors import TansiqError
from tansiq.ledger import add_line, verify_bundle, verify_checkpoint, verify_cosignature
from tansiq.ledger.checkpoint import render_text
from tansiq.ledger.wire import parse_bundle, parse_checkpoint, parse_note, parse_request, render_request

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/ledger/proofs.json").read_text(encoding="utf-8"))
ORIGIN, LOG = VECTORS["origin"], PublicKeys.from_wire(VECTORS["public"])
WITNESS, WITNESS_KEYS = VECTORS["witness"], PublicKeys.from_wire(VECTORS["witness_public"])
NOTE = VECTORS["checkpoint"] + VECTORS["cosignature"]
BUNDLE = VECTORS["bundle"].encode()
REQUEST = render_request(3, (b"a" * 32,), VECTORS["checkpoint"])


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    """Good bytes, cut, repeated or with some bytes changed."""
    raw = bytearray(good)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(raw)))
        to = draw(st.integers(at, min(len(raw), at + 60)))
        how = draw(st.sampled_from(["cut", "insert", "repeat", "flip"]))
        if how == "cut":
            del raw[at:to]
        elif how == "insert":
            raw[at:at] = draw(st.binary(max_size=8) | st.sampled_from([b"\n", b"\n\n", b" ", "—".encode()]))
        elif how == "repeat":
            raw[at:at] = raw[at:to]
        elif at < len(raw):
            raw[at] ^= 1 << draw(st.integers(0, 7))
    return bytes(raw)


@given(st.binary() | st.text() | damaged(NOTE.encode()))
def test_no_other_note_is_a_checkpoint_of_this_log(raw: bytes | str) -> None:
    text = NOTE.rpartition("\n\n")[0]
    with contextlib.suppress(TansiqError):
        found = verify_checkpoint(raw, ORIGIN, LOG)
        assert render_text(found) == text + "\n"
    with contextlib.suppress(TansiqError):
        seen = verify_cosignature(raw, WITNESS, WITNESS_KEYS)
        assert seen.at.year == 2026
        assert parse_note(raw).text == text + "\n"


@given(st.text() | damaged(NOTE.rpartition("\n\n")[0].encode()).map(lambda b: b.decode(errors="replace")))
def test_a_checkpoint_that_parses_has_one_spelling(text: str) -> None:
    with contextlib.suppress(TansiqError):
        assert render_text(parse_checkpoint(text)) == text


@given(st.text() | st.text().map(lambda t: "— name " + t))
def test_no_line_breaks_a_note(line: str) -> None:
    with contextlib.suppress(TansiqError):
        assert parse_note(add_line(NOTE, line)).text == parse_note(NOTE).text


@given(st.binary() | damaged(BUNDLE))
def test_no_other_bundle_proves_anything_else(raw: bytes) -> None:
    with contextlib.suppress(TansiqError):
        parse_bundle(raw)
    with contextlib.suppress(TansiqError):
        proven = verify_bundle(raw, ORIGIN, LOG, {WITNESS: WITNESS_KEYS})
        assert (proven.index, proven.leaf.subject, proven.root.hex()) == (5, "e-5", VECTORS["root"])
        assert proven.content in (None, VECTORS["contents"][5])


names = st.sampled_from(["type", "suite", "index", "leaf", "disclosed", "path", "checkpoint"])
values = (
    st.none() | st.booleans() | st.integers(-3, 2**60) | st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=3)
)


@given(names, values | st.dictionaries(st.sampled_from(["at", "verb", "subject", "salt", "content"]), values))
def test_no_value_in_a_bundle_makes_it_fail_otherwise(name: str, value: object) -> None:
    bundle = json.loads(BUNDLE)
    if bundle[name] == value or (name == "disclosed" and value is None):
        return
    raw = json.dumps({**bundle, name: value}, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    with pytest.raises(TansiqError):
        verify_bundle(raw, ORIGIN, LOG)


@given(st.binary() | damaged(REQUEST))
def test_a_witness_request_that_parses_has_one_spelling(raw: bytes) -> None:
    with contextlib.suppress(TansiqError):
        assert render_request(*parse_request(raw)) == raw
