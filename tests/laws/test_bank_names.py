"""Law: whatever is kept, changed, erased or rolled back, here or beside us, a search shows what is committed."""

from __future__ import annotations

import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tansiq.bank.model import Provenance
from tests.support.holdings import Holdings, by_name, person

NAMES = ("Yasser Tazeghart", "Nadia Ouazzani", "Klaus Lindemann", "Carlos Oliveira")
ACTS = st.tuples(st.sampled_from(["keep", "change", "erase", "fail", "look"]), st.integers(0, 1), st.integers(0, 3))


class Undo(Exception):
    pass


def act(what, there, name, committed, numbers):
    held = [record for record, known in committed.items() if known == name]
    if what == "keep":
        committed[there.keep(person(name), reference=f"r{next(numbers)}")] = name
    elif what == "change" and held:
        other = NAMES[(NAMES.index(name) + 1) % len(NAMES)]
        changed = {held[0]: (person(other), Provenance("own", f"r{next(numbers)}"))}
        there.store.write(lambda tx: there.bank.replace_many(tx, changed))
        committed[held[0]] = other
    elif what == "erase" and held:
        there.store.write(lambda tx: there.bank.remove(tx, held[0]))
        del committed[held[0]]
    elif what == "fail":

        def work(tx):
            there.bank.add(tx, person(name), Provenance("own", "never"))
            raise Undo

        try:
            there.store.write(work)
        except Undo:
            return


@given(st.lists(ACTS, max_size=14))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_search_shows_what_is_committed(tmp_path_factory, acts):
    url = f"sqlite:///{tmp_path_factory.mktemp('bank')}/tansiq.db"
    first, second = Holdings(url), Holdings(url, first_id=10_000)
    committed: dict[str, str] = {}
    numbers = itertools.count()
    try:
        for what, who, number in acts:
            act(what, (first, second)[who], NAMES[number], committed, numbers)
            if what == "look":
                show(first if who else second, NAMES[number], committed)
        for there, name in itertools.product((first, second), NAMES):
            show(there, name, committed)
    finally:
        first.close()
        second.close()


def show(there, name, committed):
    found = {c.record.id for c in by_name(there.bank, name, 20)}
    assert found == {record for record, known in committed.items() if known == name}
