"""The node's configuration: one TOML file in its home folder, read once into one frozen value.

Nobody else reads the environment, and few variables count: `TANSIQ_HOME` (which folder), `TANSIQ_DATABASE` (instead
of `[database] url`), and for the language of commands `TANSIQ_LANG` and the system's own (`terminal_language`). An
unknown table or key is refused by its name: a misspelt key must not silently mean the default. Secrets are never in the
file, only the paths of the files that hold them.

Each key's meaning stands beside it, once: `Settings.template()` and the operator's guide are made from there.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tansiq.errors import Invalid

FILE = "tansiq.toml"
LANGUAGE_VARIABLES = ("TANSIQ_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
"""The first that says anything counts (POSIX.1-2017, 8.2; ours goes before them)."""
LANGUAGES = ("ar", "fr", "es", "de", "en")

_COUNTRY = re.compile(r"[A-Z]{2}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_QUOTA = re.compile(r"[a-z]{2}-[a-z2-7]{20} (high|low|plan) \d{1,9} \d{1,9}")


def _key(doc: str, default: Any = MISSING, check: Callable[[Any], Any] | None = None) -> Any:
    """A key of the file: what it means, its value when it is absent (none: it is required), what it must be."""
    return field(default=default, metadata={"doc": doc, "check": check})


def _text(value: Any, *, most: int = 500) -> str:
    if not isinstance(value, str) or len(value) > most or any(unicodedata.category(c) in ("Cc", "Cs") for c in value):
        raise ValueError(f"a text of at most {most} characters on one line")
    return value.strip()


def _name(value: Any) -> str:
    if not (found := _text(value, most=120)):
        raise ValueError("a text of 1 to 120 characters")
    return found


def _country(value: Any) -> str:
    if not isinstance(value, str) or not _COUNTRY.fullmatch(value.upper()):
        raise ValueError("a country of ISO 3166, two letters, as MA")
    return value.upper()


def _page_language(value: Any) -> str:
    if value not in LANGUAGES:
        raise ValueError(f"one of {', '.join(LANGUAGES)}")
    return str(value)


def _languages(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) and _LANGUAGE.fullmatch(v) for v in value):
        raise ValueError('a list of language codes, as ["ar", "fr"]')
    return tuple(value)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > 1000:
        raise ValueError("a list of texts")
    return tuple(_name(v) for v in value)


def _timezone(value: Any) -> str:
    if found := _text(value):
        try:
            ZoneInfo(found)
        except (ValueError, OSError, KeyError) as exc:  # ZoneInfoNotFoundError is a KeyError
            raise ValueError("a time zone of the IANA database, as Africa/Casablanca") from exc
    return found


def _url(value: Any) -> str:
    found = _text(value).rstrip("/")
    if found and not re.fullmatch(r"https://[^\s/@]+", found):
        raise ValueError("an address of the form https://host:port")
    return found


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")  # noqa: TRY004  every check fails in one way, with what is wanted
    return value


def _whole(value: Any, *, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"a whole number from {least} to {most}")
    return value


def _number(value: Any, *, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"a number from {least:g} to {most:g}")
    return float(value)


_port = partial(_whole, least=0, most=65535)
_take = partial(_whole, least=1, most=10**9)


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """Who this node is, for its partners and on its pages."""

    name: str = _key("the service's name, as partners read it on the node card", check=_name)
    country: str = _key(
        "the service's country, ISO 3166 alpha-2; it chooses the national law of the gate", check=_country
    )
    language: str = _key("the pages' language where an officer chose none: ar, fr, es, de or en", "en", _page_language)
    languages: tuple[str, ...] = _key("languages in which partners may write to this service", ("en",), _languages)
    timezone: str = _key(
        "the pages' time zone (IANA name); empty: the country's, UTC where it has several", "", _timezone
    )
    contact: str = _key("how the single point of contact is reached outside the system, with its hours", "", _text)


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the node keeps everything."""

    url: str = _key(
        "postgresql://user@host/database, or empty: SQLite, tansiq.db in the home folder", "", partial(_text, most=2000)
    )


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The pages and the API, for this service's own officers and programs."""

    host: str = _key("the address to listen on", "127.0.0.1", _name)
    port: int = _key("the port to listen on; 0 takes a free one", 8080, _port)
    tls_certificate: str = _key("PEM file of the pages' certificate; empty: plain HTTP, for loopback only", "", _text)
    tls_key: str = _key("PEM file of its key", "", _text)


