"""`expertise`: an offer of or a wish for know-how, who used it, and what it changed.

Promises
- Trainings, missions, practice notes, venue inspections, equipment: offered or wished for by topic, language and time.
- A partner takes up an offer (or answers a wish); the opener agrees or declines; what was agreed is held, and then its
  user (who took up the offer, or who wished) tells what it changed, even if the offer is closed by then: an exchange of
  experience without an effect is seen to be one.
- `suit` says which offers and wishes meet, and why; it decides nothing.
"""

from tansiq.kinds.expertise.model import Opened
from tansiq.kinds.expertise.rules import CYCLE, EXPERTISE, ExpertiseState, Fit, suit

__all__ = ["CYCLE", "EXPERTISE", "ExpertiseState", "Fit", "Opened", "suit"]
