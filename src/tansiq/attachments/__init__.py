"""Attachments: files of up to 50 MB that belong to an entry of a dossier.

Promises
- A file is a part of its entry: the part names its size, type, name and SHA-256, and the digest of each chunk of it. So
  it is permitted, logged, withheld, given later, recalled and erased as any part is.
- It is read, sealed, sent and written a chunk at a time: memory does not grow with the file.
- At rest each file lies under a key of its own. Erasing destroys the key with the chunks; equal files look different.
- Chunks cross as items of the exchange, by line, poll or hand: sealed to one node, delivered at least once, kept once.
  After a break only what is missing is sent. A chunk that is not the one that was committed to is refused by name.
- A partner's file counts as held once all of it is here and its SHA-256 is the one that the part names.

Read next: `model.py` (the part), `service.py` (the verbs), `wire.py` (what crosses).
"""

from tansiq.attachments.wire import attached, parse_chunk

__all__ = ["attached", "parse_chunk"]
