"""The API's private checks: the verbs of the command line for programs; whom one asks for is never in an address."""

from __future__ import annotations

from tests.support.web import Browser, Town

STRANGER = {"names": ["Tomás Ferreira Albuquerque"], "birth_dates": ["1979-11-02"]}


def test_a_check_is_asked_read_and_listed(program: Browser, town: Town) -> None:
    made = program.client.post("/api/v1/checks", json={"peer": "de", "person": STRANGER, "case": "case 7"})
    assert made.status_code == 201
    check = made.json()["check"]
    assert (check["state"], check["hit"], check["rids"]) == ("done", False, [])
    read = program.client.get(f"/api/v1/checks/{check['id']}").json()["check"]
    assert read["id"] == check["id"]
    listed = program.client.get("/api/v1/checks").json()["checks"]
    assert {check["id"], town.check} <= {c["id"] for c in listed}
    met = next(c for c in listed if c["id"] == town.check)
    assert met["hit"]
    assert len(met["rids"]) == 1


def test_a_check_needs_its_words(program: Browser) -> None:
    def code(**body: object) -> tuple[int, str, str]:
        answer = program.client.post("/api/v1/checks", json=body)
        return answer.status_code, answer.json()["code"], answer.json().get("field", "")

    assert code(peer="de", person=STRANGER) == (422, "body.missing", "case")
    assert code(peer="de", person=STRANGER, case="") == (422, "check.case", "case")
    assert code(peer="de", person={"shoe_size": "43"}, case="7") == (422, "person.word", "shoe_size")
    assert code(peer="de", person=[], case="7") == (422, "body.not_an_object", "person")
    assert code(peer="de", person=STRANGER, case="7", more=1) == (422, "body.unknown_field", "more")


def test_a_check_without_a_hit_cannot_be_followed(program: Browser) -> None:
    made = program.client.post("/api/v1/checks", json={"peer": "de", "person": STRANGER, "case": "case 7"}).json()
    answer = program.client.post(f"/api/v1/checks/{made['check']['id']}/request", json={"body": {}})
    assert (answer.status_code, answer.json()["code"]) == (409, "check.no_hit")


def test_a_watch_begins_and_ends(program: Browser) -> None:
    made = program.client.post("/api/v1/watches", json={"peers": ["de"], "person": STRANGER, "case": "case 7"})
    assert made.status_code == 201
    watch = made.json()["watch"]
    assert watch in {w["id"] for w in program.client.get("/api/v1/watches").json()["watches"]}
    assert program.client.post(f"/api/v1/watches/{watch}/end", json={}).status_code == 200
    assert program.client.post(f"/api/v1/watches/{watch}/end", json={}).status_code == 404


def test_what_was_asked_stands_in_the_status(program: Browser) -> None:
    said = program.client.get("/api/v1/private").json()
    assert set(said) == {"epochs", "lists", "meters", "asked_of_us", "we_asked", "notices"}
    assert [x for x in said["we_asked"] if x["tier"] == "low" and x["evaluations"]]
