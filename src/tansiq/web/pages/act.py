"""The form of an act: write one in a dossier, or open a dossier with it; the law gate's answer before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.responses import Response

from tansiq.dossiers.model import ActRule, DossierState, Entry
from tansiq.errors import Conflict, Invalid, NotFound, Refused, TansiqError
from tansiq.kinds import KINDS, face_of, fault_of, makes, say_fault
from tansiq.policy.model import Permit
from tansiq.terms import (
    Classification,
    DossierId,
    EntryId,
    GradeScheme,
    HandlingCode,
    format_instant,
)
from tansiq.web import actforms, formgroups, grades, labels, problems, views
from tansiq.web.actforms import Choice, Written
from tansiq.web.labels import N_
from tansiq.web.pages import asked as asking
from tansiq.web.pages.dossier import acting_in, before_reading, dossier_named, rules_of, worded
from tansiq.web.pages.lists import peer_names
from tansiq.web.pages.offered import acts, axes, kind_of, offered, told
from tansiq.web.pages.session import go
from tansiq.web.render import label, render
from tansiq.web.visit import Form, Visit

NARRATIVE = {"report.given": ("narrative",)}
"""A report without a word of text can be sent; an officer's form asks for one."""
FRAME_NAMES = {
    "to": N_("To whom"),
    "subject": N_("Subject"),
    "purpose": N_("Purpose"),
    "legal_basis": N_("Legal basis"),
    "transfer_basis": N_("Transfer basis, for a third country"),
    "review_on": N_("Review by"),
    "erase_on": N_("Erase by"),
    "handling": N_("Handling codes"),
    "handling_text": N_("Text of the restriction (H3)"),
    "classification": N_("Classification"),
    "justification": N_("Why you write this now"),
}
"""What every act's form calls these fields, for the summary of what is wrong."""
ROW_NAMES = {"person": N_("Person"), "phone": N_("Phone"), "vehicle": N_("Vehicle"), "link": N_("Link")}
ROW_FIELDS = {
    "role": N_("Role in the case"),
    "basis": N_("Fact or assessment"),
    "grade": N_("Source grade"),
    "from": N_("From"),
    "to": N_("To"),
    "type": N_("How"),
}
MOST_OPEN_TEXTS = 3
"""Of more texts than these a form shows what must be written; the rest is folded."""
TEXT_LANGUAGES = tuple(labels.LANGUAGE)


# --- acts of a dossier ---


def act_page(visit: Visit) -> Response:
    dossier = dossier_named(visit)
    if (first := before_reading(visit, dossier)) is not None:
        return first
    state, rule = _act_of(visit, dossier)
    about = visit.query("about")
    form = Form([*([("fact_about", about)] if about else []), *_next_number(visit, state, rule)])
    return _act(visit, state, rule, form, {}, None)


def _next_number(visit: Visit, state: DossierState, rule: ActRule) -> list[tuple[str, str]]:
    """Reports that are numbered without a gap: the form knows the next number."""
    me, numbers = visit.node.node_id, getattr(state.own, "numbers", None)
    if numbers is None:
        return []
    return [("fact_number", str(numbers.get((rule.type, me), numbers.get(me, 0)) + 1))]


def _act_of(visit: Visit, dossier: DossierId) -> tuple[DossierState, ActRule]:
    state = visit.node.dossiers.state(dossier)
    rule = next((r for r in acts(visit, state, rules_of(state.kind)) if r.type == visit.path("act")), None)
    if rule is None:
        raise Conflict("act.not_now", "This act is not possible here now.", step="find the act")
    return state, rule


def _moved(state: DossierState, seen: str) -> list[Entry]:
    """What officers wrote after the form was shown: entries that those which it had seen do not follow."""
    if not seen:
        return []
    by_id = {e.id: e for e in state.entries}
    known: set[str] = set()
    after = seen.split(",")
    while after:
        entry = by_id.get(EntryId(after.pop()))
        if entry is not None and entry.id not in known:
            known.add(entry.id)
            after.extend(entry.statement.parents)
    return [e for e in state.entries if e.id not in known and e.statement.type not in views.NOT_BY_HAND]


