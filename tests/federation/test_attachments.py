"""Files of up to 50 MB between whole nodes: bounded memory, breaks, damage, crashes, recall; on both databases."""

from __future__ import annotations

import hashlib
import itertools
import tracemalloc
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from tansiq.attachments.model import CHUNK, MAX_BYTES, Attached
from tansiq.dossiers.model import Presence
from tansiq.errors import Invalid, NotFound, PeerUnavailable, Refused
from tansiq.exchange.model import ItemState
from tansiq.node import Node
from tansiq.terms import DossierId, EntryId, LogVerb, PartId
from tests.support import acts
from tests.support.services import Federation

MB = 1024 * 1024


def pieces(size: int, seed: bytes = b"7") -> Iterator[bytes]:
    """A file that is made while it is read: no two of its blocks are equal."""
    made = 0
    for number in itertools.count():
        block = hashlib.shake_256(seed + number.to_bytes(4, "big")).digest(min(65_536, size - made))
        if not block:
            return
        made += len(block)
        yield block


def digest(found: Iterator[bytes]) -> str:
    whole = hashlib.sha256()
    for piece in found:
        whole.update(piece)
    return whole.hexdigest()


def open_report(f: Federation) -> DossierId:
    made = f.nodes["rabat"].dossiers.open("report", acts.report(), ["es", "de"], f.officers["rabat"])
    f.pump()
    return made


def attach(f: Federation, dossier: DossierId, size: int, **more: object) -> tuple[EntryId, PartId, Attached]:
    rabat = f.nodes["rabat"]
    taken = rabat.attachments.take(pieces(size), "تقرير المعاينة.pdf", "application/pdf")
    entry = rabat.files.attach(dossier, [taken], f.officers["rabat"], **more)
    (part,) = rabat.dossiers.entry(entry).parts
    return entry, part.ref.id, taken


def stored(node: Node) -> int:
    with node.store.read() as tx:
        return int(tx.execute(text("select count(*) from attachment_chunks")).scalar_one())


def test_a_file_arrives_whole_and_is_read_by_an_officer_who_says_why(federation: Federation) -> None:
    f = federation
    dossier = open_report(f)
    entry, part, taken = attach(f, dossier, 2 * CHUNK + 17)
    madrid = f.nodes["madrid"]
    with pytest.raises(NotFound):
        madrid.attachments.read(entry, part)
    f.pump()
    of, found = madrid.files.fetch(dossier, entry, part, f.officers["madrid"])
    assert (of, digest(iter(found))) == (taken, hashlib.sha256(b"".join(pieces(2 * CHUNK + 17))).hexdigest())
    verbs = [leaf.verb for leaf in madrid.ledger.find(part)]
    assert verbs == [LogVerb.COLLECT, LogVerb.CONSULT]
    sent = [leaf for leaf in f.nodes["rabat"].ledger.find(entry) if leaf.verb is LogVerb.DISCLOSE]
    assert len(sent) == 2
    assert all(leaf.content and leaf.content["clauses"] for leaf in sent)


def test_its_name_digest_and_content_are_in_no_row(federation: Federation) -> None:
    f = federation
    dossier = open_report(f)
    _, _, taken = attach(f, dossier, CHUNK + 5)
    attach(f, dossier, CHUNK + 5)
    f.pump()
    for name in ("rabat", "madrid"):
        with f.nodes[name].store.read() as tx:
            rows = tx.execute(text("select sealed, content from attachments")).all()
            chunks = [bytes(r[0]) for r in tx.execute(text("select sealed from attachment_chunks"))]
        whole = b"".join(bytes(c) for row in rows for c in row) + b"".join(chunks)
        assert taken.name.encode() not in whole
        assert taken.sha256.encode() not in whole
        assert bytes.fromhex(taken.sha256) not in whole
        assert next(pieces(100))[:32] not in whole
        # Equal files under keys of their own: no two chunks look alike, and partners' indexes do not meet.
        assert len(set(chunks)) == len(chunks) == 4
    blind = []
    for name in ("rabat", "madrid"):
        with f.nodes[name].store.read() as tx:
            blind.append({bytes(r[0]) for r in tx.execute(text("select content from attachments"))})
    assert len(blind[0]) == len(blind[1]) == 1
    assert blind[0].isdisjoint(blind[1])


