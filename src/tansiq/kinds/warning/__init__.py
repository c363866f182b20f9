"""`warning`: a threat with its place, window, target and grade, told before it happens, and what became of it.

Promises
- Every addressee acknowledges for itself, within the time that the warning's precedence gives; while one has not, the
  duty goes up to that service's duty officer and the originator owes it a call over another channel.
- An update is acknowledged again: nobody acts on the old window unknowingly.
- Measures are told back; a stand-down asks each addressee for its feedback (Dec. 2008/615/JHA art. 32: the receiver
  reports what it did and the result); the originator records the outcome: prevented, true, false or unknown.
- The times to acknowledge are ours, not a standard's; see `model.ACKNOWLEDGE`.
"""

from tansiq.kinds.warning.model import ACKNOWLEDGE, Issued
from tansiq.kinds.warning.rules import CYCLE, WARNING, WarningState

__all__ = ["ACKNOWLEDGE", "CYCLE", "WARNING", "Issued", "WarningState"]
