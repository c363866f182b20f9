"""Templates: one Jinja environment for each language, so that a page is rendered in exactly one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from importlib import resources
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from tansiq import __version__
from tansiq.bank.model import Entity
from tansiq.dossiers import FRAME_ACTS
from tansiq.hits.model import MatchState
from tansiq.kinds import KINDS, TABLES, say_fault, words_of
from tansiq.kinds import LANGUAGES as WORD_ORDER
from tansiq.web import delivery_words, grades, hints, labels, log_words, security, views
from tansiq.web.clauses import called, on_page
from tansiq.web.i18n import LANGUAGES, Tongue, tongue
from tansiq.web.transcription import transcribed
from tansiq.web.visit import Visit

ICONS = "static/vendor/lucide-static@1.62.0"
LEFT_TO_RIGHT = frozenset(
    {"number", "phone", "passportNumber", "idNumber", "registrationNumber", "iban", "imei", "imsi", "vin", "email"}
    | {"accountNumber", "taxNumber", "socialSecurityNumber", "licenseNumber", "innCode", "swiftBic", "website"}
)
"""Properties whose values are written left to right in every script."""


@cache
def _icon_body(name: str) -> str:
    text = resources.files("tansiq.web").joinpath(f"{ICONS}/{name}.svg").read_text(encoding="utf-8")
    found = re.search(r"<svg[^>]*>(.*)</svg>", text, re.S)
    return re.sub(r"\s+", " ", found[1]).strip() if found else ""


def icon(name: str, hidden_name: str = "", flip: bool = False) -> Markup:
    """A Lucide outline. Beside a word it is silent; alone it carries its name."""
    mark = Markup('role="img" aria-label="{}"').format(hidden_name) if hidden_name else Markup('aria-hidden="true"')
    # The body is a vendored file whose hash a test holds.
    body = Markup(_icon_body(name))  # noqa: S704
    return Markup(
        '<svg class="i{}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round" '
        'stroke-linejoin="round" {}>{}</svg>'
    ).format(" flip" if flip else "", mark, body)


def glyph(name: str, x: float, y: float, size: int, side: str) -> Markup:
    """An outline inside a drawing, around this point; the word beside it is its name."""
    return Markup(
        '<svg class="glyph {}" x="{}" y="{}" width="{}" height="{}" viewBox="0 0 24 24" aria-hidden="true">{}</svg>'
    ).format(side, round(x - size / 2, 1), round(y - size / 2, 1), size, size, Markup(_icon_body(name)))  # noqa: S704


def iso(value: object, lang: str = "") -> Markup:
    """A value from data inside a line: isolated, in its own language and direction."""
    text = views.visible_controls(str(value))
    direction = views.direction_of(lang)
    spoken = Markup(' lang="{}"').format(lang) if lang else ""
    return Markup('<bdi{} dir="{}">{}</bdi>').format(spoken, direction, text)


ARABIC_LETTERS = re.compile(r"([\u0621-\u064A\u066E-\u06D3]+)")


PHONE = re.compile(r"(\+\d[\d .()\u00a0-]{4,}\d)")
WRITTEN_PLATE = re.compile(r"(\d{1,6}[-|][\u0621-\u064A]{1,3}[-|]\d{1,6})")


def prose(text: str) -> Markup:
    """A text as it came; a telephone number in it is read from the left, or its plus would stand at the wrong end.

    A plate with an Arabic letter keeps the order of the vehicle: in a Spanish text its last digits would go before it.
    """
    pieces = PHONE.split(views.visible_controls(text))
    return Markup("").join(
        Markup('<bdi dir="ltr">{}</bdi>').format(piece) if n % 2 else _plates(piece) for n, piece in enumerate(pieces)
    )


def _plates(text: str) -> Markup:
    pieces = WRITTEN_PLATE.split(text)
    return Markup("").join(num(piece) if n % 2 else escape(piece) for n, piece in enumerate(pieces))


def shown(value: object) -> object:
    """Whatever a template writes: a direction control in it is seen, wherever it stands (subject, reason, file name).

    What an officer typed comes back into its field as it was (`typed`).
    """
    return views.visible_controls(value) if type(value) is str else value


def typed(value: str) -> Markup:
    return escape(value)


def num(value: object) -> Markup:
    """A number, plate, reference or file name: mono, always left to right.

    Arabic letters of a plate stand where the plate has them: isolates of their own cannot turn the digits.
    """
    pieces = ARABIC_LETTERS.split(views.visible_controls(str(value)))
    inner = Markup("").join(
        Markup('<bdi dir="rtl">{}</bdi>').format(piece) if n % 2 else escape(piece) for n, piece in enumerate(pieces)
    )
    return Markup('<bdi dir="ltr" class="mono">{}</bdi>').format(inner)


PLATE = re.compile(r"(?=.*\d)[^\u0621-\u06D3]*(?:[\u0621-\u06D3]{1,3}[^\u0621-\u06D3]*)?")


def named(value: str) -> Markup:
    """What a record is called: its name in its own direction; where it has only a number or a plate, as a number."""
    return num(value) if PLATE.fullmatch(value) and " " not in value.strip() else iso(value)


def claim_value(prop: str, value: str, lang: str, tongue: Tongue) -> Markup:
    """The value of a claim as its property is written."""
    if prop in ("birthDate", "deathDate", "startDate", "endDate"):
        return iso(tongue.day(value), tongue.code)
    if prop in ("nationality", "country", "birthCountry", "citizenship"):
        return iso(country_name(value, tongue), tongue.code)
    return num(value) if prop in LEFT_TO_RIGHT else iso(value, lang)


def country_name(code: str, tongue: Tongue) -> str:
    """A country, or several whose codes stand side by side (two nationalities)."""
    codes = code.split() if all(len(c) == 2 for c in code.split()) else [code]
    return ", ".join(str(tongue.locale.territories.get(c.upper(), c)) for c in codes)


def language_name(code: str, tongue: Tongue) -> str:
    """A language by its name in the page's own; one that nobody names stays its code."""
    return tongue.say(labels.LANGUAGE.get(code, "")) or str(tongue.locale.languages.get(code, code))


