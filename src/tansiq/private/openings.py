"""The openable log: the asker keeps what it asked, sealed; the holder keeps what it saw; a supervisor joins the two.

Opening is binding: to claim another input for an element that was sent, one would have to know the discrete logarithm
between two hashes. Padding opens too, so `that one was padding` is a claim that can be checked like any other.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from tansiq.crypto import blind_with
from tansiq.errors import TansiqError, Untrusted
from tansiq.private.batches import PADDING, case_reference
from tansiq.private.model import ELEMENT_BYTES, AskedBatch, BatchHeader, Opening
from tansiq.private.wire import digest


def openings_of(asked: AskedBatch, case: str, case_salt: bytes) -> list[Opening]:
    """What the asker seals into its log before the batch is sent: one for each element, padding included."""
    return [Opening(b.input, b.blind, case, case_salt, asked.header.digest, at) for at, b in enumerate(asked.blinded)]


def sampled(batches: Sequence[BatchHeader], seed: bytes, share: float) -> list[tuple[str, int]]:
    """(batch, position) of the elements to open. `seed` is chance that the supervisor draws after the batches were
    sent; both sides can repeat the choice, and neither can steer it."""
    limit = int(share * 2**64)
    return [
        (header.digest, at)
        for header in batches
        for at in range(header.count)
        if int.from_bytes(hmac.digest(seed, f"{header.digest}:{at}".encode("ascii"), hashlib.sha256)[:8], "big") < limit
    ]


def check_opening(opening: Opening, header: BatchHeader, elements: bytes) -> bool:
    """True for a question, False for padding, when the opening fits what the holder kept; else
    `Untrusted("opening.batch" | "opening.element" | "opening.case")`."""
    if digest(elements) != header.digest or opening.batch != header.digest or not 0 <= opening.position < header.count:
        raise Untrusted("opening.batch", "an opening of another batch", step="opening", field="batch")
    at = opening.position * ELEMENT_BYTES
    try:
        made = blind_with(opening.input, opening.blind).element
    except TansiqError as exc:
        raise Untrusted("opening.element", "an opening that is none", step="opening", field="blind") from exc
    if not hmac.compare_digest(made, elements[at : at + ELEMENT_BYTES]):
        raise Untrusted("opening.element", "not what was asked", step="opening", field="input")
    if opening.input.startswith(PADDING):
        return False
    if case_reference(opening.case_salt, opening.case) != header.case:
        raise Untrusted("opening.case", "asked under another case", step="opening", field="case")
    return True
