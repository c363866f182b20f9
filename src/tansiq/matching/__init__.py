"""Matching: names, identifiers and persons across Arabic and Latin script, always with the reason.

Promises:
- `score(a, b)` is symmetric, in [0, 1], 0.0 when two names cannot be compared; `explain(a, b)` gives the rows
  that add up to it; `score_many(query, names)` gives the scores of one name against each of many.
- `kernel_in_use()` says whether names are scored in C or by the Python twin, which gives the same numbers.
- `compare_persons(a, b)` weighs names, birth dates, places, nationalities, parents, documents and phones in
  bits (log2), conflicts shown as plainly as agreement.
- `NameIndex` finds the nearest names of a register: `build`, `search`, `add`, `remove`, `save`, `load`.
- `normal_*` bring an identifier to its one written form, or answer None when it does not follow its own grammar.
- pure: no network, no clock, no disk but `NameIndex.save` and `load`; bounded time on any text.
A machine makes a match; only a person makes a hit.
"""

from tansiq.matching.identifiers import (
    normal_aircraft,
    normal_bic,
    normal_card,
    normal_crypto,
    normal_document,
    normal_email,
    normal_iban,
    normal_identifier,
    normal_imei,
    normal_phone,
    normal_plate,
    normal_username,
    normal_vessel,
    normal_vin,
)
from tansiq.matching.index import NameIndex
from tansiq.matching.kernel import explain, kernel_in_use, score, score_many
from tansiq.matching.persons import compare_persons, names_at_most

__all__ = [
    "NameIndex",
    "compare_persons",
    "explain",
    "kernel_in_use",
    "names_at_most",
    "normal_aircraft",
    "normal_bic",
    "normal_card",
    "normal_crypto",
    "normal_document",
    "normal_email",
    "normal_iban",
    "normal_identifier",
    "normal_imei",
    "normal_phone",
    "normal_plate",
    "normal_username",
    "normal_vessel",
    "normal_vin",
    "score",
    "score_many",
]
