"""A partner that goes through a list of guesses: the quota stops it, an alarm tells, both ledgers keep it."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest

from tansiq.errors import Refused
from tansiq.matching import asked_keys
from tansiq.private import ESCALATIONS
from tansiq.private.model import Tier
from tests.support.checks import HAMMUSCHI, code_of, leaves, person, serve, supervisor
from tests.support.services import Federation

QUOTA = 512
NAMES = ("Karim", "Samir", "Rachid", "Hassan", "Yasin", "Omar", "Nabil", "Tarik")
FAMILIES = ("Hammuschi", "Benali", "Tazi", "Alaoui", "Berrada", "Fassi", "Naciri", "Ziani")


def guesses() -> list[tuple[str, bytes]]:
    """Common names with every day of one year: 64 x 365 people, the cheapest key of each."""
    found = []
    for day, month in product(range(1, 29), range(1, 13)):
        for given, family in product(NAMES, FAMILIES):
            keys = asked_keys({"names": [f"{given} {family}"], "birth_dates": [f"1987-{month:02}-{day:02}"]})
            found += [(k.key_class.value, k.input) for k in keys if k.key_class.value == "nd"][:1]
        if len(found) > 4 * QUOTA:
            break
    return found


@pytest.fixture
def limited(services: Federation) -> Federation:
    services.chosen["madrid"] = {"quota_low": QUOTA, "burst_low": 0, "ceiling_low": QUOTA + 256}
    services.restart("madrid")
    services.hold("madrid", [HAMMUSCHI, *(person(f"Karim Nom{n}an", "1987-01-02", f"x-{n}") for n in range(5))])
    serve(services, "madrid", "rabat", "berlin")
    return services


def guess(f: Federation, asker: str) -> str:
    node = f.nodes[asker]
    return code_of(
        lambda: node.private.ask_inputs(
            f.nodes["madrid"].node_id, Tier.LOW, guesses(), "case 7", f.officers[asker], ref=""
        )
    )


def evaluated(f: Federation, asker: str) -> int:
    partner = f.nodes[asker].node_id
    rows = f.nodes["madrid"].private.asked_of_us()
    return sum(u.evaluations for u in rows if u.partner == partner and not u.code)


def test_the_quota_stops_it_and_what_it_tries_next_gets_it_nothing(limited: Federation) -> None:
    f = limited
    assert guess(f, "rabat") == "meter.quota"
    assert evaluated(f, "rabat") == QUOTA
    for _ in range(3):
        assert guess(f, "rabat") == "meter.quota"
    f.restart("rabat")
    assert guess(f, "rabat") == "meter.quota"
    f.restart("madrid")
    assert guess(f, "rabat") == "meter.quota"
    assert evaluated(f, "rabat") == QUOTA
    (meter,) = [m for m in f.nodes["madrid"].private.meters() if m.partner[:2] == "ma" and m.tier == "low"]
    assert (meter.spent, meter.per_day) == (QUOTA, QUOTA)


def test_half_of_it_is_an_alarm_that_a_supervisor_must_see(limited: Federation) -> None:
    f = limited
    guess(f, "rabat")
    madrid = f.nodes["madrid"].private
    told = {n.code: n for n in madrid.notices()}
    assert {"private.alarm.quota_half", "private.alarm.quota_spent"} <= set(told)
    half = told["private.alarm.quota_half"]
    assert (half.partner, half.tier, half.of) == (f.nodes["rabat"].node_id, "low", QUOTA)
    owed = {d.notice: d for d in madrid.duties()}
    assert owed[half.id].code in ESCALATIONS
    assert owed[half.id].due_at > f.clock() > owed[half.id].since - timedelta(seconds=1)
    assert owed[half.id].due_at - f.clock() <= timedelta(days=1)
    with pytest.raises(Refused):
        madrid.seen(half.id, f.officers["madrid"])
    madrid.seen(half.id, supervisor(f, "madrid"))
    assert half.id not in {d.notice for d in madrid.duties()}
    assert half.id not in {n.id for n in madrid.notices()}
    assert half.id in {n.id for n in madrid.notices(all_of_them=True)}


def test_both_ledgers_tell_the_same_story(limited: Federation) -> None:
    f = limited
    guess(f, "rabat")
    counted = [x for x in leaves(f, "madrid") if x["decision"] == "evaluated"]
    asked = {x["subject"]: x for x in leaves(f, "rabat") if x["decision"] == "asked"}
    assert sum(x["count"] for x in counted) == QUOTA
    for x in counted:
        assert asked[x["subject"]]["count"] == x["count"]
        assert (asked[x["subject"]]["case"], asked[x["subject"]]["purpose"]) == (x["case"], x["purpose"])
    refused_here = [x["code"] for x in leaves(f, "madrid") if x["decision"] == "refused"]
    refused_there = [x["code"] for x in leaves(f, "rabat") if x["decision"] == "refused"]
    assert refused_here == refused_there == ["meter.quota"]
    assert [x for x in leaves(f, "madrid", "private.alarm.") if x["decision"] == "alarm"]
    for name in ("rabat", "madrid"):
        assert f.nodes[name].ledger.verify().broken_at is None


def test_partners_together_meet_the_ceiling(limited: Federation) -> None:
    f = limited
    assert guess(f, "rabat") == "meter.quota"
    assert guess(f, "berlin") == "meter.ceiling"
    assert evaluated(f, "berlin") == 256
    codes = {n.code for n in f.nodes["madrid"].private.notices()}
    assert "private.alarm.ceiling_half" in codes
