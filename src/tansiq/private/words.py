"""A thing of the bank in the words that keys are made of. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tansiq.bank.model import Entity

_CODE = re.compile(r"[A-Za-z]{2}")
_PLAIN: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Person": {
        "birth_dates": ("birthDate",),
        "birth_places": ("birthPlace",),
        "fathers": ("fatherName",),
        "mothers": ("motherName",),
        "emails": ("email",),
    },
    "Vehicle": {"vins": ("vin",)},
    "Phone": {"imeis": ("imei",)},
    "BankAccount": {"ibans": ("iban",)},
    "CryptoWallet": {"wallets": ("publicKey",)},
    "UserAccount": {"emails": ("email",)},
    "Organization": {"emails": ("email",)},
}
_WITH_COUNTRY: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Person": {"phones": ("phone",)},
    "Organization": {"phones": ("phone",)},
    "Phone": {"phones": ("number",)},
    "UserAccount": {"phones": ("number",)},
    "Vehicle": {"plates": ("registrationNumber",)},
}
_DOCUMENTS: Mapping[str, Mapping[str, str]] = {
    "Person": {"passportNumber": "passport", "idNumber": "identity_card"},
    "Document": {"passportNumber": "passport", "number": "", "personalNumber": "identity_card"},
}


def words_of(entity: Entity, country: str) -> dict[str, Any]:
    """What `matching.held_keys` and `asked_keys` read. `country` is where a bare phone or plate is read."""
    own = next((v.upper() for v in entity.values("country") if _CODE.fullmatch(v)), "")
    where = own or country
    found: dict[str, Any] = {}
    if entity.schema == "Person":
        found["names"] = _names(entity)
    for word, props in _PLAIN.get(entity.schema, {}).items():
        found[word] = list(entity.values(*props))
    for word, props in _WITH_COUNTRY.get(entity.schema, {}).items():
        found[word] = [{"number": v, "country": where} for v in entity.values(*props)]
    issuers = [c.upper() for c in (*entity.values("nationality", "citizenship"), own) if _CODE.fullmatch(c)]
    issuer = issuers[0] if len(set(issuers)) == 1 else ""
    found["documents"] = [
        {"number": v, "country": issuer, "kind": kind}
        for prop, kind in _DOCUMENTS.get(entity.schema, {}).items()
        for v in entity.values(prop)
    ]
    return {word: values for word, values in found.items() if values}


def _names(entity: Entity) -> list[str]:
    """Full names; put together from their parts where there is none."""
    if full := entity.names():
        return list(full)
    given = entity.values("firstName", "givenName")[:1] + entity.values("secondName", "middleName")[:1]
    family = entity.values("lastName", "surname")[:1]
    return [whole] if (whole := " ".join((*given, *family))) else []
