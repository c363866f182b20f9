"""What the law gate is asked in the life of a dossier: at recording, at a later delivery, before use, at an erasure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from tansiq.access.model import Acting, Role
from tansiq.errors import Invalid, Refused, TansiqError
from tansiq.store import metadata
from tansiq.terms import DossierId, LogVerb
from tests.support import acts
from tests.support.services import Federation


@pytest.fixture
def services(make_federation: Callable[..., Federation]) -> Federation:
    federation = make_federation("gate")
    federation.add("rabat", "madrid")
    return federation


def report(**more: Any) -> dict[str, Any]:
    return acts.report() | more


def opened(services: Federation, by: Acting | None = None, **more: Any) -> str:
    made = services.nodes["rabat"].dossiers.open("report", report(**more), ["es"], by or services.officers["rabat"])
    services.pump()
    return made


def with_role(services: Federation, name: str, *roles: Role) -> Acting:
    return replace(services.officers[name], roles=frozenset(roles))


def test_what_is_recorded_names_the_clause_that_permits_it(services: Federation) -> None:
    rabat = services.nodes["rabat"]
    entry = rabat.dossiers.state(opened(services)).entries[0].id
    leaves = {x.verb: x.content for x in rabat.ledger.find(entry)}
    assert leaves[LogVerb.COLLECT]["clauses"] == ["roles.record"]
    assert "ma-es-2019.1" in leaves[LogVerb.DISCLOSE]["clauses"]


def test_where_an_agreement_is_missing_those_in_force_are_named(services: Federation) -> None:
    legal = acts.report()["legal"] | {"agreement": "ma-fr"}
    with pytest.raises(Refused) as caught:
        opened(services, legal=legal)
    assert (caught.value.code, caught.value.field) == ("policy.refused", "ES")
    assert caught.value.hint == "in legal.agreement name: ma-es-2019"


def test_who_may_not_record_does_not_record_for_nobody(services: Federation) -> None:
    """An act without addressees is sent to nobody, and is asked all the same."""
    rabat, made = services.nodes["rabat"], opened(services)
    note = acts.note("report.note_added") | {"to": []}
    with pytest.raises(Refused) as caught:
        rabat.dossiers.append(made, note, with_role(services, "rabat", Role.ADMIN))
    assert (caught.value.code, caught.value.step, caught.value.field) == ("policy.refused", "append", "role")
    assert len(rabat.dossiers.state(made).entries) == 1
    rabat.dossiers.append(made, note, services.officers["rabat"])


@pytest.mark.parametrize("role", [Role.ANALYST, Role.PROTECTION, Role.ADMIN])
def test_nobody_is_asked_to_confirm_what_could_never_be_written(services: Federation, role: Role) -> None:
    """A second officer adds a word, and no role to the first one's: whoever may not send lays nothing down."""
    rabat = services.nodes["rabat"]
    first, _ = rabat.access.add_officer(f"First, {role}", (role,), None)
    by = Acting(first.id, first.roles, "investigation", "case 7")
    asked = acts.report() | {"handling": {"codes": ["H3"], "text": "Not to be told to the consulate."}}
    with pytest.raises(Refused) as caught:
        rabat.propose({"kind": "report", "to": ["es"], "body": asked}, by)
    assert (caught.value.code, caught.value.field) == ("policy.refused", "ES")
    assert rabat.access.pending() == []
    assert rabat.propose({"kind": "report", "to": ["es"], "body": asked}, services.officers["rabat"])


@pytest.mark.parametrize("role", [Role.PROTECTION, Role.ADMIN])
def test_an_act_for_nobody_is_laid_down_by_who_may_write_it_alone(services: Federation, role: Role) -> None:
    """Nobody is sent it, so nobody's refusal tells: the gate is asked whether it may be written at all."""
    rabat, made = services.nodes["rabat"], opened(services)
    first, _ = rabat.access.add_officer(f"First, {role}", (role,), None)
    by = Acting(first.id, first.roles, "investigation", "case 7")
    note = acts.note("report.note_added") | {"to": []}
    assert rabat.dossiers.preview_append(made, note, by) == []
    with pytest.raises(Refused) as caught:
        rabat.propose({"dossier": made, "body": note}, by)
    assert (caught.value.code, caught.value.step, caught.value.field) == ("policy.refused", "append", "role")
    assert rabat.access.pending() == []
    assert rabat.propose({"dossier": made, "body": note}, services.officers["rabat"])


