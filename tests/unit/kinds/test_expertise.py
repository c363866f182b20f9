"""Exchange of expertise: offers, wishes, who used what, what it changed."""

from datetime import timedelta

from tansiq.dossiers.rules import duties
from tansiq.kinds.expertise import EXPERTISE, suit
from tansiq.kinds.expertise.model import EFFECT
from tansiq.terms import format_instant
from tests.support.entries import BERLIN, MADRID, RABAT, START, Desk

OFFER = {"stance": "offer", "form": "training", "topics": ["crowd_management"], "languages": ["fr", "es"]}
WISH = {"stance": "wish", "form": "training", "topics": ["crowd_management", "languages"], "languages": ["fr"]}


def codes(desk):
    return {(d.code, d.owner) for d in duties(desk.state(), EXPERTISE) if d.code.startswith("expertise.")}


def test_from_offer_to_effect():
    berlin, madrid = Desk(BERLIN, EXPERTISE), Desk(MADRID, EXPERTISE)
    madrid.see(berlin.open((MADRID, RABAT), OFFER))
    taken = madrid.write("expertise.taken_up", {"people": 6, "language": "es"})
    berlin.see(taken)
    assert codes(berlin) == {("expertise.answer", BERLIN)}
    agreed = berlin.write("expertise.agreed", {"about": taken.id, "due": format_instant(START + timedelta(days=40))})
    assert codes(berlin) == {("expertise.hold", MADRID)}
    madrid.see(agreed)
    held = madrid.write("expertise.held", {"about": taken.id, "people": 6}, at=START + timedelta(days=41))
    berlin.see(held)
    (duty,) = [d for d in duties(berlin.state(), EXPERTISE) if d.code == "expertise.tell_effect"]
    assert (duty.owner, duty.due_at) == (MADRID, held.statement.at + EFFECT)
    told = {"about": taken.id, "effect": "procedure_changed", "useful": "yes"}
    wrong = berlin.write("expertise.effect_told", told)
    assert wrong.id in berlin.state().voided()
    madrid.write("expertise.effect_told", told)
    (item,) = madrid.state().own.items.values()
    assert (item.state, item.facts["effect"]) == ("told", "procedure_changed")


def test_an_offer_without_a_topic_opens_nothing():
    berlin = Desk(BERLIN, EXPERTISE)
    berlin.open((MADRID,), {**OFFER, "topics": []})
    assert berlin.state().opener is None


def test_offers_and_wishes_meet():
    fit = suit(OFFER, WISH, START)
    assert fit is not None
    assert fit.topics == ("crowd_management",)
    assert fit.languages == ("fr",)
    assert suit(WISH, OFFER, START) == fit


def test_what_does_not_meet():
    past = format_instant(START - timedelta(days=1))
    for other in (OFFER, {**WISH, "topics": ["drone_defence"]}, {**WISH, "languages": ["de"]}, {**WISH, "until": past}):
        assert suit(OFFER, other, START) is None