def write_act(visit: Visit) -> Response:
    """Preview the gate's answer for each member, or append. What is wrong comes back to its field, the text kept.

    Where the dossier has moved since the form was shown, nothing is written before the officer has seen what came.
    """
    dossier = dossier_named(visit)
    state = visit.node.dossiers.state(dossier)
    moved = _moved(state, visit.form.get("seen"))
    try:
        state, rule = _act_of(visit, dossier)
    except Conflict as failure:
        return _too_late(visit, state, failure, moved)
    if visit.form.get("more"):
        return _act(visit, state, rule, visit.form, {}, None, moved=moved)
    if absent := _missing(visit, rule, state):
        return _act(visit, state, rule, visit.form, absent, None, moved=moved)
    written: Written | None = None
    try:
        written = _written(visit, rule, state)
        if visit.form.get("do") != "send" or moved:
            found = visit.node.dossiers.preview_append(dossier, written.body, acting_in(visit, dossier))
            return _act(visit, state, rule, visit.form, {}, _answers(visit, found, written), moved=moved)
        entry = visit.node.dossiers.append(dossier, written.body, acting_in(visit, dossier))
    except Refused as failure:
        if failure.code != "four_eyes.needed" or written is None:
            return _again(visit, state, rule, failure, moved)
        try:
            visit.node.propose({"dossier": dossier, "body": written.body}, acting_in(visit, dossier))
        except Refused as another:  # of another recipient
            return _again(visit, state, rule, another, moved)
        return go("/second")
    except Invalid as failure:
        return _act(visit, state, rule, visit.form, _errors(visit, failure, written, rule), None, moved=moved)
    except (Conflict, NotFound) as failure:
        return _again(visit, state, rule, failure, moved)
    return go(views.entry_at(dossier, entry))


def _again(
    visit: Visit, state: DossierState | None, rule: ActRule, failure: TansiqError, moved: list[Entry] | None = None
) -> Response:
    """The form with what was typed, and why it was not taken: a refusal must not cost the officer the text."""
    errors = problems.field_errors(visit, failure, "form")
    named = [words for _id, words in problems.clauses_of(visit, failure)]
    if named:
        errors["form"] = f"{errors['form']} ({'; '.join(named)})"
    return _act(visit, state, rule, visit.form, errors, None, moved=moved, status=failure.http_status)


def _too_late(visit: Visit, state: DossierState, failure: TansiqError, moved: list[Entry]) -> Response:
    """The act that a form was for is not possible any more; what was typed can still be copied from it."""
    rule = next((r for r in rules_of(state.kind) if r.type == visit.path("act")), None)
    if rule is None or rule.type in views.NOT_BY_HAND or not visit.form.get("seen"):
        raise failure
    errors = problems.field_errors(visit, failure, "form")
    return _act(visit, state, rule, visit.form, errors, None, moved=moved, status=409)


def _missing(visit: Visit, rule: ActRule, state: DossierState | None) -> dict[str, str]:
    """All that is not filled in and must be, at once."""
    fields, parts = _fields(visit, state, _asked(rule, state)), _required(rule, state, visit.form)
    absent = actforms.missing(visit.form, _asked(rule, state), fields, parts, opening=state is None)
    if not absent and _says_nothing(visit.form, rule):
        absent = [actforms.text_name(_texts_first(rule))]
    words = {"purpose": "legal.purpose", "to": "dossier.nobody"}
    roles = {at: "entity.role_unknown" for at in absent if at.endswith("_role")}
    return {at: visit.say(labels.FAILURES[(words | roles).get(at, "form.required")]) for at in absent}


def _says_nothing(form: Form, rule: ActRule) -> bool:
    """An answer without a word, a person or a number: sent in haste it would end the clock and help nobody."""
    if "answer" not in rule.parts or form.get("fact_result") == "nothing_held":
        return False
    return not any(form.get(actforms.text_name(k)) for k in actforms.text_parts(rule)) and not actforms.rows_told(
        form, rule
    )


def _texts_first(rule: ActRule) -> str:
    return actforms.text_parts(rule)[0]


