"""Backup: one folder that holds all that a node is, and a node made of it again.

Promises:
1. `back_up` writes the rows of the database as one moment has them, beside the key file, the settings, the rules and
   what private checks keep on disk, while the node runs. What is in it is listed with hashes, size and root of the
   ledger, and signed by the node; the list comes last, so a folder without it is no backup.
2. `restore` believes nothing before the hashes, the keys and the signature have been checked, puts nothing over a node
   or a database that is there, and names the leaf at which the restored node stands.
3. A restored node does not hide what it lost: its log says so, and its partners hear of it by the courier. They give
   back what it had written since (`dossiers/returning.py`) and send again what they had sent since.
4. What was ended since the backup does not live again in silence (`recovery.py`): sessions, tokens and drafts end,
   officers and partners wait until each is confirmed.

It keeps no passphrase, and copies none. Whoever has the folder and what opens its keys has everything.
Read `service.py`, then `recovery.py`; `wire.py` reads the list.
"""

from tansiq.backup.recovery import HeldDuty, Waiting, confirm, duties, waiting
from tansiq.backup.service import Restored, back_up, restore
from tansiq.backup.wire import Inventory, Kept

__all__ = ["HeldDuty", "Inventory", "Kept", "Restored", "Waiting", "back_up", "confirm", "duties", "restore", "waiting"]
