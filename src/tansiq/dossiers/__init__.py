"""The dossier: an append-only, signed file that its members share and of which each holds a full copy.

Promises
- An entry is signed by its author's node with two signatures; its parts are bound by salted commitments, so that a part
  can be withheld from one recipient, passed on later by its originator alone, or erased, and everything else verifies.
- Only the node that wrote an entry delivers it. No node forwards another's entry.
- State is a fold over the set of entries: any order, repeat or delay gives the same state, and a fold never raises.
- Nothing is delivered without a permit of the law gate and a ledger leaf, in the transaction that queues it.
- What the rules make a node do by itself (answer a recall, receipt a request) is done after a crash too, once.
- Statements hold codes, times and ids; what is personal sits in parts, sealed in the store, erasable.

It knows no kind by name: kinds bring nouns and pure rules (`model.Kind`). Read `rules.py` first, then `service.py`.
"""

from tansiq.dossiers.frame import FRAME_ACTS, effective_handling
from tansiq.dossiers.rules import ancestors, automatic, duties, fold, in_order, parse_facts
from tansiq.dossiers.wire import parse_body, verify_entry

__all__ = [
    "FRAME_ACTS",
    "ancestors",
    "automatic",
    "duties",
    "effective_handling",
    "fold",
    "in_order",
    "parse_body",
    "parse_facts",
    "verify_entry",
]
