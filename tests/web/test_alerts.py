"""What met a standing query stands beside the duties of its officer, with its reason, until it is read."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from tansiq.access.model import Role
from tests.support.scenes import LEGAL, part
from tests.support.services import Federation
from tests.support.web import PASSWORD, Browser, TestClient, create_app


@pytest.fixture
def f(tmp_path: Path):
    made = Federation(tmp_path, lambda name: f"sqlite:///{tmp_path / name / 'tansiq.db'}")
    made.add("rabat", "madrid")
    for name in ("salma", "omar"):
        made.nodes["madrid"].access.add_officer(name, (Role.LIAISON, Role.ANALYST), PASSWORD, "en")
    yield made
    made.close()


def officer(f: Federation, name: str) -> Browser:
    browser = Browser(create_app(f.nodes["madrid"]))
    browser.sign_in(name)
    return browser


def program(f: Federation, name: str) -> TestClient:
    node = f.nodes["madrid"]
    token = node.access.new_token(next(o for o in node.access.officers() if o.name == name).id, "program", 1)
    return TestClient(create_app(node), base_url="http://node.example", headers={"authorization": f"Bearer {token}"})


def test_a_notice_is_on_the_list_until_it_is_read(f: Federation) -> None:
    salma = officer(f, "salma")
    until = (f.clock() + timedelta(days=30)).date().isoformat()
    asked = {
        "kind": "words",
        "text": "harbour crane",
        "until": until,
        "purpose": "prevention",
        "justification": "case 7 of the desk",
    }
    assert salma.post("/queries", asked).status_code == 200
    assert "harbour crane" not in salma.get("/").text, "nothing has met it"
    body = {"legal": LEGAL, "facts": {}, "parts": [part("threat", "Men watch the harbour crane at night.")]}
    dossier = f.nodes["rabat"].dossiers.open("warning", body, ["es"], f.officers["rabat"])
    f.pump()
    page = salma.get("/").text
    table = page.split('id="alerts"')[1].split("</section>")[0]
    assert "harbour crane" in table, "the words that met, and the query that is the reason"
    assert "case 7 of the desk" in table
    assert f'href="/dossiers/{dossier}"' in table
    (alert,) = program(f, "salma").get("/api/v1/duties").json()["alerts"]
    assert (alert["looked_for"], alert["why"], alert["dossier"]) == ("harbour crane", "case 7 of the desk", dossier)
    assert "harbour" in alert["what"]
    other = officer(f, "omar")
    assert 'id="alerts"' not in other.get("/").text, "another officer's query"
    seen = re.search(r'action="(/queries/notices/[^"]+/seen)"', table)
    assert seen
    assert other.post(seen[1], {}).status_code == 404
    done = salma.post(seen[1], {"next": "/"})
    assert done.status_code == 200
    assert str(done.url).endswith("/")
    assert 'id="alerts"' not in done.text
    assert program(f, "salma").get("/api/v1/duties").json()["alerts"] == []


def test_without_an_officer_no_words_are_told(f: Federation) -> None:
    node = f.nodes["madrid"]
    until = (f.clock() + timedelta(days=30)).date().isoformat()
    node.bureau.watch("words", "harbour crane", until, f.officers["madrid"])
    body = {"legal": LEGAL, "facts": {}, "parts": [part("threat", "Men watch the harbour crane at night.")]}
    f.nodes["rabat"].dossiers.open("warning", body, ["es"], f.officers["rabat"])
    f.pump()
    (alert,) = node.bureau.alerts(None)
    assert (alert.looked_for, alert.what, alert.why) == ("", "", "")
    assert alert.officer == f.officers["madrid"].officer
