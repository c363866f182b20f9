"""A node that comes out of a backup: it hides nothing, and its partners send again what they had sent since."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tansiq.access.model import Acting, Role
from tansiq.backup import back_up, confirm, restore, waiting
from tansiq.backup.service import KEY_FILE
from tansiq.crypto import seal_keyfile
from tansiq.dossiers.model import RETURNED, Presence
from tansiq.dossiers.records import erase_part
from tansiq.errors import Conflict, NotFound, Refused, Untrusted
from tansiq.exchange.model import MISSED, Item, ItemState
from tansiq.keyring import write_secret
from tansiq.node import Node
from tansiq.private.model import CheckState
from tansiq.settings import FILE, Settings
from tansiq.terms import EntryId, format_instant
from tests.support import acts
from tests.support.checks import HAMMUSCHI, HAMMUSCHI_IN_ARABIC, ask, hits, serve, supervisor
from tests.support.federation import Crash, keys_of
from tests.support.holdings import by_name
from tests.support.services import Federation, shared_view

KEK = bytes(range(32))


def back_up_madrid(f: Federation, to: Path) -> None:
    """The federation's nodes have no files of their own: Madrid gets those that a node has."""
    madrid = f.nodes["madrid"]
    chosen = {"node": {"name": "madrid", "country": "ES"}, "exchange": {"url": "https://madrid.example:8443"}}
    write_secret(madrid.settings.home / FILE, Settings.template(chosen).encode())
    write_secret(madrid.settings.home / "node.kek", KEK)
    write_secret(madrid.settings.home / KEY_FILE, seal_keyfile(keys_of("ES"), kek=KEK))
    back_up(madrid, to)


def lose_and_restore(f: Federation, backup: Path, home: Path, database: str, *, confirmed: bool = True) -> Node:
    f.nodes["madrid"].close()
    done = restore(backup, home, database=database, clock=f.clock)
    text = (home / FILE).read_text("utf-8")
    madrid = f.nodes["madrid"] = Node(Settings.parse(text, home), keys_of("ES"), f.clock, f.faults["madrid"], line=f)
    assert set(done.asked) == {f.nodes["rabat"].node_id, f.nodes["berlin"].node_id}
    assert madrid.ledger.head().size > done.inventory.leaves
    if confirmed:
        confirm(madrid, [])
    return madrid


@pytest.fixture
def lost(federation: Federation, new_url: str, tmp_path: Path) -> tuple[Federation, Callable[[], Node]]:
    """All four ways: from either database into either."""
    return federation, lambda: lose_and_restore(federation, tmp_path / "backup", tmp_path / "again", new_url)


def madrids_report() -> dict[str, Any]:
    body = acts.report()
    return {**body, "legal": {**body["legal"], "agreement": "ma-es-2019"}}


def test_what_partners_sent_since_comes_again_by_itself(
    lost: tuple[Federation, Callable[[], Node]], tmp_path: Path
) -> None:
    f, come_back = lost
    rabat, berlin = f.nodes["rabat"], f.nodes["berlin"]
    first = rabat.dossiers.open("report", acts.report(), ["es", "de"], f.officers["rabat"])
    f.pump()
    back_up_madrid(f, tmp_path / "backup")
    f.clock.pass_time(timedelta(days=1))
    second = rabat.dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    about = rabat.dossiers.state(first).entries[0].id
    said = {"type": "dossier.feedback", "facts": {"about": about, "outcome": "used"}}
    berlin.dossiers.append(first, said, f.officers["berlin"])
    taken = rabat.attachments.take([b"a file" * 100], "a.txt", "text/plain")
    attached = rabat.files.attach(first, [taken], f.officers["rabat"])
    f.pump()
    f.clock.pass_time(timedelta(days=1))
    was = {d: shared_view(f.nodes["madrid"], d) for d in (first, second)}
    madrid = come_back()
    assert {d.id for d in madrid.dossiers.rows()} == {first}
    f.pump(8)
    assert {d: shared_view(madrid, d) for d in was} == was
    (part,) = madrid.dossiers.entry(attached).parts
    _, content = madrid.files.fetch(first, attached, part.ref.id, f.officers["madrid"])
    assert b"".join(content) == b"a file" * 100
    for node in f.nodes.values():
        assert node.ledger.verify().ok
    assert [leaf.content for leaf in madrid.ledger.find("node.restored")] != []


