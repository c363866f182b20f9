"""Hits: the standing examination of what arrives, and the word of the officer on what it found.

Promises:
1. A match is the machine's word, a hit is a person's: nothing but an officer's decision moves a match (LED art. 11).
2. What is queued in the transaction that filed an entry is examined, after any crash, and each meeting is kept once.
   What was looked up before that transaction is kept in it, if the bank has not changed since; else the queue has it.
3. A thing never matches what came with its own dossier.
4. Every examination and every decision leaves a ledger leaf (verb `combine`); so does a refused decision.
5. A recalled or erased part takes the matches that show it with it.

It changes nothing in a dossier: telling the partner about a hit is the officer's act there.
Read `rules.py` first (life cycle, thresholds, periods), then `service.py`.
"""

from tansiq.hits.rules import LEAST_SCORE, match_rule
from tansiq.hits.service import Ahead, Hits

__all__ = ["LEAST_SCORE", "Ahead", "Hits", "match_rule"]