def test_a_part_that_nobody_is_given_is_asked_too(services: Federation) -> None:
    body = acts.report()
    child = {
        "kind": "entity",
        "withhold_from": ["es"],
        "entity": {
            "id": "p9", "schema": "Person", "role": "SUSP",
            "claims": [{"property": "name", "value": "Anis Zerouali", "grade": "B2"},
                       {"property": "birthDate", "value": "2015-01-01", "grade": "B2"}],
        },
    }  # fmt: skip
    body["parts"] = [*body["parts"], child]
    with pytest.raises(Refused) as caught:
        services.nodes["rabat"].dossiers.open("report", body, ["es"], services.officers["rabat"])
    assert (caught.value.step, caught.value.clauses) == ("append", ("persons.minors",))
    services.nodes["rabat"].dossiers.open(
        "report", body | {"strictly_necessary": True}, ["es"], services.officers["rabat"]
    )


def test_what_is_refused_leaves_nothing_behind(services: Federation) -> None:
    """Its signature is begun before the law gate and the life cycle are asked, and goes with the refusal."""
    rabat, by = services.nodes["rabat"], services.officers["rabat"]

    def rows() -> dict[str, int]:
        with rabat.store.read() as tx:
            counted = {t.name: tx.execute(select(func.count()).select_from(t)) for t in metadata.sorted_tables}
            return {name: found.scalar_one() for name, found in counted.items()}

    made = rabat.dossiers.open("report", acts.report(), ["es"], by)
    services.pump()
    before = rows()
    with pytest.raises(Refused):
        rabat.dossiers.open("report", acts.report(), ["es"], with_role(services, "rabat", Role.ADMIN))
    with pytest.raises(Invalid):
        rabat.dossiers.append(made, {"type": "dossier.permission_answered", "facts": {"asked": "e-" + "0" * 64}}, by)
    assert rows() == before


def test_a_newcomer_is_asked_for_with_what_was_declared(services: Federation) -> None:
    """The first sending of special categories needed a liaison officer (Law 09-08 art. 21); so does every later one."""
    made = opened(services, special_categories=True, strictly_necessary=True)
    services.add("lisbon")
    rabat, lisbon = services.nodes["rabat"], services.nodes["lisbon"]
    with pytest.raises(Refused) as caught:
        rabat.dossiers.admit(made, lisbon.node_id, with_role(services, "rabat", Role.ANALYST))
    assert "ma.09-08.21" in caught.value.clauses
    assert caught.value.step == "deliver"
    services.pump()
    assert lisbon.dossiers.rows() == []
    rabat.dossiers.admit(made, lisbon.node_id, services.officers["rabat"])
    services.pump()
    assert len(lisbon.dossiers.rows()) == 1


def test_an_entry_whose_declaration_is_not_there_goes_to_nobody_new(services: Federation) -> None:
    made = opened(services)
    services.add("lisbon")
    rabat, lisbon = services.nodes["rabat"], services.nodes["lisbon"]
    rabat.store.write(lambda tx: tx.exec_driver_sql("delete from dossier_declared"))
    with pytest.raises(Refused) as caught:
        rabat.dossiers.admit(made, lisbon.node_id, services.officers["rabat"])
    assert (caught.value.code, caught.value.field) == ("declaration.not_kept", "entry")


def test_what_a_restore_lost_an_officer_declares_anew_and_the_gate_is_asked_with_it(services: Federation) -> None:
    made = opened(services, special_categories=True, strictly_necessary=True)
    services.pump()
    services.add("lisbon")
    rabat, madrid, lisbon = (services.nodes[n] for n in ("rabat", "madrid", "lisbon"))
    by, entry = services.officers["rabat"], rabat.dossiers.state(made).entries[0].id
    said = {"special_categories": True, "strictly_necessary": True}

    def code(work: Callable[[], object]) -> str:
        with pytest.raises(TansiqError) as caught:
            work()
        return caught.value.code

    assert code(lambda: rabat.dossiers.declare(entry, said, by)) == "declaration.kept"
    rabat.store.write(lambda tx: tx.exec_driver_sql("delete from dossier_declared"))
    assert code(lambda: rabat.dossiers.declare(entry, {**said, "subject": "x"}, by)) == "declaration.field"
    with_codes = {**said, "handling": {"codes": ["H3"]}}
    assert code(lambda: rabat.dossiers.declare(entry, with_codes, by)) == "declaration.field"
    assert code(lambda: rabat.dossiers.declare(entry, said, replace(by, justification=" "))) == "declaration.why"
    assert code(lambda: rabat.dossiers.declare(entry, said, with_role(services, "rabat", Role.ADMIN))) == "access.role"
    assert code(lambda: madrid.dossiers.declare(entry, said, services.officers["madrid"])) == "declaration.not_ours"
    rabat.dossiers.declare(entry, said, by)
    analyst = with_role(services, "rabat", Role.ANALYST)
    with pytest.raises(Refused) as caught:
        rabat.dossiers.admit(made, lisbon.node_id, analyst)
    assert "ma.09-08.21" in caught.value.clauses, "as with what was declared first"
    rabat.dossiers.admit(made, lisbon.node_id, by)
    services.pump()
    assert len(lisbon.dossiers.rows()) == 1
    (leaf,) = [x for x in rabat.ledger.find(entry) if (x.content or {}).get("decision") == "declared"]
    assert leaf.content is not None
    assert (leaf.content["officer"], leaf.content["declared"]["special_categories"]) == (by.officer, True)
    with rabat.store.read() as tx:
        (row,) = tx.exec_driver_sql("select sealed from dossier_declared where entry = '" + entry + "'")
    assert b"special" not in bytes(row.sealed)


