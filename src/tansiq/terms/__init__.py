"""The field's words as types: codes, ids, instants, handling, grades. Knows nothing else of the product.

Every closed list here is the list of its source (the clause stands beside it); a value outside the list is refused
with `Invalid`, never stored. Nothing here reads a clock, a disk or chance.
"""

from tansiq.terms.codes import (
    CRIME_AREAS,
    Basis,
    Classification,
    CrimeArea,
    Handling,
    HandlingCode,
    LogVerb,
    PersonRole,
    Purpose,
    RefusalGround,
    TransferBasis,
    UrgencyGround,
)
from tansiq.terms.grades import Grade, GradeScheme
from tansiq.terms.ids import DossierId, EntryId, NodeId, OfficerId, PartId, country_of
from tansiq.terms.instants import FIRST, LAST, format_instant, later, parse_date, parse_instant

__all__ = [
    "CRIME_AREAS",
    "FIRST",
    "LAST",
    "Basis",
    "Classification",
    "CrimeArea",
    "DossierId",
    "EntryId",
    "Grade",
    "GradeScheme",
    "Handling",
    "HandlingCode",
    "LogVerb",
    "NodeId",
    "OfficerId",
    "PartId",
    "PersonRole",
    "Purpose",
    "RefusalGround",
    "TransferBasis",
    "UrgencyGround",
    "country_of",
    "format_instant",
    "later",
    "parse_date",
    "parse_instant",
]
