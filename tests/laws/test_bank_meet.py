"""Law: what is left out because it cannot come to a score would not have come to it."""

from __future__ import annotations

import itertools
import random

import pytest

from tests.support.holdings import Holdings, person

GIVEN = ("Yasser", "ياسر", "Yasir", "Nadia", "نادية", "Mohamed", "محمد", "Karim")
FAMILY = ("Tazeghart", "تازغارت", "Alaoui", "El Alaoui", "العلوي", "Lindemann", "Benomar", "بنعمر")
MORE = (
    {"birthDate": ("1985", "1985-03-20", "1986")},
    {"birthPlace": ("Rabat", "الرباط", "Madrid")},
    {"nationality": ("ma", "es")},
    {"fatherName": ("Hassan", "حسن")},
    {"phone": ("+212612345678", "0612345678", "+34600111222")},
)


def somebody(chance: random.Random):
    said = {prop: chance.choice(values) for row in MORE for prop, values in row.items() if chance.random() < 0.5}
    return person(f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}", **said)


@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_reaches_the_score_is_left_out(tmp_path, seed):
    chance = random.Random(seed)  # noqa: S311  # chosen, not secret
    there = Holdings(f"sqlite:///{tmp_path}/tansiq.db")
    try:
        for number in range(60):
            there.keep(somebody(chance), reference=f"r{number}")
        asked = [somebody(chance) for _ in range(12)]
        for least in (0.3, 0.7, 0.9):
            with there.store.read() as tx:
                met = there.bank.meet(tx, asked, 60, country="MA", least=least)
            for query, found in zip(asked, met, strict=True):
                every = there.bank.find(query, 60, country="MA")
                assert {c.record.id: c.score for c in every if c.score >= least} == {
                    c.record.id: c.score for c in found if c.score >= least
                }
        with there.store.read() as tx:
            assert any(itertools.chain.from_iterable(there.bank.meet(tx, asked, 60, least=0.7)))
    finally:
        there.close()
