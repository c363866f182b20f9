"""`request`: a question with purpose, facts, urgency and its ground, answered against a legal clock.

Promises (Directive (EU) 2023/977)
- A request carries the items of art. 4(5); an urgent one carries one of the four grounds of art. 4(4).
- Its clock runs from receipt, 8 hours, 3 days or 7 days (art. 5(1)), for each addressee on its own.
- A clarification asked stops the clock, one given starts it again with what was left (art. 6(3)); a delay is announced
  with its length and reason, for judicial authorisation only (art. 5(2)).
- A refusal carries a ground of the closed list (art. 6(1), or the bilateral agreement's), and may be partial.
"""

from tansiq.kinds.request.model import CLOCKS, Made
from tansiq.kinds.request.rules import CYCLE, REQUEST, Lane, RequestState

__all__ = ["CLOCKS", "CYCLE", "REQUEST", "Lane", "Made", "RequestState"]
