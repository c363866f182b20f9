"""The gate beyond its vectors: what it refuses to load, how it fails, and what it tells of itself."""

from __future__ import annotations

import time
from dataclasses import replace
from importlib import resources
from pathlib import Path

import cedarpy
import pytest

from tansiq.bank.wire import properties
from tansiq.dossiers.frame import FRAME_ACTS
from tansiq.errors import Invalid
from tansiq.kinds import KINDS
from tansiq.policy import Action, Gate, Permit, Question, Refusal, load_gate
from tansiq.policy.texts import TEXTS, only_asked_for
from tansiq.policy.wire import parse_lists, parse_rules, parse_titles
from tansiq.terms import PersonRole

PACKAGE = Path(str(resources.files("tansiq.policy")))
SCHEMA = (PACKAGE / "tansiq.cedarschema").read_text("utf-8")
LISTS = (PACKAGE / "policies" / "lists.toml").read_text("utf-8")
SHIPPED = sorted(PACKAGE.glob("*/*.cedar"))
VIEW = Question(Action.VIEW, "ES", frozenset({"analyst"}), "ES", purpose="prevention")
CLAUSE = '@id("own.rule") @law("Decree 1") @title("A rule of our own")\n'


def gate_of(rules: str, agreements: str = "", country: str = "ES") -> Gate:
    """A gate with one file of rules, and the shipped schema and lists."""
    texts = {"own.cedar": rules, "tansiq.cedarschema": SCHEMA, "lists.toml": LISTS}
    return Gate(country, texts, {"own.cedar": agreements} if agreements else {})


def refused_to_load(code: str, rules: str, agreements: str = "") -> Invalid:
    with pytest.raises(Invalid) as caught:
        gate_of(rules, agreements)
    assert caught.value.code == code
    assert caught.value.step == "load policies"
    return caught.value


# ---- what is shipped ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.name)
def test_every_shipped_rule_fits_the_schema(path: Path) -> None:
    result = cedarpy.validate_policies(path.read_text("utf-8"), SCHEMA)
    assert result.validation_passed, result.errors


@pytest.mark.parametrize("path", [*SHIPPED, PACKAGE / "policies" / "lists.toml"], ids=lambda p: p.name)
def test_every_shipped_file_says_that_it_is_an_example(path: Path) -> None:
    head = " ".join(path.read_text("utf-8").split("\n\n")[0].replace("//", " ").replace("#", " ").split())
    assert "EXAMPLE" in head
    assert "No authority has approved" in head


@pytest.mark.parametrize("name", ["ma-de", "ma-pt", "ma-fr", "ma-it", "es-de"])
def test_an_invented_agreement_says_so(name: str) -> None:
    text = (PACKAGE / "agreements" / f"{name}.cedar").read_text("utf-8")
    assert "INVENTED TEXT" in text
    found = load_gate("ES").agreement(name)
    assert found is not None
    assert "(invented)" in found.title


def test_every_clause_has_a_title_in_five_languages() -> None:
    gate = load_gate("ma")
    assert gate.country == "MA"
    for clause in gate.clauses():
        titles = {gate.title(clause.id, language) for language in ("en", "ar", "fr", "es", "de")}
        assert len(titles) == 5, clause.id
        assert gate.title(clause.id) == clause.title
        assert gate.title(clause.id, "pt") == clause.title


def test_every_agreement_has_a_name_in_five_languages() -> None:
    gate = load_gate("ma")
    for agreement in gate.agreements():
        names = {gate.agreement_title(agreement.id, language) for language in ("en", "ar", "fr", "es", "de")}
        assert len(names) == 5, agreement.id
        assert agreement.id not in names
        assert gate.agreement_title(agreement.id, "pt") == agreement.title


def test_an_agreement_that_is_not_loaded_is_called_by_its_id() -> None:
    assert load_gate("MA").agreement_title("xx-2031", "ar") == "xx-2031"


def test_there_is_no_title_without_its_clause_or_agreement() -> None:
    titles, gate = parse_titles((PACKAGE / "titles.toml").read_text("utf-8")), load_gate("MA")
    assert set(titles) == {c.id for c in gate.clauses()} | {a.id for a in gate.agreements()}


def test_a_title_of_an_unknown_clause_is_its_id() -> None:
    assert load_gate("MA").title("gone.rule", "ar") == "gone.rule"


