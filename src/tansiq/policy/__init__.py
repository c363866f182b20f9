"""The law gate: may this officer do this, with this information, for this recipient? Decided by rules in Cedar.

Promises:
- `load_gate(country)` reads the packaged rules and agreements (and a service's own from `extra_dir`), checks every rule
  against the schema, and refuses to load a rule that is mistyped, unnamed or without its clause of law.
- `Gate.decide` is pure: no clock, no disk. It answers `Permit` or `Refusal`, always with the clauses that decided.
- What no rule permits is refused; a rule that forbids is stronger than any that permits; a rule that cannot be
  evaluated refuses. A rule with `@obligation` permits nothing: it says what a permitted act still owes.
- `permitted` turns a refusal into the failure `Refused`, which names clauses and field; `clauses_of` is for leaves.
- `Gate.title` gives each clause's title in English, Arabic, French, Spanish and German.

It does not ask who the officer is (`access`), keep what was decided (`ledger`), or carry an obligation out: the caller
does. All shipped rules are examples that no authority has approved. Read `policies/common.cedar` next; `docs/policy.md`
says how a lawyer reads and changes a rule.
"""

from tansiq.policy.answers import clauses_of, permitted, refused
from tansiq.policy.load import load_gate
from tansiq.policy.model import Action, Agreement, Clause, Decision, Permit, Question, Refusal
from tansiq.policy.rules import Gate

__all__ = [
    "Action",
    "Agreement",
    "Clause",
    "Decision",
    "Gate",
    "Permit",
    "Question",
    "Refusal",
    "clauses_of",
    "load_gate",
    "permitted",
    "refused",
]
