"""`tansiq check` on two homes: ordered, listed, refused by name; the line between nodes is the federation tests'."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tansiq.cli.main import call


class Homes:
    """Two homes that have pinned each other, with an analyst and a supervisor each."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        for name, country in (("rabat", "MA"), ("madrid", "ES")):
            self.run(name, "node", "init", "--name", name, "--country", country)
            self.run(name, "officer", "add", "ana", "--role", "analyst")
            self.run(name, "officer", "add", "sup", "--role", "supervisor", "--role", "admin")
            self.run(name, "node", "card", "--out", str(folder / f"{name}.card"))
        self.run("rabat", "--officer", "sup", "peer", "add", str(folder / "madrid.card"))
        self.run("madrid", "--officer", "sup", "peer", "add", str(folder / "rabat.card"))

    def run(self, home: str, *words: str) -> tuple[int, dict[str, Any]]:
        self._capsys.readouterr()
        code = call(["--json", "--home", str(self.folder / home), *words])
        out = self._capsys.readouterr()
        return code, json.loads(out.out or "{}")


@pytest.fixture
def homes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Homes:
    return Homes(tmp_path, capsys)


def test_a_list_is_made_by_the_key_process_of_the_home_and_a_check_says_what_is_missing(homes: Homes) -> None:
    code, said = homes.run("madrid", "--officer", "ana", "check", "serve", "ma", "--tier", "low")
    assert (code, said["code"]) == (3, "private.role")
    code, said = homes.run("madrid", "--officer", "sup", "check", "serve", "ma", "--tier", "low")
    assert (code, said["done"], said["tiers"]) == (0, "yes", ["low"])
    code, said = homes.run("madrid", "check", "status")
    (row,) = said["lists"]
    assert (row["side"], row["tier"], row["epoch"], row["state"]) == ("held", "low", 1, "current")
    assert said["meters"][0]["per_day"] == 2000
    person = homes.folder / "person.json"
    person.write_text(json.dumps({"names": ["كريم حموشي"], "birth_dates": ["1987-03-14"]}), "utf-8")
    asked = ("--officer", "ana", "--purpose", "investigation", "check", str(person), "--peer", "es", "--case", "7")
    code, said = homes.run("rabat", *asked)
    assert (code, said["code"]) == (4, "check.no_list")
    code, said = homes.run("rabat", *[w for w in asked if w not in ("--purpose", "investigation")])
    assert (code, said["code"]) == (2, "check.purpose")
    code, said = homes.run("madrid", "--officer", "sup", "check", "revoke", "ma")
    assert (code, said["state"]) == (0, "revoked")
    assert homes.run("madrid", "check", "status")[1]["lists"][0]["state"] == "revoked"
