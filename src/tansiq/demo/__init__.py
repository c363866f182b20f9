"""The demo: four services of four countries do the main job, for real, on one machine.

Promises: each node is a process of its own with its own home folder, keys and database; what they exchange goes through
their exchange doors over TLS 1.3 with pinned certificates; the story is played through the same HTTP API that programs
use, so it can fail, and says at which step. People are invented unless public data is named with `--data`.
Nothing here is part of a node: it starts nodes, talks to them, and stops them.
"""

from tansiq.demo.stage import play

__all__ = ["play"]