def test_what_was_declared_travels_nowhere_and_lies_sealed(services: Federation) -> None:
    opened(services, special_categories=True, strictly_necessary=True, risk=["torture"], assurances=["no_torture"])
    for name in ("rabat", "madrid"):
        with services.nodes[name].store.read() as tx:
            rows = [bytes(r.sealed) for r in tx.exec_driver_sql("select sealed from dossier_declared")]
        assert len(rows) == (1 if name == "rabat" else 0)
        assert not any(b"torture" in row for row in rows)


def test_what_another_restricted_is_used_only_by_who_confirmed_it(services: Federation) -> None:
    made = opened(services, handling={"codes": ["H3"], "text": "only for the case at hand"})
    madrid, by = services.nodes["madrid"], services.officers["madrid"]
    about = madrid.dossiers.state(made).entries[0].id
    feedback = {"type": "dossier.feedback", "facts": {"about": about, "outcome": "used"}}
    hurried = replace(by, purpose="", justification="")
    for officer in (by, hurried):
        with pytest.raises(Refused) as caught:
            madrid.dossiers.append(made, feedback, officer)
        assert (caught.value.code, caught.value.field) == ("handling.h3_unread", "acknowledge")
    asked = {"type": "dossier.permission_requested", "facts": {"about": about, "to": "PT"}}
    madrid.dossiers.append(made, asked, by)
    madrid.acknowledge_h3(made, by)
    madrid.dossiers.append(made, feedback, by)


def test_who_does_not_say_why_reads_no_dossier_and_no_restricted_one(services: Federation) -> None:
    """Once, the dossier's own purpose stood in for the officer's, and the restriction was never asked about."""
    madrid = services.nodes["madrid"]
    silent = replace(services.officers["madrid"], purpose="", justification="")
    for codes, text in ((["H2"], ""), (["H3"], "Not to be told to the consulate.")):
        made = DossierId(opened(services, handling={"codes": codes, "text": text}))
        with pytest.raises(Refused) as caught:
            madrid.show(made, silent)
        assert caught.value.clauses == ("led.25",)
        assert not madrid.dossiers.may_show(made, silent)
    assert madrid.dossiers.may_show(made, services.officers["madrid"])


def test_its_own_author_writes_on_without_confirming(services: Federation) -> None:
    made = opened(services, handling={"codes": ["H3"], "text": "only for the case at hand"})
    services.nodes["rabat"].dossiers.append(made, acts.note("report.note_added"), services.officers["rabat"])


def test_a_recall_that_says_nothing_is_free_and_one_with_a_note_is_content(services: Federation) -> None:
    rabat, made = services.nodes["rabat"], opened(services)
    first = rabat.dossiers.state(made).entries[0]
    facts = {"about": first.id, "part": first.parts[1].ref.id, "reason": "inaccurate"}
    guardian = with_role(services, "rabat", Role.PROTECTION)
    with pytest.raises(Refused) as caught:
        rabat.dossiers.append(made, acts.note("dossier.recalled", "he lives elsewhere", **facts), guardian)
    assert "roles.send" in caught.value.clauses
    rabat.dossiers.append(made, {"type": "dossier.recalled", "facts": facts}, guardian)


def test_a_recalled_part_goes_under_a_clause(services: Federation) -> None:
    rabat, madrid, made = services.nodes["rabat"], services.nodes["madrid"], opened(services)
    first = rabat.dossiers.state(made).entries[0]
    part = next(p.ref.id for p in first.parts if p.ref.kind == "entity")
    facts = {"about": first.id, "part": part, "reason": "inaccurate"}
    rabat.dossiers.append(made, {"type": "dossier.recalled", "facts": facts}, services.officers["rabat"])
    services.pump()
    erased = [x.content for x in madrid.ledger.find(part) if x.verb is LogVerb.ERASE]
    assert [c["clauses"] for c in erased] == [["roles.machine", "LED art. 16", "LED art. 25"]]
