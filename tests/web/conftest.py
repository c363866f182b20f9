"""One town for the tests of a file: making three nodes with keys and passwords is most of what such a test costs.

Not one for all files: what each leaves in the logs adds up, and a page that shows the newest fifty showed other rows
according to which files had run before.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tansiq.ledger import records
from tests.support.web import Browser, Town, make_town, program_of


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    made = make_town(tmp_path_factory.mktemp("town"))
    yield made
    made.federation.close()


@pytest.fixture
def own_town(tmp_path: Path) -> Iterator[Town]:
    """For who changes more of it than others may see."""
    made = make_town(tmp_path)
    yield made
    made.federation.close()


@pytest.fixture(scope="module")
def madrid(town: Town) -> Browser:
    """Salma, signed in at Madrid, who has said why she opens the two dossiers."""
    return signed_in(town, "madrid")


@pytest.fixture(scope="module")
def rabat(town: Town) -> Browser:
    return signed_in(town, "rabat")


@pytest.fixture(scope="module")
def program(town: Town) -> Browser:
    """A program with Salma's bearer token at Madrid."""
    return program_of(town)


def contradicted(folder: Path) -> Iterator[Town]:
    """Madrid has cosigned three leaves of Rabat's log that Rabat's log does not begin with."""
    made = make_town(folder)
    rabat, madrid = made.node("rabat"), made.node("madrid")
    false = (f"tansiq/{rabat.node_id}", 3, bytes(32), "")
    madrid.store.write(lambda tx: records.save_witnessed(tx, *false))
    rabat.be_witnessed()
    made.federation.pump(8)
    yield made
    made.federation.close()


def signed_in(town: Town, name: str, officer: str = "salma") -> Browser:
    browser = Browser(town.app(name))
    browser.sign_in(officer)
    for record in (town.dossier, town.request, "hits.list"):
        browser.say_why(record)
    return browser
