"""D-13: facts are seen by every member and erased by nobody, so words have no place in them."""

import pytest

from tansiq.dossiers.rules import parse_facts
from tansiq.errors import Invalid
from tansiq.kinds.committee import COMMITTEE
from tansiq.kinds.warning import WARNING
from tests.support.entries import MADRID, RABAT, Desk


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"owner": RABAT, "origin": "Karim Benali, born in Tetouan"}, "facts.origin"),
        ({"owner": RABAT, "meeting": "اجتماع"}, "facts.meeting"),
        ({"owner": RABAT, "origin": "x" * 600}, "facts.origin"),
    ],
)
def test_words_are_refused_by_field(facts, field):
    rule = COMMITTEE.act("committee.recommended")
    with pytest.raises(Invalid) as failure:
        parse_facts(rule, facts)
    assert failure.value.field == field
    assert "Karim" not in str(failure.value)


def test_keys_are_codes_too():
    rule = COMMITTEE.act("committee.scorecard_given")
    window = {"window_from": "", "window_until": ""}
    parse_facts(rule, {"member": MADRID, **window, "figures": {"requests.out": 3}})
    with pytest.raises(Invalid):
        parse_facts(rule, {"member": MADRID, **window, "figures": {"arrests of Karim Benali": 3}})


def test_a_partner_that_writes_words_changes_nothing():
    rabat = Desk(RABAT, WARNING)
    rabat.open((MADRID,), {"precedence": "routine"})
    said = rabat.write("warning.updated", {"grade": "B2 from Karim"})
    assert [m.code for m in rabat.state().marks if m.entry == said.id] == ["facts_wrong"]
