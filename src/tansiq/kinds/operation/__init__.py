"""`operation`: services act together: joint operations, investigation teams, controlled deliveries, surveillance.

Promises
- Nothing opens before every party signed: until then a joint operation or an investigation team takes signatures and
  amendments only. What is signed is the entry's id, and with it every word of its parts. Amendments likewise.
- What is legally possible between two countries is a table (`measures.toml`, each row with its clause); what it lacks
  is refused at append, ignored with a visible mark when a partner sends it, and not offered by pages and commands.
- Each State answers a measure request for itself; an urgent surveillance ends when five hours after the crossing no
  authorisation came; an abort reaches all and is acknowledged; a report is owed after every measure.
- Tasks, numbered situation reports, a decisions log, exhibits with an unbroken chain of custody, results that count
  only when every party agreed to them, an evaluation by each, then the erasure that the agreement sets.
- A deconfliction conflict opens an empty one (`coordination`): two contacts, and nothing else.
"""

from tansiq.kinds.operation.matrix import possible
from tansiq.kinds.operation.model import FORMS_TO_SIGN, Proposed
from tansiq.kinds.operation.rules import CYCLE, OPERATION, OperationState, custody, totals

__all__ = ["CYCLE", "FORMS_TO_SIGN", "OPERATION", "OperationState", "Proposed", "custody", "possible", "totals"]
