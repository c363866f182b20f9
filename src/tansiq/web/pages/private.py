"""Private checks on the pages: ask a partner without telling; what was asked of us, quotas and what they read out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from starlette.responses import Response

from tansiq.access.model import OVERSEERS, Acting, Role
from tansiq.bank import entity_to_json, parse_entity
from tansiq.crypto import from_base64, to_base64
from tansiq.errors import Invalid, NotFound, Refused, TansiqError, Untrusted
from tansiq.evaluator import readout
from tansiq.evaluator.model import Quota
from tansiq.private.model import CheckKind, CheckResult, Tier
from tansiq.terms import DossierId, TransferBasis, country_of, parse_instant
from tansiq.web import labels, private_words, problems
from tansiq.web.i18n import failure_text
from tansiq.web.pages.lists import peer_names
from tansiq.web.pages.session import ask_purpose, check_purpose, go, purpose_choices
from tansiq.web.render import render, title_of
from tansiq.web.visit import Form, Visit, check_may_read, consult_list

MOST_SHOWN = 100
MOST_QUOTA = 1_000_000
REVIEW, ERASE = timedelta(days=183), timedelta(days=365)
_ASKED = ("question", "facts", "availability")
"""Parts that a request can't do without (Dir. 2023/977 art. 4(5))."""
_SHOWN = (
    "names",
    "birth_dates",
    "documents",
    "phones",
    "plates",
    "ibans",
    "vins",
    "imeis",
    "emails",
    "wallets",
    "cards",
)
_ORDERS = ("serve", "rotate", "revoke", "seen")


@dataclass(frozen=True)
class Subject:
    """Whom a check is about, when it is a record that the officer came from."""

    entity: Any
    title: str
    name: str
    """`record` or `part`."""
    ident: str
    dossier: str = ""


@dataclass(frozen=True)
class Failed:
    """A partner that could not be asked, and why."""

    partner: str
    text: str
    code: str


def _show(visit: Visit, template: str, *, status: int = 200, **values: Any) -> Response:
    spoken = partial(private_words.word, visit.tongue)
    return render(visit, template, status=status, w=spoken, words=private_words, names=peer_names(visit.node), **values)


# --- asking ---


def new_check(visit: Visit) -> Response:
    """The form: about a record of ours, a person of a dossier, or what is typed."""
    check_may_read(visit.node, visit.officer.roles)
    dossier = visit.query("dossier")
    if dossier and visit.purpose_for(dossier) is None:
        visit.node.dossiers.state(DossierId(dossier))
        return ask_purpose(visit, dossier, f"/checks/new?dossier={dossier}&part={visit.query('part')}")
    subject = _subject(visit, visit.query("record"), dossier, visit.query("part"))
    return _new(visit, subject, Form([]), {})


def _subject(visit: Visit, record: str, dossier: str, part: str) -> Subject | None:
    if record:
        found = visit.node.bank.get_many([record])
        if not found:
            raise NotFound("bank.unknown", "There is no such record.", step="read the record", field="record")
        visit.node.dossiers.restrictions.check_sides([found[0].provenance.dossier], visit.acting(), "check")
        return Subject(found[0].entity, title_of(found[0].entity), "record", record)
    if dossier and part:
        state = visit.node.show(DossierId(dossier), visit.acting_for(dossier))
        for entry in state.entries:
            for p in entry.parts:
                if p.ref.id == part and p.content and p.ref.kind == "entity":
                    entity = parse_entity(p.content["entity"], "entity")
                    return Subject(entity, title_of(entity), "part", part, dossier)
        raise NotFound("entry.unknown", "There is no such entry, or more than one.", step="read the part", field="part")
    return None


def _partners(visit: Visit) -> list[Any]:
    """Partners whose lists are here."""
    ready = {r.node for r in visit.node.private.lists() if r.side == "taken" and r.state in ("ready", "old")}
    people = {r.node for r in visit.node.private.lists() if r.side == "taken" and r.tier != Tier.PLAN.value}
    return [p for p in visit.node.exchange.peers() if p.state == "pinned" and p.card.node in ready & people]


def _new(visit: Visit, subject: Subject | None, form: Form, errors: dict[str, str]) -> Response:
    return _show(
        visit,
        "check_new.html",
        status=422 if errors else 200,
        subject=subject,
        partners=_partners(visit),
        form=form,
        errors=errors,
        purposes=purpose_choices(visit),
    )


