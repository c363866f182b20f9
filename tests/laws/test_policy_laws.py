"""Laws of the law gate: a restriction never opens it, and it answers every question."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tansiq.policy import Action, Gate, Permit, Question, Refusal, load_gate
from tansiq.policy.texts import TEXTS
from tansiq.terms import CRIME_AREAS, PersonRole, TransferBasis

GIVEN = json.loads((Path(__file__).parents[1] / "vectors" / "policy" / "given.json").read_text("utf-8"))
COUNTRIES = ("MA", "ES", "DE", "PT", "FR", "IT", "GB")
AGREEMENTS = ("ma-es-2019", "ma-de", "ma-pt", "ma-fr", "ma-it", "es-de", "eu-2023-977")
ACTS = (
    "",
    "warning.acknowledged",
    "operation.measure_aborted",
    "committee.plan_accepted",
    "report.given",
    "request.made",
    "request.received",
    "request.refused",
    "dossier.erased",
    "dossier.recalled",
)
ROLES = ("analyst", "liaison", "supervisor", "protection", "admin")
PROPERTIES = ("name", "phone", "notes", "contacts", "contact_kind")


@cache
def gate(country: str) -> Gate:
    return load_gate(country)


def some(values: Any, **more: Any) -> st.SearchStrategy[frozenset[Any]]:
    return st.frozensets(st.sampled_from(values), max_size=2, **more)


TEXT = st.sampled_from(["", "case 17"])
FLAG = st.booleans()
OTHER: dict[str, st.SearchStrategy[Any]] = {
    "action": st.sampled_from(Action),
    "roles": some(ROLES),
    "originator": st.sampled_from(COUNTRIES),
    "kind": st.sampled_from(["report", "request", "warning", "operation", "assessment", "major_event", "committee"]),
    "entry_type": st.sampled_from(ACTS),
    "recipient": st.sampled_from([*COUNTRIES, None]),
    "recipients": st.integers(0, 5),
    "agreement": st.sampled_from([*AGREEMENTS, ""]),
    "purpose": st.sampled_from(["prevention", "system", ""]),
    "legal_basis": TEXT,
    "transfer_basis": st.sampled_from([*TransferBasis, ""]),
    "justification": TEXT,
    "handling": some(["H0", "H1", "H2", "H3"]),
    "handling_text": TEXT,
    "classification": st.sampled_from(["UNCLASSIFIED", "R-UE/EU-R"]),
    "urgency": st.sampled_from(["normal", "urgent"]),
    "crime_areas": some(CRIME_AREAS),
    "person_roles": some(list(PersonRole)),
    "properties": some([f"{r}:{p}" for r in PersonRole for p in PROPERTIES]),
    "has_persons": FLAG,
    "has_minors": FLAG,
    "has_special_categories": FLAG,
    "strictly_necessary": FLAG,
    "graded": FLAG,
    "review_on": st.sampled_from(["2027-05-22", ""]),
    "erase_on": st.sampled_from(["2029-11-22", "2060-01-01", ""]),
    "consent": FLAG,
    "interpol_channel": FLAG,
    "article_3": FLAG,
    "assurances": some(["no_death_penalty", "no_torture"]),
    "risk": some(["death_penalty", "torture"]),
    "second_officer": FLAG,
    "event_ends_on": st.sampled_from(["", "2027-07-21", "2029-06-30"]),
    "recipient_signed": FLAG,
    "has_text": FLAG,
}


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Near the border between permit and refusal: a vector's question with up to three fields changed."""
    base = GIVEN[draw(st.sampled_from(sorted(GIVEN)))]
    near = Question(**{k: frozenset(v) if isinstance(v, list) else v for k, v in base.items()})
    names = draw(st.lists(st.sampled_from(sorted(OTHER)), max_size=3, unique=True))
    return replace(near, **{"action": Action(near.action)} | {name: draw(OTHER[name]) for name in names})


def test_every_field_of_a_question_is_varied() -> None:
    assert {f.name for f in fields(Question)} - set(OTHER) == {"country"}


