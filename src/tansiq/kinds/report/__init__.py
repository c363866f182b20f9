"""`report`: information given on one's own initiative (Dir. (EU) 2023/977 art. 7; the SIENA "spontaneous" message).

Promises: a report carries its narrative in the language it was written in, its entities as graded claims and its links;
members add notes; the giver corrects, recalls or closes it; what partners did with it comes back as feedback.
The frame brings corrections, recall, permission, regrade and feedback.
"""

from tansiq.kinds.report.model import Given
from tansiq.kinds.report.rules import REPORT

__all__ = ["REPORT", "Given"]
