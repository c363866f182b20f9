"""The gate itself: a question in, a permit or a refusal with its clauses out. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

import cedarpy

from tansiq.errors import Invalid
from tansiq.policy.model import Action, Agreement, Clause, Decision, Permit, Question, Refusal
from tansiq.policy.texts import key_of, only_asked_for, without_wording
from tansiq.policy.wire import Lists, Rule, parse_lists, parse_rules, parse_titles
from tansiq.terms import parse_date

ROLES = ("admin", "analyst", "liaison", "protection", "supervisor")
_MACHINE, _UNKNOWN = "none", "unknown"
_NATIONAL = re.compile(r"([a-z]{2})\.cedar")
_NEEDED = ("tansiq.cedarschema", "lists.toml")
_DISCLOSURES = frozenset({Action.SEND, Action.FORWARD})
REMEMBERED = 1024
"""Answers kept in memory. A gate never changes and sees the question alone: the same question has one answer, and so
have all that differ only in the wording of a text of which no rule reads more than whether it is there."""


class Gate:
    """The rules of one node: the common ones, its country's, and all agreements.

    `policies` maps file names to texts: `*.cedar`, `tansiq.cedarschema`, `lists.toml` and `titles.toml`. The national
    files of other countries are read for their clauses only; they decide nothing here. `agreements` maps file names to
    texts as well. Raises `Invalid` when anything in them is not understood: a node without its law does not start.
    """

    def __init__(self, country: str, policies: Mapping[str, str], agreements: Mapping[str, str]) -> None:
        if not re.fullmatch(r"[A-Z]{2}", country):
            raise Invalid("policy.country", "a country is an ISO 3166 code such as MA", step="load policies")
        for name in _NEEDED:
            if name not in policies:
                raise Invalid("policy.incomplete", "a needed file is missing", step="load policies", field=name)
        self.country = country
        self.edition = _edition(policies, agreements)
        """SHA-256 over all texts: which wording of the law decided. Goes into the ledger beside the clauses."""
        self._agreements: dict[str, Agreement] = {}
        self._rules: dict[str, Rule] = {}
        schema, deciding = policies["tansiq.cedarschema"], set[str]()
        for source, text in _in_order(policies, agreements):
            rules, announced = parse_rules(source, text, schema)
            for agreement in announced:
                _put_once(self._agreements, agreement.id, agreement, source)
            for rule in rules:
                _put_once(self._rules, rule.clause.id, rule, source)
                if _country_of(source) in (None, country):
                    deciding.add(rule.clause.id)
        self._national = f"policies/{country.lower()}.cedar" in {r.clause.source for r in self._rules.values()}
        self._rank = {ident: at for at, ident in enumerate(self._rules)}
        rules_here = [self._rules[i] for i in self._rules if i in deciding]
        self._law = _policy_set(rules_here)
        lists = parse_lists(policies["lists.toml"])
        self._entities = cedarpy.Entities.from_json_str(json.dumps(_entities(lists, self._agreements.values())), schema)
        self._titles = parse_titles(policies.get("titles.toml", ""))
        self._unread = only_asked_for(rules_here)
        self._answers: dict[tuple[Any, ...], Decision] = {}

    def decide(self, q: Question) -> Decision:
        """Permit or refuse, with the clauses that decided. Never raises on what a question may hold."""
        key = key_of(q, self._unread)
        found = self._answers.get(key)
        if found is None:
            if len(self._answers) >= REMEMBERED:
                self._answers.clear()
            found = self._answers[key] = self._evaluate(without_wording(q, self._unread))
        return found

    def _evaluate(self, q: Question) -> Decision:
        if q.country != self.country:
            return Refusal((), "gate.other_country")
        request = _request(q, self._national)
        answer = cedarpy.is_authorized(request, self._law, self._entities)
        # Cedar skips a rule that it cannot evaluate. A skipped forbid would open the gate: so any error refuses.
        if answer.diagnostics.errors:
            return Refusal((), "gate.error")
        found = self._named(answer.diagnostics.reasons)
        if answer.allowed:
            # What is owed permits nothing: without a rule of the other kind this is a default deny.
            permitting = [rule for rule in found if not rule.obligation]
            owed = [rule for rule in found if rule.obligation]
            if permitting:
                return Permit(tuple(r.clause for r in permitting + owed), frozenset(r.obligation for r in owed))
            found = []
        if not found:
            return Refusal((), "default_deny", (self._nearest(q),))
        missing = tuple(dict.fromkeys(word for rule in found for word in rule.missing))
        return Refusal(tuple(r.clause for r in found), found[0].clause.id, missing)

    def agreement(self, agreement_id: str) -> Agreement | None:
        return self._agreements.get(agreement_id)

    def agreements(self) -> tuple[Agreement, ...]:
        return tuple(self._agreements.values())

    def agreements_between(self, a: str, b: str) -> tuple[Agreement, ...]:
        """The agreements that both countries are parties to, the narrowest circle first."""
        both = [x for x in self._agreements.values() if a != b and {a, b} <= set(x.parties)]
        return tuple(sorted(both, key=lambda x: (len(x.parties), x.id)))

    def clauses(self) -> tuple[Clause, ...]:
        """All clauses of all files, those of other countries too: a partner's refusal may quote them."""
        return tuple(r.clause for r in self._rules.values())

    def clause(self, clause_id: str) -> Clause | None:
        rule = self._rules.get(clause_id)
        return rule.clause if rule else None

    def title(self, clause_id: str, language: str = "en") -> str:
        """The title in that language, else in English, else the id: an old leaf may quote a rule that is gone."""
        translated = self._titles.get(clause_id, {}).get(language)
        known = self._rules.get(clause_id)
        return translated or (known.clause.title if known else clause_id)

    def agreement_title(self, agreement_id: str, language: str = "en") -> str:
        """What an agreement is called, in the same way; one that is not loaded here has its id alone: a partner named
        it, and what it meant is not known."""
        known = self._agreements.get(agreement_id)
        if known is None:
            return agreement_id
        return self._titles.get(agreement_id, {}).get(language) or known.title

    def _named(self, reasons: Iterable[str]) -> list[Rule]:
        return [self._rules[ident] for ident in sorted(reasons, key=self._rank.__getitem__)]

    def _nearest(self, q: Question) -> str:
        """The one thing whose lack explains a default deny, as far as that can be said without trying."""
        if q.action not in _DISCLOSURES:
            return "role"
        if not q.recipient or q.recipient == q.country:
            return "recipient"
        found = self._agreements.get(q.agreement)
        return "role" if found and {q.country, q.recipient} <= set(found.parties) else "agreement"