def _errors(visit: Visit, failure: TansiqError, written: Written | None, rule: ActRule) -> dict[str, str]:
    """What is wrong, at its field: the text stays in the form."""
    if failure.code == "act.part_missing" and written is not None:
        there = {p["kind"] for p in written.body.get("parts", ())}
        needed = KINDS[rule.type.partition(".")[0]].part_kinds_required(told(rule, written.body.get("facts", {})))
        there |= {"subject"} if "subject" in written.body else set()
        missing = [k for k in needed if k not in there and k in ("subject", *actforms.text_parts(rule))]
        if missing:
            return {
                ("subject" if k == "subject" else actforms.text_name(k)): visit.say(labels.FAILURES["form.required"])
                for k in missing
            }
    if failure.code in ("act.illegal_act", "judgement.scale"):
        return _illegal(visit, failure, rule)
    field = "handling_text" if failure.code == "handling.h3_text" else failure.field or "form"
    known = field.startswith(("fact_", "link")) or written is None
    return problems.field_errors(visit, failure, field if known else _form_field(written, field))


def _illegal(visit: Visit, failure: TansiqError, rule: ActRule) -> dict[str, str]:
    """Why the rules do not allow it, at the fact that is to be mended where it is one."""
    kind = rule.type.partition(".")[0]
    fault, _put_in = fault_of(kind, failure.message)
    asked = getattr(msgspec.inspect.type_info(rule.facts), "fields", ()) if rule.facts else ()
    at = failure.field if (failure.field or "").startswith("fact_") else ""
    fact = face_of(kind).places.get(fault, "")
    if not at and fact in {f.name for f in asked}:
        at = f"fact_{fact}"
    general = visit.say(labels.FAILURES["act.illegal_act"])
    return {at or "form": f"{general} {say_fault(kind, failure.message, visit.tongue.code)}"}


def _form_field(written: Written | None, field: str) -> str:
    found = written.field_of(field) if written else field
    places = {"codes": "handling", "text": "handling_text", "agreement": "to", "h3": "handling_text", "type": "form"}
    return places.get(found, found)


def _written(visit: Visit, rule: ActRule, state: DossierState | None) -> Written:
    form, asked = visit.form, _asked(rule, state)
    fields = _fields(visit, state, asked)
    for f in fields:
        if f.widget == "instant" and (text := form.get(f"fact_{f.name}")):
            form = form.with_values(**{f"fact_{f.name}": _instant(text, visit, f"fact_{f.name}")})
    written = actforms.write_body(form, asked, fields, opening=state is None)
    made = makes(state.kind, rule.type) if state else None
    if made is not None and state is not None:
        # The rest of the form (handling, reason) stays as it was written.
        try:
            own = visit.node.together.body_of(state, rule.type, written.body.pop("facts", {}))
        except Invalid as failure:
            raise Invalid(
                failure.code, failure.message, step=failure.step, field=f"fact_{failure.field or ''}"
            ) from failure
        written.body = written.body | own | {"parts": [*own.get("parts", ()), *written.body.get("parts", ())]}
    return written


def _fields(visit: Visit, state: DossierState | None, asked: ActRule) -> list[actforms.FactField]:
    return actforms.fact_fields(asked, offered(visit, state, asked), axes(visit, state, asked, asked.facts))


def _asked(rule: ActRule, state: DossierState | None) -> ActRule:
    """The act as its officer writes it: of one whose body the node makes, what the maker asks for."""
    made = makes(state.kind, rule.type) if state else None
    return replace(rule, facts=made.facts) if made else rule


def _instant(text: str, visit: Visit, field: str) -> str:
    """A date and time as the form's control writes it, in the node's zone, as an instant."""
    try:
        at = datetime.fromisoformat(text)
        return format_instant((at if at.tzinfo else at.replace(tzinfo=visit.tongue.zone)).astimezone(UTC))
    except (ValueError, OverflowError):
        raise Invalid("form.until", "Write a date and a time.", step="read the form", field=field) from None


