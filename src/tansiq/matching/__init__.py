"""Matching: names, identifiers and persons across Arabic and Latin script, always with the reason.

Promises:
- `score(a, b)` is symmetric, in [0, 1], 0.0 when two names cannot be compared; `explain(a, b)` gives the rows
  that add up to it; `score_many(query, names)` gives the scores of one name against each of many.
- `kernel_in_use()` says whether names are scored in C or by the Python twin, which gives the same numbers.
- `compare_persons(a, b)` weighs names, birth dates, places, nationalities, parents, documents and phones in
  bits (log2), conflicts shown as plainly as agreement.
- `NameIndex` finds the nearest names of a register: `build`, `search`, `add`, `remove`, `save`, `load`.
- `normal_*` bring an identifier to its one written form, or answer None when it does not follow its own grammar.
- `asked_keys`/`held_keys` make a person into the exact keys of a private check; `key_fingerprint` says by which rules.
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
from tansiq.matching.keyspec import KeyClass, KeyTier, MatchKey, asked_keys, group_of, held_keys, tier_of
from tansiq.matching.keyspec import fingerprint as key_fingerprint
from tansiq.matching.persons import Told, compare_persons, names_at_most, tell
from tansiq.matching.reading import read_tokens, read_words

__all__ = [
    "KeyClass",
    "KeyTier",
    "MatchKey",
    "NameIndex",
    "Told",
    "asked_keys",
    "compare_persons",
    "explain",
    "group_of",
    "held_keys",
    "kernel_in_use",
    "key_fingerprint",
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
    "read_tokens",
    "read_words",
    "score",
    "score_many",
    "tell",
    "tier_of",
]
