"""Sums of products of *public* group elements: compiled where the build had a compiler, by libsodium everywhere else.

Promises:
- `combine` gives the same bytes by both, for all that is an element, and refuses the same by the same name; a test
  holds them to it. `twin` is the meaning, `in_use()` says which one runs.
- nothing secret comes here: the compiled one takes the time that its arguments ask for. A proof's weights, elements,
  challenge and response are known to both sides; keys and blinds are multiplied by libsodium alone.
"""

from tansiq.crypto.kernel.door import combine, in_use, twin

__all__ = ["combine", "in_use", "twin"]