def _required(rule: ActRule, state: DossierState | None, form: Form) -> tuple[str, ...]:
    """The parts that the law or the kind asks for, as far as the form's facts say it."""
    kind = KINDS.get(kind_of(rule, state))
    asked = kind.part_kinds_required(told(rule, _told_facts(form))) if kind else ()
    return (*NARRATIVE.get(rule.type, ()), *asked)


def _told_facts(form: Form) -> dict[str, str]:
    return {n.removeprefix("fact_"): form.get(n) for n in form.names() if n.startswith("fact_")}


def _required_if(
    rule: ActRule, state: DossierState | None, form: Form, fields: list[actforms.FactField]
) -> dict[str, list[tuple[actforms.FactField, Choice]]]:
    """Parts that are asked for under another answer to a question of the form: they are marked before it is given."""
    kind = KINDS.get(kind_of(rule, state))
    if kind is None or not rule.parts:
        return {}
    always, found = set(_required(rule, state, form)), dict[str, list[tuple[actforms.FactField, Choice]]]()
    for f in fields:
        for choice in f.choices if f.widget == "select" else ():
            asked = kind.part_kinds_required(told(rule, _told_facts(form) | {f.name: choice.value}))
            for part in set(asked) - always:
                found.setdefault(part, []).append((f, choice))
    return found


# --- opening acts ---


@dataclass(frozen=True)
class Answer:
    """What the gate said for one recipient."""

    node: str
    permitted: bool
    clauses: tuple[Any, ...]
    missing: tuple[str, ...]
    four_eyes: bool
    withheld: int
    parts: tuple[str, ...]
    """Fields of the form: what is stricter than the whole, and on whose account it is refused."""


def compose_page(visit: Visit) -> Response:
    rule = _opening(visit)
    about = visit.query("about")
    return _act(visit, None, rule, Form([("fact_about", about)] if about else []), {}, None)


def _opening(visit: Visit) -> ActRule:
    kind = KINDS.get(visit.path("kind"))
    if kind is None:
        raise NotFound("kind.unknown", "There is no such kind of dossier.", step="find the kind")
    return kind.opening


def compose(visit: Visit) -> Response:
    """Preview the gate's answer for each recipient, or send."""
    rule, kind = _opening(visit), visit.path("kind")
    if visit.form.get("more"):
        return _act(visit, None, rule, visit.form, {}, None)
    if absent := _missing(visit, rule, None):
        return _act(visit, None, rule, visit.form, absent, None)
    written: Written | None = None
    by = visit.acting(visit.form.get("purpose"), visit.form.get("justification"))
    try:
        written = _written(visit, rule, None)
        if visit.form.get("do") != "send":
            return _act(visit, None, rule, visit.form, {}, _preview(visit, kind, written, by))
        dossier = visit.node.dossiers.open(kind, written.body, written.to, by)
    except Refused as failure:
        if failure.code != "four_eyes.needed" or written is None:
            return _again(visit, None, rule, failure)
        try:
            visit.node.propose({"kind": kind, "body": written.body, "to": written.to}, by)
        except Refused as another:  # of another recipient
            return _again(visit, None, rule, another)
        return go("/second")
    except NotFound as failure:
        if not failure.code.startswith("peer."):
            return _again(visit, None, rule, failure)
        return _act(visit, None, rule, visit.form, problems.field_errors(visit, failure, "to"), None)
    except Invalid as failure:
        return _act(visit, None, rule, visit.form, _errors(visit, failure, written, rule), None)
    visit.keep_purpose(
        dossier, visit.form.get("purpose"), visit.form.get("justification") or written.body["legal"]["legal_basis"]
    )
    return go(f"/dossiers/{dossier}")


def _preview(visit: Visit, kind: str, written: Written, by: Any) -> list[Answer]:
    if not written.to:
        raise Invalid("dossier.nobody", "Choose at least one partner.", step="read the form", field="to")
    return _answers(visit, visit.node.dossiers.preview(kind, written.body, written.to, by), written)


