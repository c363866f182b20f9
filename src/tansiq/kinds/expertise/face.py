"""What an offer or a wish shows: who uses it and what it changed; where its officer is to mend it."""

from __future__ import annotations

from tansiq.kinds.expertise.view import view
from tansiq.kinds.face import Face

FACE = Face(view=view, shows=frozenset({"use"}), places={"an offer or a wish has a topic": "topics"})
