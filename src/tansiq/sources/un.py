"""The UN Security Council's consolidated list (XML).

The published lists do not validate against the published schema (fields in another order, STREET where there is none),
so nothing here asks for an order or for completeness: what is there is taken, what is not is not missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from tansiq.bank.model import Provenance
from tansiq.errors import Invalid
from tansiq.sources.draft import Draft, country, language_of, written_date
from tansiq.sources.model import Reject, SourceRow
from tansiq.sources.wire import child, children, one_line, tag, xml_root

_NAMES = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME")
_WIDEST_RANGE = 15
"""Years of a `between`; a wider one says nothing that could tell two persons apart."""
# LED art. 10: what the comments say of tribe, ethnicity or belief is not taken over.
_SPECIAL = re.compile(r"\b(tribe|tribal|ethnic\w*|religio\w+|caste)\b", re.IGNORECASE)
_GRADE = "A2"
"""A listed entry comes from a reliable source and is known to it, not to us (Reg. 2016/794 art. 29)."""


def read_un(data: bytes) -> Iterator[SourceRow | Reject]:
    root = xml_root(data, "CONSOLIDATED_LIST")
    for group, name, take in (("INDIVIDUALS", "INDIVIDUAL", _person), ("ENTITIES", "ENTITY", _organization)):
        position = 0
        for parent in children(root, group):
            for element in parent:
                if tag(element) != name:
                    continue
                position += 1
                where = f"{name.lower()} {position}"
                reference = child(element, "REFERENCE_NUMBER")
                if not re.fullmatch(r"[A-Za-z]{2,4}\.\d{1,5}", reference):
                    yield Reject(where, "source.reference_missing", "REFERENCE_NUMBER")
                    continue
                try:
                    draft = take(element, reference)
                    if not draft.has("name"):
                        yield Reject(where, "source.name_missing", "FIRST_NAME")
                        continue
                    yield SourceRow(draft.entity(), _provenance(element, reference))
                except Invalid as exc:
                    yield Reject(where, exc.code, exc.field)


def _provenance(element: Element, reference: str) -> Provenance:
    return Provenance(
        source="un",
        reference=reference,
        originator="UN",
        unit=child(element, "UN_LIST_TYPE")[:60],
        legal_basis="United Nations Security Council consolidated list",
    )


def _person(element: Element, reference: str) -> Draft:
    draft = Draft(reference, "Person", _GRADE)
    draft.say("name", _name(element))
    _original_script(draft, child(element, "NAME_ORIGINAL_SCRIPT"))
    for alias in children(element, "INDIVIDUAL_ALIAS"):
        _alias(draft, alias)
    for date in children(element, "INDIVIDUAL_DATE_OF_BIRTH"):
        _birth(draft, date)
    for place in children(element, "INDIVIDUAL_PLACE_OF_BIRTH"):
        parts = [child(place, n) for n in ("STREET", "CITY", "STATE_PROVINCE", "COUNTRY", "NOTE")]
        draft.say("birthPlace", ", ".join(x for x in parts if x))
        draft.say("birthCountry", country(child(place, "COUNTRY")))
    for value in _values(element, "NATIONALITY"):
        draft.say("nationality", country(value))
    for value in _values(element, "TITLE"):
        draft.say("title", value)
    for value in _values(element, "DESIGNATION"):
        draft.say("position", value[:500])
    gender = child(element, "GENDER").lower()
    if gender in ("male", "female"):
        draft.say("gender", gender)
    for document in children(element, "INDIVIDUAL_DOCUMENT"):
        _document(draft, document)
    for address in children(element, "INDIVIDUAL_ADDRESS"):
        _address(draft, address)
    _comments(draft, element)
    return draft


def _organization(element: Element, reference: str) -> Draft:
    draft = Draft(reference, "Organization", _GRADE)
    draft.say("name", _name(element))
    _original_script(draft, child(element, "NAME_ORIGINAL_SCRIPT"))
    for alias in children(element, "ENTITY_ALIAS"):
        _alias(draft, alias)
    for address in children(element, "ENTITY_ADDRESS"):
        _address(draft, address)
    _comments(draft, element)
    return draft


def _name(element: Element) -> str:
    """The list writes `na` where a part is not available."""
    return " ".join(x for x in (child(element, n) for n in _NAMES) if x.casefold() not in ("", "na", "n/a", "-"))


def _original_script(draft: Draft, value: str) -> None:
    draft.say("name", value, lang=language_of(value))


def _alias(draft: Draft, alias: Element) -> None:
    quality = child(alias, "QUALITY").lower()
    prop = {"low": "weakAlias", "f.k.a.": "previousName"}.get(quality, "alias")
    # One field often holds several spellings, split by semicolons.
    for name in child(alias, "ALIAS_NAME").split(";"):
        draft.say(prop, "" if name.strip().casefold() in ("na", "n/a", "-") else name)
    note = child(alias, "NOTE")
    for found in re.findall(r"[\u0600-\u06ff][\u0600-\u06ff\s]+[\u0600-\u06ff]", note):
        draft.say(prop, found, lang="ar")
    # Aliases carry birth dates of the identity that a false document claims; it is a claim, not a fact.
    born = written_date(child(alias, "DATE_OF_BIRTH"))
    if born:
        draft.say("birthDate", born, basis="assessment")


def _birth(draft: Draft, date: Element) -> None:
    kind = child(date, "TYPE_OF_DATE").upper()
    basis = "fact" if kind == "EXACT" else "assessment"
    exact = written_date(child(date, "DATE"))
    year = written_date(child(date, "YEAR"))
    if kind == "APPROXIMATELY":
        # `approximately 1961-07-20` is not known to the day: only its year is kept.
        draft.say("birthDate", (exact or year)[:4], basis=basis)
        return
    if exact or year:
        draft.say("birthDate", exact or year, basis=basis)
        return
    first, last = child(date, "FROM_YEAR"), child(date, "TO_YEAR")
    if re.fullmatch(r"\d{4}", first, re.ASCII) and re.fullmatch(r"\d{4}", last, re.ASCII):
        if 0 <= int(last) - int(first) <= _WIDEST_RANGE:
            for possible in range(int(first), int(last) + 1):
                draft.say("birthDate", str(possible), basis="assessment")
    else:
        draft.say("birthDate", written_date(child(date, "NOTE")), basis="assessment")


def _document(draft: Draft, document: Element) -> None:
    number = child(document, "NUMBER")
    kind = f"{child(document, 'TYPE_OF_DOCUMENT')} {child(document, 'TYPE_OF_DOCUMENT2')}".casefold()
    if not number:
        # Some editions put the number behind the words: `Afghan national identification card (tazkira) number 44323`.
        words = child(document, "TYPE_OF_DOCUMENT2")
        found = re.search(r"number:?\s+([A-Z0-9][A-Z0-9 /-]{3,30})$", words, re.IGNORECASE)
        number = found.group(1) if found else ""
    # Numbers may be followed by words: `A0101234, issued on ...`, `KJ0114 (false)`.
    number = re.split(r",|\(|;| issued| expired", number)[0].strip()
    if not re.search(r"\d", number) or len(number) > 60:
        return
    passport = "passport" in kind or "pasaporte" in kind or "passeport" in kind
    draft.say("passportNumber" if passport else "idNumber", number)


def _address(draft: Draft, address: Element) -> None:
    parts = [child(address, n) for n in ("STREET", "CITY", "STATE_PROVINCE", "ZIP_CODE", "COUNTRY", "NOTE")]
    draft.say("address", ", ".join(x for x in parts if x))
    draft.say("country", country(child(address, "COUNTRY")))


def _comments(draft: Draft, element: Element) -> None:
    text = child(element, "COMMENTS1")
    kept = [s for s in re.split(r"(?<=\.)\s+", text) if s and not _SPECIAL.search(s) and "INTERPOL-UN" not in s]
    draft.say("notes", " ".join(kept)[:4000])


def _values(element: Element, name: str) -> list[str]:
    return [one_line(v.text or "") for parent in children(element, name) for v in children(parent, "VALUE")]