@dataclass(frozen=True, slots=True)
class ExchangeSettings:
    """The door for partners: TLS 1.3, with the certificate that the node card pins."""

    host: str = _key("the address to listen on", "127.0.0.1", _name)
    port: int = _key("the port to listen on; 0 takes a free one", 8443, _port)
    url: str = _key(
        "https://host:port under which partners reach it; empty: they do not, this node polls them", "", _url
    )
    poll: tuple[str, ...] = _key("ids of partners that are polled although they could deliver themselves", (), _texts)
    poll_seconds: float = _key(
        "seconds between two polls of one partner", 15.0, partial(_number, least=0.05, most=3600)
    )
    send_workers: int = _key("deliveries at the same time", 4, partial(_whole, least=1, most=64))
    backoff_cap_seconds: float = _key(
        "the longest wait before a failed delivery is tried again", 120.0, partial(_number, least=0.05, most=3600)
    )
    item_days: int = _key(
        "days after which an item that no partner took expires, unless its sender set another limit",
        60,
        partial(_whole, least=1, most=3650),
    )
    take_entries: int = _key(
        "entries that one partner may lay down here at once, and each day again; it keeps the rest for later",
        50_000,
        _take,
    )
    take_megabytes: int = _key("the same in megabytes, attachments not counted", 2_000, _take)
    take_of_dossier: int = _key("the same of one dossier", 12_000, _take)
    take_waiting: int = _key("the same of entries that those of one dossier name and that have not come", 4_000, _take)
    take_of_outsider: int = _key("entries in a dossier, at all, of a partner that is no member of it", 250, _take)


@dataclass(frozen=True, slots=True)
class KeysSettings:
    """The node's private keys."""

    file: str = _key("the sealed key file", "node.keys", _name)
    passphrase_file: str = _key("file whose first line opens the key file; empty: asked for at the start", "", _text)


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """The law gate."""

    directory: str = _key("folder with further *.cedar files: national rules and agreements; empty: none", "", _text)


_quota = partial(_whole, least=0, most=10**9)


def _quota_lines(value: Any) -> tuple[str, ...]:
    found = _texts(value)
    for line in found:
        if not _QUOTA.fullmatch(line):
            raise ValueError('a list of "<partner\'s node id> <high|low|plan> <a day> <burst>"')
    return found


@dataclass(frozen=True, slots=True)
class PrivateSettings:
    """Private checks: how much a partner may ask. What a figure lets it read out: docs/private-matching.md."""

    epoch_days: int = _key("days until new keys and new lists", 90, partial(_whole, least=1, most=366))
    grace_days: int = _key("days for which the epoch before is still answered", 7, partial(_whole, least=0, most=90))
    quota_high: int = _key("evaluations a partner and day of long numbers (documents, accounts)", 10_000, _quota)
    quota_low: int = _key("evaluations a partner and day of names with dates, phones, plates", 2_000, _quota)
    quota_plan: int = _key("evaluations a partner and day of planned places and times", 5_000, _quota)
    burst_high: int = _key("more of them in the first week of an epoch, in all", 20_000, _quota)
    burst_low: int = _key("more of them in the first week of an epoch, in all", 10_000, _quota)
    burst_plan: int = _key("more of them in the first week of an epoch, in all", 0, _quota)
    quotas: tuple[str, ...] = _key(
        'partners with quotas of their own: "<node id> <high|low|plan> <a day> <burst>"', (), _quota_lines
    )
    ceiling_high: int = _key("a day over all partners together; 0: five times the quota", 0, _quota)
    ceiling_low: int = _key("a day over all partners together; 0: five times the quota", 0, _quota)
    ceiling_plan: int = _key("a day over all partners together; 0: five times the quota", 0, _quota)
    log_days: int = _key(
        "days for which batches stay openable for the supervisors", 400, partial(_whole, least=1, most=3650)
    )


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """The audit log's witnesses: partners that cosign its head, so that no history is rewritten unseen."""

    witness_hours: int = _key(
        "hours until a partner is asked again to cosign our log; 0: none is asked (theirs are cosigned all the same)",
        24,
        partial(_whole, least=0, most=8760),
    )


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """How officers confirm or reject matches."""

    blind: bool = _key("hide the machine's score until the officer has decided", default=False, check=_flag)


