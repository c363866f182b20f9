"""Asking and answering: batches of a fixed size, each element fresh, each answer proved.

Padding is asked like everything else: a blinded input of chance in a class of its own. The holder cannot tell it from
a question, and the asker can open it to its supervisor as what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tansiq.crypto import blind, finalize_verified, random_bytes, sha256
from tansiq.errors import Invalid, Untrusted
from tansiq.private.model import (
    BATCH_SIZES,
    ELEMENT_BYTES,
    AnswerHeader,
    AskedBatch,
    BatchHeader,
    Chance,
    Descriptor,
)
from tansiq.private.wire import digest, split
from tansiq.terms import NodeId

PADDING = b"pad\x1f"
"""No key class is called so: what is behind it is held by nobody."""


def case_reference(salt: bytes, case: str) -> str:
    """What stands in the header for the case: a salted hash that the asker's supervisor can open."""
    return sha256("tansiq.case.v1", salt, case.encode()).hex()


def batch_size(keys: int) -> int:
    """The small batch as long as it holds what is left, else the large one."""
    return BATCH_SIZES[0] if keys <= BATCH_SIZES[0] else BATCH_SIZES[1]


def ask(
    inputs: Sequence[bytes],
    descriptor: Descriptor,
    *,
    sequence: int,
    case: str,
    purpose: str,
    random: Chance = random_bytes,
) -> list[AskedBatch]:
    """Batches that ask all of `inputs` of one holder, numbered from `sequence`. No inputs make one batch of padding.

    Every blind is fresh: an element that was sent twice, or to two holders, would join the questions behind it.
    """
    batches: list[AskedBatch] = []
    rest = list(inputs)
    while rest or not batches:
        size = batch_size(len(rest))
        part, rest = rest[:size], rest[size:]
        padding = [PADDING + random(16) for _ in range(size - len(part))]
        blinded = tuple(blind(message, random=random) for message in (*part, *padding))
        header = BatchHeader(
            descriptor.partner,
            descriptor.holder,
            descriptor.tier,
            descriptor.epoch,
            descriptor.keyspec,
            sequence + len(batches),
            size,
            case,
            purpose,
            digest(b"".join(b.element for b in blinded)),
        )
        batches.append(AskedBatch(header, blinded, len(part)))
    return batches


def read_batch(
    header: BatchHeader, *, asker: NodeId, holder: NodeId, tier: str, epochs: Iterable[int], keyspec: str
) -> BatchHeader:
    """A batch that this holder may evaluate, or a refusal by name: `batch.asker`, `.holder`, `.tier`, `.epoch`,
    `.keyspec`. Whether its number was seen, and whether the quota holds, is the evaluator's to say."""
    if header.asker != asker:
        raise Untrusted("batch.asker", "a batch in another node's name", step="batch", field="asker")
    if header.holder != holder:
        raise Untrusted("batch.holder", "a batch for another holder", step="batch", field="holder")
    if header.tier != tier:
        raise Invalid("batch.tier", "a batch of a tier that is not served", step="batch", field="tier")
    if header.epoch not in set(epochs):
        raise Invalid("batch.epoch", "a batch of an epoch that is not served", step="batch", field="epoch")
    if header.keyspec != keyspec:
        # A mismatch is an error and never a miss: keys by other rules would all be `no hit`.
        raise Invalid("batch.keyspec", "keys made by other rules", step="batch", field="keyspec")
    return header


Evaluate = Callable[[bytes], tuple[bytes, bytes]]


def answer_batch(header: BatchHeader, elements: bytes, evaluate: Evaluate) -> tuple[AnswerHeader, bytes]:
    """The answer to sign and the evaluated elements; `evaluate` is the evaluator's, and counts."""
    evaluated, proof = evaluate(elements)
    answer = AnswerHeader(
        header.holder, header.asker, header.tier, header.epoch, header.sequence, digest(evaluated), header.digest, proof
    )
    return answer, evaluated


def finish_batch(asked: AskedBatch, answer: AnswerHeader, evaluated: bytes, descriptor: Descriptor) -> list[bytes]:
    """F(key, input) for each real question, proved for the key that stands in the descriptor. Raises
    `Untrusted("answer.*" | "oprf.*")`: an answer to another batch, of another epoch, or by another key."""
    header = asked.header
    same = (header.holder, header.asker, header.tier, header.epoch)
    if (answer.holder, answer.asker, answer.tier, answer.epoch) != same or descriptor.epoch != header.epoch:
        raise Untrusted("answer.epoch", "an answer of another epoch, tier or node", step="answer", field="epoch")
    if (answer.sequence, answer.asked) != (header.sequence, header.digest):
        raise Untrusted("answer.batch", "an answer to another batch", step="answer", field="asked")
    if len(evaluated) != len(asked.blinded) * ELEMENT_BYTES or digest(evaluated) != answer.digest:
        raise Untrusted("answer.digest", "other bytes than were signed", step="answer", field="elements")
    outputs = finalize_verified(asked.blinded, split(evaluated, ELEMENT_BYTES), answer.proof, descriptor.public)
    return outputs[: asked.real]
