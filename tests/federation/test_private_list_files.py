"""The files of partners' lists: after any crash, a new start and its sweep they are those of the lists that live.

A dry run records the fault points that are passed; then the story is told again with the asker's machine stopping at
each of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tansiq.backup import Inventory, back_up
from tansiq.backup.service import KEY_FILE
from tansiq.exchange.model import Item
from tansiq.keyring import write_secret
from tansiq.private import records
from tansiq.private.model import CheckState, Tier
from tansiq.private.service import ITEM
from tansiq.settings import FILE, Settings
from tests.support.checks import HAMMUSCHI, HAMMUSCHI_IN_ARABIC, ask, code_of, hits, person, serve, supervisor
from tests.support.services import Federation, surely

Make = Callable[..., Federation]
POINTS = {"list.beside", "list.written", "list.assembled", "list.changed", "list.swept"}
LATER = {"names": ["Sofía Carrascal"], "birth_dates": ["1991-05-30"]}


def on_disk(f: Federation, name: str = "rabat") -> set[str]:
    return {p.name for p in (f.nodes[name].settings.home / "private").iterdir() if p.name != "lock"}


def living(f: Federation, name: str = "rabat") -> set[str]:
    lists = f.nodes[name].private.lists()
    return {f"{x.digest}.tags" for x in lists if x.side == "taken" and x.state in ("ready", "old")}


def make(make_federation: Make, label: str = "") -> Federation:
    f = make_federation(label) if label else make_federation()
    f.add("rabat", "madrid")
    f.hold("madrid", [HAMMUSCHI])
    return f


def publish(f: Federation) -> None:
    madrid = f.nodes["madrid"]
    madrid.private.publish(f.nodes["rabat"].node_id, (Tier.LOW, Tier.HIGH), supervisor(f, "madrid"))


def tell(f: Federation) -> None:
    """Two lists come whole, one changes, a new epoch follows, the old one ends."""
    madrid = f.nodes["madrid"]
    publish(f)
    surely(f, f.pump)
    surely(f, f.pump)
    f.nodes["rabat"].private.watch(LATER, ["es"], "case 9", f.officers["rabat"])
    f.hold("madrid", [person("Sofia Carrascal", "1991-05-30", "h-9")])
    madrid.private.refresh("ma", Tier.LOW)
    surely(f, f.pump)
    surely(f, f.pump)
    madrid.private.rotate(supervisor(f, "madrid"))
    surely(f, f.pump)
    surely(f, f.pump)
    f.clock.pass_time(timedelta(days=8))
    madrid.private.tick()
    surely(f, f.pump)
    surely(f, f.pump)


def check(f: Federation) -> None:
    rabat = f.nodes["rabat"]
    assert {(x.epoch, x.state) for x in rabat.private.lists()} == {(1, "ended"), (2, "ready")}
    assert on_disk(f) == living(f)
    assert len(living(f)) == 2
    assert [n.code for n in rabat.private.notices()] == ["private.watch_hit"], (
        "a watch misses a change, or meets it twice"
    )
    assert ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC).hit


def ended(f: Federation, *what: str) -> None:
    """Madrid's word arrives at Rabat."""
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]

    def work(tx: Connection) -> None:
        rabat.private.file(tx, madrid.node_id, Item(ITEM, ":".join(("end", *what)), b""))

    rabat.store.write(work)


@pytest.mark.timeout(600)
def test_no_crash_leaves_a_file_of_no_list_or_a_list_of_no_file(make_federation: Make) -> None:
    dry = make(make_federation, "dry")
    tell(dry)
    check(dry)
    passed = dry.faults["rabat"].passed
    points = [(p, n + 1) for p in sorted(POINTS) for n in range(passed.count(p))]
    assert {p for p, _ in points} == POINTS
    assert len(points) > 12
    dry.close()
    failed = []
    for point, passage in points:
        f = make(make_federation, f"{point}-{passage}")
        f.faults["rabat"].crash_at(point, passage)
        tell(f)
        try:
            assert f.crashes == 1, "the crash did not happen"
            check(f)
        except AssertionError as exc:
            failed.append(f"{point} #{passage}: {exc}")
        f.close()
    assert not failed, "\n".join(failed)


def test_what_an_earlier_process_left_is_swept_at_the_start(make_federation: Make) -> None:
    """Also what an earlier program left: files beside, and lists that have ended."""
    f = make(make_federation)
    publish(f)
    f.pump()
    folder = f.nodes["rabat"].settings.home / "private"
    for name in (f"{'a' * 64}.tags", f"{'a' * 64}.77.1400.tags", f"{'b' * 64}.new"):
        (folder / name).write_bytes(b"left")
    (folder / "note.txt").write_bytes(b"an administrator's")
    f.restart("rabat")
    f.nodes["rabat"].private.work()
    assert on_disk(f) == living(f) | {"note.txt"}


def test_a_list_that_ends_is_no_file_any_more_and_the_partner_may_end_all(make_federation: Make) -> None:
    f = make(make_federation)
    publish(f)
    f.pump()
    assert len(on_disk(f)) == 2
    f.nodes["madrid"].private.revoke("ma", supervisor(f, "madrid"))
    f.pump()
    assert on_disk(f) == set()


