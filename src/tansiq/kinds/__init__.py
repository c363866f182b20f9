"""The kinds of dossier: each a folder with its nouns and pure rules, listed here once and known nowhere else.

A kind brings a life cycle (a table of `ActRule`), a check, a step, its duties and its automatic acts. It reads no
clock, no disk and no chance; storage, signatures, delivery, law and pages come from the dossier frame.
To add a kind: one folder, one line below.
"""

from tansiq.dossiers.model import Kind
from tansiq.kinds.report import REPORT
from tansiq.kinds.request import REQUEST
from tansiq.kinds.words import LANGUAGES, TABLES
from tansiq.kinds.words import of as words_of

KINDS: dict[str, Kind] = {k.name: k for k in (REPORT, REQUEST)}

__all__ = ["KINDS", "LANGUAGES", "TABLES", "words_of"]