def ask(visit: Visit) -> Response:
    """Ask each chosen partner. Nothing of the person leaves this service but blinded elements."""
    form = visit.form
    subject = None
    try:
        subject = _subject(visit, form.get("record"), form.get("dossier"), form.get("part"))
        purpose, why = check_purpose(visit)
        chosen = form.all("to")
        _need(form.get("case"), "form.required", "case")
        _need(chosen, "dossier.nobody", "to")
        person = _person(form, subject)
        _need(visit.node.private.makes_keys(person), "check.no_key", "name")
    except Invalid as failure:
        return _new(visit, subject, form, problems.field_errors(visit, failure, failure.field or "name"))
    by, service = visit.acting(purpose, why), visit.node.private
    done: list[CheckResult] = []
    failed: list[Failed] = []
    if form.get("watch"):
        try:
            _, done = service.watch(person, chosen, form.get("case"), by)
        except TansiqError as failure:
            failed.append(Failed("", failure_text(visit.tongue, failure), failure.code))
    else:
        for node in chosen:
            try:
                done.append(service.ask(node, person, form.get("case"), by))
            except TansiqError as failure:
                failed.append(Failed(node, failure_text(visit.tongue, failure), failure.code))
    if failed or not done:
        return _results(visit, done, failed, Form([]), {})
    ids = [r.id for r in done]
    return go(f"/checks/{ids[0]}" + (f"?with={','.join(ids[1:])}" if ids[1:] else ""))


def _person(form: Form, subject: Subject | None) -> dict[str, Any]:
    if subject is not None:
        found: dict[str, Any] = entity_to_json(subject.entity)
        return found
    person: dict[str, Any] = {}
    for name, word in (("name", "names"), ("born", "birth_dates"), ("phone", "phones")):
        if form.get(name):
            person[word] = [form.get(name)]
    for name, word in (("plate", "plates"), ("document", "documents")):
        if form.get(name):
            person[word] = [{"number": form.get(name), "country": form.get(f"{name}_country").upper()}]
    if not person:
        raise Invalid("check.no_key", "Nothing here makes a key.", step="read the form", field="name")
    return person


# --- results ---


def check(visit: Visit) -> Response:
    """What a check found; that somebody looked at it stands in the ledger, for the purpose of the check itself."""
    found = _asked_for(visit)
    for r in found:
        consult_list(visit.node, "private.check", visit.acting(r.purpose, r.case))
    return _results(visit, found, [], Form([]), {})


def _whom(visit: Visit, done: list[CheckResult]) -> list[str]:
    """Whom the results are about, for who asked, who has more than one open. Who oversees sees the case alone."""
    mine = bool(done) and done[0].officer == visit.officer.id
    person = visit.node.private.person_of(done[0].id) if mine else {}
    values = [v for name in _SHOWN for v in person.get(name, ())]
    return [str(v.get("number", "")) if isinstance(v, Mapping) else str(v) for v in values]


def _asked_for(visit: Visit) -> list[CheckResult]:
    check_may_read(visit.node, visit.officer.roles)
    ids = [visit.path("check"), *(i for i in visit.query("with").split(",")[:20] if i)]
    found = [visit.node.private.result(i) for i in ids]
    for r in found:
        if r.officer != visit.officer.id and not OVERSEERS & set(visit.officer.roles):
            raise Refused("access.role", "Who asked, and who oversees, reads the result.", step="read the check")
    return [r for r in found if r.kind is CheckKind.PERSON]


def _results(
    visit: Visit, done: list[CheckResult], failed: list[Failed], form: Form, errors: dict[str, str], at: str = ""
) -> Response:
    today = visit.now.date()
    return _show(
        visit,
        "check.html",
        status=422 if errors else 200,
        results=done,
        whom=_whom(visit, done),
        failed=failed,
        form=form,
        errors=errors,
        at=at,
        bases=[(b.value, visit.say(labels.TRANSFER_BASIS[b.value])) for b in TransferBasis],
        review_on=(today + REVIEW).isoformat(),
        erase_on=(today + ERASE).isoformat(),
    )


def follow(visit: Visit) -> Response:
    """The officer's decision on a hit: a request with the opaque ids. Only now does the partner learn what was met."""
    results = _asked_for(visit)
    if not results:
        raise NotFound("check.unknown", "There is no such check.", step="read the check")
    form, of = visit.form, results[0]
    by = visit.acting(of.purpose, form.get("justification") or of.case)
    try:
        for name in ("subject", *_ASKED):
            _need(form.get(name), "form.required", name)
        dossier = visit.node.private.follow(of.id, _request(visit, of, form), by)
    except Invalid as failure:
        name = failure.field.rpartition(".")[2] or "subject"
        return _results(visit, results, [], form, problems.field_errors(visit, failure, name), of.id)
    return go(f"/dossiers/{dossier}")


