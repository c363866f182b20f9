"""OFAC's SDN list: SDN.CSV (twelve columns without a header), and ADD.CSV beside it for the addresses.

The columns are number, name, type, programme, title, call sign, vessel type, tonnage, gross tonnage, flag, owner,
remarks; `-0-` is empty. What tells persons apart (birth, documents, other names) stands in the remarks as prose with
semicolons, cut off at a fixed length in the published file: the last, half word of it is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tansiq.bank.model import Provenance
from tansiq.errors import Invalid
from tansiq.sources.draft import Draft, country, written_date
from tansiq.sources.model import Reject, SourceRow
from tansiq.sources.wire import table

_COLUMNS = 12
_SCHEMAS = {"individual": "Person", "": "Organization", "vessel": "Vessel", "aircraft": "Airplane"}
_GRADE = "A2"


def read_ofac(data: bytes, addresses: bytes | None = None) -> Iterator[SourceRow | Reject]:
    """SDN.CSV, with the bytes of ADD.CSV where there are some."""
    where_they_live = _addresses(addresses) if addresses is not None else {}
    for number, row in table(data):
        where = f"line {number}"
        cells = [_cell(c) for c in row]
        if not any(cells) or cells[0] == "\x1a":
            # The file ends with the old end-of-file mark as a row of its own.
            continue
        if len(cells) != _COLUMNS:
            yield Reject(where, "source.columns")
            continue
        if not re.fullmatch(r"\d{1,8}", cells[0], re.ASCII):
            yield Reject(where, "source.reference_missing", "ent_num")
            continue
        schema = _SCHEMAS.get(cells[2].lower())
        if schema is None:
            yield Reject(where, "source.kind_unknown", "SDN_Type")
            continue
        try:
            draft = _entity(cells, schema)
            for full, land in where_they_live.get(cells[0], ()):
                draft.say("address", full)
                draft.say("country", country(land))
            if not draft.has("name"):
                yield Reject(where, "source.name_missing", "SDN_Name")
                continue
            yield SourceRow(draft.entity(), _provenance(cells))
        except Invalid as exc:
            yield Reject(where, exc.code, exc.field)


def _cell(raw: str) -> str:
    plain = raw.strip(" \t\r\n")
    return "" if plain == "-0-" else plain


def _provenance(cells: list[str]) -> Provenance:
    return Provenance(
        source="ofac",
        reference=cells[0],
        originator="US",
        unit=cells[3].replace("] [", " ").strip("[]")[:60],
        legal_basis="OFAC specially designated nationals list",
    )


def _addresses(data: bytes) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for _, row in table(data):
        cells = [_cell(c) for c in row]
        if len(cells) < 5:
            continue
        full = ", ".join(x for x in cells[2:5] if x)
        found.setdefault(cells[0], []).append((full, cells[4]))
    return found


def _entity(cells: list[str], schema: str) -> Draft:
    draft = Draft(f"ofac-{cells[0]}", schema, _GRADE)
    draft.say("name", _natural(cells[1]) if schema == "Person" else cells[1])
    if schema == "Person":
        draft.say("position", cells[4][:500])
    if schema == "Vessel":
        draft.say("callSign", cells[5])
        draft.say("type", cells[6])
        draft.say("tonnage", cells[7])
        draft.say("grossRegisteredTonnage", cells[8])
        draft.say("flag", country(cells[9]))
    if schema == "Airplane":
        # An aircraft is listed under its registration.
        draft.say("registrationNumber", cells[1])
    remarks = cells[11]
    facts = [f.strip() for f in remarks.split(";")]
    if remarks and not remarks.endswith("."):
        facts = facts[:-1]
    for fact in facts:
        _fact(draft, fact.rstrip("."), schema)
    draft.say("notes", "; ".join(facts)[:4000])
    return draft


def _natural(name: str) -> str:
    """`FAMILY, Given Names` to the order in which a name is said."""
    family, comma, given = name.partition(",")
    return f"{given.strip()} {family.strip()}" if comma else name


def _fact(draft: Draft, fact: str, schema: str) -> None:
    if found := re.fullmatch(r"(a\.k\.a\.|f\.k\.a\.|n\.k\.a\.) [\"'](.+)[\"']", fact):
        draft.say("previousName" if found[1] == "f.k.a." else "alias", found[2])
    elif schema == "Person":
        _person_fact(draft, fact)
    elif schema == "Vessel" and (found := re.search(r"\bIMO (\d{7})\b", fact)):
        draft.say("imoNumber", found[1])
    elif schema == "Vessel" and (found := re.search(r"\bMMSI (\d{9})\b", fact)):
        draft.say("mmsi", found[1])
    elif schema == "Airplane" and (found := re.search(r"Manufacturer's Serial Number \(MSN\) (\S+)", fact)):
        draft.say("serialNumber", found[1])
    elif schema == "Airplane" and (found := re.fullmatch(r"Aircraft Model (.+)", fact)):
        draft.say("model", found[1])
    elif schema == "Organization" and (found := re.fullmatch(r"(?:Tax ID No\.|US FEIN) (\S+)(?: \((.+)\))?", fact)):
        draft.say("taxNumber", found[1])
    elif schema == "Organization" and (
        found := re.fullmatch(r"(?:Registration Number|Registration ID|Company Number) (\S+)(?: \((.+)\))?", fact)
    ):
        draft.say("registrationNumber", found[1])


def _person_fact(draft: Draft, fact: str) -> None:
    plain = re.sub(r"^alt\. ", "", fact)
    if found := re.fullmatch(r"DOB (circa )?(.+)", plain):
        _birth(draft, found[2], circa=bool(found[1]))
    elif found := re.fullmatch(r"POB (.+)", plain):
        draft.say("birthPlace", found[1])
        draft.say("birthCountry", _known_country(found[1].rpartition(",")[2]))
    elif found := re.fullmatch(r"(?:nationality|citizen) (.+)", plain):
        draft.say("nationality" if plain.startswith("nationality") else "citizenship", country(found[1]))
    elif found := re.fullmatch(r"Gender (Male|Female)", plain):
        draft.say("gender", found[1].lower())
    elif found := re.fullmatch(r"Passport ([A-Z0-9][A-Za-z0-9/-]*)\b.*", plain):
        draft.say("passportNumber", found[1])
    elif found := re.fullmatch(
        r"(?:National ID No\.|Identification Number|Cedula No\.|Tax ID No\.|SSN) (\S+)( .*)?", plain
    ):
        prop = {"Tax": "taxNumber", "SSN": "socialSecurityNumber"}.get(plain.split()[0], "idNumber")
        draft.say(prop, found[1])
    elif found := re.fullmatch(r"(?:Phone Number) (\+?[\d ()-]{6,20})", plain):
        draft.say("phone", found[1])
    elif found := re.fullmatch(r"Email Address (\S+@\S+)", plain):
        draft.say("email", found[1])


def _known_country(name: str) -> str:
    found = country(name.strip())
    return found if len(found) == 2 else ""


def _birth(draft: Draft, text: str, *, circa: bool) -> None:
    if found := re.fullmatch(r"(?:\S+ )*?(\d{4}) to (?:\S+ )*?(\d{4})", text, re.ASCII):
        first, last = int(found[1]), int(found[2])
        if 0 <= last - first <= 15:
            for possible in range(first, last + 1):
                draft.say("birthDate", str(possible), basis="assessment")
        return
    date = written_date(text)
    draft.say("birthDate", date[:4] if circa else date, basis="assessment" if circa else "fact")
