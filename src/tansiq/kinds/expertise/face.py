"""What an offer or a wish shows beside its items: nothing; where its officer is to mend it."""

from __future__ import annotations

from tansiq.kinds.face import Face

FACE = Face(places={"an offer or a wish has a topic": "topics"})
