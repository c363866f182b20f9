"""A node's partners' door on loopback, and who knocks at it: real sockets, real TLS."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tansiq.exchange import Bounds, Door, tls_material
from tansiq.web import create_peer_door, listen_for_peers


def client_context() -> ssl.SSLContext:
    """Who knocks here compares no certificate: that is `HttpsTransport`'s part, with tests of its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@dataclass
class Said:
    """An answer, read whole."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def code(self) -> str:
        return str(json.loads(self.content)["code"])


@dataclass
class OpenDoor:
    """The door, and where it listens."""

    door: Door
    port: int

    def line(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=client_context())

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Said:
        line = self.line()
        try:
            return ask(line, method, path, body, headers)
        finally:
            line.close()


def ask(
    line: http.client.HTTPSConnection,
    method: str,
    path: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Said:
    line.request(method, path, body=body, headers=dict(headers or {}))
    answer = line.getresponse()
    return Said(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())


@contextmanager
def open_door(node: Any, keys: Any, folder: Path, bounds: Bounds | None = None) -> Iterator[OpenDoor]:
    folder.mkdir(parents=True, exist_ok=True)
    material = tls_material(keys)
    (folder / "door.crt").write_bytes(material.certfile)
    (folder / "door.key").write_bytes(material.keyfile)
    door = create_peer_door(node, str(folder / "door.crt"), str(folder / "door.key"), bounds)
    listening = listen_for_peers("127.0.0.1", 0)
    door.start(listening)
    try:
        yield OpenDoor(door, listening.getsockname()[1])
    finally:
        door.stop(3)