def _answers(visit: Visit, decisions: list[tuple[Any, Any]], written: Written) -> list[Answer]:
    """What the gate said, with each clause by its name in the page's language."""
    gate, found = visit.node.gate, []
    for node, decision in decisions:
        permitted = isinstance(decision, Permit)
        hidden = sum(node in p.get("withhold_from", ()) for p in written.body.get("parts", ()))
        found.append(
            Answer(
                node,
                permitted,
                tuple(replace(c, title=gate.title(c.id, visit.tongue.code)) for c in decision.clauses),
                tuple(getattr(decision, "missing", ())),
                permitted and "four_eyes" in decision.obligations,
                hidden,
                tuple(written.field_of(p) for p in getattr(decision, "parts", ())),
            )
        )
    return found


@dataclass(frozen=True)
class Partner:
    """A service that one may write to, with the agreements that bind us."""

    node: str
    name: str
    country: str
    agreements: list[tuple[str, str]]


def _partners(node: Any, language: str) -> list[Partner]:
    return [
        Partner(
            p.card.node,
            p.card.name,
            p.card.country.upper(),
            [
                (a.id, node.gate.agreement_title(a.id, language))
                for a in node.gate.agreements_between(node.country, p.card.country.upper())
            ],
        )
        for p in node.exchange.peers()
        if p.state == "pinned"
    ]


def _act(
    visit: Visit,
    state: DossierState | None,
    rule: ActRule,
    form: Form,
    errors: dict[str, str],
    answers: list[Answer] | None,
    *,
    moved: list[Entry] | None = None,
    status: int = 0,
) -> Response:
    """The form of an act, new or shown again. `answers`: what the gate said; None: it was not asked yet.

    `moved`: what came into the dossier since the form was shown before.
    """
    opening, kind = state is None, kind_of(rule, state)
    asked = _asked(rule, state)
    partners = _partners(visit.node, visit.tongue.code)
    members = set(state.members) if state else set()
    counts = actforms.row_counts(form, rule)
    fields = _fields(visit, state, asked)
    beside = asking.beside(visit, state, rule, fields, form) if state else None

    return render(
        visit,
        "act.html",
        status=status or (422 if errors else 200),
        strictest=views.strictest([form.all("handling"), *(beside.codes if beside else ())]),
        dossier=state,
        state=state,
        asked=beside,
        **(worded(visit, state) if state else {}),
        seen=",".join(state.heads) if state else "",
        moved=moved or [],
        too_late=status == 409,
        rule=rule,
        opening=opening,
        action=f"/compose/{visit.path('kind')}" if state is None else f"/dossiers/{state.id}/acts/{rule.type}",
        form=form,
        errors=errors,
        answers=answers or [],
        all_permitted=bool(answers) and all(a.permitted for a in answers or ()),
        nobody=answers is not None and not answers,
        partners=partners if opening else [p for p in partners if p.node in members],
        recipients=[(p.node, f"{p.country} · {p.name}") for p in partners if p.node in members],
        names=peer_names(visit.node),
        fields=fields,
        error_names=_error_names(visit, rule, kind, fields, errors),
        row_count=lambda f: actforms.row_count(form, f),
        choice_pairs=lambda choices: [(c.value, _choice_word(visit, c, kind)) for c in choices],
        fact_name=lambda f: _fact_name(visit, rule, f.name, kind),
        fact_hint=lambda f: formgroups.hint(kind, rule.type, f, visit.tongue.code, visit.say),
        of_kind=kind,
        **_texts_of(visit, state, rule, form, fields),
        languages_of_text=TEXT_LANGUAGES,
        **_choices(visit),
        counts_rows=counts,
        ends=[(f"{short}{n}",) * 2 for k, short in actforms.ROW_ID.items() for n in range(1, counts.get(k, 0) + 1)],
        grade_options=[(g, grades.choice_words(visit.tongue, g)) for g in actforms.GRADES],
        whole_graded=any(f.name == "grade" for f in fields),
    )