def test_after_a_break_only_what_is_missing_is_sent(federation: Federation) -> None:
    f = federation
    dossier = open_report(f)
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    entry, part, taken = attach(f, dossier, 24 * CHUNK)
    rabat.exchange.deliver_once(madrid.node_id, f)
    rabat.exchange.deliver_once(madrid.node_id, f)
    have = madrid.attachments.holding(entry, part).have
    assert 0 < have < len(taken.chunks)
    f.away.add("madrid")
    with pytest.raises(PeerUnavailable):
        rabat.exchange.deliver_once(madrid.node_id, f)
    f.restart("rabat")
    f.restart("madrid")
    f.away.clear()
    f.posted.clear()
    f.pump()
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    assert madrid.attachments.holding(entry, part).held
    to_madrid = sum(len(body) for name, body in f.posted if name == "madrid")
    # What crosses is base64 once; nothing that had arrived crossed again.
    assert to_madrid < (len(taken.chunks) - have) * CHUNK * 1.4
    states = {d.state for d in rabat.exchange.deliveries(to=madrid.node_id) if d.kind == "chunk"}
    assert states == {ItemState.RECEIVED}


def test_a_crash_at_any_chunk_loses_nothing(federation: Federation) -> None:
    f = federation
    dossier = open_report(f)
    entry, part, taken = attach(f, dossier, 20 * CHUNK)
    for point, passage in (("inbox.filed", 3), ("inbox.before_commit", 1), ("inbox.after_commit", 1)):
        f.faults["madrid"].crash_at(point, passage)
        f.pump(1)
    assert f.crashes == 3
    f.pump()
    madrid = f.nodes["madrid"]
    assert madrid.attachments.holding(entry, part).held
    assert stored(madrid) == len(taken.chunks)
    assert digest(iter(madrid.attachments.read(entry, part))) == taken.sha256


def test_a_flipped_bit_is_refused_by_name(federation: Federation) -> None:
    f = federation
    dossier = open_report(f)
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    load = rabat.attachments.load

    def flip(tx, ref, to):
        found = load(tx, ref, to)
        return found[:-1] + bytes([found[-1] ^ 1]) if found and ref.endswith(":1") else found

    rabat.exchange._loaders["chunk"] = flip
    entry, part, taken = attach(f, dossier, 3 * CHUNK)
    f.pump()
    (bad,) = [d for d in rabat.exchange.deliveries(to=madrid.node_id) if d.state is ItemState.REFUSED]
    assert (bad.kind, bad.reason) == ("chunk", "attachment.chunk_digest")
    holding = madrid.attachments.holding(entry, part)
    assert (holding.have, holding.held) == (2, False)
    with pytest.raises(NotFound, match="2 of 3"):
        madrid.files.fetch(dossier, entry, part, f.officers["madrid"])
    rabat.exchange._loaders["chunk"] = load
    rabat.dossiers.deliver_to(dossier, "es", f.officers["rabat"], [part])
    f.pump()
    assert digest(iter(madrid.attachments.read(entry, part))) == taken.sha256


def test_a_file_that_is_not_what_its_part_names_never_counts_as_held(federation: Federation) -> None:
    """Every chunk is as committed, and the whole is not: only a partner whose node lies can bring that about."""
    f = federation
    dossier = open_report(f)
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    taken = rabat.attachments.take(pieces(CHUNK + 1), "a.bin")
    lie = Attached(taken.name, taken.media, "0" * 64, taken.size, taken.chunks)
    with rabat.store.read() as tx:
        row = tx.execute(text("select id from attachments")).scalar_one()
    blind = rabat.vault.mac("attachment", lie.sha256)
    rabat.store.write(
        lambda tx: tx.execute(text("update attachments set content = :c where id = :i"), {"c": blind, "i": row})
    )
    entry = rabat.files.attach(dossier, [lie], f.officers["rabat"])
    f.pump()
    (part,) = madrid.dossiers.entry(entry).parts
    holding = madrid.attachments.holding(entry, part.ref.id)
    assert (holding.held, holding.broken, stored(madrid)) == (False, True, 0)
    reasons = {d.reason for d in rabat.exchange.deliveries(to=madrid.node_id) if d.state is ItemState.REFUSED}
    assert reasons == {"attachment.digest"}


def test_withheld_then_given_then_recalled(federation: Federation) -> None:
    f = federation
    dossier = open_report(f)
    rabat, madrid, berlin = (f.nodes[n] for n in ("rabat", "madrid", "berlin"))
    entry, part, taken = attach(f, dossier, CHUNK + 1, withhold_from=["de"])
    f.pump()
    assert madrid.attachments.holding(entry, part).held
    assert [p.presence for p in berlin.dossiers.entry(entry).parts] == [Presence.WITHHELD]
    assert stored(berlin) == 0
    rabat.dossiers.deliver_to(dossier, "de", f.officers["rabat"], [part])
    f.pump()
    assert digest(iter(berlin.attachments.read(entry, part))) == taken.sha256
    recall = {"type": "dossier.recalled", "facts": {"about": entry, "part": part, "reason": "inaccurate"}}
    rabat.dossiers.append(dossier, recall, f.officers["rabat"])
    f.pump()
    for node in (madrid, berlin):
        with node.store.read() as tx:
            assert tx.execute(text("select count(*) from attachments")).scalar_one() == 0
        assert stored(node) == 0
        assert any(leaf.verb is LogVerb.ERASE for leaf in node.ledger.find(part))
        with pytest.raises(NotFound):
            node.attachments.read(entry, part)