def test_the_whitelist_knows_every_property_that_the_bank_takes_about_a_person() -> None:
    allowed = set(parse_lists(LISTS).whitelist)
    assert {f"SUSP:{p}" for p in properties()["Person"]} <= allowed
    assert {w.split(":")[0] for w in allowed} == set(PersonRole)


def test_the_acts_of_the_lists_are_acts_of_dossiers() -> None:
    acts = set(FRAME_ACTS) | {act.type for kind in KINDS.values() for act in kind.acts}
    listed = {act for names in parse_lists(LISTS).acts.values() for act in names}
    assert listed <= acts


def test_an_agreement_is_read_from_its_annotations() -> None:
    gate = load_gate("MA")
    found = gate.agreement("ma-es-2019")
    assert found is not None
    assert (found.parties, found.in_force_since) == (("ES", "MA"), "2022-04-30")
    assert found.clocks == {"urgent_direct": "PT8H", "urgent_indirect": "P3D", "other": "P7D"}
    assert gate.agreement("none") is None
    assert {a.id for a in gate.agreements()} == {
        "ma-es-2019", "ma-de", "ma-pt", "ma-fr", "ma-it", "es-de", "eu-2023-977",
    }  # fmt: skip


def test_agreements_between_two_start_with_the_narrowest_circle() -> None:
    gate = load_gate("ES")
    assert [a.id for a in gate.agreements_between("DE", "ES")] == ["es-de", "eu-2023-977"]
    assert [a.id for a in gate.agreements_between("ES", "MA")] == ["ma-es-2019"]
    assert gate.agreements_between("MA", "GB") == ()
    assert gate.agreements_between("ES", "ES") == ()


# ---- deciding -------------------------------------------------------------------------------------------------------


def test_a_gate_answers_for_its_own_country_alone() -> None:
    assert load_gate("MA").decide(VIEW) == Refusal((), "gate.other_country")


def test_a_rule_that_cannot_be_evaluated_refuses() -> None:
    # Cedar would skip the forbid that overflows, and permit.
    gate = gate_of(
        '@id("own.open") @law("x") @title("Open") permit (principal, action, resource);\n'
        + CLAUSE
        + "forbid (principal, action, resource) when { context.recipients * 9223372036854775807 > 0 };"
    )
    assert isinstance(gate.decide(VIEW), Permit)
    assert gate.decide(replace(VIEW, recipients=2)) == Refusal((), "gate.error")


@pytest.mark.parametrize("change", [{"recipients": 2**63}, {"justification": "\ud800"}])
def test_a_question_that_cedar_cannot_read_is_refused(change: dict[str, object]) -> None:
    assert load_gate("ES").decide(replace(VIEW, **change)) == Refusal((), "gate.error")


def test_what_is_owed_permits_nothing() -> None:
    gate = gate_of(CLAUSE.strip() + ' @obligation("four_eyes")\npermit (principal, action, resource);')
    assert gate.decide(VIEW) == Refusal((), "default_deny", ("role",))


def test_a_clause_tells_where_it_stands() -> None:
    gate = load_gate("DE")
    found = gate.clause("handling.h2")
    assert found is not None
    assert found.source == "policies/common.cedar"
    assert gate.clause("gone.rule") is None


def test_the_national_rules_of_others_decide_nothing_here() -> None:
    rules = {
        "fr.cedar": CLAUSE + "forbid (principal, action, resource);",
        "roles.cedar": '@id("own.open") @law("x") @title("Open") permit (principal, action, resource);',
        "tansiq.cedarschema": SCHEMA,
        "lists.toml": LISTS,
    }
    spanish, french = Gate("ES", rules, {}), Gate("FR", rules, {})
    assert isinstance(spanish.decide(VIEW), Permit)
    assert spanish.clause("own.rule") is not None
    refusal = french.decide(replace(VIEW, country="FR"))
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "own.rule"


def test_the_edition_changes_with_a_single_word() -> None:
    one = gate_of(CLAUSE + "forbid (principal, action, resource);")
    two = gate_of(CLAUSE.replace("own", "our") + "forbid (principal, action, resource);")
    assert one.edition != two.edition
    assert one.edition == gate_of(CLAUSE + "forbid (principal, action, resource);").edition
    assert one.edition == gate_of(CLAUSE + "forbid (principal, action, resource);", country="MA").edition


