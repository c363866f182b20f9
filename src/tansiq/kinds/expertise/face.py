"""What an offer or a wish shows: who uses it and what it changed; where its officer is to mend it."""

from __future__ import annotations

from tansiq.kinds.expertise.view import view
from tansiq.kinds.face import Face, Groups

FORMS: dict[str, Groups] = {
    "expertise.opened": (
        ("frame", ("stance", "form", "topics")),
        ("who_when", ("places", "until", "languages")),
        ("scope", ("crime_areas",)),
        ("in_words", ("material", "narrative", "note")),
    ),
}
"""What its form groups: first what is decided upon, last what only helps."""

FACE = Face(view=view, shows=frozenset({"use"}), places={"an offer or a wish has a topic": "topics"}, forms=FORMS)