_TABLES: dict[str, type[Any]] = {
    "node": NodeSettings,
    "database": DatabaseSettings,
    "web": WebSettings,
    "exchange": ExchangeSettings,
    "keys": KeysSettings,
    "policy": PolicySettings,
    "ledger": LedgerSettings,
    "private": PrivateSettings,
    "review": ReviewSettings,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator chose. Paths in it may be relative to `home`: `path()` resolves them."""

    home: Path
    node: NodeSettings
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    web: WebSettings = field(default_factory=WebSettings)
    exchange: ExchangeSettings = field(default_factory=ExchangeSettings)
    keys: KeysSettings = field(default_factory=KeysSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    ledger: LedgerSettings = field(default_factory=LedgerSettings)
    private: PrivateSettings = field(default_factory=PrivateSettings)
    review: ReviewSettings = field(default_factory=ReviewSettings)

    @classmethod
    def read(cls, home: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
        """Read `<home>/tansiq.toml`; without `home`, that of `TANSIQ_HOME`. Raises `Invalid` naming file and key."""
        environ = os.environ if environ is None else environ
        if home is None:
            if not environ.get("TANSIQ_HOME"):
                raise _wrong("settings.home", "no home folder", "home", hint="give --home DIR or set TANSIQ_HOME")
            home = Path(environ["TANSIQ_HOME"])
        try:
            raw = (home / FILE).read_text("utf-8")
        except FileNotFoundError as exc:
            make_one = "tansiq node init --name NAME --country CC"
            raise _wrong("settings.missing", "there is no such file", FILE, hint=make_one) from exc
        except (OSError, UnicodeDecodeError) as exc:
            raise _wrong("settings.unreadable", "the file cannot be read", FILE) from exc
        return cls.effective(raw, home, environ)

    @classmethod
    def effective(cls, text: str, home: Path, environ: Mapping[str, str] | None = None) -> Settings:
        """What `read` would make of a file with this text: the environment's database counts."""
        environ = os.environ if environ is None else environ
        return cls.parse(text, home, database_url=environ.get("TANSIQ_DATABASE", ""))

    @classmethod
    def parse(cls, text: str, home: Path, *, database_url: str = "") -> Settings:
        """The settings in this TOML text. Raises `Invalid` naming file and key."""
        try:
            found = tomllib.loads(text)
        except tomllib.TOMLDecodeError as exc:
            # The decoder's message names line and column, and no value.
            raise _wrong("settings.not_toml", f"not TOML: {exc}", FILE) from exc
        for name in found:
            if name not in _TABLES:
                raise _wrong("settings.unknown", f"unknown table; there are {', '.join(_TABLES)}", f"{FILE} [{name}]")
        if database_url:
            found["database"] = {**_table(found, "database"), "url": database_url}
        tables = {name: _parse(made, name, _table(found, name)) for name, made in _TABLES.items()}
        if bool(tables["web"].tls_certificate) != bool(tables["web"].tls_key):
            raise _wrong("settings.value", "certificate and key go together", f"{FILE} [web] tls_key")
        return cls(home=home.absolute(), **tables)

    @classmethod
    def template(cls, chosen: Mapping[str, Mapping[str, Any]]) -> str:
        """A commented file: what was chosen stands as a line, every other key as a comment with its default.

        Raises `Invalid` when the file could not be read back.
        """
        lines = ["# Settings of a Tansiq node. A line that begins with # shows the default.", ""]
        for name, made in _TABLES.items():
            lines += [f"# {made.__doc__}", f"[{name}]"]
            for key in fields(made):
                lines.append(f"# {key.name}: {key.metadata['doc']}")
                if key.name in chosen.get(name, {}):
                    lines.append(f"{key.name} = {_toml(chosen[name][key.name])}")
                elif key.default is not MISSING:
                    lines.append(f"#{key.name} = {_toml(key.default)}")
            lines.append("")
        text = "\n".join(lines)
        for name, values in chosen.items():
            known = {key.name for key in fields(_TABLES[name])} if name in _TABLES else set()
            if unknown := sorted(set(values) - known):
                raise _wrong("settings.unknown", "unknown key", f"{FILE} [{name}] {unknown[0]}")
        cls.parse(text, Path())
        return text

    def path(self, value: str) -> Path | None:
        """A path of the file, absolute; None where none was given."""
        return self.home / value if value else None

    @property
    def database_url(self) -> str:
        """For `Store.open`."""
        return self.database.url or f"sqlite:///{self.home / 'tansiq.db'}"

    @property
    def keys_file(self) -> Path:
        return self.home / self.keys.file

    @property
    def passphrase_file(self) -> Path | None:
        return self.path(self.keys.passphrase_file)

    @property
    def policy_directory(self) -> Path | None:
        return self.path(self.policy.directory)

    @property
    def language(self) -> str:
        """The pages' default language."""
        return self.node.language

    @property
    def time_zone(self) -> str:
        """The pages' time zone; empty: the country's, UTC where it has several."""
        return self.node.timezone


def _table(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = found.get(name, {})
    if not isinstance(table, dict):
        raise _wrong("settings.value", "must be a table", f"{FILE} [{name}]")
    return table


def _parse(made: type[Any], table: str, values: Mapping[str, Any]) -> Any:
    keys: dict[str, Field[Any]] = {key.name: key for key in fields(made)}
    for name in values:
        if name not in keys:
            raise _wrong("settings.unknown", f"unknown key; there are {', '.join(keys)}", f"{FILE} [{table}] {name}")
    parsed = {}
    for name, key in keys.items():
        where = f"{FILE} [{table}] {name}"
        if name not in values:
            if key.default is MISSING:
                raise _wrong("settings.required", f"is missing: {key.metadata['doc']}", where)
            continue
        try:
            parsed[name] = key.metadata["check"](values[name])
        except ValueError as exc:
            raise _wrong("settings.value", f"must be {exc}", where) from exc
    return made(**parsed)


def _toml(value: Any) -> str:
    """TOML's strings, numbers, flags and flat lists are written as JSON's (no check lets a control character in)."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _wrong(code: str, message: str, where: str, hint: str = "") -> Invalid:
    return Invalid(code, message, step="read settings", field=where, hint=hint)


def terminal_language(environ: Mapping[str, str] | None = None) -> str:
    """The language in which commands tell failures: `ar`, `fr`, `es`, `de` or `en`; a locale of another one is `en`."""
    environ = os.environ if environ is None else environ
    said = next((environ[name] for name in LANGUAGE_VARIABLES if environ.get(name)), "")
    language = re.split(r"[_.@-]", said, maxsplit=1)[0].lower()
    return language if language in LANGUAGES else "en"
