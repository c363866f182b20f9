"""Who is asked for, and whether a content speaks of that person. Pure: no clock, no store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tansiq.bank import parse_entity
from tansiq.bank.model import Claim, Entity
from tansiq.bureau import Compared
from tansiq.bureau.model import Watch, WatchKind
from tansiq.errors import Invalid
from tansiq.oversight.rules import STEP

DESCRIBES = frozenset({"birthDate", "birthPlace", "nationality", "citizenship", "gender", "fatherName", "motherName"})
MOST_NAMES = 100
"""Further spellings for which texts are looked through."""
AT_ONCE = 200
"""So many claims of one content are compared with the person in one go."""
NAMES = ("name", "alias", "weakAlias", "previousName")


def read_person(claims: Iterable[Mapping[str, str]]) -> Entity:
    """The person who is asked for. Raises `Invalid`: without a name or a number nobody can be found."""
    given = [dict(c) for c in claims]
    if not given:
        raise Invalid("person.empty", "give a name or a number", step=STEP, field="name")
    asked = parse_entity({"id": "asked", "schema": "Person", "claims": given}, "person")
    if not asked.names() and not numbers_of(asked):
        raise Invalid("person.empty", "give a name or a number", step=STEP, field="name")
    return asked


def with_names(asked: Entity, names: Iterable[str]) -> tuple[Entity, bool]:
    """The same person with further spellings, as many as are looked for; and whether these are all."""
    more = [n for n in dict.fromkeys(names) if n not in asked.names()]
    further = (Claim("alias", n) for n in more[:MOST_NAMES])
    return replace(asked, claims=(*asked.claims, *further)), len(more) <= MOST_NAMES


def numbers_of(asked: Entity) -> tuple[str, ...]:
    return tuple(c.value for c in asked.claims if c.property not in DESCRIBES and c.property not in NAMES)


def looked_for(asked: Entity) -> Compared:
    """The person's names and numbers, made ready to be met by any content, across scripts."""
    texts = [(WatchKind.NAME, n) for n in asked.names()] + [(WatchKind.NUMBER, n) for n in numbers_of(asked)]
    at = datetime(1970, 1, 1, tzinfo=UTC)
    return Compared([Watch(str(n), "", kind, text, "", "", "", at) for n, (kind, text) in enumerate(texts)])


def met(compared: Compared, content: Mapping[str, Any]) -> tuple[float, str]:
    """How well it speaks of the person (0: not at all), and by which words."""
    every = (m for piece in pieces(content) for m in compared.meet(piece))
    best = max(every, key=lambda m: m.score, default=None)
    return (best.score, best.what) if best is not None else (0.0, "")


def pieces(content: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """An entity with more claims than are compared at once, in pieces; anything else as it is."""
    entity = content.get("entity")
    claims = entity.get("claims") if isinstance(entity, Mapping) else None
    if not isinstance(entity, Mapping) or not isinstance(claims, list | tuple) or len(claims) <= AT_ONCE:
        return [content]
    parts = [claims[at : at + AT_ONCE] for at in range(0, len(claims), AT_ONCE)]
    return [{**content, "entity": {**entity, "claims": part}} for part in parts]


def text_of_watch(watch: Watch) -> dict[str, Any]:
    """The name that a standing query looks for, as a content that can be met."""
    return {"kind": "entity", "entity": {"claims": [{"property": "name", "value": watch.text}]}}


def words_as_content(words: Mapping[str, Any]) -> dict[str, Any]:
    """A person in the words of a private check, as a content that can be met."""
    claims = [{"property": "name" if word == "names" else word, "value": v} for word, v in _each(words)]
    return {"kind": "entity", "entity": {"claims": claims}}


def _each(words: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for word, values in words.items():
        for value in values if isinstance(values, list | tuple) else [values]:
            yield word, str(value.get("number", "")) if isinstance(value, Mapping) else str(value)
