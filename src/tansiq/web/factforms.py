"""The typed facts of an act as a form's fields, and back. No kind is known by name: all follows from the facts' types.

A list is a row for each value, a table a field for each of its cells. Rows are added by a button that shows the form
again (`more=<field>`), so nothing here needs a script. What the service refuses comes back to the field it came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from tansiq.dossiers.model import ActRule
from tansiq.errors import Invalid
from tansiq.terms import Grade, GradeScheme
from tansiq.web import labels
from tansiq.web.visit import Form

STEP = "read the form"
MOST_ROWS = 40
UNKNOWN = "unknown"
FIRST_ROWS = 2
"""So many rows a list begins with."""
MOST_BOXES = 32
"""A list with more choices than these is rows of one choice each, not a wall of boxes."""


@dataclass(frozen=True)
class Choice:
    """One answer of a closed list; `group`: the heading that it stands under."""

    value: str
    label: str
    group: str = ""


@dataclass(frozen=True)
class FactField:
    """One typed fact as a form shows it.

    `widget`: select, many (boxes), text, number, check, instant, rows (a list, a field for each value), table (a field
    for each of `lines`, or of each pair of `lines` and `columns`), pairs (rows of a name and a value).
    """

    name: str
    widget: str
    required: bool
    choices: tuple[Choice, ...] = ()
    default: str = ""
    hint: str = ""
    cell: str = ""
    """Of rows, tables and pairs: what each value is written in: select, number or text."""
    lines: tuple[Choice, ...] = ()
    columns: tuple[Choice, ...] = ()

    @property
    def at(self) -> str:
        """Its name in the form."""
        return f"fact_{self.name}"

    @property
    def groups(self) -> list[tuple[str, list[Choice]]]:
        """Its choices under their headings, in order."""
        found: dict[str, list[Choice]] = {}
        for choice in self.choices:
            found.setdefault(choice.group, []).append(choice)
        return list(found.items())

    @property
    def first_place(self) -> str:
        """Where in the form an error of the whole fact leads to."""
        if self.widget == "table" and self.lines:
            return self.at_cell(self.lines[0].value, self.columns[0].value if self.columns else "")
        return f"{self.at}.1.name" if self.widget == "pairs" else self.at

    def at_cell(self, line: str, column: str = "") -> str:
        return f"{self.at}.{line}.{column}" if column else f"{self.at}.{line}"


Offered = Mapping[str, tuple[Choice, ...]]
"""Fact -> its choices, where only the dossier or the page's language knows them."""
Axes = Mapping[str, tuple[tuple[Choice, ...], ...]]
"""Table -> what stands at its side, and over its columns if it has any."""

VALUE_LABELS = {
    "crime_areas": labels.CRIME_AREA,
    "urgency_ground": labels.URGENCY_GROUND,
    "grounds": labels.REFUSAL_GROUND,
}
HIDDEN = frozenset({"scheme", "request"})
"""A grade brings its scheme; the node names the request."""
INSTANTS = ("due", "until", "at", "kickoff")
INSTANT_ENDS = ("_until", "_from", "_at")
"""Texts that are instants, by name and by the end of the name."""


def _grades(scheme: GradeScheme) -> tuple[str, ...]:
    sources, informations = Grade.codes(scheme)
    return tuple(f"{s}{i}" for s in sources for i in informations)


GRADES = _grades(GradeScheme.EU_4X4)


def grade_choices(schemes: Iterable[GradeScheme] = tuple(GradeScheme)) -> tuple[Choice, ...]:
    """Grades under their scheme; those of 4x4 by themselves, those of another scheme with its name before them."""
    return tuple(Choice(g if s is GradeScheme.EU_4X4 else f"{s}:{g}", g, str(s)) for s in schemes for g in _grades(s))


def fact_fields(rule: ActRule, offered: Offered, axes: Axes | None = None) -> list[FactField]:
    """The facts of an act as fields."""
    info = msgspec.inspect.type_info(rule.facts) if rule.facts else None
    fields = getattr(info, "fields", ())
    graded = any(f.name == "scheme" for f in fields)
    found = []
    for f in fields:
        # The language of a graded report is that of its narrative, which has a field of its own.
        if f.name in HIDDEN or (f.name == "language" and graded):
            continue
        default = "" if f.default in (msgspec.NODEFAULT, None) else str(f.default)
        if f.name in offered:
            made = _offered(f, offered[f.name], default)
        elif f.name == "grade" and graded:
            made = FactField("grade", "select", True, grade_choices())
        else:
            made = _typed(f.name, f.type, f.required, default)
        if axes and f.name in axes:
            lines, *columns = axes[f.name]
            if not lines:
                continue
            made = replace(made, widget="table", lines=lines, columns=columns[0] if columns else ())
        hint = labels.FACT_HINT.get(f"{rule.type}.{f.name}") or labels.FACT_HINT.get(f.name, "")
        found.append(replace(_unchosen(made), hint=hint))
    return found


def _unchosen(made: FactField) -> FactField:
    """What an officer has to judge (urgency, precedence, grade) is asked for and never chosen beforehand.

    A program may leave it out and gets the type's default; at two in the morning a default is a wrong answer that
    nobody gave. What says "not known" may stand.
    """
    judged = made.widget == "select" and made.default not in ("", UNKNOWN)
    judged = judged or (made.widget == "number" and made.default not in ("", "0"))
    return replace(made, default="", required=True) if judged else made