def _texts_of(
    visit: Visit, state: DossierState | None, rule: ActRule, form: Form, fields: list[actforms.FactField]
) -> dict[str, Any]:
    """The act's texts: those that it needs first, then those that some choice needs, and which stand open."""
    texts, required = actforms.text_parts(rule), _required(rule, state, form)
    conditions, kind = _required_if(rule, state, form, fields), kind_of(rule, state)
    ordered = sorted(texts, key=lambda k: (k not in required, k not in conditions))
    named = [(k, actforms.text_name(k)) for k in ordered]
    grouped = formgroups.groups(kind, rule.type, fields, named)
    return {
        "texts": named,
        "groups": grouped,
        "spare": formgroups.spare(grouped),
        "rows_folded": formgroups.is_laid_out(kind)
        and "entity" not in required
        and not actforms.rows_told(form, rule)
        and not form.get("more"),
        "folded": len(texts) > MOST_OPEN_TEXTS,
        "always_open": () if required else formgroups.first_text(grouped) or texts[-2:-1],
        "needed_for": {
            k: "; ".join(f"{_fact_name(visit, rule, f.name, kind)}: {_choice_word(visit, c, kind)}" for f, c in cases)
            for k, cases in conditions.items()
        },
        "required": required,
    }


def _choices(visit: Visit) -> dict[str, list[tuple[str, str]]]:
    """The closed lists that every act's form has, in the page's language."""

    def named(table: Mapping[str, str], values: Any) -> list[tuple[str, str]]:
        return [(v, visit.say(table[v])) for v in values]

    codes = [c.value for c in HandlingCode if c != "H0"]
    return {
        "language_options": named(labels.LANGUAGE, TEXT_LANGUAGES),
        "basis_options": named(labels.BASIS, actforms.BASES),
        "role_options": named(labels.ROLE, actforms.ROLES),
        "link_options": named(labels.LINK, labels.LINK),
        "handling_options": [(c, f"{c} · {words}") for c, words in named(labels.HANDLING, codes)],
        "purpose_options": named(labels.PURPOSE, actforms.PURPOSES),
        "transfer_options": named(labels.TRANSFER_BASIS, actforms.TRANSFER_BASES),
        "classification_options": named(labels.CLASSIFICATION, [c.value for c in Classification]),
        "assurance_options": named(labels.ASSURANCE, labels.ASSURANCE),
    }


def _fact_name(visit: Visit, rule: ActRule, name: str, kind: str) -> str:
    """What a fact is called in this act, where its kind has a word for that; else what it is called in all."""
    code = f"{rule.type}.{name}"
    found = label(visit.tongue, "FACT", code, kind)
    return label(visit.tongue, "FACT", name, kind) if found == code else found


def _error_names(
    visit: Visit, rule: ActRule, kind: str, fields: list[actforms.FactField], errors: Mapping[str, str]
) -> dict[str, str]:
    """What each wrong field is called, for the summary on top."""
    found = {actforms.text_name(k): label(visit.tongue, "PART", k, kind) for k in actforms.text_parts(rule)}
    for at in errors:
        for f in fields:
            if at == f.at or at.startswith(f"{f.at}."):
                line = at.removeprefix(f.at).replace(".", " ")
                found[at] = f"{_fact_name(visit, rule, f.name, kind)}{line}"
    return (
        found
        | {at: visit.say(words) for at, words in FRAME_NAMES.items()}
        | _row_names(visit, errors, found)
        | {"form": label(visit.tongue, "ACT", rule.type, kind)}
    )


def _row_names(visit: Visit, errors: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """A field of a row: which row, and which of its fields."""
    found = {}
    for at in errors:
        row, _, name = at.partition("_")
        kind = row.rstrip("0123456789")
        if name and kind in ROW_NAMES and at not in known:
            words = ROW_FIELDS.get(name) or labels.PROPERTY.get(name, "")
            found[at] = f"{visit.say(ROW_NAMES[kind])} {row.removeprefix(kind)}: {visit.say(words) or name}"
    return found


def _choice_word(visit: Visit, choice: Choice, kind: str) -> str:
    """A choice by its label; one that has none, by the kind's word for the value."""
    if choice.group in set(GradeScheme):
        return grades.choice_words(visit.tongue, choice.label, choice.group)
    if choice.label != choice.value:
        return visit.say(choice.label)
    found = label(visit.tongue, "FACT_VALUE", choice.value, kind)
    # In English some codes are their own words (terrorism, sovereignty): the catalogue has them all the same.
    return visit.say(found) if found == choice.value else found
