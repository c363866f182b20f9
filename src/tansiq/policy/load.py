"""Reads the policy set from the package and from a service's own folder: the only part of `policy` that sees a disk."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from tansiq.errors import Invalid
from tansiq.policy.rules import Gate

_TABLES = ("lists.toml", "titles.toml")


def load_gate(country: str, extra_dir: Path | None = None) -> Gate:
    """The gate of a node in `country` (ISO 3166 alpha-2, any case).

    `extra_dir` holds a service's own `*.cedar` files, `lists.toml` and `titles.toml`, and its agreements in
    `agreements/`: a file of a shipped name takes the shipped file's place, any other is added. The schema stays ours.
    Raises `Invalid` when anything is not understood.
    """
    here = resources.files("tansiq.policy")
    policies = _texts(here / "policies")
    policies |= {name: (here / name).read_text("utf-8") for name in ("tansiq.cedarschema", "titles.toml")}
    agreements = _texts(here / "agreements")
    if extra_dir is not None:
        if not extra_dir.is_dir():
            raise Invalid(
                "policy.no_folder",
                "the folder of own rules is not there",
                step="load policies",
                field="tansiq.toml [policy] directory",
            )
        policies |= _texts(extra_dir)
        agreements |= _texts(extra_dir / "agreements")
    return Gate(country.upper(), policies, agreements)


def _texts(folder: Traversable) -> dict[str, str]:
    if not folder.is_dir():
        return {}
    found: dict[str, str] = {}
    for file in folder.iterdir():
        if (file.name.endswith(".cedar") or file.name in _TABLES) and file.is_file():
            try:
                found[file.name] = file.read_text("utf-8")
            except (OSError, UnicodeDecodeError) as exc:
                raise Invalid("policy.unreadable", "not readable", step="load policies", field=file.name) from exc
    return found