def test_the_time_of_a_decision_is_printed() -> None:
    gate = load_gate("MA")
    asked = Question(
        Action.SEND,
        "MA",
        frozenset({"analyst"}),
        "MA",
        kind="report",
        recipient="ES",
        agreement="ma-es-2019",
        purpose="prevention",
        legal_basis="x",
        has_persons=True,
        graded=True,
        person_roles=frozenset({"SUSP"}),
        properties=frozenset({"SUSP:name"}),
        review_on="2027-05-22",
        erase_on="2029-11-22",
    )
    start = time.process_time()
    for _ in range(200):
        assert isinstance(gate.decide(asked), Permit)
    print(f"a decision takes (processor time) {(time.process_time() - start) * 5:.3f} ms")


# ---- loading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("country", ["", "E", "ESP", "es", "E1"])
def test_a_country_is_an_iso_code(country: str) -> None:
    with pytest.raises(Invalid, match="ISO 3166"):
        gate_of("", country=country)


@pytest.mark.parametrize("name", ["tansiq.cedarschema", "lists.toml"])
def test_a_gate_without_its_schema_or_lists_does_not_start(name: str) -> None:
    texts = {"tansiq.cedarschema": SCHEMA, "lists.toml": LISTS}
    del texts[name]
    with pytest.raises(Invalid) as caught:
        Gate("ES", texts, {})
    assert (caught.value.code, caught.value.field) == ("policy.incomplete", name)


@pytest.mark.parametrize(
    ("code", "rules"),
    [
        ("policy.unreadable", "permit (principal"),
        ("policy.schema", CLAUSE + "forbid (principal, action, resource) when { context.has_person };"),
        ("policy.schema", CLAUSE + 'forbid (principal, action == Action::"sent", resource);'),
        ("policy.template", CLAUSE + "forbid (principal == ?principal, action, resource);"),
        ("policy.no_id", '@law("x") @title("x") forbid (principal, action, resource);'),
        ("policy.no_id", '@id("Upper Case") @law("x") @title("x") forbid (principal, action, resource);'),
        ("policy.no_id", '@id @law("x") @title("x") forbid (principal, action, resource);'),
        ("policy.no_clause", '@id("own.rule") @title("x") forbid (principal, action, resource);'),
        ("policy.no_clause", '@id("own.rule") @law("x") @title("") forbid (principal, action, resource);'),
        ("policy.annotation", CLAUSE + '@obligaton("four_eyes") permit (principal, action, resource);'),
        ("policy.annotation", CLAUSE + '@parties("ES DE") permit (principal, action, resource);'),
        ("policy.obligation", CLAUSE + '@obligation("four_eyes") forbid (principal, action, resource);'),
        ("policy.obligation", CLAUSE + '@obligation("") permit (principal, action, resource);'),
        ("policy.obligation", CLAUSE + "@obligation permit (principal, action, resource);"),
        ("policy.obligation", CLAUSE + '@obligation("four eyes") permit (principal, action, resource);'),
        ("policy.missing", CLAUSE + '@missing("agreement") permit (principal, action, resource);'),
        ("policy.twice", 2 * (CLAUSE + "forbid (principal, action, resource);\n")),
    ],
)
def test_a_rule_that_is_not_understood_stops_the_gate(code: str, rules: str) -> None:
    found = refused_to_load(code, rules)
    assert found.field == "policies/own.cedar"


TREATY = '@agreement("es-xx") @parties("ES XX") @name("Treaty") @in_force_since("2020-01-01")\n'
PERMIT = 'permit (principal, action in Action::"disclosure", resource in Parties::"es-xx");'


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("policy.parties", ('"ES XX"', '"ES"')),
        ("policy.parties", ('"ES XX"', '"ES ES"')),
        ("policy.parties", ('"ES XX"', '"es xx"')),
        ("policy.parties", ('@parties("ES XX")', "")),
        ("policy.agreement", ('"es-xx")', '"ES-XX")')),
        ("policy.agreement", ('"Treaty"', '""')),
        ("date.malformed", ("2020-01-01", "2020")),
        ("date.malformed", ('@in_force_since("2020-01-01")', "")),
        ("policy.clock", ("permit", '@clock_other("7 days") permit')),
        ("policy.clock", ("permit", '@clock_other("P") permit')),
        ("policy.annotation", ("permit", '@clock_soon("PT8H") permit')),
        ("policy.agreement", ("permit", "forbid")),
        ("policy.agreement", ("permit", '@obligation("four_eyes") permit')),
    ],
)
def test_an_agreement_that_is_not_understood_stops_the_gate(code: str, change: tuple[str, str]) -> None:
    text = (CLAUSE + TREATY + PERMIT).replace(*change, 1)
    assert text != CLAUSE + TREATY + PERMIT
    with pytest.raises(Invalid) as caught:
        gate_of("", text)
    assert caught.value.code == code
    assert "agreements/own.cedar" in caught.value.field


