"""`major_event`: a competition with its matches and venues, prepared and policed by host and visitors together.

Promises
- Each visiting service owes a pre-match dossier on its team's followers 14 days before a match (56 before a
  tournament), updates it, makes it final, and reports after the match; the host reports too. What is late is
  somebody's duty.
- A venue's safe capacity is the lowest of its four capacities. Its checklist is data: safety, security and service
  measures, each with a responsible body, a date and a state.
- The host's and the visitors' risk levels stand side by side; where they differ, the difference is shown.
- Delegations declare members, equipment and the powers they wish for; the host answers each declaration
  (Dec. 2008/615/JHA arts 17-19). This is coordination, not command.
- Match day: shifts, a log, numbered situation reports, requests for information with a clock, incidents.
- Lessons go on to a committee as recommendations.
- Personal data lives in the event and dies with it: nothing may be kept beyond 365 days after its end
  (Dec. 2008/615/JHA art. 14(2)), and each member owes the erasure.
"""

from tansiq.kinds.major_event.checklist import CHECKLIST, Measure
from tansiq.kinds.major_event.model import Opened
from tansiq.kinds.major_event.rules import CYCLE, MAJOR_EVENT, EventState, disagreements, safe_capacity

__all__ = [
    "CHECKLIST",
    "CYCLE",
    "MAJOR_EVENT",
    "EventState",
    "Measure",
    "Opened",
    "disagreements",
    "safe_capacity",
]