def test_what_was_recalled_on_the_way_stays_here(federation: Federation) -> None:
    f = federation
    dossier = open_report(f)
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    entry, part, _ = attach(f, dossier, 20 * CHUNK)
    rabat.exchange.deliver_once(madrid.node_id, f)
    recall = {"type": "dossier.recalled", "facts": {"about": entry, "part": part, "reason": "unlawful"}}
    rabat.dossiers.append(dossier, recall, f.officers["rabat"])
    f.pump()
    assert stored(madrid) == 0
    reasons = {d.reason for d in rabat.exchange.deliveries(to=madrid.node_id) if d.state is ItemState.REFUSED}
    assert reasons == {"no_longer_permitted"}


def test_it_travels_by_hand_too(federation: Federation) -> None:
    f = federation
    dossier = open_report(f)
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    entry, part, taken = attach(f, dossier, 9 * CHUNK)
    madrid.exchange.import_file(rabat.exchange.export_file(madrid.node_id))
    assert digest(iter(madrid.attachments.read(entry, part))) == taken.sha256
    again = madrid.exchange.import_file(rabat.exchange.export_file(madrid.node_id))
    assert again.envelopes == again.repeated


def test_one_byte_over_is_refused_with_its_field_and_leaves_nothing(federation: Federation) -> None:
    rabat = federation.nodes["rabat"]
    with pytest.raises(Invalid) as refused:
        rabat.attachments.take(pieces(MAX_BYTES + 1), "a.bin")
    assert (refused.value.code, refused.value.field) == ("attachment.too_large", "file")
    assert stored(rabat) == 0


@pytest.mark.parametrize("name", ["", "a/b", "..", "a\u202efdp.exe", "x" * 201, "a\nb"])
def test_a_name_that_hides_something_is_refused(federation: Federation, name: str) -> None:
    rabat = federation.nodes["rabat"]
    with pytest.raises(Invalid) as refused:
        rabat.attachments.take(pieces(10), name)
    assert refused.value.field == "name"
    assert stored(rabat) == 0


def test_an_act_that_names_a_file_which_was_not_taken_in_is_refused(federation: Federation) -> None:
    f = federation
    dossier = open_report(f)
    taken = Attached("a.txt", "text/plain", "0" * 64, 5, ("1" * 64,))
    with pytest.raises(Invalid) as refused:
        f.nodes["rabat"].files.attach(dossier, [taken], f.officers["rabat"])
    assert refused.value.code == "attachment.not_taken"
    assert len(f.nodes["rabat"].dossiers.state(dossier).entries) == 1


def test_a_file_that_came_into_no_entry_goes_after_a_week(federation: Federation) -> None:
    from datetime import timedelta

    rabat = federation.nodes["rabat"]
    rabat.attachments.take(pieces(CHUNK), "a.txt")
    federation.clock.pass_time(timedelta(days=6))
    assert rabat.attachments.sweep() == 0
    federation.clock.pass_time(timedelta(days=2))
    assert (rabat.attachments.sweep(), stored(rabat)) == (1, 0)


def test_fetching_needs_a_purpose(federation: Federation) -> None:
    f = federation
    dossier = open_report(f)
    entry, part, _ = attach(f, dossier, 10)
    f.pump()
    from dataclasses import replace

    nameless = replace(f.officers["madrid"], roles=frozenset())
    with pytest.raises(Refused):
        f.nodes["madrid"].files.fetch(dossier, entry, part, nameless)


class Line:
    """A federation's network that does not keep what was posted."""

    def __init__(self, f: Federation) -> None:
        self.f = f

    def post(self, *posted):
        self.f.posted.clear()
        return self.f.post(*posted)


def test_memory_does_not_grow_with_the_file(make_federation) -> None:
    """50 MB over two nodes in one process: taken in, sealed, posted, opened, checked, read."""
    peaks = []
    for size in (10 * MB, 50 * MB):
        f = make_federation(str(size))
        f.add("rabat", "madrid")
        dossier = f.nodes["rabat"].dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
        f.pump()
        rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
        tracemalloc.start()
        entry, part, taken = attach(f, dossier, size)
        while rabat.exchange.deliver_once(madrid.node_id, Line(f)):
            pass
        f.posted.clear()
        assert digest(iter(madrid.attachments.read(entry, part))) == taken.sha256
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    print(f"peak memory: {peaks[0] / MB:.1f} MB for 10 MB, {peaks[1] / MB:.1f} MB for 50 MB")
    assert peaks[1] < 1.1 * peaks[0]
    assert peaks[1] < 96 * MB
