"""Evaluator: the OPRF keys of the private checks, in a process of their own that holds nothing else.

Promises:
1. The process that multiplies by a key has no database, no network and no word of a holding; it imports `crypto`,
   `terms` and `errors`, and a test holds it to that. A seed never leaves it; at rest the seeds are sealed.
2. An evaluation is counted on disk before it is made. A restart, a crash or a clock turned back gives nobody a
   second day's quota.
3. Quotas hold per partner, tier and day, with a burst after a rotation and a ceiling over all partners; half of a
   quota is an alarm, a canary that somebody asked for is one too.
4. A destroyed epoch and a revoked partner are gone in one step, and stay gone.

It decides nothing about who may ask: that is the law gate's and the caller's.
Read `rules.py` (the meter) first, then `room.py`; `process.py` is the loop, `client.py` the node's side of the pipe.
"""

from tansiq.evaluator.client import EvaluatorClient, start_evaluator
from tansiq.evaluator.rules import hit_alarms, readout

__all__ = ["EvaluatorClient", "hit_alarms", "readout", "start_evaluator"]
