"""Oversight: what a data-protection officer and a supervisory authority ask of a node.

Promises
- The audit log is chosen from by time, verb, officer and record; a dossier's leaves are those of its entries, parts and
  matches too. What other officers did is shown to those who oversee (LED art. 25).
- Everything held on one person (LED arts 14, 16, 17) is found across scripts: holdings, parts of dossiers, matches,
  standing queries, drafts, private checks; with what was disclosed to whom and when. What this officer may not read
  is named and not shown. An officer, and no machine, says which of it is that person.
- An extract of it is signed, stands in the ledger, and verifies off-line. What a partner gave is listed in it with
  the consent that it needs, and its content is there only where the officer says that its owner has consented.
- What the controller decided on a person's request, on which grounds of LED art. 15(1) and why (art. 15(4)), stands in
  the log and is found again by the request; an extract's leaf names the decision that it carries out.
- What was to be erased and is still held is a duty of the data-protection officer (LED arts 5, 16) until it is gone.
- The whole log is given out in one file, with the openings that the officer chose, and verifies off-line.

It releases nothing by itself and changes nothing but the ledger. Read `rules.py` first, then `service.py`.
"""

from tansiq.oversight.archive import verify_log
from tansiq.oversight.deciding import Ground, Ruling, decide
from tansiq.oversight.erasing import ESCALATIONS, ErasureDuty
from tansiq.oversight.extract import verify_extract
from tansiq.oversight.person import read_person
from tansiq.oversight.rules import read_right
from tansiq.oversight.service import Oversight, Sources
from tansiq.oversight.wire import EXTRACT_TYPE, MAX_EXTRACT_FILE

__all__ = [
    "ESCALATIONS",
    "EXTRACT_TYPE",
    "MAX_EXTRACT_FILE",
    "ErasureDuty",
    "Ground",
    "Oversight",
    "Ruling",
    "Sources",
    "decide",
    "read_person",
    "read_right",
    "verify_extract",
    "verify_log",
]
