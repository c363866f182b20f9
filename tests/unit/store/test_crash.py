"""kill -9 of a writing process: what it acknowledged is there, what it did not acknowledge is whole or absent."""

from __future__ import annotations

import random
import subprocess
import sys
import time

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, select

from tansiq.store import Store

tables = MetaData()
left = Table("left_half", tables, Column("id", Integer, primary_key=True))
right = Table("right_half", tables, Column("id", Integer, primary_key=True))

WRITER = """
import itertools, sys, threading
from sqlalchemy import Column, Integer, MetaData, Table
from tansiq.store import Store

url, first = sys.argv[1], int(sys.argv[2])
tables = MetaData()
left = Table("left_half", tables, Column("id", Integer, primary_key=True))
right = Table("right_half", tables, Column("id", Integer, primary_key=True))
store = Store.open(url)
numbers = itertools.count(first)
told = threading.Lock()

def put(number):
    def work(tx):
        tx.execute(left.insert().values(id=number))
        tx.execute(right.insert().values(id=number))
    return work

def run():
    while True:
        number = next(numbers)
        store.write(put(number))
        with told:
            print(number, flush=True)

for _ in range(4):
    threading.Thread(target=run).start()
"""


def ids(store: Store, table: Table) -> set[int]:
    with store.read() as tx:
        return set(tx.execute(select(table.c.id)).scalars())


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_a_killed_writer_loses_nothing_acknowledged_and_leaves_nothing_half_done(store_url: str, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  a test's chance must repeat
    store = Store.open(store_url)
    store.write(tables.create_all)
    acknowledged: set[int] = set()
    for first in (0, 1_000_000):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, store_url, str(first)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        with writer.stdout as lines:
            acknowledged.add(int(lines.readline()))  # it writes now
            time.sleep(chance.uniform(0, 0.15))
            writer.kill()
            acknowledged.update(int(line) for line in lines if line.endswith("\n"))
        writer.wait()
        assert acknowledged <= ids(store, left)
        assert ids(store, left) == ids(store, right)
    store.write(lambda tx: tx.execute(left.insert().values(id=-1)))  # the killed writer holds no lock
    store.close()