def test_two_agreements_of_one_id_stop_the_gate() -> None:
    refused_to_load("policy.twice", "", CLAUSE + TREATY + PERMIT + CLAUSE.replace("own", "our") + TREATY + PERMIT)


def test_a_clock_may_count_days_and_hours() -> None:
    text = CLAUSE + TREATY + '@clock_other("P1DT12H")' + PERMIT
    found = gate_of("", text).agreement("es-xx")
    assert found is not None
    assert found.clocks == {"other": "P1DT12H"}


def test_rules_come_in_the_order_of_the_file() -> None:
    text = "".join(f'@id("r{n}") @law("x") @title("x") forbid (principal, action, resource);\n' for n in range(12))
    rules, agreements = parse_rules("own.cedar", text, SCHEMA)
    assert [r.clause.id for r in rules] == [f"r{n}" for n in range(12)]
    assert agreements == ()


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("policy.unreadable", ("[groups]", "[groups")),
        ("policy.lists", ("[groups]", "[group]")),
        ("policy.lists", ("led_area = [", "led = [")),
        ("policy.lists", ('led_adequate = ["GB"]', 'led_adequate = ["gb"]')),
        ("policy.lists", ('led_adequate = ["GB"]', "led_adequate = [1]")),
        ("policy.lists", ('led_adequate = ["GB"]', 'led_adequate = "GB"')),
        ("policy.lists", ("automatic = [", "automated = [")),
        ("policy.lists", ("automatic = [", 'automatic = ["dossier.members", ')),
        ("policy.lists", ('WITN = ["a_personal_details"', 'WITN = ["a_personal"')),
        ("policy.lists", ("[annex_ii_b.data]", "[annex_ii_b.properties]")),
    ],
)
def test_lists_that_are_not_understood_stop_the_gate(code: str, change: tuple[str, str]) -> None:
    text = LISTS.replace(*change, 1)
    assert text != LISTS
    with pytest.raises(Invalid) as caught:
        parse_lists(text)
    assert (caught.value.code, caught.value.field) == (code, "lists.toml")


def test_an_empty_area_of_the_directive_would_open_gates() -> None:
    with pytest.raises(Invalid, match="led_area"):
        parse_lists(LISTS.replace("led_area = [", "led_area = []\nrest = [", 1))


@pytest.mark.parametrize("text", ['"a.b" = 3', '["a.b"]\nar = 3', '["a.b"]\nar = ""'])
def test_titles_that_are_not_understood_stop_the_gate(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_titles(text)
    assert caught.value.code == "policy.titles"


# ---- a service's own rules ------------------------------------------------------------------------------------------


def test_own_rules_and_agreements_are_added(tmp_path: Path) -> None:
    (tmp_path / "unit.cedar").write_text(
        CLAUSE + '@missing("role") forbid (principal, action == Action::"view", resource);', "utf-8"
    )
    (tmp_path / "agreements").mkdir()
    (tmp_path / "agreements" / "es-xx.cedar").write_text(CLAUSE.replace("own", "our") + TREATY + PERMIT, "utf-8")
    for name in ("README.md", "tansiq.toml", "tansiq.cedarschema"):
        (tmp_path / name).write_text("not a rule", "utf-8")
    gate = load_gate("ES", tmp_path)
    refusal = gate.decide(VIEW)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.missing) == ("own.rule", ("role",))
    assert [a.id for a in gate.agreements_between("ES", "XX")] == ["es-xx"]
    assert gate.edition != load_gate("ES").edition


def test_an_own_file_of_a_shipped_name_takes_its_place(tmp_path: Path) -> None:
    (tmp_path / "es.cedar").write_text(CLAUSE + "forbid (principal, action, resource);", "utf-8")
    gate = load_gate("ES", tmp_path)
    assert gate.clause("es.lo7-2021.8") is None
    refusal = gate.decide(VIEW)
    assert isinstance(refusal, Refusal)
    assert [c.source for c in refusal.clauses] == ["policies/es.cedar"]