RESTRICTIONS: dict[str, Any] = {
    "H1": lambda q: {"handling": q.handling | {"H1"}},
    "H2": lambda q: {"handling": q.handling | {"H2"}},
    "H3": lambda q: {"handling": q.handling | {"H3"}},
    "no text of H3": lambda _: {"handling_text": ""},
    "classified": lambda _: {"classification": "S-UE/EU-S"},
    "no agreement": lambda _: {"agreement": ""},
    "no purpose": lambda _: {"purpose": ""},
    "no legal basis": lambda _: {"legal_basis": ""},
    "no transfer basis": lambda _: {"transfer_basis": ""},
    "no justification": lambda _: {"justification": ""},
    "no review": lambda _: {"review_on": ""},
    "no erasure": lambda _: {"erase_on": ""},
    "review after erasure": lambda _: {"review_on": "2031-01-01", "erase_on": "2030-01-01"},
    "a person": lambda _: {"has_persons": True},
    "a person of no category": lambda q: {"has_persons": True, "person_roles": q.person_roles | {""}},
    "a witness's phone": lambda q: {
        "has_persons": True,
        "person_roles": q.person_roles | {"WITN"},
        "properties": q.properties | {"WITN:phone"},
    },
    "a contact's contacts": lambda q: {"properties": q.properties | {"CONT:contacts"}},
    "minors": lambda _: {"has_minors": True},
    "sensitive": lambda _: {"has_special_categories": True},
    "not strictly necessary": lambda _: {"strictly_necessary": False},
    "no grade": lambda _: {"graded": False},
    "no consent": lambda _: {"consent": False},
    "INTERPOL's channel": lambda _: {"interpol_channel": True},
    "no declaration of art. 3": lambda _: {"article_3": False},
    "death penalty": lambda q: {"risk": q.risk | {"death_penalty"}},
    "torture": lambda q: {"risk": q.risk | {"torture"}},
    "no assurances": lambda _: {"assurances": frozenset()},
    "an unlisted offence": lambda q: {"crime_areas": q.crime_areas | {"racism_xenophobia"}},
    "no recipient": lambda _: {"recipient": None},
    "a free text": lambda _: {"has_text": True},
    "no signature": lambda _: {"recipient_signed": False},
    "an event without an end": lambda _: {"event_ends_on": ""},
    "a role that nobody knows": lambda q: {"roles": q.roles | {"director"}},
}
# An export to nobody stays here: to drop its recipient loosens it (export.abroad), as does the purpose "system".
LOOSENS = {"no recipient": lambda q: q.action is Action.EXPORT, "no purpose": lambda q: q.purpose == "system"}


@given(questions(), st.sampled_from(sorted(RESTRICTIONS)))
def test_a_restriction_never_turns_a_refusal_into_a_permit(q: Question, name: str) -> None:
    tighter = replace(q, **RESTRICTIONS[name](q))
    if name in LOOSENS and LOOSENS[name](q):
        return
    if isinstance(gate(q.country).decide(q), Refusal):
        assert isinstance(gate(q.country).decide(tighter), Refusal)


@given(questions())
def test_nothing_is_disclosed_but_under_an_agreement_or_as_a_protective_act(q: Question) -> None:
    decision = gate(q.country).decide(q)
    if isinstance(decision, Permit) and q.action in (Action.SEND, Action.FORWARD):
        sources = {c.source for c in decision.clauses}
        protective = {"roles.protective", "roles.machine_acts"} & {c.id for c in decision.clauses}
        assert protective or any(s.startswith("agreements/") for s in sources)
        assert protective or (q.review_on and q.erase_on) or not q.has_persons
        assert q.classification == "UNCLASSIFIED"


@given(questions())
def test_a_refusal_always_says_why(q: Question) -> None:
    decision = gate(q.country).decide(q)
    if isinstance(decision, Refusal):
        assert decision.reason == (decision.clauses[0].id if decision.clauses else "default_deny")
        assert decision.missing or "classification.ceiling" in {c.id for c in decision.clauses}
    else:
        assert decision.clauses


@given(st.text(max_size=20), st.text(max_size=20), st.frozensets(st.text(max_size=8), max_size=3), st.integers())
def test_a_question_of_any_content_gets_an_answer(one: str, other: str, several: frozenset[str], number: int) -> None:
    q = Question(
        Action.SEND,
        "MA",
        several,
        one,
        kind=other,
        entry_type=one,
        recipient=other,
        recipients=number,
        agreement=one,
        handling=several,
        properties=several,
        review_on=other,
    )
    assert isinstance(gate("MA").decide(q), Refusal)


@given(questions(), st.data())
def test_one_answer_serves_for_every_wording(q: Question, data: st.DataObject) -> None:
    """The gate remembers answers without an officer's own words: asked afresh, with them, it must say the same."""
    stated = [name for name in sorted(TEXTS) if getattr(q, name)]
    worded = replace(q, **{name: data.draw(st.text(min_size=1, max_size=12)) for name in stated})
    assert gate(q.country).decide(worded) == gate(q.country)._evaluate(worded)
