"""The kinds of dossier: each a folder with its nouns and pure rules, listed here once and known nowhere else.

A kind brings a life cycle (a table of `ActRule`), a check, a step, its duties and its automatic acts. It reads no
clock, no disk and no chance; storage, signatures, delivery, law and pages come from the dossier frame.
To add a kind: one folder, one line below.
"""

from tansiq.dossiers.model import Kind
from tansiq.kinds.assessment import ASSESSMENT
from tansiq.kinds.committee import COMMITTEE
from tansiq.kinds.examples import example_of
from tansiq.kinds.expertise import EXPERTISE, Fit, suit
from tansiq.kinds.face import Face, Made, cycle_of, face_of, items_of, makes, steppable
from tansiq.kinds.face import Line as SummaryLine
from tansiq.kinds.items import Item
from tansiq.kinds.major_event import MAJOR_EVENT
from tansiq.kinds.operation import OPERATION
from tansiq.kinds.report import REPORT
from tansiq.kinds.request import REQUEST
from tansiq.kinds.scorecard import NO_CASE, beside, count, figures_of, summed
from tansiq.kinds.scorecard import Line as FigureLine
from tansiq.kinds.warning import WARNING
from tansiq.kinds.words import LANGUAGES, TABLES, fault_of, say_fault
from tansiq.kinds.words import of as words_of

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        REPORT,
        REQUEST,
        WARNING,
        OPERATION,
        ASSESSMENT,
        MAJOR_EVENT,
        COMMITTEE,
        EXPERTISE,
    )
}

ESCALATIONS = frozenset(code for kind in KINDS.values() for code in kind.escalations)
"""Duties of the duty officer (role supervisor): shown first to whoever has that role."""

__all__ = [
    "ESCALATIONS",
    "KINDS",
    "LANGUAGES",
    "NO_CASE",
    "TABLES",
    "Face",
    "FigureLine",
    "Fit",
    "Item",
    "Made",
    "SummaryLine",
    "beside",
    "count",
    "cycle_of",
    "example_of",
    "face_of",
    "fault_of",
    "figures_of",
    "items_of",
    "makes",
    "say_fault",
    "steppable",
    "suit",
    "summed",
    "words_of",
]
