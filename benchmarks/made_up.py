"""Names made of others by rule: a slip in a letter, or a word exchanged for one that looks like it."""

from __future__ import annotations

import random

LATIN_KEYS, ARABIC_KEYS = "abcdefghijklmnopqrstuvwxyz", "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"


def slip(name: str, rnd: random.Random) -> str | None:
    """The name with one letter left out, put in, exchanged, doubled or swapped with the next."""
    words = name.split(" ")
    at = [i for i, w in enumerate(words) if len(w) >= 3]
    if not at:
        return None
    i = rnd.choice(at)
    w = words[i]
    keys = ARABIC_KEYS if any("\u0600" <= c <= "\u06ff" for c in w) else LATIN_KEYS
    k, p = rnd.randrange(5), rnd.randrange(len(w) - 1)
    words[i] = (
        w[:p] + w[p + 1 :],
        w[:p] + rnd.choice(keys) + w[p:],
        w[:p] + rnd.choice(keys) + w[p + 1 :],
        w[: p + 1] + w[p:],
        w[:p] + w[p + 1] + w[p] + w[p + 2 :],
    )[k]
    return None if words[i] == w else " ".join(words)


def neighbours() -> dict[str, list[str]]:
    """Common words -> common words of one script that look alike and are names of their own, by the learned links."""
    from tansiq.matching import edit, judge

    links = edit.TABLES.links
    words = [w for w, k in edit.TABLES.common.items() if k >= 5 and 3 <= len(w) <= 9 and "-" not in w]
    shorter: dict[str, set[str]] = {}
    for w in words:
        for i in range(len(w) + 1):
            shorter.setdefault(w[:i] + w[i + 1 :], set()).add(w)
    out: dict[str, set[str]] = {}
    for alike in shorter.values():
        for a in alike:
            for b in alike - {a}:
                if a.isascii() and b.isascii():
                    apart = judge.slips(a, b) <= 2 and a in links and b in links and links[a].isdisjoint(links[b])
                else:
                    apart = judge.slips(a, b) == 1 and a.replace("ا", "") != b.replace("ا", "")
                if apart:
                    out.setdefault(a, set()).add(b)
    return {w: sorted(held) for w, held in out.items()}


def another(name: str, near: dict[str, list[str]], rnd: random.Random) -> str | None:
    """The name with one word exchanged for a common word that looks like it."""
    from tansiq.matching.text import words

    held = name.split(" ")
    for i in rnd.sample(range(len(held)), len(held)):
        found = words(held[i])
        if len(found) == 1 and found[0][1] in near:
            held[i] = rnd.choice(near[found[0][1]])
            return " ".join(held)
    return None