def _request(q: Question, national: bool) -> dict[str, Any]:
    known = sorted(q.roles.intersection(ROLES))
    principal = "+".join(known) if known else _UNKNOWN if q.roles else _MACHINE
    context = {
        "country": _ref("Country", q.country),
        "originator": _ref("Country", q.originator),
        "recipients": q.recipients,
        "kind": q.kind,
        "act": _ref("Act", q.entry_type),
        "agreement": q.agreement,
        "purpose": q.purpose,
        "legal_basis": q.legal_basis.strip(),
        "transfer_basis": q.transfer_basis,
        "justification": q.justification.strip(),
        "urgency": q.urgency,
        "crime_areas": sorted(q.crime_areas),
        "handling": sorted(q.handling),
        "handling_text": q.handling_text.strip(),
        "classification": q.classification,
        "consent": q.consent,
        "has_persons": q.has_persons,
        "has_text": q.has_text,
        "person_roles": sorted(q.person_roles),
        "properties": sorted(q.properties),
        "has_minors": q.has_minors,
        "has_special_categories": q.has_special_categories,
        "strictly_necessary": q.strictly_necessary,
        "graded": q.graded,
        "review_day": _day(q.review_on),
        "erase_day": _day(q.erase_on),
        "interpol_channel": q.interpol_channel,
        "article_3": q.article_3,
        "assurances": sorted(q.assurances),
        "risk": sorted(q.risk),
        "second_officer": q.second_officer,
        "event_day": _day(q.event_ends_on),
        "recipient_signed": q.recipient_signed,
        "has_national_rules": national,
    }
    return {
        "principal": {"type": "Officer", "id": principal},
        "action": {"type": "Action", "id": q.action.value},
        "resource": {"type": "Country", "id": q.recipient or q.country},
        "context": context,
    }