@pytest.mark.parametrize("point", ["list.beside", "list.written"])
@pytest.mark.parametrize("change", [False, True])
def test_an_end_that_comes_while_a_file_is_written_is_the_last_word(
    make_federation: Make, point: str, change: bool
) -> None:
    f = make(make_federation)
    madrid, rabat = f.nodes["madrid"], f.nodes["rabat"]

    def end() -> None:
        ended(f, "all")

    if change:
        publish(f)
        f.pump()
        f.faults["rabat"].acts[point] = end
        madrid.private.refresh("ma", Tier.LOW)
    else:
        f.faults["rabat"].acts[point] = end
        publish(f)
    f.pump()
    assert {x.state for x in rabat.private.lists()} == {"ended"}
    assert rabat.private.notices() == [], "nobody is told of a broken list"
    assert on_disk(f) == set()


def test_a_file_that_two_lists_share_stays_while_one_of_them_lives(make_federation: Make) -> None:
    """Equal bytes have one name: two empty lists do, and what a partner ships is its own affair."""
    f = make(make_federation)
    publish(f)
    f.pump()
    rabat = f.nodes["rabat"]
    both = on_disk(f)
    with rabat.store.read() as tx:
        (high,) = records.rows(tx, records.taken, tier="high")
    same = {n: high[n] for n in high if n not in ("tier", "epoch", "state")}
    rabat.store.write(lambda tx: records.add(tx, records.taken, **same, tier="low", epoch=9, state="old"))
    ended(f, "high", "1")
    rabat.private.work()
    assert on_disk(f) == both
    ended(f, "low", "9")
    rabat.private.work()
    assert len(on_disk(f)) == 1


def test_an_answer_that_comes_after_the_end_says_so(make_federation: Make) -> None:
    f = make_federation()
    f.hidden.add("madrid")
    f.add("rabat", "madrid")
    f.hold("madrid", [HAMMUSCHI])
    serve(f, "madrid", "rabat")
    rabat = f.nodes["rabat"]
    waiting = ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)
    assert waiting.state is CheckState.WAITING
    ended(f, "low", "1")
    f.pump()
    found = rabat.private.result(waiting.id)
    assert (found.state, found.code) == (CheckState.REFUSED, "epoch.ended")


def test_an_answer_that_was_taken_before_a_crash_finishes_its_check(make_federation: Make) -> None:
    f = make_federation()
    f.hidden.add("madrid")
    f.add("rabat", "madrid")
    f.hold("madrid", [HAMMUSCHI])
    serve(f, "madrid", "rabat")
    waiting = ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)
    f.faults["rabat"].crash_at("answer.taken")
    surely(f, f.pump)
    f.pump()
    assert f.crashes == 1
    found = f.nodes["rabat"].private.result(waiting.id)
    assert (found.state, hits(found)) == (CheckState.DONE, {"nd", "nh"})


def test_a_watch_keeps_what_an_ended_list_said_and_hears_of_the_other(make_federation: Make) -> None:
    """A change of one list broke it where the check had asked another that has ended since."""
    f = make(make_federation)
    publish(f)
    f.pump()
    madrid, rabat = f.nodes["madrid"], f.nodes["rabat"]
    doc = {"documents": [{"number": "XK4471902", "country": "ES"}]}
    watch, _ = rabat.private.watch(LATER | doc, ["es"], "case 9", f.officers["rabat"])
    (before,) = rabat.private.checks(ref=watch.id)
    assert hits(before) == {"doc"}
    assert before.epochs == {"low": 1, "high": 1}
    ended(f, "high", "1")
    rabat.private.work()
    f.hold("madrid", [person("Sofia Carrascal", "1991-05-30", "h-9")])
    madrid.private.refresh("ma", Tier.LOW)
    f.pump()
    assert {(x.tier, x.state) for x in rabat.private.lists()} == {("low", "ready"), ("high", "ended")}
    assert hits(rabat.private.checks(ref=watch.id)[0]) == {"doc", "nd", "nh"}


def test_a_lost_file_is_told_and_holds_up_nothing_else(make_federation: Make) -> None:
    f = make(make_federation)
    publish(f)
    f.pump()
    for name in on_disk(f):
        (f.nodes["rabat"].settings.home / "private" / name).unlink()
    f.nodes["madrid"].private.refresh("ma", Tier.LOW)
    f.pump()
    rabat = f.nodes["rabat"]
    assert {(x.tier, x.state) for x in rabat.private.lists()} == {("low", "broken"), ("high", "ready")}
    assert [n.code for n in rabat.private.notices()] == ["private.alarm.list_broken"]
    assert code_of(lambda: ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)) == "check.no_list"


def test_a_backup_has_files_and_rows_of_one_moment(make_federation: Make, tmp_path: Path) -> None:
    """It waits while a list is between its file and its row."""
    f = make(make_federation)
    publish(f)
    f.pump()
    rabat = f.nodes["rabat"]
    chosen = {"node": {"name": "rabat", "country": "MA"}, "exchange": {"url": "https://rabat.example:8443"}}
    write_secret(rabat.settings.home / FILE, Settings.template(chosen).encode())
    write_secret(rabat.settings.home / KEY_FILE, b"not opened here")
    made: list[Inventory] = []
    beside = threading.Thread(target=lambda: made.append(back_up(rabat, tmp_path / "copy")))
    with rabat.private.still():
        beside.start()
        beside.join(0.5)
        assert not made
    beside.join(30)
    copied = {Path(kept.path).name for kept in made[0].files}
    assert living(f) <= copied
    assert "lock" not in copied
