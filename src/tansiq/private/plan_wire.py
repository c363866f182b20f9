"""Bytes to values of plans: letters as they come from a partner, and what the vault gave back.

A letter is one item of the exchange (kind `plan`): signed, sealed and receipted by it. Its words:
`test`     exact test of a met token: our place and window, which of your ids we met, our name for the plan
`verdict`  what the test said: a class and the contacts, or nothing; your name for yours
`contact`  the asker's contacts, after a verdict that said conflict
`state`    acknowledged, resolved, opened (with the dossier's id), cannot_open, withdrawn
`level`    this side agrees to a level (1 to 4)
`told`     what both sides' consent lets us tell
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from tansiq.errors import Broken, Invalid, Untrusted

MAX_LETTER = 16 * 1024

Alias = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{24}\Z")]
_Name = Annotated[str, msgspec.Meta(max_length=400)]
_Ms = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]


class PlaceWire(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A circle and a window; whether they are on the map is `require_plan`'s to say."""

    latitude: float
    longitude: float
    radius_m: float
    begins_ms: _Ms
    ends_ms: _Ms


class ContactWire(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    lead: _Name
    backup: _Name


class _Letter(msgspec.Struct, forbid_unknown_fields=True, frozen=True, tag_field="word"):
    pass


class Test(_Letter, tag="test", frozen=True):
    """`places` and `targets` are the ids that were met, by what met them."""

    v: Literal[1]
    alias: Alias
    places: Annotated[list[Alias], msgspec.Meta(max_length=64)]
    targets: Annotated[list[Alias], msgspec.Meta(max_length=64)]
    place: PlaceWire | None = None


class Verdict(_Letter, tag="verdict", frozen=True):
    v: Literal[1]
    alias: Alias
    theirs: Alias
    rids: Annotated[list[Alias], msgspec.Meta(max_length=128)]
    kind: Literal["", "space_time", "target", "critical"]
    contact: ContactWire | None = None


class ContactLetter(_Letter, tag="contact", frozen=True):
    v: Literal[1]
    meeting: str
    contact: ContactWire


class State(_Letter, tag="state", frozen=True):
    v: Literal[1]
    meeting: str
    state: Literal["acknowledged", "resolved", "opened", "cannot_open", "withdrawn"]
    dossier: Annotated[str, msgspec.Meta(max_length=40)] = ""


class Level(_Letter, tag="level", frozen=True):
    v: Literal[1]
    meeting: str
    level: Annotated[int, msgspec.Meta(ge=1, le=4)]


class ToldWire(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    type: Annotated[str, msgspec.Meta(max_length=40)] = ""
    begins_ms: _Ms | None = None
    ends_ms: _Ms | None = None
    area: Annotated[list[float], msgspec.Meta(min_length=2, max_length=2)] | None = None
    place: Annotated[list[float], msgspec.Meta(min_length=3, max_length=3)] | None = None


class Told(_Letter, tag="told", frozen=True):
    v: Literal[1]
    meeting: str
    what: ToldWire


Letter = Test | Verdict | ContactLetter | State | Level | Told
_letters: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Letter)


def letter_bytes(letter: Letter) -> bytes:
    return msgspec.json.encode(letter)


def parse_letter(raw: bytes) -> Letter:
    """A partner's letter, whose signature the exchange has checked. Raises `Untrusted("plan.malformed")`."""
    if len(raw) > MAX_LETTER:
        raise Untrusted("plan.malformed", "larger than a letter about a plan can be", step="plan letter")
    try:
        letter: Letter = _letters.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as exc:
        raise Untrusted("plan.malformed", "not a letter about a plan", step="plan letter") from exc
    return letter


class PlaceBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A circle, and a window as instants."""

    latitude: float
    longitude: float
    begins_at: str
    ends_at: str
    radius_m: float = 290.0
    """About 950 feet: the one radius that a public form of the field states (DOMAIN 5.3)."""


class PlanBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A plan as an officer or a program writes it."""

    lead: str
    backup: str
    legal_basis: str
    type: str = ""
    sensitivity: str = "normal"
    place: PlaceBody | None = None
    targets: list[dict[str, Any]] = []
    case: str = ""
    transfer_basis: str = ""


def parse_plan_body(value: object) -> PlanBody:
    """Raises `Invalid("plan.malformed")` naming the field; the input is never quoted."""
    try:
        return msgspec.convert(value, PlanBody)
    except (msgspec.ValidationError, RecursionError) as exc:
        text = str(exc)
        where = text[text.rindex("`$") :].strip("`").removeprefix("$").lstrip(".") if "`$" in text else ""
        named = text.split("`")[1][:40] if "field `" in text else ""
        field = ".".join(x for x in (where, named) if x)
        raise Invalid("plan.malformed", "missing, unknown, or not of its form", step="plan", field=field) from exc


def pack(value: Any) -> bytes:
    """What the vault seals."""
    return msgspec.msgpack.encode(value)


def unpack(raw: bytes) -> Any:
    """What the vault gave back: our own bytes."""
    try:
        return msgspec.msgpack.decode(raw)
    except (msgspec.DecodeError, ValueError) as exc:
        raise Broken("plan.state", "a kept plan does not read back", step="plan") from exc