def test_what_the_restored_node_wrote_since_comes_back_from_who_has_it(
    lost: tuple[Federation, Callable[[], Node]], tmp_path: Path
) -> None:
    f, come_back = lost
    rabat, berlin, madrid = (f.nodes[n] for n in ("rabat", "berlin", "madrid"))
    first = rabat.dossiers.open("report", acts.report(), ["es", "de"], f.officers["rabat"])
    f.pump()
    back_up_madrid(f, tmp_path / "backup")
    f.clock.pass_time(timedelta(days=1))
    about = rabat.dossiers.state(first).entries[0].id
    said = {"type": "dossier.feedback", "facts": {"about": about, "outcome": "used"}}
    madrid.dossiers.append(first, said, f.officers["madrid"])
    own = madrid.dossiers.open("report", madrids_report(), ["ma"], f.officers["madrid"])
    taken = madrid.attachments.take([b"a file" * 100], "a.txt", "text/plain")
    attached = madrid.files.attach(own, [taken], f.officers["madrid"])
    request = rabat.dossiers.open("request", acts.request(about), ["es"], f.officers["rabat+second"])
    f.pump(8)
    opening = rabat.dossiers.state(own).entries[0].id
    built_on = {"type": "dossier.feedback", "facts": {"about": opening, "outcome": "used"}}
    rabat.dossiers.append(own, built_on, f.officers["rabat"])
    f.pump()
    ids = (first, own, request)
    was = {d: shared_view(madrid, d) for d in ids}
    automatic = [e.id for e in madrid.dossiers.state(request).entries if e.statement.author == madrid.node_id]
    assert automatic, "the node had answered by itself"
    f.clock.pass_time(timedelta(days=1))
    madrid = come_back()
    f.pump(12)
    assert {d: shared_view(madrid, d) for d in ids} == was
    assert [e.id for e in madrid.dossiers.state(request).entries if e.statement.author == madrid.node_id] == automatic
    assert all(p.presence is Presence.HELD for p in madrid.dossiers.entry(EntryId(opening)).parts)
    (part,) = madrid.dossiers.entry(attached).parts
    _, content = madrid.files.fetch(own, attached, part.ref.id, f.officers["madrid"])
    assert b"".join(content) == b"a file" * 100
    assert {g.node for g in madrid.dossiers.grants(own)} == {rabat.node_id}
    assert any(c.record.provenance.dossier == own for c in by_name(madrid.bank, "يوسف بن عمر الزروالي"))

    # What it writes now stands behind what it had lost, and beside nothing.
    madrid.dossiers.append(first, {**said, "facts": {"about": about, "outcome": "hit"}}, f.officers["madrid"])
    madrid.dossiers.append(own, acts.note("report.note_added"), f.officers["madrid"])
    f.pump(8)
    for node in (rabat, berlin, madrid):
        assert node.dossiers.state(first).marks == ()
        assert node.ledger.verify().ok
    assert rabat.dossiers.state(own).marks == madrid.dossiers.state(own).marks == ()
    assert shared_view(rabat, own) == shared_view(madrid, own)
    returned = [
        leaf.content for leaf in rabat.ledger.find(opening) if (leaf.content or {}).get("decision") == "returned"
    ]
    assert [c["to"] for c in returned if c] == [madrid.node_id]


