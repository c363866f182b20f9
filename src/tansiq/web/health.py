"""Is it working: `/healthz`, `/readyz`, `/metrics`. Counts only; nothing here could name a person or a dossier."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tansiq.errors import TansiqError
from tansiq.web.security import ASGIApp, Message, Receive, Scope, Send

STATES = ("queued", "sent", "received", "refused", "expired")


class Metrics:
    """The figures of one node, in a registry of its own. Labels are closed lists, never what was asked for."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "tansiq_http_requests",
            "Answers by method and class of status",
            ("method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram("tansiq_http_seconds", "Time to answer", registry=self.registry)
        self.outbox = Gauge("tansiq_outbox_items", "Items by state, all partners", ("state",), registry=self.registry)
        self.ledger = Gauge("tansiq_ledger_leaves", "Leaves of the audit log", registry=self.registry)
        self.records = Gauge("tansiq_bank_records", "Records held", registry=self.registry)
        self.unerased = Gauge(
            "tansiq_erasures_refused", "What was due to be erased at the last sweep and was not", registry=self.registry
        )
        self.unforeseen = Gauge(
            "tansiq_sweep_failures",
            "What failed at the last sweep in a way that nobody foresaw",
            registry=self.registry,
        )
        self.leapt = Gauge("tansiq_clock_leapt", "1 while erasures wait for the clock", registry=self.registry)
        self.held = Gauge(
            "tansiq_restored_held", "Officers and partners of a restored node, not confirmed", registry=self.registry
        )
        self.duties = Gauge("tansiq_duties", "Duties of this service", ("when",), registry=self.registry)

    def read(self, node: Any) -> bytes:
        """Ask the node, and write the text format."""
        status = node.exchange.status()
        for state in STATES:
            self.outbox.labels(state).set(sum(getattr(s, state) for s in status))
        self.ledger.set(node.ledger.head()[0])
        self.records.set(node.bank.count())
        self.unerased.set(len(node.refused_erasures()))
        self.unforeseen.set(node.unforeseen())
        self.leapt.set(node.known_time.doubt() is not None)
        self.held.set(_held(node))
        owed, late = node.dossiers.count_duties(node.node_id, timedelta(0))
        self.duties.labels("late").set(late)
        self.duties.labels("running").set(owed - late)
        return generate_latest(self.registry)


class Measured:
    """Counts answers and their time."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        method = scope["method"] if scope["method"] in ("GET", "POST", "HEAD") else "other"

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.metrics.requests.labels(method, f"{message['status'] // 100}xx").inc()
                self.metrics.seconds.observe(time.perf_counter() - began)
            await send(message)

        await self.app(scope, receive, counted)


async def healthz(request: Request) -> Response:
    """The process answers; and how much the last sweep could not erase, or failed at, where there is any."""
    node = request.app.state.node
    counts = {"not_erased": len(node.refused_erasures()), "unforeseen": node.unforeseen()}
    counts |= await run_in_threadpool(_waits, node)
    return JSONResponse({"status": "ok"} | {name: count for name, count in counts.items() if count})


def _waits(node: Any) -> dict[str, int]:
    """What waits for an administrator. A database that is away is `readyz`'s to say."""
    try:
        return {"clock_leapt": int(node.known_time.doubt() is not None), "held": _held(node)}
    except TansiqError:
        return {}


def _held(node: Any) -> int:
    officers = [o for o in node.access.officers() if o.active and not o.may_act]
    return len(officers) + len([p for p in node.exchange.peers() if p.state == "held"])


async def readyz(request: Request) -> Response:
    """The store answers too. 503 until it does."""
    node = request.app.state.node
    try:
        await run_in_threadpool(node.store.ping)
    except TansiqError:
        return JSONResponse({"status": "not ready"}, status_code=503)
    return JSONResponse({"status": "ready"})


async def metrics(request: Request) -> Response:
    """For loopback and the operator's collector; the listener's address is the operator's choice."""
    node, found = request.app.state.node, request.app.state.metrics
    return Response(await run_in_threadpool(found.read, node), media_type=CONTENT_TYPE_LATEST)
