"""Commands for officers and administrators, and the translation of the seven failures into exit codes.

Promises:

- Every command takes `--home DIR` and `--json`, before or after its name, and ends with the exit code of its failure
  (`errors.py`); with `--json` a failure is one RFC 9457-like problem on stdout, without it one line on stderr.
- No message holds personal data: what was typed is never quoted back, only the name of its field.
- With `--json` stdout holds one JSON object and nothing else.
- Texts from partners are shown without control characters: nothing that a partner wrote can drive the terminal.

Decides nothing: each command opens the node, calls one verb and shows its answer. Whoever can read the home folder and
its passphrase is trusted to act for its officers (`--officer`); the pages and the API ask for a sign-in instead.

Read next: `main.py`, then `dossier.py`.
"""