def _request(visit: Visit, of: CheckResult, form: Form) -> dict[str, Any]:
    agreements = visit.node.gate.agreements_between(visit.node.country, country_of(of.partner))
    legal = {
        "purpose": of.purpose,
        "legal_basis": form.get("legal_basis"),
        "review_on": form.get("review_on"),
        "erase_on": form.get("erase_on"),
    }
    if agreements:
        legal["agreement"] = agreements[0].id
    if form.get("transfer_basis"):
        legal["transfer_basis"] = form.get("transfer_basis")
    return {
        "subject": form.get("subject"),
        "facts": {"urgency": "normal", "accessibility": "direct"},
        "handling": {"codes": ["H1"]},
        "legal": legal,
        "parts": [{"kind": kind, "lang": visit.tongue.code, "text": form.get(kind)} for kind in _ASKED],
    }


# --- oversight ---


def overview(visit: Visit) -> Response:
    return _overview(visit, Form([]), {}, "")


def _overview(visit: Visit, form: Form, errors: dict[str, str], made: str, checked: Any = None) -> Response:
    service = visit.node.private
    quota = _whole(visit.query("quota"), "quota") if visit.query("quota") else None
    days = visit.node.settings.private.epoch_days
    tried = readout(Quota(quota), days) if quota is not None else None
    mine = {r.id for r in service.checks(limit=MOST_SHOWN) if r.officer == visit.officer.id}
    sees = bool(OVERSEERS & set(visit.officer.roles))
    peers = [p for p in visit.node.exchange.peers() if p.state == "pinned"]
    return _show(
        visit,
        "private.html",
        status=422 if errors else 200,
        of_us=service.asked_of_us(),
        by_us=service.we_asked(),
        checks=[r for r in service.checks(limit=MOST_SHOWN) if r.kind is CheckKind.PERSON and (sees or r.id in mine)],
        meters=service.meters(),
        epochs=service.epochs(),
        lists=service.lists(),
        notices=service.notices(),
        at=parse_instant,
        watches=[x for x in service.watches() if sees or x.officer == visit.officer.id],
        supervisor=Role.SUPERVISOR in visit.officer.roles,
        peers=[(p.card.node, p.card.name) for p in peers],
        tiers=[(t.value, visit.say(private_words.TIER[t.value])) for t in Tier],
        quota=quota,
        tried=tried,
        days=days,
        form=form,
        errors=errors,
        made=made,
        checked=checked,
    )


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= MOST_QUOTA):
        raise Invalid("form.number", "This is a whole number.", step="read the form", field=name)
    return int(text)


def order(visit: Visit) -> Response:
    """Serve a partner, rotate, revoke, mark an alarm as seen. The service asks for the role and logs it."""
    do, form, service = visit.form.get("do"), visit.form, visit.node.private
    by = visit.acting("", form.get("justification") or f"private: {do}")
    try:
        _carry_out(do, form, service, by)
    except Invalid as failure:
        return _overview(visit, form, problems.field_errors(visit, failure, failure.field or "do"), "")
    return go("/private")


def _carry_out(do: str, form: Form, service: Any, by: Acting) -> None:
    _need(do in _ORDERS, "form.choice", "do")
    if do == "serve":
        tiers = [Tier(t) for t in form.all("tier") if t in set(Tier)]
        _need(tiers, "form.choice", "tier")
        service.publish(form.get("partner"), tiers, by)
    elif do == "revoke":
        _need(form.get("sure") == "yes", "form.sure", "sure")
        service.revoke(form.get("partner"), by)
    elif do == "rotate":
        service.rotate(by)
    else:
        service.seen(form.get("notice"), by)


def _need(there: object, code: str, field: str) -> None:
    """Raises `Invalid` where a form lacks it; the words stand with the code."""
    if not there:
        raise Invalid(code, labels.FAILURES[code], step="read the form", field=field)


def sample(visit: Visit) -> Response:
    """The openable log, by hand: draw what a partner must open, open what a partner drew, check what it opened."""
    form, service = visit.form, visit.node.private
    by, do = visit.acting("", form.get("justification") or "openable log"), form.get("do")
    made, checked = "", None
    try:
        if do == "draw":
            share = _whole(form.get("share"), "share")
            drawn = service.draw_sample(
                form.get("partner"), min(share, 100) / 100, _whole(form.get("days"), "days"), by
            )
            made = to_base64(drawn)
        elif do == "open":
            made = to_base64(service.open_sample(_pasted(form), by))
        else:
            _need(do == "check", "form.choice", "do")
            checked = service.check_openings(_pasted(form), by)
    except (Invalid, NotFound, Untrusted) as failure:
        return _overview(visit, form, problems.field_errors(visit, failure, failure.field or "pasted"), "")
    return _overview(visit, form, {}, made, checked)


def _pasted(form: Form) -> bytes:
    return from_base64("".join(form.get("pasted").split()), "pasted", "form.pasted")
