"""Pages and API of files, search, standing queries, links and templates."""

from __future__ import annotations

import hashlib
import os

import pytest

from tansiq.attachments.model import CHUNK, MAX_BYTES
from tansiq.web.i18n import LANGUAGES
from tests.support import acts
from tests.support.web import Browser, Town


def test_a_program_uploads_and_downloads_in_pieces(town: Town, program: Browser) -> None:
    body = os.urandom(2 * CHUNK + 3)
    pieces = (body[i : i + 70_000] for i in range(0, len(body), 70_000))
    to = f"/api/v1/dossiers/{town.dossier}/attachments"
    name = {"tansiq-name": "%D8%AA%D9%82%D8%B1%D9%8A%D8%B1.pdf", "content-type": "application/pdf"}
    made = program.client.post(to, content=pieces, headers=name)
    assert made.status_code == 201, made.text
    entry = made.json()["entry"]
    assert made.json()["sha256"] == hashlib.sha256(body).hexdigest()
    (part,) = town.node("madrid").dossiers.entry(entry).parts
    found = program.client.get(f"{to}/{entry}/{part.ref.id}")
    assert found.content == body
    said = found.headers
    assert said["content-disposition"] == "attachment; filename*=UTF-8''%D8%AA%D9%82%D8%B1%D9%8A%D8%B1.pdf"
    assert said["content-type"] == "application/octet-stream"
    assert "sandbox" in said.get("content-security-policy")
    assert "nosniff" in said["x-content-type-options"]


@pytest.mark.parametrize(
    ("headers", "size", "code", "field"),
    [
        ({"tansiq-name": "a.bin"}, MAX_BYTES + 1, "attachment.too_large", "file"),
        ({"tansiq-name": "a%2Fb"}, 5, "attachment.name", "name"),
        ({}, 5, "attachment.name", "name"),
        ({"tansiq-name": "a", "content-type": "nothing"}, 5, "attachment.media", "media"),
        ({"tansiq-name": "a"}, 0, "attachment.empty", "file"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(
    town: Town, program: Browser, headers: dict[str, str], size: int, code: str, field: str
) -> None:
    blocks = (bytes(min(65_536, size - i)) for i in range(0, size, 65_536))
    answer = program.client.post(f"/api/v1/dossiers/{town.dossier}/attachments", content=blocks, headers=headers)
    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["field"]) == (code, field)


def test_an_officer_attaches_and_reads_on_the_page(town: Town, madrid: Browser) -> None:
    page = madrid.get(f"/dossiers/{town.dossier}/beside")
    token = page.text.split('name="csrf" value="')[1].split('"')[0]
    body = os.urandom(CHUNK + 99)
    where = f"/dossiers/{town.dossier}/files"
    upload = {"file": ('a"b.txt', body, "text/html")}
    refused = madrid.client.post(where, data={"csrf": "wrong"}, files=upload, follow_redirects=False)
    assert refused.status_code == 403
    made = madrid.client.post(where, data={"csrf": token, "note": "n"}, files=upload, follow_redirects=False)
    assert made.status_code == 303, made.text
    text = madrid.get(f"/dossiers/{town.dossier}/beside").text
    link = next(x for x in text.split('href="') if x.startswith(where) and "b.txt" in x[:400]).split('"')[0]
    found = madrid.client.get(link)
    assert found.content == body
    assert found.headers["content-type"] == "application/octet-stream"
    assert found.headers["content-disposition"].startswith("attachment;")


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_page_speaks_each_language(town: Town, madrid: Browser, language: str) -> None:
    madrid.client.cookies.set("tq_language", language)
    try:
        for path in ("/search", "/queries", f"/dossiers/{town.dossier}/beside"):
            page = madrid.get(path)
            assert page.status_code == 200
            assert f'lang="{language}"' in page.text
    finally:
        madrid.client.cookies.delete("tq_language")


def test_search_and_standing_queries_by_program(town: Town, program: Browser) -> None:
    subject = town.node("madrid").dossiers.subject(town.dossier)
    found = program.client.post("/api/v1/search", json={"words": subject}).json()["results"]
    assert town.dossier in {r["dossier"] for r in found}
    bad = program.client.post("/api/v1/search", json={"words": "!"})
    assert (bad.status_code, bad.json()["field"]) == (422, "words")
    made = program.client.post("/api/v1/queries", json={"kind": "words", "text": "zanzibar", "until": "2026-12-24"})
    assert made.status_code == 201, made.text
    watch = made.json()["watch"]["id"]
    assert [w["id"] for w in program.client.get("/api/v1/queries").json()["watches"]] == [watch]
    assert program.client.post(f"/api/v1/queries/{watch}/removal", json={}).status_code == 200
    assert program.client.post(f"/api/v1/queries/{watch}/removal", json={}).status_code == 404


def test_a_template_is_chosen_on_a_page(town: Town, madrid: Browser) -> None:
    node = town.node("madrid")
    body = acts.report() | {"subject": "About {{who}}"}
    node.bureau.templates.save("Arrival", "report", body)
    assert "/templates/Arrival" in madrid.get("/dossiers").text
    page = madrid.get("/templates/Arrival")
    assert 'name="place_who"' in page.text
    node.bureau.templates.remove("Arrival")
