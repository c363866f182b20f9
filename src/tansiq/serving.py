"""Runs a node: its pages, its partners' door, its courier and its workers, until it is told to stop.

`serve` blocks. It stands above the pages, so that `node.py`, which wires what it runs, imports nothing above itself.

Three loops run beside the two doors and the courier: what is due without an officer (`Node.settle`, `Node.sweep`), the
private checks' own work, and the look whether this process still is the one that serves the database (ADR 15). A fourth
reads the words of all dossiers for the search, and ends. They are four of the few places that may catch everything:
each says what failed, without a traceback, whose frames may hold what officers wrote, and goes on.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import structlog
import uvicorn

from tansiq.errors import Conflict, Invalid
from tansiq.exchange import Courier, Door
from tansiq.keyring import write_secret
from tansiq.node import Node
from tansiq.settings import FILE, Settings
from tansiq.web import create_app, create_peer_door, listen, listen_for_peers

log = structlog.get_logger()

ROUND_S = 2.0
"""How often a loop looks for work that another process of the same home left (a command, an import)."""
SWEEP_S = 3600.0
"""By the clock that nobody sets: one that stood a year ahead for a moment must not put erasures off by a year."""
GC_THRESHOLD = 10_000
"""New objects between two looks at the youngest; an entry makes some thousands."""
STOP_SECONDS = 3
"""How long answers under way may delay a stop; what is cut off is carried again."""


def serve(node: Node, port: int | None = None) -> None:
    """Run pages, exchange door, courier and workers until SIGINT or SIGTERM. Blocks; the node is the caller's to close.

    Raises `Conflict` where another process serves this database, on whichever machine (ADR 15).
    """
    if not node.store.alone.take():
        raise _served()
    node.exchange.check_own_keys()
    node.warm()
    spare_collector()
    pages = uvicorn.Server(_pages_config(create_app(node), node.settings, port))
    door = _door(node)
    workers = Workers(node)
    # A service manager's SIGTERM must reach the `finally` below: uvicorn raises it again once the pages are closed.
    signal.signal(signal.SIGTERM, _end)
    with listen(pages.config.host, pages.config.port) as listening:
        courier = Courier(node.exchange)
        try:
            door.start(listen_for_peers(node.settings.exchange.host, node.settings.exchange.port))
            courier.start()
            workers.start()
            ports = {"pages": listening.getsockname()[1], "exchange": node.settings.exchange.port}
            log.info("node up", node=node.node_id, **ports)
            pages.run([listening])
        finally:
            node.stop()
            door.stop(STOP_SECONDS)
            courier.stop()
            workers.join()
            if workers.is_superseded:
                raise _served()


def spare_collector() -> None:
    """What stands now lives as long as the process: a full collection that walks it holds every thread up for 0.1 s."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)


class Workers:
    """The loops of a serving node. They end when the node is told to stop."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.is_superseded = False
        """Whether another process has the database meanwhile: that one serves, and this one ends."""
        loops = {
            "settle": self._settle,
            "private": self._work_privately,
            "alone": self._stay_alone,
            "words": self._read_words,
        }
        self._threads = [threading.Thread(target=loop, name=name, daemon=True) for name, loop in loops.items()]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout=10)

    def _settle(self) -> None:
        node = self._node
        next_sweep = time.monotonic()
        while not node.stopping.is_set():
            node.work.wait(ROUND_S)
            node.work.clear()
            try:
                node.settle()
                if time.monotonic() >= next_sweep:
                    next_sweep = time.monotonic() + SWEEP_S
                    node.sweep()
                    node.be_witnessed()
            except Exception as exc:  # noqa: BLE001 # worker loop: see the module's docstring
                log.error("worker", kind=type(exc).__name__, code=getattr(exc, "code", ""))  # noqa: TRY400

    def _work_privately(self) -> None:
        """A loop of its own: making a list takes seconds that examinations should not wait for."""
        node = self._node
        next_tick = time.monotonic()
        while not node.stopping.is_set():
            try:
                while (node.private.work() or node.plans.work()) and not node.stopping.is_set():
                    pass
                if time.monotonic() >= next_tick:
                    next_tick = time.monotonic() + SWEEP_S
                    node.tick()
            except Exception as exc:  # noqa: BLE001 # worker loop: see the module's docstring
                log.error("private", kind=type(exc).__name__, code=getattr(exc, "code", ""))  # noqa: TRY400
            node.private_work.wait(ROUND_S)
            node.private_work.clear()

    def _read_words(self) -> None:
        """Once, and half of the time at rest: partners at the door do not feel it, and who searches is told."""
        stopping = self._node.stopping
        while not stopping.is_set():
            try:
                self._node.bureau.words.read_beside(lambda took: not stopping.wait(took))
            except Exception as exc:  # noqa: BLE001 # worker loop: see the module's docstring
                log.error("words", kind=type(exc).__name__, code=getattr(exc, "code", ""))  # noqa: TRY400
                stopping.wait(ROUND_S)
            else:
                return

    def _stay_alone(self) -> None:
        """A fail-over of the database ends the session that holds the lock: it is taken again, or lost for good."""
        while not self._node.stopping.wait(ROUND_S):
            try:
                if self._node.store.alone.take():
                    continue
            except Exception as exc:  # noqa: BLE001 # the database is away, for every other process too
                log.error("alone", kind=type(exc).__name__)  # noqa: TRY400
                continue
            log.error("another process serves this database")
            self.is_superseded = True
            os.kill(os.getpid(), signal.SIGTERM)
            return


def _end(_signal: int, _frame: object) -> None:
    raise SystemExit(0)


def _served() -> Conflict:
    return Conflict(
        "node.served", "another process serves this node's database", step="serve", field="database",
        hint="one process serves, commands beside it are fine; a second machine waits for its turn (docs/operating.md)",
    )  # fmt: skip


def _pages_config(app: Any, settings: Settings, port: int | None) -> uvicorn.Config:
    for key in ("tls_certificate", "tls_key"):
        file = settings.path(getattr(settings.web, key))
        if file is not None and not file.is_file():
            raise Invalid("web.tls", "there is no such file", step="serve", field=f"{FILE} [web] {key}")
    return uvicorn.Config(
        app,
        host=settings.web.host,
        port=settings.web.port if port is None else port,
        ssl_certfile=_optional(settings.path(settings.web.tls_certificate)),
        ssl_keyfile=_optional(settings.path(settings.web.tls_key)),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def _door(node: Node) -> Door:
    """TLS 1.3 only; the certificate is the one that our card names, so partners pin it."""
    folder = node.settings.home / "tls"
    folder.mkdir(mode=0o700, exist_ok=True)
    write_secret(folder / "key.pem", node.keys.tls_key_pem)
    write_secret(folder / "cert.pem", node.keys.tls_cert_pem)
    return create_peer_door(node, str(folder / "cert.pem"), str(folder / "key.pem"))


def _optional(path: Path | None) -> str | None:
    return str(path) if path else None
