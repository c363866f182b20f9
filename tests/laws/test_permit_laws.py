"""Law: no send without a permit and a leaf, whatever an officer writes; and what is refused leaves nothing behind."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tansiq.access.model import Role
from tansiq.errors import TansiqError
from tansiq.terms import LogVerb
from tests.support import acts
from tests.support.services import Federation


@pytest.fixture(scope="module")
def rabat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    folder: Path = tmp_path_factory.mktemp("permits")
    federation = Federation(folder, lambda name: f"sqlite:///{folder / name / 'tansiq.db'}")
    federation.add("rabat", "madrid", "berlin")
    yield federation
    federation.close()


CHANGES: dict[str, list[Any]] = {
    "purpose": ["investigation", "prevention", "curiosity", ""],
    "legal_basis": ["an example law", ""],
    "agreement": [{"ES": "ma-es-2019", "DE": "ma-de"}, {"ES": "ma-es-2019"}, "", "nothing"],
    "review_on": ["2027-05-22", ""],
    "erase_on": ["2029-11-22", "", "2020-01-01"],
}


@st.composite
def written(draw: st.DrawFn) -> tuple[dict[str, Any], list[str], frozenset[Role]]:
    """A report as a careless or hurried officer might write it."""
    body = copy.deepcopy(acts.report())
    for key, values in CHANGES.items():
        if draw(st.integers(0, 3)) == 0:
            body["legal"][key] = draw(st.sampled_from(values))
    if draw(st.booleans()):
        body["handling"] = draw(st.sampled_from([{"codes": ["H3"]}, {"codes": ["H3"], "text": "ask"}, {"codes": []}]))
    if draw(st.integers(0, 3)) == 0:
        body["parts"][2]["entity"]["role"] = draw(st.sampled_from(["WITN", "CONT", "VICT"]))
    if draw(st.integers(0, 3)) == 0:
        body["facts"]["urgency"] = "urgent"
    to = draw(st.lists(st.sampled_from(["es", "de"]), unique=True))
    roles = frozenset(draw(st.lists(st.sampled_from(list(Role)), unique=True)))
    return body, to, roles


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written())
def test_nothing_is_queued_without_a_permit_and_a_leaf(
    rabat: Federation, given_act: tuple[dict[str, Any], list[str], frozenset[Role]]
) -> None:
    from dataclasses import replace

    body, to, roles = given_act
    node = rabat.nodes["rabat"]
    by = replace(rabat.officers["rabat"], roles=roles)
    before = (len(node.dossiers.rows(limit=10_000)), len(node.exchange.deliveries(limit=10_000)), node.ledger.head()[0])
    try:
        dossier = node.dossiers.open("report", body, to, by)
    except TansiqError:
        after = (
            len(node.dossiers.rows(limit=10_000)),
            len(node.exchange.deliveries(limit=10_000)),
            node.ledger.head()[0],
        )
        assert after == before, "a refused act left something behind"
        return
    entry = node.dossiers.state(dossier).entries[0].id
    grants = {g.node: g for g in node.dossiers.grants(dossier)}
    leaves = [x for x in node.ledger.find(entry) if x.verb is LogVerb.DISCLOSE]
    queued = node.exchange.deliveries(ref=entry)
    assert len(queued) == len(to) == len(leaves) == len(grants)
    for delivery in queued:
        assert grants[delivery.to].clauses, "queued without a permitting clause"
        leaf = next(x for x in leaves if x.content and x.content["to"] == delivery.to)
        assert leaf.content is not None
        assert leaf.content["decision"] == "permit"
        assert leaf.content["clauses"] == list(grants[delivery.to].clauses)
