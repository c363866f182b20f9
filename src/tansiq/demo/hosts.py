"""A demo node as a process: its home, its officers, its partners, its start and its stop."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tansiq.access.model import Acting, Role
from tansiq.bank import parse_entity
from tansiq.bank.model import Provenance
from tansiq.errors import PeerUnavailable, TansiqError
from tansiq.node import Node

PASSWORD_WORDS = ("atlas", "meseta", "spree", "tejo", "cedar", "harbour", "lantern", "saffron")


PORTS = range(20_000, 30_000)
"""Below the ephemeral ranges of the systems we know: no outgoing connection of this machine takes one meanwhile."""


def held_port() -> socket.socket:
    """A socket bound to a free port and not listening: nobody else gets the port until the node that will use it
    starts. Raises `PeerUnavailable` where a hundred tries find none."""
    for _ in range(100):
        held = socket.socket()
        try:
            held.bind(("127.0.0.1", secrets.choice(PORTS)))
        except OSError:
            held.close()
            continue
        return held
    raise PeerUnavailable("demo.no_port", "no free port on this machine", step="make the demo's nodes")


@dataclass
class Host:
    """One service on the stage."""

    home: Path
    name: str
    country: str
    language: str
    timezone: str
    node: str = ""
    pages_port: int = 0
    tokens: dict[str, str] = field(default_factory=dict)
    sign_ins: list[tuple[str, str, str]] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None
    _held: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.pages_port}"

    def make(self, officers: list[tuple[str, tuple[Role, ...]]], holdings: list[dict[str, Any]]) -> bytes:
        """Keys, settings, officers, own records. Returns the node's card, for its partners to pin."""
        self._held = [held_port(), held_port()]
        self.pages_port, exchange_port = (int(held.getsockname()[1]) for held in self._held)
        node = Node.init(
            self.home,
            self.name.capitalize(),
            self.country,
            url=f"https://127.0.0.1:{exchange_port}",
            languages=(self.language, "en"),
            chosen={
                "node": {"language": self.language, "timezone": self.timezone},
                "web": {"port": self.pages_port},
                "exchange": {"port": exchange_port, "poll_seconds": 2.0, "backoff_cap_seconds": 2.0},
            },
        )
        try:
            self.node = node.node_id
            for name, roles in officers:
                password = (
                    "-".join(secrets.choice(PASSWORD_WORDS) for _ in range(3)) + f"-{secrets.randbelow(900) + 100}"
                )
                officer, _totp = node.access.add_officer(name, roles, password, language=self.language)
                self.tokens[name] = node.access.new_token(officer.id, "demo", 1)
                self.sign_ins.append((name, password, ", ".join(roles)))
            for entity in holdings:
                provenance = Provenance(
                    "own", f"{self.name}/{entity['id']}", originator=self.country, unit=self.name.capitalize()
                )
                node.bank.collect(parse_entity(entity, "holding"), provenance, Acting.machine())
            return node.exchange.card_bytes()
        finally:
            node.close()

    def pin(self, cards: list[bytes]) -> None:
        node = Node.open(self.home)
        try:
            for card in cards:
                node.exchange.add_peer(card)
        finally:
            node.close()

    def load(self, raw: bytes, as_: str, addresses: bytes | None = None) -> Any:
        """A public list into this node's bank, before it starts."""
        node = Node.open(self.home)
        try:
            return node.import_list(raw, as_, Acting.machine(), addresses=addresses)
        finally:
            node.close()

    def start(self) -> None:
        """Start the node's process and wait until it says that it is ready."""
        log = (self.home / "node.log").open("ab")
        # Four processes import the same modules: let the first keep what it compiled.
        environment = {
            k: v for k, v in os.environ.items() if not k.startswith("TANSIQ_") and k != "PYTHONDONTWRITEBYTECODE"
        }
        command = [sys.executable, "-m", "tansiq", "--home", str(self.home), "serve"]
        self._let_go()
        self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)  # noqa: S603 # our own interpreter and module
        log.close()
        for _ in range(300):
            if self._process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        self.stop()
        last = (self.home / "node.log").read_text("utf-8", "replace").strip().splitlines()[-1:]
        raise PeerUnavailable("demo.not_started", f"the node of {self.name} did not start: {' '.join(last)}")

    def _let_go(self) -> None:
        while self._held:
            self._held.pop().close()

    def ask_to_stop(self) -> None:
        """The first half of `stop`, so that four nodes end side by side."""
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        """Ask the process that we started to end; end it if it does not."""
        self._let_go()
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    # --- the API, as any program would use it ---

    def call(self, officer: str, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Raises `DemoProblem` with the node's own problem document."""
        sent = {
            "authorization": f"Bearer {self.tokens[officer]}",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        sent.setdefault("tansiq-purpose", "investigation")
        sent.setdefault("tansiq-justification", "demo case 2026-1182")
        answer = httpx.request(method, f"{self.url}/api/v1{path}", headers=sent, json=body, timeout=30)
        if answer.status_code >= 400:
            try:
                problem = answer.json()
            except json.JSONDecodeError:
                problem = {}
            raise DemoProblem(answer.status_code, problem)
        return answer.json()

    def get(self, officer: str, path: str) -> Any:
        return self.call(officer, "GET", path)

    def post(self, officer: str, path: str, body: object, **headers: str) -> Any:
        return self.call(officer, "POST", path, body, **headers)


class DemoProblem(TansiqError):
    """A node answered with a problem document; the story may have expected just that."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("code", status)), str(problem.get("detail", problem.get("title", status))))
        self.status = status
        self.problem = problem