def test_what_one_partner_lacks_another_gives_back_and_what_was_erased_stays_erased(
    lost: tuple[Federation, Callable[[], Node]], tmp_path: Path
) -> None:
    f, come_back = lost
    rabat, berlin, madrid = (f.nodes[n] for n in ("rabat", "berlin", "madrid"))
    back_up_madrid(f, tmp_path / "backup")
    body = madrids_report()
    body["legal"]["agreement"] = {"MA": "ma-es-2019", "DE": "es-de"}
    body["parts"][1]["withhold_from"] = ["ma"]
    own = madrid.dossiers.open("report", body, ["ma", "de"], f.officers["madrid"])
    f.pump()
    entry = EntryId(rabat.dossiers.state(own).entries[0].id)
    parts = {p.ref.kind: p.ref.id for p in rabat.dossiers.entry(entry).parts}
    f.away.add("berlin")
    madrid = come_back()
    f.pump(8)
    assert presence(madrid, entry, parts["note"]) is Presence.WITHHELD
    assert presence(madrid, entry, parts["narrative"]) is Presence.HELD
    erase = madrid.store.write(lambda tx: erase_part(tx, entry, parts["narrative"]))
    assert erase
    f.away.clear()
    f.clock.pass_time(timedelta(hours=1))
    f.pump(8)
    assert presence(madrid, entry, parts["note"]) is Presence.HELD
    assert presence(madrid, entry, parts["narrative"]) is Presence.ERASED
    withheld = {g.node: g.withheld for g in madrid.dossiers.grants(own)}
    assert withheld == {rabat.node_id: (parts["note"],), berlin.node_id: ()}
    assert rabat.dossiers.state(own).marks == berlin.dossiers.state(own).marks == ()


def test_what_is_not_ours_or_was_not_lost_or_not_asked_for_is_not_taken_back(
    lost: tuple[Federation, Callable[[], Node]], tmp_path: Path
) -> None:
    f, come_back = lost
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    theirs = rabat.dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    back_up_madrid(f, tmp_path / "backup")
    own = madrid.dossiers.open("report", madrids_report(), ["ma"], f.officers["madrid"])
    f.pump()
    (entry,) = [EntryId(e.id) for e in rabat.dossiers.state(own).entries]
    (foreign,) = [EntryId(e.id) for e in rabat.dossiers.state(theirs).entries]

    def given(ref: EntryId, to: Node) -> Item:
        with rabat.store.read() as tx:
            payload = rabat.dossiers.returning.load(tx, ref, to.node_id)
        return Item(RETURNED, ref, payload or b"")

    item = given(entry, madrid)
    assert not given(foreign, madrid).payload, "another's entry is given back to nobody"
    assert not given(entry, f.nodes["berlin"]).payload
    found = madrid.store.write(lambda tx: madrid._returned(tx, rabat.node_id, item))
    assert (found.received, found.reason) == (False, "returned.not_asked")
    f.away.add("rabat")
    madrid = come_back()
    later_on = f.clock() + timedelta(days=1)
    found = madrid.store.write(lambda tx: madrid.dossiers.returning.file(tx, rabat.node_id, item, later_on))
    assert (found.received, found.reason) == (False, "returned.not_lost")
    with rabat.store.read() as tx:
        forged = rabat._load_entry(tx, foreign, madrid.node_id)
    for bad in (
        Item(RETURNED, foreign, forged or b""),
        Item(RETURNED, foreign, item.payload),
        Item(RETURNED, entry, b"{}"),
    ):
        with pytest.raises(Untrusted):
            madrid.store.write(lambda tx, bad=bad: madrid._returned(tx, rabat.node_id, bad))
    assert {d.id for d in madrid.dossiers.rows()} == set()
    madrid.store.write(lambda tx: madrid._returned(tx, rabat.node_id, item))
    leaves = madrid.ledger.head().size
    again = madrid.store.write(lambda tx: madrid._returned(tx, rabat.node_id, item))
    assert (again.received, madrid.ledger.head().size) == (True, leaves), "a second time changes nothing"


def test_a_crash_in_the_middle_of_taking_back_loses_nothing(
    lost: tuple[Federation, Callable[[], Node]], tmp_path: Path
) -> None:
    f, come_back = lost
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    back_up_madrid(f, tmp_path / "backup")
    own = madrid.dossiers.open("report", madrids_report(), ["ma"], f.officers["madrid"])
    f.pump()
    was = shared_view(madrid, own)
    (entry,) = [EntryId(e.id) for e in rabat.dossiers.state(own).entries]
    with rabat.store.read() as tx:
        item = Item(RETURNED, entry, rabat.dossiers.returning.load(tx, entry, madrid.node_id) or b"")
    madrid = come_back()
    f.faults["madrid"].crash_at("returned.filed")
    with pytest.raises(Crash):
        madrid.store.write(lambda tx: madrid._returned(tx, rabat.node_id, item))
    assert not madrid.dossiers.rows()
    f.pump(8)
    assert shared_view(madrid, own) == was == shared_view(rabat, own)


