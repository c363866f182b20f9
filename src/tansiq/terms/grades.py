"""Source and information grades, kept in their native scheme; only the provider changes one (Reg. 2016/794 art. 29)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tansiq.errors import Invalid


class GradeScheme(StrEnum):
    """The native schemes; a derived grade is shown as derived and never sent as original."""

    EU_4X4 = "4x4"
    NATO_6X6 = "6x6"
    UK_5X5X5 = "5x5x5"
    UK_3X5X2 = "3x5x2"


_CODES = {
    GradeScheme.EU_4X4: ("ABCX", "1234"),
    GradeScheme.NATO_6X6: ("ABCDEF", "123456"),
    GradeScheme.UK_5X5X5: ("ABCDE", "12345"),
    GradeScheme.UK_3X5X2: ("123", "ABCDE"),
}


@dataclass(frozen=True, slots=True)
class Grade:
    """One source evaluation and one information evaluation, e.g. B2 in 4x4."""

    source: str
    information: str
    scheme: GradeScheme = GradeScheme.EU_4X4

    @classmethod
    def parse(cls, text: str, scheme: str = "4x4", field: str = "grade") -> Grade:
        """Two characters, e.g. `B2`. Raises `Invalid`."""
        try:
            found = GradeScheme(scheme)
        except ValueError as exc:
            raise Invalid("grade.scheme", "unknown grading scheme", field=field) from exc
        sources, informations = _CODES[found]
        if len(text) != 2 or text[0] not in sources or text[1] not in informations:
            raise Invalid("grade.unknown", f"not a {found} grade", field=field)
        return cls(text[0], text[1], found)

    @staticmethod
    def codes(scheme: GradeScheme) -> tuple[str, str]:
        """The scheme's letters and digits: of the source, of the information."""
        return _CODES[scheme]

    @classmethod
    def unknown(cls) -> Grade:
        """X4: what arrives without a grade and without agreement (Reg. 2016/794 art. 29(4))."""
        return cls("X", "4")

    def __str__(self) -> str:
        return f"{self.source}{self.information}"
