"""What goes over all dossiers says as many statements of many as of few, and a search does not wait for all of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tansiq.bureau import search
from tansiq.errors import NotFound
from tansiq.kinds import example_of
from tansiq.node import Node
from tests.support.counted import statements
from tests.support.scenes import LEGAL
from tests.support.services import Federation

FEW, MANY = 3, 12
LAST = "zanzibar"


def fill(f: Federation, first: int, last: int) -> None:
    """Offers and wishes by turns; the last one has a word of its own."""
    for n in range(first, last):
        body: dict[str, Any] = {
            **(example_of("expertise", f.clock()) or {}),
            "legal": LEGAL,
            "subject": f"matter {LAST if n == MANY - 1 else n}",
        }
        body["facts"]["stance"] = "offer" if n % 2 else "wish"
        f.nodes["rabat"].dossiers.open("expertise", body, ["es"], f.officers["rabat"])
        f.clock.pass_time(timedelta(minutes=7))


def said(node: Node, verb: str, f: Federation) -> list[str]:
    by, now = f.officers["rabat"], f.clock()
    verbs: dict[str, Callable[[], object]] = {
        "list": node.dossiers.rows,
        "subjects": lambda: node.dossiers.subjects([r.id for r in node.dossiers.rows()]),
        "first scorecard": lambda: node.together.scorecard("es", now - timedelta(days=30), now, by),
        "next scorecard": lambda: node.together.scorecard("es", now - timedelta(days=30), now, by),
        "offers and wishes": lambda: node.together.meetings(by),
        "words": node.bureau.words.refresh,
        "restrictions": lambda: node.dossiers.restrictions.unread([r.id for r in node.dossiers.rows()], by),
    }
    with statements() as found:
        verbs[verb]()
    # A leaf says one more where the tree grows by a level.
    return [sql for sql in found if "ledger_" not in sql]


@pytest.mark.parametrize(
    "verb", ["list", "subjects", "first scorecard", "next scorecard", "offers and wishes", "words", "restrictions"]
)
def test_many_dossiers_cost_no_more_statements_than_few(make_federation: Callable[..., Federation], verb: str) -> None:
    f = make_federation()
    f.add("rabat", "madrid")
    counts = []
    for first, last in ((0, FEW), (FEW, MANY)):
        fill(f, first, last)
        f.restart("rabat")
        if verb == "next scorecard":
            said(f.nodes["rabat"], "first scorecard", f)
        counts.append(said(f.nodes["rabat"], verb, f))
    assert len(f.nodes["rabat"].dossiers.rows()) == MANY
    assert len(counts[0]) == len(counts[1]) > 0, counts[1]


@pytest.fixture
def started(make_federation: Callable[..., Federation]) -> Federation:
    """Rabat has read nothing yet of the many that it holds."""
    f = make_federation()
    f.add("rabat", "madrid")
    fill(f, 0, MANY)
    f.restart("rabat")
    return f


def test_a_search_is_answered_while_older_texts_are_being_read(
    started: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    f = started
    bureau, by = f.nodes["rabat"].bureau, f.officers["rabat"]
    monkeypatch.setattr(search, "SLICE", 5)
    seen: list[tuple[tuple[int, int] | None, int, int]] = []

    def rest(took: float) -> bool:
        assert took >= 0
        seen.append((bureau.searched(), len(bureau.search("matter", 50, by)), len(bureau.search(LAST, 50, by))))
        return True

    assert bureau.searched() is None
    bureau.words.read_beside(rest)
    assert seen == [((5, MANY), 5, 0), ((10, MANY), 10, 0), ((MANY, MANY), MANY, 1)]
    assert bureau.searched() is None
    assert len(bureau.search("matter", 50, by)) == MANY
    assert bureau.words.refresh() == 0


def test_who_must_have_all_waits_for_all_and_a_node_that_stops_reads_no_further(
    started: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    f = started
    words = f.nodes["rabat"].bureau.words
    monkeypatch.setattr(search, "SLICE", 5)
    words.read_beside(lambda _took: False)
    assert len(words._at) == 5
    found: list[int] = []
    words.read_beside(lambda _took: bool(found.append(len(words.find("matter", 50)))) or True)
    assert found[0] == MANY


def test_a_dossier_that_does_not_read_keeps_no_figure_and_no_list_from_the_others(
    make_federation: Callable[..., Federation],
) -> None:
    f = make_federation()
    f.add("rabat", "madrid")
    fill(f, 0, FEW)
    rabat = f.nodes["rabat"]
    broken = rabat.dossiers.rows()[0].id
    with rabat.store.read() as tx:
        (part,) = tx.execute(
            text("select p.id from dossier_parts p join dossier_entries e on e.id = p.entry "
                 "where e.dossier = :d and p.kind = 'subject'"), {"d": broken},
        ).scalars()  # fmt: skip
    spoil = text("update dossier_entries set raw = :raw where dossier = :d")
    seal = text("update dossier_parts set sealed = :raw where id = :p")
    rabat.store.write(lambda tx: tx.execute(spoil, {"raw": b"{}", "d": broken}))
    rabat.store.write(lambda tx: tx.execute(seal, {"raw": b"no", "p": part}))
    f.restart("rabat")
    rabat, by = f.nodes["rabat"], f.officers["rabat"]
    assert len(list(rabat.dossiers.folds([r.id for r in rabat.dossiers.rows()]))) == FEW - 1
    figures = rabat.together.scorecard("es", f.clock() - timedelta(days=30), f.clock(), by).figures
    assert figures["messages.out"] == FEW - 1
    assert [r.subject for r in rabat.dossiers.rows()].count("") == 1
    assert len(rabat.bureau.words.find("matter", 9)) == FEW - 1
    assert rabat.dossiers.subject(broken) == ""


def test_a_dossier_is_found_by_its_first_characters(make_federation: Callable[..., Federation]) -> None:
    f = make_federation()
    f.add("rabat", "madrid")
    fill(f, 0, 1)
    (row,) = f.nodes["rabat"].dossiers.rows()
    for length in range(3, len(row.id) + 1):
        assert f.nodes["rabat"].dossiers.find(row.id[:length]) == row.id
    for word in (f"{row.id}0", f"{row.id[:9]}g", "%", "d-_"):
        with pytest.raises(NotFound):
            f.nodes["rabat"].dossiers.find(word)