def title_of(entity: Entity) -> str:
    """What a record is called in a list: its first name, or its first value (a phone's number, a vehicle's plate)."""
    return next(iter(entity.names()), entity.claims[0].value if entity.claims else entity.id)


def short(value: str, size: int = 12) -> str:
    """The first characters of a long id; the whole stands in the title."""
    return value if len(value) <= size else f"{value[:size]}…"


NODE_SUBJECT = re.compile(r"Deconfliction (m-[0-9a-f]{4,32})")


def subject_in(tongue: Tongue, subject: str) -> str:
    """A subject as its writer wrote it; one that a node made (of a conflict of plans), in the reader's words."""
    made = NODE_SUBJECT.fullmatch(subject)
    return tongue.say("Deconfliction %(n)s") % {"n": made[1]} if made else subject


KIND_TABLES = {
    "KIND": "kind",
    "ACT": "do",
    "ENTRY_TYPE": "act",
    "DUTY": "duty",
    "FACT": "fact",
    "FACT_VALUE": "value",
    "PART": "part",
    "PHASE": "phase",
    "ITEM": "item",
    "STATE": "state",
    "FIGURE": "figure",
    "GROUP": "group",
}
"""Table of `labels` -> table of a kind's own words: a new kind brings its words with its rules."""


@cache
def _kind_words(code: str) -> Mapping[str, Mapping[str, str]]:
    at = WORD_ORDER.index(code)
    found: dict[str, dict[str, str]] = {table: {} for table in TABLES}
    for kind in KINDS:
        for table, rows in words_of(kind).items():
            found[table] |= {key: texts[at] for key, texts in rows.items()}
    return found


WORDS = (labels, log_words, delivery_words)
"""Where a table of words may stand; each name stands in one of them."""


def _table(name: str) -> Mapping[str, Any]:
    found: Iterator[Mapping[str, Any]] = (getattr(m, name) for m in WORDS if hasattr(m, name))
    return next(found, {})


def label(tongue: Tongue, table: str, key: object, kind: str = "") -> str:
    """What a code is called: by the pages' catalogue, by the kind's own words, by those of any kind, or as it is."""
    known = tongue.say(_table(table).get(str(key), ""))
    words = KIND_TABLES.get(table, "")
    own = words_of(kind)[words].get(str(key)) if kind and words else None
    at = WORD_ORDER.index(tongue.code)
    return known or (own[at] if own else "") or _kind_words(tongue.code).get(words, {}).get(str(key), "") or str(key)


@cache
def _fact_order(act: str) -> Mapping[str, int]:
    """The facts of an act in the order in which its kind tells them: how urgent before how long a penalty."""
    kind = KINDS.get(act.partition(".")[0])
    rules = (*kind.acts, *FRAME_ACTS.values()) if kind else tuple(FRAME_ACTS.values())
    facts = next((r.facts for r in rules if r.type == act), None)
    fields = getattr(msgspec.inspect.type_info(facts), "fields", ()) if facts else ()
    return {f.name: n for n, f in enumerate(fields)}