def _day(text: str) -> int:
    """Days since 0001-01-01; 0 for what is not a date, which the retention rules then refuse."""
    try:
        return parse_date(text).toordinal()
    except Invalid:
        return 0


def _ref(kind: str, ident: str) -> dict[str, dict[str, str]]:
    return {"__entity": {"type": kind, "id": ident}}


def _country_of(source: str) -> str | None:
    """The country whose law a file is, or None when it holds for every node."""
    found = _NATIONAL.fullmatch(source.removeprefix("policies/"))
    return found[1].upper() if found else None


def _in_order(policies: Mapping[str, str], agreements: Mapping[str, str]) -> list[tuple[str, str]]:
    """Common rules first, national next, agreements last: the first forbidding rule gives a refusal its reason."""
    cedar = [f"policies/{name}" for name in policies if name.endswith(".cedar")]
    cedar.sort(key=lambda source: (_country_of(source) is not None, source))
    texts = [(source, policies[source.removeprefix("policies/")]) for source in cedar]
    return texts + [(f"agreements/{name}", agreements[name]) for name in sorted(agreements)]


def _put_once(held: dict[str, Any], ident: str, value: object, source: str) -> None:
    if ident in held:
        raise Invalid("policy.twice", f"{ident} is there twice", step="load policies", field=source)
    held[ident] = value


def _policy_set(rules: Iterable[Rule]) -> cedarpy.PolicySet:
    """Cedar's handle, with our clause ids as its policy ids."""
    static = {r.clause.id: r.cedar for r in rules}
    return cedarpy.PolicySet.from_json_str(json.dumps({"templates": {}, "staticPolicies": static, "templateLinks": []}))


def _entities(lists: Lists, agreements: Iterable[Agreement]) -> list[dict[str, Any]]:
    """The fixed world of the rules: officers by their roles, countries in their groups, acts, the whitelist."""
    circles: dict[str, list[dict[str, str]]] = {}
    for group, codes in lists.groups.items():
        for code in codes:
            circles.setdefault(code, []).append({"type": "Group", "id": group})
    for agreement in agreements:
        for code in agreement.parties:
            circles.setdefault(code, []).append({"type": "Parties", "id": agreement.id})
    out = [_entity("Country", code, parents) for code, parents in circles.items()]
    for size in range(1, len(ROLES) + 1):
        for held in combinations(ROLES, size):
            out.append(_entity("Officer", "+".join(held), [{"type": "Role", "id": r} for r in held]))
    names = list(lists.acts)
    for name, wider in zip(names, [*names[1:], None], strict=True):
        out.append(_entity("Acts", name, [{"type": "Acts", "id": wider}] if wider else []))
        out += [_entity("Act", act, [{"type": "Acts", "id": name}]) for act in lists.acts[name]]
    out.append(_entity("Whitelist", "annex_ii_b", [], {"properties": list(lists.whitelist)}))
    return out


def _entity(
    kind: str, ident: str, parents: list[dict[str, str]], attrs: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return {"uid": {"type": kind, "id": ident}, "attrs": dict(attrs or {}), "parents": parents}


def _edition(policies: Mapping[str, str], agreements: Mapping[str, str]) -> str:
    texts = [["policies", n, policies[n]] for n in sorted(policies)]
    texts += [["agreements", n, agreements[n]] for n in sorted(agreements)]
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()