def test_a_recall_that_came_since_comes_again_and_is_answered(
    lost: tuple[Federation, Callable[[], Node]], tmp_path: Path
) -> None:
    f, come_back = lost
    rabat = f.nodes["rabat"]
    first = rabat.dossiers.open("report", acts.report(), ["es", "de"], f.officers["rabat"])
    f.pump()
    back_up_madrid(f, tmp_path / "backup")
    f.clock.pass_time(timedelta(days=1))
    entry = EntryId(rabat.dossiers.state(first).entries[0].id)
    (part, *_) = [p for p in rabat.dossiers.entry(entry).parts if p.ref.kind == "narrative"]
    facts = {"about": entry, "part": part.ref.id, "reason": "inaccurate"}
    rabat.dossiers.append(first, {"type": "dossier.recalled", "facts": facts}, f.officers["rabat"])
    f.pump()
    madrid = come_back()
    assert presence(madrid, entry, part.ref.id) is Presence.HELD
    f.pump(8)
    assert presence(madrid, entry, part.ref.id) is Presence.ERASED


def presence(node: Node, entry: EntryId, part: str) -> Presence:
    return next(p.presence for p in node.dossiers.entry(entry).parts if p.ref.id == part)


def test_private_checks_go_on_under_an_epoch_that_nobody_has_met(
    lost: tuple[Federation, Callable[[], Node]], tmp_path: Path
) -> None:
    f, come_back = lost
    f.hold("madrid", [HAMMUSCHI])
    f.hold("rabat", [HAMMUSCHI])
    serve(f, "madrid", "rabat")
    back_up_madrid(f, tmp_path / "backup")
    f.clock.pass_time(timedelta(days=1))
    f.nodes["madrid"].private.rotate(supervisor(f, "madrid"))
    serve(f, "rabat", "madrid")
    before = ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)
    assert (before.state, before.epochs) == (CheckState.DONE, {"low": 2})
    madrid = come_back()
    f.pump(8)
    again = ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)
    assert (again.state, hits(again)) == (CheckState.DONE, {"nd", "nh"})
    assert again.epochs["low"] > 10**6
    asked = ask(f, "madrid", "rabat", HAMMUSCHI_IN_ARABIC)
    assert (asked.state, hits(asked)) == (CheckState.DONE, {"nd", "nh"})
    assert [e.state for e in madrid.private.epochs()] == ["current", "grace"]


@pytest.fixture
def held(federation: Federation, new_url: str, tmp_path: Path) -> tuple[Federation, Callable[[], Node]]:
    """As `lost`, and nobody has said anything yet."""
    folders = tmp_path / "backup", tmp_path / "again"
    return federation, lambda: lose_and_restore(federation, *folders, new_url, confirmed=False)


def test_what_was_ended_since_the_backup_does_not_live_again(
    held: tuple[Federation, Callable[[], Node]], tmp_path: Path
) -> None:
    f, come_back = held
    old, officer = f.nodes["madrid"], f.officers["madrid"]
    second = Acting(f.officers["madrid+second"].second or officer.officer, frozenset({Role.SUPERVISOR}))
    old.access.set_password(officer.officer, "a long sentence of nobody")
    token, _ = old.access.sign_in("Officer of madrid", "a long sentence of nobody")
    program = old.access.new_token(officer.officer, "case system", 30)
    draft = old.access.propose("an.act", b"{}", officer, "supervisor")
    back_up_madrid(f, tmp_path / "backup")
    old.access.confirm(draft, second)
    old.access.change_officer(officer.officer, active=False)
    madrid = come_back()
    for honour in (
        lambda: madrid.access.session(token),
        lambda: madrid.access.by_token(program),
        lambda: madrid.access.sign_in("Officer of madrid", "a long sentence of nobody"),
        lambda: madrid.access.acting(officer.officer),
        lambda: madrid.access.new_token(officer.officer, "again", 1),
    ):
        with pytest.raises(Refused):
            honour()
    assert madrid.access.pending() == []
    assert {o.name for o in waiting(madrid).officers} == {"Officer of madrid", "Second of madrid"}
    leaves = madrid.ledger.head().size
    with pytest.raises(NotFound):
        confirm(madrid, ["Second of madrid", "nobody"])
    assert madrid.ledger.head().size == leaves, "all or none"
    confirm(madrid, ["Second of madrid"])
    assert madrid.access.acting(second.officer)
    assert [o.name for o in waiting(madrid).officers] == ["Officer of madrid"]
    confirm(madrid, [officer.officer])
    with pytest.raises(Conflict):
        madrid.access.confirm(draft, second)
    with pytest.raises(Refused):
        madrid.access.session(token)
    assert madrid.access.sign_in("Officer of madrid", "a long sentence of nobody")


