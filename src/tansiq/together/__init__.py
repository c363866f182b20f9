"""What several dossiers or capabilities say together: the scorecard, offers that meet wishes, acts that a node makes.

Promises
- The scorecard counts what this node's own dossiers and hits hold of its work with one partner; nothing is asked of
  anybody. To send it is an act of a committee, signed and permitted like any other; both sides stand side by side.
- Offers and wishes are compared by their facts alone, and only those that the officer may see.
- An act whose body the node makes (a judgement that stays sealed here until all have judged) goes the way of any act.
"""

from tansiq.together.service import Meeting, Scorecard, Together

__all__ = ["Meeting", "Scorecard", "Together"]
