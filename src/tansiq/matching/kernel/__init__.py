"""The door to name scoring: compiled where the build had a compiler, the Python twin everywhere else.

Promises:
- both give the same whole numbers (centibits) and so the same score for any two texts; a test holds them to it.
- `score`, `explain`, `score_many`, `centibits`, `pack_name` run the chosen one; `kernel_in_use()` says which and why.
- `use("twin")` or `use("compiled")` chooses (for tests and comparisons); no environment is read.
- nothing that is kept grows with the number of names compared in C; the twin's caches are bounded.
"""

from tansiq.matching.kernel.door import (
    Compiled,
    Twin,
    centibits,
    explain,
    kernel_in_use,
    pack_name,
    reload,
    score,
    score_many,
    use,
)
from tansiq.matching.kernel.tables import pack, version

__all__ = [
    "Compiled",
    "Twin",
    "centibits",
    "explain",
    "kernel_in_use",
    "pack",
    "pack_name",
    "reload",
    "score",
    "score_many",
    "use",
    "version",
]
