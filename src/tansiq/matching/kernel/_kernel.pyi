from collections.abc import Callable
from typing import Any

LAYOUT: int
RECORD: int

def load(raw: dict[str, bytes | Callable[..., Any]], /) -> None: ...
def score(a: str, b: str, /) -> float: ...
def centibits(a: str, b: str, /) -> int | None: ...
def align(
    a: str, b: str, /
) -> (
    tuple[
        bool,
        int,
        tuple[tuple[int, int, int, int, int, int, int, int], ...],
        int | None,
        int | None,
        tuple[tuple[int, int], ...],
        tuple[tuple[int, int], ...],
    ]
    | None
): ...
def score_many(query: str, names: list[str], /) -> list[float]: ...
def pack_name(name: str, /) -> bytes: ...
def points(a: bytes, b: bytes, /) -> int: ...
def merged(a: bytes, b: bytes, /) -> bytes | None: ...
