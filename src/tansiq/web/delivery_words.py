"""What becomes of what is sent, in the words of the pages. As in `labels.py`, the texts are message ids."""

from __future__ import annotations

from tansiq.web.labels import N_

DELIVERY = {
    "queued": N_("queued"),
    "sent": N_("sent, no receipt yet"),
    "received": N_("received"),
    "refused": N_("refused"),
    "expired": N_("expired"),
}
PEER_FAILURE = {
    "peer.unreachable": N_("Nobody answers at its address. This node goes on trying."),
    "peer.other_certificate": N_(
        "Somebody answers at its address with a certificate that its card does not name: nothing was sent. "
        "Call the partner."
    ),
    "peer.no_answer": N_("It was reached and gave no answer. This node goes on trying."),
    "peer.failed": N_("Its node answered with a failure. This node goes on trying."),
}
DELIVERY_REASON = {
    "peer.no_card": N_("Its node card is not pinned here: nothing goes to it before."),
    "later.entries": N_("The partner takes no more entries from us today; the rest goes by itself."),
    "later.megabytes": N_("The partner takes no more from us today, it is too large; the rest goes by itself."),
    "later.dossier": N_("The partner takes no more of this dossier today; the rest goes by itself."),
    "later.waiting": N_("The partner waits for other entries before it takes this one; it goes by itself."),
    "later.outsider": N_("The partner does not know yet that this service is a member; it goes by itself."),
}
"""Why a partner has put something off; what else it answers is a code for programs."""
DELIVERY_KIND = {
    "checkpoint": N_("Our log's head, for this partner to witness"),
    "cosignature": N_("Our word as witness to this partner's log"),
}
"""What is no entry of a dossier, and so has no number that anybody knows."""
DELIVERY_LOOK = {
    "queued": ("clock", "warn"),
    "sent": ("send", "info"),
    "received": ("badge-check", "ok"),
    "refused": ("x", "bad"),
    "expired": ("circle-alert", "bad"),
}
