"""A field that we do not know may carry a restriction that we would break: it is refused, never skipped."""

from __future__ import annotations

import pytest

from tansiq.errors import TansiqError
from tansiq.exchange import wire
from tests.support.exchange_bytes import PAYLOAD, envelope, items, signed


def refused(act, raw: bytes) -> TansiqError:
    with pytest.raises(TansiqError) as failure:
        act(raw)
    return failure.value


def test_an_unknown_field_is_refused_at_every_layer_of_an_envelope(trio) -> None:
    _, ma, es, _ = trio
    deeper = {"items": [{"kind": "entry", "ref": "e-1", "size": len(PAYLOAD), "only_until": "x"}]}
    for raw, code, field in (
        (envelope(ma, es, only_for="x"), "envelope.unknown_field", ""),
        (envelope(ma, es, content=items(only_for="x")), "items.unknown_field", ""),
        (envelope(ma, es, content=deeper), "items.unknown_field", "items[0]"),
    ):
        failure = refused(es.exchange.receive, raw)
        assert (failure.code, failure.field) == (code, field)
    assert es.filed() == []


@pytest.mark.parametrize("name", ["v", "suite", "id", "to", "sent_at", "expires_at", "size"])
def test_a_missing_field_is_named(trio, name: str) -> None:
    _, ma, es, _ = trio
    failure = refused(es.exchange.receive, envelope(ma, es, **{name: None}))
    assert (failure.code, failure.field) == ("envelope.missing_field", name)


def test_an_unknown_version_is_refused(trio) -> None:
    _, ma, es, _ = trio
    failure = refused(es.exchange.receive, envelope(ma, es, v=2))
    assert (failure.code, failure.field) == ("envelope.malformed", "v")


def test_an_unknown_field_never_reaches_the_message(trio) -> None:
    """Its name is the partner's word, and may be somebody's name."""
    _, ma, es, _ = trio
    failure = refused(es.exchange.receive, envelope(ma, es, **{"amina_of_oujda": "x"}))
    assert "amina" not in f"{failure} {failure.detail} {failure.hint} {failure.field}"


def test_loose_forms_of_a_signed_body_are_refused(trio) -> None:
    """Repeated keys, white space, another order: one body has one reading."""
    federation, ma, es, _ = trio
    at = "2026-11-22T08:00:00.000Z"
    canonical = f'{{"at":"{at}","from":"{es.node}","id":"q-1","to":"{ma.node}","v":1}}'
    for loose in (
        canonical.replace('"v":1', '"v":1,"v":1'),
        canonical.replace(",", ", "),
        canonical.replace('"v":1', '"v":1.0'),
        canonical.replace('"id":"q-1"', '"id":"q\\u002d1"'),
    ):
        failure = refused(
            lambda raw: ma.exchange.answer_poll(raw, wait_s=0), signed(es, wire.POLL_TYPE, loose.encode())
        )
        assert failure.code in ("poll.not_canonical", "poll.malformed")
    assert ma.exchange.answer_poll(signed(es, wire.POLL_TYPE, canonical.encode()), wait_s=0) == []
    assert federation.clock() is not None
