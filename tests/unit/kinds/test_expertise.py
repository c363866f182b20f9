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


def met(stance, *more):
    """Taken up by Madrid at Berlin's, agreed and held, and what else is written; as Berlin sees it."""
    berlin, madrid = Desk(BERLIN, EXPERTISE), Desk(MADRID, EXPERTISE)
    madrid.see(berlin.open((MADRID, RABAT), {**OFFER, "stance": stance}))
    taken = madrid.write("expertise.taken_up")
    berlin.see(taken)
    madrid.see(berlin.write("expertise.agreed", {"about": taken.id, "due": format_instant(START + timedelta(days=4))}))
    berlin.see(madrid.write("expertise.held", {"about": taken.id}, at=START + timedelta(days=5)))
    for author, act, facts in more:
        desk = {BERLIN: berlin, MADRID: madrid}[author]
        entry = desk.write(f"expertise.{act}", {"about": taken.id, **facts} if facts else {})
        berlin.see(entry)
        madrid.see(entry)
    return berlin


def test_of_a_wish_it_is_who_wished_that_tells_the_effect():
    assert codes(met("offer")) == {("expertise.tell_effect", MADRID)}
    assert codes(met("wish")) == {("expertise.tell_effect", BERLIN)}
    told = {"effect": "people_trained", "useful": "yes"}
    assert codes(met("wish", (MADRID, "effect_told", told))) == {("expertise.tell_effect", BERLIN)}
    assert codes(met("wish", (BERLIN, "effect_told", told))) == set()


def test_a_closed_offer_still_has_an_effect_to_tell():
    closed = met("offer", (BERLIN, "closed", {}))
    assert codes(closed) == {("expertise.tell_effect", MADRID)}
    told = {"effect": "none", "useful": "no"}
    assert codes(met("offer", (BERLIN, "closed", {}), (MADRID, "effect_told", told))) == set()


def test_what_is_too_early_to_tell_is_owed_again():
    berlin = met("offer", (MADRID, "effect_told", {"effect": "too_early", "useful": "partly"}))
    (duty,) = [d for d in duties(berlin.state(), EXPERTISE) if d.code == "expertise.tell_effect"]
    assert duty.due_at == berlin.state().entries[-1].statement.at + EFFECT


def test_a_closed_offer_waits_for_no_answer():
    berlin, madrid = Desk(BERLIN, EXPERTISE), Desk(MADRID, EXPERTISE)
    madrid.see(berlin.open((MADRID,), OFFER))
    berlin.see(madrid.write("expertise.taken_up"))
    berlin.write("expertise.withdrawn")
    assert codes(berlin) == set()


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
