"""The published lists, whole: every entry comes in or is named, and listed persons are found in other spellings."""

from __future__ import annotations

import gzip
import re

import pytest

from tansiq.sources import import_into, read
from tansiq.sources.model import Reject
from tests.support.holdings import ANALYST, by_name

OLD, NEW = "sanctions/un_consolidated_2020-11-30.xml.gz", "sanctions/un_consolidated_2025-04-19.xml.gz"


@pytest.mark.parametrize(("name", "entries"), [(OLD, 1018), (NEW, 877)])
def test_every_entry_of_the_un_list_is_read(public, name, entries):
    raw = public(name)
    marks = len(re.findall(rb"<(?:INDIVIDUAL|ENTITY)>", gzip.decompress(raw)))
    rows = list(read(raw, "un"))
    assert marks == entries == len(rows)
    assert not [r for r in rows if isinstance(r, Reject)]


def test_a_newer_edition_of_the_un_list_replaces_the_older(public, there):
    take = lambda name: import_into(there.bank, there.store, there.ledger, read(public(name), "un"), ANALYST)  # noqa: E731
    assert take(OLD).added == 1018
    report = take(NEW)
    assert report.read == 877 == report.added + report.changed + report.unchanged
    assert 1018 - report.removed + report.added == 877 == there.bank.count("un")
    assert (report.added, report.removed) == (45, 186)


LISTED = {
    # Another Latin spelling, or Arabic script, of persons on the public UN list -> their reference there.
    "Abdelmalik Droukdal": "QDi.232",
    "عبد المالك دروكدال": "QDi.232",
    "Aiman Zaouahiri": "QDi.006",
    "أيمن الظواهري": "QDi.006",
    "إياد أغ غالي": "QDi.316",
    "Iyad Ag Rhali": "QDi.316",
    "Mochtar Belmochtar": "QDi.136",
    "محمد طاهر أنوري": "TAi.005",
    "Mohamed Tahir Anouari": "TAi.005",
    "عبد اللطيف منصور": "TAi.007",
}


def test_listed_persons_are_found_from_arabic_and_from_another_latin_spelling(public, there):
    import_into(there.bank, there.store, there.ledger, read(public(OLD), "un"), ANALYST)
    missed = []
    for name, reference in LISTED.items():
        found = [c.record.provenance.reference for c in by_name(there.bank, name, 3)]
        if reference not in found:
            missed.append((name, found))
    assert not missed


@pytest.mark.parametrize(
    ("name", "as_", "least"),
    [
        ("sanctions/eu_fsf_2018-12-21_two_entities.xml", "eu", 2),
        ("sanctions/ofac_sdn_2023-11.csv.gz", "ofac", 11_443),
        ("sanctions/canada_sema_2025.xml.gz", "ca", 4_759),
        ("ftm/donations.ftm.json.gz", "ftm", 184),
    ],
)
def test_other_public_files_are_read_and_nothing_is_lost(public, name, as_, least):
    rows = list(read(public(name), as_))
    taken = [r for r in rows if not isinstance(r, Reject)]
    assert len(taken) >= least
    assert {r.code for r in rows if isinstance(r, Reject)} <= {"source.schema_not_taken", "entity.no_claims"}
