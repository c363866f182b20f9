"""`committee`: a joint committee or permanent group, its meetings, and what became of its recommendations.

Promises (follow-up after Reg. (EU) 2022/922, whose limits are data in `model.LIMITS`)
- A meeting is called, held and minuted; minutes exist per language, each a version with its hash that every other side
  approves or contests; language versions that not all sides approved are seen to diverge.
- A recommendation names who carries it out, how grave the finding is, a date and what would show success. Once agreed,
  its addressee owes an action plan (2 months), the others its review (1 month), then progress every 6 months until
  every side has signed its closure. A serious deficiency runs on the shorter clocks.
- Silence is reported upward: when progress is late, every other side owes that report.
- The sides' scorecards are exchanged as signed figures; differences are shown, never averaged.
"""

from tansiq.kinds.committee.model import LIMITS, Established, Recommended
from tansiq.kinds.committee.rules import COMMITTEE, CYCLE, CommitteeState, divergent

__all__ = ["COMMITTEE", "CYCLE", "LIMITS", "CommitteeState", "Established", "Recommended", "divergent"]