def test_an_agreement_ends_with_an_empty_file_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "agreements").mkdir()
    (tmp_path / "agreements" / "ma-es-2019.cedar").write_text("// ended on 1 March 2027", "utf-8")
    gate = load_gate("ES", tmp_path)
    assert gate.agreement("ma-es-2019") is None
    assert gate.agreements_between("ES", "MA") == ()
    recall = Question(Action.SEND, "ES", frozenset({"liaison"}), "ES", entry_type="dossier.recalled", recipient="MA")
    assert isinstance(gate.decide(recall), Permit)


def test_a_country_with_own_rules_may_send(tmp_path: Path) -> None:
    (tmp_path / "be.cedar").write_text(
        CLAUSE + 'forbid (principal, action == Action::"administer", resource);', "utf-8"
    )
    circle = (PACKAGE / "agreements" / "eu-2023-977.cedar").read_text("utf-8").replace("DE ES", "BE DE ES")
    (tmp_path / "agreements").mkdir()
    (tmp_path / "agreements" / "eu-2023-977.cedar").write_text(circle, "utf-8")
    asked = Question(
        Action.SEND,
        "BE",
        frozenset({"liaison"}),
        "BE",
        recipient="ES",
        agreement="eu-2023-977",
        purpose="prevention",
        legal_basis="x",
        review_on="2027-05-22",
        erase_on="2029-11-22",
    )
    without = load_gate("BE").decide(asked)
    assert isinstance(without, Refusal)
    assert without.missing == ("national_rules",)
    assert isinstance(load_gate("BE", tmp_path).decide(asked), Permit)


def test_a_folder_that_is_not_there_stops_the_gate(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as caught:
        load_gate("ES", tmp_path / "nowhere")
    assert caught.value.code == "policy.no_folder"


def test_a_file_that_is_not_text_stops_the_gate(tmp_path: Path) -> None:
    (tmp_path / "unit.cedar").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Invalid) as caught:
        load_gate("ES", tmp_path)
    assert (caught.value.code, caught.value.field) == ("policy.unreadable", "unit.cedar")


# ---- what it remembers ----------------------------------------------------------------------------------------------

READS = 'permit (principal, action == Action::"view", resource) when {{ {} }};'


def remembered(condition: str) -> frozenset[str]:
    """The texts without whose wording a gate with this one rule remembers its answers."""
    return only_asked_for(parse_rules("own.cedar", CLAUSE + READS.format(condition), SCHEMA)[0])


@pytest.mark.parametrize(
    "condition",
    [
        'context.justification == ""',
        '"" != context.justification && context.purpose == "prevention"',
        '!(context.justification == "" || context.urgency == "urgent")',
        "context.consent",
    ],
)
def test_a_text_that_is_only_asked_for_is_remembered_without_its_wording(condition: str) -> None:
    assert remembered(condition) == TEXTS


@pytest.mark.parametrize(
    "condition",
    [
        'context.justification == "murder"',
        'context.justification like "case*"',
        "context.justification == context.purpose",
        '["", "case"].contains(context.justification)',
        'context.justification != "" && context.justification != "no"',
    ],
)
def test_a_rule_that_reads_the_wording_is_asked_each_time(condition: str) -> None:
    assert "justification" not in remembered(condition)
    assert "legal_basis" in remembered(condition)


def test_a_rule_that_takes_the_context_as_a_whole_may_read_every_wording() -> None:
    rule = parse_rules("own.cedar", CLAUSE + READS.format("context.consent"), SCHEMA)[0][0]
    whole = {"conditions": [{"kind": "when", "body": {"==": {"left": {"Var": "context"}, "right": {"Value": ""}}}}]}
    assert only_asked_for([replace(rule, cedar=whole)]) == frozenset()


def test_an_own_rule_about_the_wording_holds_whatever_was_asked_before() -> None:
    gate = gate_of(CLAUSE + READS.format('context.justification like "case*"'))
    answers = [gate.decide(replace(VIEW, justification=why)) for why in ("case 17", "curiosity", "case 18")]
    assert [isinstance(a, Permit) for a in answers] == [True, False, True]