def _offered(f: Any, choices: tuple[Choice, ...], default: str) -> FactField:
    """A fact whose choices the dossier knows: several of them for a list, else one, perhaps none."""
    needed = f.required or _at_least_one(f.type)
    if isinstance(f.type, msgspec.inspect.ListType):
        if len(choices) > MOST_BOXES:
            return FactField(f.name, "rows", needed, choices, cell="select")
        return FactField(f.name, "many", needed, choices)
    blank = () if f.required or default or (choices and not choices[0].value) else (Choice("", "—"),)
    return FactField(f.name, "select", f.required, (*blank, *choices), default)


def _at_least_one(kind: Any) -> bool:
    return bool(getattr(kind, "min_length", None))


def _typed(name: str, kind: Any, required: bool, default: str) -> FactField:
    """What a type is written in."""
    match kind:
        case msgspec.inspect.UnionType():
            inner = [t for t in kind.types if not isinstance(t, msgspec.inspect.NoneType)]
            return _typed(name, inner[0], False, default)
        case msgspec.inspect.ListType():
            choices, needed = _choices(name, kind.item_type), required or _at_least_one(kind)
            if choices:
                return FactField(name, "many", needed, choices)
            return FactField(name, "rows", needed, cell="text")
        case msgspec.inspect.DictType():
            value = kind.value_type
            value = value.value_type if isinstance(value, msgspec.inspect.DictType) else value
            inside = _typed(name, value, False, "")
            return FactField(name, "pairs", required, inside.choices, cell=inside.widget)
        case msgspec.inspect.EnumType() | msgspec.inspect.LiteralType():
            return FactField(name, "select", required, _choices(name, kind), default)
        case msgspec.inspect.IntType():
            return FactField(name, "number", required, (), default)
        case msgspec.inspect.BoolType():
            return FactField(name, "check", False, (), default)
    is_instant = name in INSTANTS or name.endswith(INSTANT_ENDS)
    return FactField(name, "instant" if is_instant else "text", required, (), default)


def _choices(name: str, kind: Any) -> tuple[Choice, ...]:
    match kind:
        case msgspec.inspect.EnumType():
            values = [str(m.value) for m in kind.cls]
        case msgspec.inspect.LiteralType():
            values = [str(v) for v in kind.values]
        case _:
            return ()
    named = VALUE_LABELS.get(name, labels.FACT_VALUE)
    return tuple(Choice(v, named.get(v, v)) for v in values)


def row_count(form: Form, field: FactField) -> int:
    """How many rows the form shows: as many as it had, one more where its button was pressed."""
    text = form.get(f"n_{field.at}")
    before = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    there = max(before, len(form.all(field.at)), FIRST_ROWS) + (form.get("more") == field.at)
    return min(MOST_ROWS, there)


def is_told(form: Form, f: FactField) -> bool:
    """Whether the form says anything of this fact."""
    cells = f.widget in ("table", "pairs")
    return any(form.all(n) for n in form.names() if n == f.at or (cells and n.startswith(f"{f.at}.")))


def read_facts(form: Form, fields: Iterable[FactField]) -> dict[str, Any]:
    """The facts that a posted form tells. Raises `Invalid` for what only a form can get wrong."""
    found: dict[str, Any] = {}
    for f in fields:
        if f.widget == "check":
            found[f.name] = bool(form.get(f.at))
            continue
        told = _read(form, f)
        if told in ("", [], {}):
            if f.name == "digest":
                found[f.name] = ""  # the text's own, see `actforms`
            elif f.required:
                raise Invalid("form.required", "This is missing.", step=STEP, field=f.first_place)
        elif f.name == "grade" and ":" in str(told):
            found["scheme"], found["grade"] = str(told).split(":", 1)
        else:
            found[f.name] = told
    return found


def _read(form: Form, f: FactField) -> Any:
    match f.widget:
        case "many":
            return form.all(f.at)
        case "rows":
            return [_value(text, f, f.cell, f.at) for text in form.all(f.at)]
        case "table":
            return _table(form, f)
        case "pairs":
            return dict(_pairs(form, f))
    text = form.get(f.at)
    return _value(text, f, f.widget, f.at) if text else ""


def _value(text: str, f: FactField, how: str, at: str) -> Any:
    if how == "select" and text not in [c.value for c in f.choices]:
        raise Invalid("form.choice", "Choose one of the list.", step=STEP, field=at)
    if how != "number":
        return text
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise Invalid("form.number", "This is a whole number.", step=STEP, field=at)
    return int(text)


def _table(form: Form, f: FactField) -> dict[str, Any]:
    """Only what was filled in; a line without any cell is not told."""
    found: dict[str, Any] = {}
    for line in f.lines:
        if not f.columns:
            if text := form.get(f.at_cell(line.value)):
                found[line.value] = _value(text, f, f.cell, f.at_cell(line.value))
            continue
        told = {
            c.value: _value(text, f, f.cell, f.at_cell(line.value, c.value))
            for c in f.columns
            if (text := form.get(f.at_cell(line.value, c.value)))
        }
        if told:
            found[line.value] = told
    return found


def _pairs(form: Form, f: FactField) -> Iterator[tuple[str, Any]]:
    for n in range(1, row_count(form, f) + 1):
        name, text = form.get(f"{f.at}.{n}.name"), form.get(f"{f.at}.{n}.value")
        if name and text:
            yield name, _value(text, f, f.cell, f"{f.at}.{n}.value")
        elif name or text:
            missing = "value" if name else "name"
            raise Invalid("form.required", "This is missing.", step=STEP, field=f"{f.at}.{n}.{missing}")
