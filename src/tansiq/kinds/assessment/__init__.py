"""`assessment`: a question about a threat, and what each service judges before it has seen the others.

Promises
- Hypotheses and evidence are gathered together; then every service judges for itself: it commits to its judgement by
  a hash and reveals it only when all have committed, or when the time to judge is over. A judgement whose author could
  have read another's first (the first revelation had not seen its commitment, or one was sent too early) is kept and
  shown as not blind.
- Likelihood (ICD 203) and confidence are two axes, never one sentence. Each service's own judgement stands beside the
  joint one; dissent is printed, never averaged away. Later rounds begin blind again, and forget no earlier one.
- The ACH matrix of each service shows which evidence tells hypotheses apart, and what changes without each item.
- Indicators have a date of last check that somebody owes; questionnaires allow "unknown"; a picture is drawn over time.
- When the outcome is known, each service and the joint judgement get their Brier score.
- Assessments concern threats, groups, venues, regions: no person gets a number here (LED arts 7, 11).
"""

from tansiq.kinds.assessment.ach import Ranking, brier, diagnosticity, rank, sensitivity
from tansiq.kinds.assessment.model import LIKELIHOOD, Asked, Judgement, commitment
from tansiq.kinds.assessment.rules import ASSESSMENT, CYCLE, AssessmentState, picture, scores
from tansiq.kinds.assessment.sealed import commit_body, reveal_body

__all__ = [
    "ASSESSMENT",
    "CYCLE",
    "LIKELIHOOD",
    "Asked",
    "AssessmentState",
    "Judgement",
    "Ranking",
    "brier",
    "commit_body",
    "commitment",
    "diagnosticity",
    "picture",
    "rank",
    "reveal_body",
    "scores",
    "sensitivity",
]
