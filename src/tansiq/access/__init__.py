"""Access: who is acting on this node, in which role, and why.

Promises:

- A name, a password, a one-time code and a token are never stored as they are: names are sealed and found by a keyed
  hash, passwords are Argon2id hashes in the sealed row, tokens are SHA-256 hashes. A stolen database signs nobody in.
- A failed sign-in says only that it failed: unknown officer, wrong password, wrong code and missing code look alike and
  take the same time. Every attempt is counted before it is tried, so parallel guesses gain nothing.
- A guesser waits longer each time. In a browser where an officer has signed in before, the officer's own attempts are
  counted apart, so that no stranger's guesses keep an officer out.
- A one-time code works once.
- A session ends after 30 minutes without use and after 12 hours at the latest; it ends at once with its officer.
- A four-eyes act runs when a *second*, active officer with the needed role confirmed it, and at most once.

What it does not do: it does not know the law. What a role may do at all stands in `rules`; whether this act is lawful
is asked of `policy` by whoever acts.

Read next: `rules.py` (roles, throttle, expiry), `known_browser.py`, `service.py` (the verbs), `four_eyes.py`.
"""

from tansiq.access.passwords import PasswordCost
from tansiq.access.rules import may, require
from tansiq.access.service import Access

__all__ = ["Access", "PasswordCost", "may", "require"]
