"""The information bank: what this service holds, where it comes from, and how it is found again.

Promises:
1. Everything personal is sealed with the node's vault key; names live in memory only, numbers in the tables only as
   keyed marks (blind index). A stolen database without keys tells no name and no number.
2. A record keeps its provenance: source, originator, part, handling, legal basis, erasure date.
3. `find` looks by names in any script and by identifiers, and says with every candidate what met what.
4. A recalled part takes its records with it (`erase_part`); what is past its erasure date goes with `erase_due`.
5. An officer's record and every erasure are asked of the law gate; its clauses stand in the leaf.
6. What is looked up by name changes with the commit, never before it.

It does not decide that two people are the same: that is an officer's word, see `tansiq.hits`.
`Bank.add` writes no ledger leaf: the verb that collects does, in the same transaction. `Bank.collect` is such a verb.
Read `service.py` next, then `rules.py` (keys and scores) and `wire.py` (the JSON form of an entity).
"""

from tansiq.bank.asking import is_minor, question
from tansiq.bank.rules import identifiers
from tansiq.bank.service import Bank
from tansiq.bank.wire import (
    MAX_CLAIMS,
    SPECIAL_CATEGORIES,
    check_partial_date,
    clean_value,
    entity_to_json,
    parse_entity,
    properties,
)

__all__ = [
    "MAX_CLAIMS",
    "SPECIAL_CATEGORIES",
    "Bank",
    "check_partial_date",
    "clean_value",
    "entity_to_json",
    "identifiers",
    "is_minor",
    "parse_entity",
    "properties",
    "question",
]
