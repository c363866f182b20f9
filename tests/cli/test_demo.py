"""The demo's own parts: ports held until they are used, press texts through the house's reader, a clear stop."""

from __future__ import annotations

import io
import socket
from pathlib import Path

import pytest
from rich.console import Console

from tansiq.demo import people, stage
from tansiq.demo.hosts import PORTS, held_port
from tansiq.demo.story import DemoFailed
from tansiq.dossiers import parse_body
from tansiq.sources import read_press

PRESS = """استقبل المدير العام الوفد بالرباط

استقبل المدير العام للأمن الوطني، يوسف البرنوصي، يوم أمس بالرباط وفدا أمنيا.
"""


def test_a_held_port_is_nobody_elses_until_it_is_let_go() -> None:
    held = held_port()
    port = held.getsockname()[1]
    assert port in PORTS
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    held.close()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))


def test_what_stands_in_a_press_report_comes_from_the_reader() -> None:
    draft = read_press(PRESS.encode())
    body = people.press_body(draft.lang, draft.title, draft.narrative, draft.persons)
    parsed = parse_body(body)
    names = [p["entity"]["claims"][0]["value"] for p in parsed.parts if p["kind"] == "entity"]
    assert names == list(draft.persons) == ["يوسف البرنوصي"]
    assert {c["basis"] for p in parsed.parts if p["kind"] == "entity" for c in p["entity"]["claims"]} == {"assessment"}
    assert parsed.facts["language"] == "ar"


def test_after_a_failure_the_rest_is_named_and_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_story: object) -> str:
        raise DemoFailed("no disk")

    monkeypatch.setattr(stage, "_make", fail)
    results: list[stage.StepResult] = []
    out = io.StringIO()
    stage._run(stage._stage(tmp_path, None), results, Console(file=out), None, None)
    assert [r.ok for r in results] == [False] * 16
    assert {r.detail for r in results[1:]} == {"not reached"}
    assert "no disk" in out.getvalue()


def test_sign_ins_and_addresses_stand_whole_on_their_lines_in_a_narrow_window(tmp_path: Path) -> None:
    story = stage._stage(tmp_path, None)
    story.report, story.notes["match"] = "d-" + "0" * 32, "m-" + "1" * 32
    hosts = (story.rabat, story.madrid, story.berlin, story.lisbon)
    for n, host in enumerate(hosts):
        host.pages_port = 20_000 + n
        host.sign_ins = [(who, "lantern-saffron-meseta-820", ", ".join(r)) for who, r in stage.OFFICERS[host.name]]
    out = io.StringIO()
    stage._show(story, hosts, Console(file=out, width=40))
    lines = out.getvalue().splitlines()
    for host in hosts:
        assert f"{host.name}  {host.url}" in lines
        for who, password, roles in host.sign_ins:
            assert any(line.split() == [who, password, *roles.split()] for line in lines), who
    assert any(line.endswith(f"{story.madrid.url}/hits/{story.notes['match']}") for line in lines)