def test_nothing_passes_to_or_from_a_partner_that_nobody_has_confirmed(
    held: tuple[Federation, Callable[[], Node]], tmp_path: Path
) -> None:
    f, come_back = held
    rabat, berlin = f.nodes["rabat"], f.nodes["berlin"]
    first = rabat.dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    f.pump()
    about = rabat.dossiers.state(first).entries[0].id
    old, said = f.nodes["madrid"], {"type": "dossier.feedback", "facts": {"about": about, "outcome": "used"}}
    f.away.add("rabat")
    f.nodes["madrid"].dossiers.append(first, said, f.officers["madrid"])
    f.pump()
    assert {d.state for d in old.exchange.deliveries(to=rabat.node_id)} & {ItemState.SENT, ItemState.QUEUED}
    back_up_madrid(f, tmp_path / "backup")
    f.away.clear()
    old.exchange.remove_peer(rabat.node_id)
    madrid = come_back()
    assert {p.card.node for p in waiting(madrid).peers} == {rabat.node_id, berlin.node_id}
    second = rabat.dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    f.posted.clear()
    f.pump(8)
    assert {name for name, _ in f.posted} <= {"madrid"}, "not a byte leaves"
    assert {d.id for d in madrid.dossiers.rows()} == {first}
    assert {s.node for s in madrid.exchange.status()} == set()
    # The administrator knows that Rabat was dropped: what waited for it never goes.
    madrid.exchange.remove_peer(madrid.exchange.resolve("ma"))
    confirm(madrid, [])
    assert [p.card.node for p in madrid.exchange.peers() if p.state == "pinned"] == [berlin.node_id]
    f.posted.clear()
    f.pump(8)
    assert "rabat" not in {name for name, _ in f.posted}
    assert second not in {d.id for d in madrid.dossiers.rows()}
    assert {d.state for d in madrid.exchange.deliveries(to=rabat.node_id)} <= {ItemState.REFUSED, ItemState.EXPIRED}


def test_who_asks_again_and_again_or_for_no_instant_is_refused(federation: Federation) -> None:
    f = federation
    madrid, rabat = f.nodes["madrid"], f.nodes["rabat"]
    rabat.dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    f.pump()
    since = format_instant(f.clock() - timedelta(days=1))

    def missed(payload: bytes) -> tuple[bool, str]:
        item = Item(MISSED, since, payload)
        found = rabat.store.write(lambda tx: rabat.missed.file(tx, madrid.node_id, item))
        return found.received, found.reason

    assert missed(b"yesterday") == missed(b"\xff") == (False, "missed.malformed")
    assert missed(since.encode()) == (True, "")
    assert missed(since.encode()) == (False, "missed.too_often")
    assert [d.state for d in rabat.exchange.deliveries(to=madrid.node_id) if d.kind == "entry"] == [ItemState.QUEUED]
    f.clock.pass_time(timedelta(minutes=11))
    assert missed(format_instant(f.clock() + timedelta(days=9)).encode()) == (True, "")
    for minutes, received in ((11, False), (10, True), (39, False), (2, True)):
        f.clock.pass_time(timedelta(minutes=minutes))
        assert missed(since.encode())[0] is received, "each time it waits twice as long"
    f.clock.pass_time(timedelta(days=1))
    assert missed(since.encode()) == (True, "")
    f.clock.pass_time(timedelta(minutes=11))
    assert missed(since.encode()) == (True, ""), "after a day it is forgotten"
