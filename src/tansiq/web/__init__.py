"""Pages and the HTTP API: what officers and other programs see of a node. It decides nothing.

Promises
- Every page is rendered on the server, reads and acts without script, and asks no other host for anything; the
  Content-Security-Policy lets nothing else happen.
- Five languages, two directions, light and dark; what comes from data is isolated, in its own language and direction.
- Nothing is shown without a session, nothing is done without the session's own token in the form.
- `problems` alone turns the seven failures into answers: pages that say what to do, RFC 9457 documents for programs.
  Neither holds personal data; what is protected looks like what does not exist.
- The HTTP API under `/api/v1/` is described by `/api/v1/openapi.json`, which a test holds against the routes.

`create_app(node)` gives pages and API; `create_peer_door(node, ...)` what partners' nodes speak to.
"""

from tansiq.web.app import create_app
from tansiq.web.i18n import tongue
from tansiq.web.peers import create_peer_door, listen, listen_for_peers
from tansiq.web.problems import failure_in_words

__all__ = ["create_app", "create_peer_door", "failure_in_words", "listen", "listen_for_peers", "tongue"]
