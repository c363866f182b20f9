"""What a grade says, in its own scheme's words: B3 is corroborated in the 4x4 and only possibly true in the 6x6.

4x4: Reg. (EU) 2016/794 art. 29. 6x6: the Admiralty's, used by NATO. 5x5x5 and 3x5x2: the United Kingdom's, the former
one still found abroad.
"""

from __future__ import annotations

from collections.abc import Mapping

from tansiq.terms import GradeScheme
from tansiq.web import labels
from tansiq.web.i18n import Tongue
from tansiq.web.labels import N_

_WORDS: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    GradeScheme.EU_4X4: (labels.SOURCE_GRADE, labels.INFORMATION_GRADE),
    GradeScheme.NATO_6X6: (
        {
            "A": N_("completely reliable"),
            "B": N_("usually reliable"),
            "C": N_("fairly reliable"),
            "D": N_("not usually reliable"),
            "E": N_("unreliable"),
            "F": N_("reliability cannot be judged"),
        },
        {
            "1": N_("confirmed by other sources"),
            "2": N_("probably true"),
            "3": N_("possibly true"),
            "4": N_("doubtful"),
            "5": N_("improbable"),
            "6": N_("truth cannot be judged"),
        },
    ),
    GradeScheme.UK_5X5X5: (
        {
            "A": N_("always reliable"),
            "B": N_("mostly reliable"),
            "C": N_("sometimes reliable"),
            "D": N_("unreliable"),
            "E": N_("untested"),
        },
        {
            "1": N_("known to be true without reservation"),
            "2": N_("known to the source, not to the officer"),
            "3": N_("not known to the source, corroborated"),
            "4": N_("cannot be judged"),
            "5": N_("suspected to be false or malicious"),
        },
    ),
    GradeScheme.UK_3X5X2: (
        {"1": N_("reliable"), "2": N_("untested"), "3": N_("not reliable")},
        {
            "A": N_("known directly to the source"),
            "B": N_("known indirectly, corroborated"),
            "C": N_("known indirectly"),
            "D": N_("not known how"),
            "E": N_("suspected to be false"),
        },
    ),
}


def in_words(tongue: Tongue, code: object, scheme: object = GradeScheme.EU_4X4) -> str:
    """Source, then information; after a scheme that is not the 4x4 its name. Nothing for what is no grade of it."""
    text = str(code)
    sources, informations = _WORDS.get(str(scheme), ({}, {}))
    if len(text) != 2 or text[0] not in sources or text[1] not in informations:
        return ""
    comma = "، " if tongue.code == "ar" else ", "
    said = f"{tongue.say(sources[text[0]])}{comma}{tongue.say(informations[text[1]])}"
    return said if str(scheme) == GradeScheme.EU_4X4 else f"{said} ({scheme})"


def choice_words(tongue: Tongue, code: str, scheme: object = GradeScheme.EU_4X4) -> str:
    """`B2 · usually reliable, …`: as an officer chooses it."""
    said = in_words(tongue, code, scheme).removesuffix(f" ({scheme})")
    return f"{code} · {said}" if said else code


__all__ = ["choice_words", "in_words"]
