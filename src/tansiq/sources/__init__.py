"""Lists, tables, press releases and other systems' files, read into bank records and drafts.

Promises:
1. `read` turns a file into rows and named rejects; what went in is what came out plus the rejects.
2. The whole file is read before the first row is written: a damaged or hostile file changes nothing.
3. A new edition of a list replaces the old one: per reference it is added, changed, unchanged or removed.
4. One ledger leaf for each batch of 500, in the batch's own transaction.
5. Nothing of LED art. 10 is taken over: no ethnicity, religion or political opinion.
6. A press text becomes a draft, never a record: names in it are proposals.

It does not match anything: see `tansiq.bank` and `tansiq.hits`. Read `service.py` next, then `un.py` as an example.
"""

from tansiq.sources.press import read_press
from tansiq.sources.service import FORMATS, import_into, read

__all__ = ["FORMATS", "import_into", "read", "read_press"]
