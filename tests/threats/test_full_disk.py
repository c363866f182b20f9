"""Threat: a partner fills the disk, and with it takes us the room to write, to recall and to erase."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tansiq.errors import PeerUnavailable
from tansiq.exchange import ENVELOPES_PATH, RequestHead
from tansiq.store import Store, service
from tansiq.web.peers import Doorman
from tests.support import acts
from tests.support.services import Federation

BLOCK = 4096


def disk(monkeypatch: pytest.MonkeyPatch, free: int, size: int = 2**40) -> None:
    """What the disk under the database says of itself."""
    said = SimpleNamespace(f_bavail=free // BLOCK, f_frsize=BLOCK, f_blocks=size // BLOCK)
    monkeypatch.setattr(service.os, "statvfs", lambda _folder: said)


def test_what_partners_send_leaves_room_for_our_own_acts(services: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    rabat, madrid = services.nodes["rabat"], services.nodes["madrid"]
    dossier = rabat.dossiers.open("report", acts.report(), ["madrid"], services.officers["rabat"])
    services.pump()
    raw = next(body for name, body in services.posted if name == "madrid")
    door, head = Doorman(madrid), RequestHead("POST", ENVELOPES_PATH, len(raw), keep=True, waits=False)
    for free, size, status in (
        (service.OWN_ROOM - BLOCK, 2**40, 503),
        (service.OWN_ROOM, 2**40, 200),
        (2**20, 2**24, 200),
        (2**19, 2**24, 503),
    ):
        disk(monkeypatch, free, size)
        assert door.answer(head, raw).status == status, "a small disk keeps a twentieth"
    disk(monkeypatch, 0)
    madrid.dossiers.append(dossier, acts.note("report.note_added"), services.officers["madrid"])


def test_nothing_is_fetched_that_there_is_no_room_for(trio, monkeypatch: pytest.MonkeyPatch) -> None:
    federation, ma, es, _ = trio
    ma.send(es, "e-1")
    disk(monkeypatch, 0)
    with pytest.raises(PeerUnavailable) as failure:
        es.exchange.poll_once(ma.node, federation.network)
    assert (failure.value.code, federation.network.seen) == ("poll.no_room", [])
    disk(monkeypatch, service.OWN_ROOM)
    assert es.exchange.poll_once(ma.node, federation.network) == 1
    assert es.filed() == ["e-1"]


def test_what_another_machine_keeps_is_not_ours_to_measure(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    disk(monkeypatch, 0)
    assert store.has_room() is (store.dialect == "postgresql")
