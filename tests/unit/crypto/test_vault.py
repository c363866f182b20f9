"""The vault under many threads."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from tansiq.crypto import Vault


def test_threads_share_a_vault() -> None:
    """Its block cipher is one object for all of them."""
    vault = Vault(b"k" * 32)

    def work(thread: int) -> list[bytes]:
        sealed = [(f"{thread}-{n}", vault.seal("t", f"{thread}-{n}", b"%d %d" % (thread, n))) for n in range(300)]
        return [vault.open("t", row, raw) for row, raw in sealed]

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(work, range(8)))
    finally:
        sys.setswitchinterval(before)
    assert found == [[b"%d %d" % (thread, n) for n in range(300)] for thread in range(8)]
