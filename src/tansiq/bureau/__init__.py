"""The bureau: what a service keeps for its own officers beside the dossiers. Nothing of it ever leaves the node.

Promises
- Search over subjects and texts of all dossiers, in Arabic and Latin script. The index lives in memory alone; what it
  finds is read from the store again, so what was erased is not shown.
- Standing queries: what an officer asked to be told of. Every entry that arrives and every new holding is compared with
  all of them at a cost that hardly grows with their number; each has a purpose and an end.
- Links between dossiers: a service's own note that two belong together, shown to who may read both.
- Templates: bodies of acts with places to fill in.

What it keeps is sealed: a stolen database tells that there are queries, links and templates, and nothing of what.
It decides nothing about who may see what: the caller asks the law gate, for each dossier.
"""

from tansiq.bureau.compare import Compared
from tansiq.bureau.templates import fill, places_of

__all__ = ["Compared", "fill", "places_of"]
