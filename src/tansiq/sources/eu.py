"""The EU's Financial Sanctions Files (XML, schema 1.1). Everything stands in attributes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from tansiq.bank.model import Provenance
from tansiq.errors import Invalid
from tansiq.sources.draft import Draft, country, written_date
from tansiq.sources.model import Reject, SourceRow
from tansiq.sources.wire import children, one_line, tag, xml_root

_SCHEMAS = {"P": "Person", "E": "Organization"}
_GRADE = "A2"
_DOCUMENTS = {"passport": "passportNumber", "ssn": "socialSecurityNumber", "fiscalcode": "taxNumber"}
_WIDEST_RANGE = 15


def read_eu(data: bytes) -> Iterator[SourceRow | Reject]:
    root = xml_root(data, "export")
    position = 0
    for element in root:
        if tag(element) != "sanctionEntity":
            continue
        position += 1
        where = f"sanctionEntity {position}"
        reference = (element.get("euReferenceNumber") or "").strip()
        if not re.fullmatch(r"EU\.\d{1,6}\.\d{1,3}", reference):
            yield Reject(where, "source.reference_missing", "euReferenceNumber")
            continue
        code = next((s.get("classificationCode", "") for s in children(element, "subjectType")), "")
        if code not in _SCHEMAS:
            yield Reject(where, "source.kind_unknown", "subjectType")
            continue
        try:
            draft = _entity(element, reference, _SCHEMAS[code])
            if not draft.has("name", "alias", "weakAlias"):
                yield Reject(where, "source.name_missing", "nameAlias")
                continue
            yield SourceRow(draft.entity(), _provenance(element, reference))
        except Invalid as exc:
            yield Reject(where, exc.code, exc.field)


def _provenance(element: Element, reference: str) -> Provenance:
    regulation = next(iter(children(element, "regulation")), None)
    unit = "" if regulation is None else regulation.get("programme", "")
    return Provenance(
        source="eu", reference=reference, originator="EU", unit=unit[:60], legal_basis="EU financial sanctions list"
    )


def _entity(element: Element, reference: str, schema: str) -> Draft:
    draft = Draft(reference, schema, _GRADE)
    for index, alias in enumerate(children(element, "nameAlias")):
        _name(draft, alias, first=index == 0)
    if schema == "Person":
        for birth in children(element, "birthdate"):
            _birth(draft, birth)
        for citizen in children(element, "citizenship"):
            draft.say("nationality", _country(citizen))
    for document in children(element, "identification"):
        _document(draft, document, schema)
    for address in children(element, "address"):
        parts = [address.get(n, "") for n in ("street", "poBox", "zipCode", "city", "region", "place")]
        draft.say("address", ", ".join(x for x in [*parts, _country_name(address)] if x.strip()))
        draft.say("country", _country(address))
    for contact in children(element, "contactInfo"):
        prop = {"phone": "phone", "email": "email", "web": "website"}.get(contact.get("key", "").lower())
        if prop:
            draft.say(prop, contact.get("value", ""))
    remarks = " ".join(one_line(r.text or "") for r in children(element, "remark"))
    draft.say("notes", remarks[:4000])
    return draft


def _name(draft: Draft, alias: Element, *, first: bool) -> None:
    whole = one_line(alias.get("wholeName") or "")
    if not whole:
        whole = one_line(" ".join(alias.get(n) or "" for n in ("firstName", "middleName", "lastName")))
    strong = (alias.get("strong") or "true").lower() == "true"
    prop = "name" if first else "alias" if strong else "weakAlias"
    lang = (alias.get("nameLanguage") or "").lower()
    draft.say(prop, whole, lang=lang if re.fullmatch(r"[a-z]{2}", lang) else "")
    draft.say("position", (alias.get("function") or "")[:500])
    draft.say("title", alias.get("title") or "")
    gender = {"M": "male", "F": "female"}.get(alias.get("gender") or "")
    if gender:
        draft.say("gender", gender)


def _birth(draft: Draft, birth: Element) -> None:
    # Other calendars' dates stand in the same attributes; taken as they are they would be six centuries off.
    circa = (birth.get("circa") or "").lower() == "true"
    basis = "assessment" if circa else "fact"
    if birth.get("calendarType", "GREGORIAN") == "GREGORIAN":
        exact = written_date(birth.get("birthdate") or "")
        year = written_date(birth.get("year") or "")
        month = birth.get("monthOfYear") or ""
        if year and not exact and re.fullmatch(r"\d{1,2}", month, re.ASCII):
            exact = written_date(f"{year}-{int(month):02d}")
        draft.say("birthDate", year if circa and year else exact or year, basis=basis)
        first, last = birth.get("yearRangeFrom") or "", birth.get("yearRangeTo") or ""
        years = [int(x) for x in (first, last) if re.fullmatch(r"\d{4}", x, re.ASCII)]
        if len(years) == 2 and 0 <= years[1] - years[0] <= _WIDEST_RANGE:
            for possible in range(years[0], years[1] + 1):
                draft.say("birthDate", str(possible), basis="assessment")
    parts = [birth.get(n) or "" for n in ("place", "city", "region")]
    draft.say("birthPlace", ", ".join(x for x in [*parts, _country_name(birth)] if x.strip()))
    draft.say("birthCountry", _country(birth))


def _document(draft: Draft, document: Element, schema: str) -> None:
    if (document.get("knownFalse") or "").lower() == "true":
        return
    number = one_line(document.get("latinNumber") or document.get("number") or "")
    if not re.search(r"\d", number) or len(number) > 60:
        return
    kind = (document.get("identificationTypeCode") or "").lower()
    prop = _DOCUMENTS.get(kind, "idNumber")
    if schema != "Person":
        prop = {"imo": "imoNumber", "regnumber": "registrationNumber", "fiscalcode": "taxNumber"}.get(kind, "idNumber")
    draft.say(prop, number)


def _country(element: Element) -> str:
    code = (element.get("countryIso2Code") or "").strip()
    return "" if code in ("", "00") else country(code)


def _country_name(element: Element) -> str:
    name = one_line(element.get("countryDescription") or "")
    return "" if name.upper() == "UNKNOWN" else name
