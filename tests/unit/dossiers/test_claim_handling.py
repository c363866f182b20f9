"""A refusal that the handling of a single value brings about names the part that holds it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tansiq.bank import parse_entity
from tansiq.dossiers.drafting import Asker, Draft, DraftPart, Place, question, with_parts
from tansiq.dossiers.frame import FRAME_ACTS
from tansiq.dossiers.model import Legal
from tansiq.policy import Permit, Refusal, load_gate
from tansiq.policy.model import Clause, Question
from tansiq.terms import Handling, NodeId

ES = NodeId("es-" + "a" * 20)
NOW = datetime(2026, 11, 22, tzinfo=UTC)
CLAUSE = Clause("example.h1", "Example Act art. 1", "H1 is not sent", "policies/xx.cedar")


def phone(place: str, handling: str = "", hidden: frozenset[NodeId] = frozenset()) -> DraftPart:
    claim = {"property": "number", "value": "+212600000087", "handling": handling}
    entity = parse_entity({"id": "ph1", "schema": "Phone", "claims": [claim]})
    return DraftPart("entity", {}, hidden, entity, place=place)


def no_h1(asked: Question) -> Permit | Refusal:
    """A national law that lets nothing under H1 out."""
    return Refusal((CLAUSE,), CLAUSE.id) if "H1" in asked.handling else Permit((CLAUSE,))


def asked_of(*parts: DraftPart, codes: tuple[str, ...] = ()) -> tuple[Draft, Question]:
    legal = Legal("investigation", "art. 4", {"*": "ma-es-2019"}, erase_on="2030-01-01", review_on="2028-01-01")
    draft = Draft(FRAME_ACTS["dossier.corrected"], Handling.parse(codes), legal, {}, parts, (ES,))
    asker = Asker("MA", frozenset({"liaison"}), "investigation", "case 7", second=False)
    return draft, question(draft, asker, place=Place("report", "", signed=True), to=ES, at=NOW)


def test_the_part_whose_value_is_stricter_is_named_and_no_other() -> None:
    draft, asked = asked_of(phone("parts[0]"), phone("parts[1]", "H1"), phone("parts[2]", "H2"))
    assert asked.handling == {"H0", "H1", "H2"}
    found = with_parts(no_h1(asked), asked, draft, ES, no_h1)
    assert isinstance(found, Refusal)
    assert (found.parts, found.clauses) == (("parts[1]",), (CLAUSE,))


def test_a_part_that_is_withheld_from_the_recipient_does_not_bind() -> None:
    draft, asked = asked_of(phone("parts[0]"), phone("parts[1]", "H1", frozenset({ES})))
    assert asked.handling == {"H0"}
    assert isinstance(with_parts(no_h1(asked), asked, draft, ES, no_h1), Permit)


def test_what_the_act_itself_forbids_is_no_parts_fault() -> None:
    draft, asked = asked_of(phone("parts[0]", "H1"), codes=("H1",))
    found = with_parts(no_h1(asked), asked, draft, ES, no_h1)
    assert isinstance(found, Refusal)
    assert found.parts == ()


@pytest.mark.parametrize("codes", [(), ("H2",)])
def test_the_shipped_law_lets_a_service_send_what_it_binds_itself(codes: tuple[str, ...]) -> None:
    draft, asked = asked_of(phone("parts[0]", "H1 H2"), codes=codes)
    gate = load_gate("MA")
    assert isinstance(with_parts(gate.decide(asked), asked, draft, ES, gate.decide), Permit)
