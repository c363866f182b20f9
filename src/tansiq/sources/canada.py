"""Canada's consolidated autonomous sanctions list (SEMA, XML): flat records without a number of their own.

The reference is put together from country, schedule and item, which together are unique in a good edition; a repeat is
refused by name rather than silently overwritten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from tansiq.bank.model import Provenance
from tansiq.errors import Invalid
from tansiq.sources.draft import Draft, country, written_date
from tansiq.sources.model import Reject, SourceRow
from tansiq.sources.wire import child, tag, xml_root

_GRADE = "A2"


def read_canada(data: bytes) -> Iterator[SourceRow | Reject]:
    root = xml_root(data, "data-set")
    position = 0
    seen: set[str] = set()
    for element in root:
        if tag(element) != "record":
            continue
        position += 1
        where = f"record {position}"
        programme = child(element, "Country").partition(" / ")[0]
        reference = f"{programme}|{child(element, 'Schedule')}|{child(element, 'Item')}"
        if not child(element, "Item"):
            yield Reject(where, "source.reference_missing", "Item")
            continue
        if reference in seen:
            yield Reject(where, "source.reference_twice", "Item")
            continue
        seen.add(reference)
        try:
            draft = _entity(element, programme)
            if not draft.has("name"):
                yield Reject(where, "source.name_missing", "LastName")
                continue
            prov = Provenance(
                source="ca",
                reference=reference,
                originator="CA",
                unit=programme[:60],
                legal_basis="Canadian autonomous sanctions list",
            )
            yield SourceRow(draft.entity(), prov)
        except Invalid as exc:
            yield Reject(where, exc.code, exc.field)


def _entity(element: Element, programme: str) -> Draft:
    given, family = child(element, "GivenName"), child(element, "LastName")
    entity = child(element, "EntityOrShip")
    imo = re.search(r"\d{7}", child(element, "ShipIMONumber"))
    schema = "Person" if family or given else "Vessel" if imo else "Organization"
    # The position in the file is no part of an entity: an entry that moves down a line has not changed.
    draft = Draft("ca", schema, _GRADE)
    if schema == "Person":
        draft.say("name", f"{given} {family}")
        born = written_date(child(element, "DateOfBirthOrShipBuildDate"))
        draft.say("birthDate", born)
        draft.say("position", child(element, "TitleOrShip")[:500])
    else:
        draft.say("name", entity)
        if imo:
            draft.say("imoNumber", imo.group())
    aliases = child(element, "Aliases")
    # Commas also stand inside a name; only a cell too long to be one name is split at them.
    for alias in re.split(r";|,", aliases) if len(aliases) > 200 else aliases.split(";"):
        draft.say("alias", alias)
    if schema != "Vessel":
        draft.say("country", country(programme))
    return draft