def facts_of(statement: Any) -> list[tuple[str, Any]]:
    """What an entry tells, in its kind's order, without what is empty or says nothing to a person.

    A grade brings its scheme (`6x6:B3`) where the act has one: alone it would be read as the 4x4's.
    """
    order, facts = _fact_order(statement.type), dict(statement.facts)
    if facts.get("grade") and "scheme" in order:
        facts["grade"] = f"{facts.get('scheme') or '4x4'}:{facts['grade']}"
    told = [(n, v) for n, v in facts.items() if n not in ("scheme", "leaf_hash") and v not in ("", [], None)]
    return sorted(told, key=lambda x: (order.get(x[0], len(order)), x[0]))


@cache
def environment(code: str) -> Environment:
    """The environment of one language. Undefined names are errors: a page never shows half of what it should."""
    env = Environment(
        loader=PackageLoader("tansiq.web", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    spoken = tongue(code, "UTC")
    env.install_gettext_callables(spoken.say, spoken.say_n, newstyle=True)  # type: ignore[attr-defined]
    env.globals.update(
        icon=icon,
        glyph=glyph,
        once=security.new_token,
        iso=iso,
        num=num,
        named=named,
        prose=prose,
        typed=typed,
        short=short,
        title_of=title_of,
        claim_value=claim_value,
        country_name=country_name,
        language_name=language_name,
        direction_of=views.direction_of,
        label=lambda table, key, kind="": label(spoken, table, key, kind),
        look=lambda table, key: _table(table).get(str(key), ("info", "")),
        languages=LANGUAGES,
        labels=labels,
        version=__version__,
        comma="، " if code == "ar" else ", ",
        colon="\u00a0: " if code == "fr" else ": ",
        clock=views.clock,
        marked=views.marked,
        entry_at=views.entry_at,
        telling=views.telling,
        called_in=lambda subject: subject_in(spoken, subject),
        transcribed=lambda name: transcribed(str(name), code),
        readable=lambda names: any(not transcribed(str(n), code) for n in names),
        facts_of=facts_of,
        cited=lambda clause: spoken.say(labels.CLAUSE[clause]) if clause in labels.CLAUSE else on_page(clause, code),
        choice_hints=hints.CHOICE_HINT,
        grade_words=lambda code, scheme="4x4": grades.in_words(spoken, code, scheme),
        fault=lambda kind, said: say_fault(kind, said, code),
        has_label=lambda table, key: str(key) in _table(table),
    )
    return env


def nav_counts(visit: Visit) -> dict[str, int]:
    """What stands beside the navigation's words. Asked for each page: a stale count is worse than none."""
    if visit.session is None:
        return {}
    node = visit.node
    owed, due = node.dossiers.count_duties(node.node_id, timedelta(days=1))
    waiting = node.hits.counts()
    hits, undecided = waiting[MatchState.OPEN], waiting[MatchState.OPEN] + waiting[MatchState.UNCLEAR]
    pinned = {p.card.node: p.pinned_at for p in node.exchange.peers() if p.state == "pinned"}
    others: list[Any] = [*node.plans.duties(visit.now), *node.private.duties(), *node.witnesses.duties(pinned)]
    others += [*node.oversight.duties(), *node.dossiers.put_off()]
    soon = sum(d.due_at is not None and d.due_at < visit.now + timedelta(days=1) for d in others)
    notices = len(node.bureau.watches.notices(visit.officer.id))
    return {"duties": owed + undecided + len(others), "due": due + soon, "hits": hits, "notices": notices}


def render(visit: Visit, template: str, *, status: int = 200, strictest: str = "H0", **values: Any) -> Response:
    """A whole page in the visit's language."""
    node = visit.node
    frame: Mapping[str, Any] = {
        "v": visit,
        "t": visit.tongue,
        "now": visit.now,
        "node_name": node.name,
        "node_country": str(node.country).upper(),
        "node_id": node.node_id,
        "training": bool(getattr(node.settings, "training", False)),
        "strictest": strictest,
        "counts": nav_counts(visit),
        "here": visit.request.url.path,
        "agreement_named": lambda a: node.gate.agreement_title(str(a), visit.tongue.code),
        "clause_named": lambda c: called(getattr(node, "gate", None), str(c), visit.tongue.code),
    }
    text = environment(visit.tongue.code).get_template(template).render({**frame, **values})
    return HTMLResponse(text, status_code=status)


def fragment(visit: Visit, template: str, *, status: int = 200, **values: Any) -> Response:
    """A piece of a page, for a partial update."""
    text = environment(visit.tongue.code).get_template(template).render({"v": visit, "t": visit.tongue, **values})
    return HTMLResponse(text, status_code=status)
