"""Clauses are shown as the reader's own law books write them, on every page; ledger and API keep the code."""

from __future__ import annotations

import re
import tomllib

import pytest

from tansiq.dossiers import FRAME_ACTS
from tansiq.kinds import KINDS, LANGUAGES
from tansiq.web import labels
from tansiq.web.clauses import cited, on_page
from tests.support.tree import ROOT
from tests.support.web import Town
from tests.web.conftest import signed_in

SRC = ROOT / "src" / "tansiq"
LAWS = tomllib.loads((SRC / "web" / "laws.toml").read_text(encoding="utf-8"))
NAMED = re.compile(r"LED\b|Dir\. 20|Dir\. \(EU|Reg\. |Regulation|Dec\. 20|Council Decision|Convention(?! entre)|Law \d")


def written() -> set[str]:
    """Every clause that rules, acts and duties name."""
    found = {r.clause for kind in KINDS.values() for r in kind.acts} | {r.clause for r in FRAME_ACTS.values()}
    for path in sorted(SRC.rglob("*.cedar")):
        found |= set(re.findall(r'@law\("([^"]*)"\)', path.read_text(encoding="utf-8")))
    for path in sorted(SRC.rglob("*.toml")):
        found |= set(re.findall(r'^clause = "([^"]*)"$', path.read_text(encoding="utf-8"), re.MULTILINE))
    for path in sorted(SRC.rglob("*.py")):
        if "web" not in path.parts:
            found |= set(
                re.findall(r'"((?:LED|Dir\.|Reg\.|Dec\.)[^"\n:{]*\d\)?(?:[;,][^"\n:]*)?)"', path.read_text("utf-8"))
            )
    return {c for c in found if c and not c.endswith(".")}


CLAUSES = sorted(written() - set(labels.CLAUSE))


def test_there_are_clauses_to_hold() -> None:
    assert len(CLAUSES) > 80
    assert {"LED art. 5; Dir. 2023/977 art. 16(4)", "Schengen Convention art. 40", "LED art. 25"} <= set(CLAUSES)


@pytest.mark.parametrize("language", ["ar", "fr", "es", "de"])
def test_no_clause_of_ours_keeps_its_english_words(language: str) -> None:
    english = re.compile(r"\b(arts? |recital|Annex|Convention \d|Law|Directive|Regulation|Council|house rule|GK|LED)\b")
    kept = {"fr": ("convention",), "de": (), "es": (), "ar": ()}
    bad = {c: s for c in CLAUSES if english.search(s := cited(c, language)) and not any(k in s for k in kept[language])}
    if language == "ar":
        bad |= {c: s for c in CLAUSES if "C2SP" not in c and re.search(r"\b(art|par|[a-z]{4,})\b", s := cited(c, "ar"))}
    assert not bad


@pytest.mark.parametrize(
    ("clause", "language", "words"),
    [
        ("LED art. 35(1)(e)", "en", "LED art. 35(1)(e)"),
        ("LED art. 35(1)(e)", "de", "Art. 35 Abs. 1 Buchst. e JI-Richtlinie"),
        ("LED art. 35(1)(e)", "fr", "directive 2016/680, art. 35, par. 1, e)"),
        ("LED art. 35(1)(e)", "es", "Directiva 2016/680, art. 35, apdo. 1, letra e)"),
        ("LED art. 35(1)(e)", "ar", "المادة 35(1)(هـ) من التوجيه 2016/680"),
        ("LED arts 5, 16", "ar", "المادتان 5 و16 من التوجيه 2016/680"),
        ("LED arts 5, 16", "de", "Art. 5 und 16 JI-Richtlinie"),
        ("LED art. 7(3), 16", "de", "Art. 7 Abs. 3 und Art. 16 JI-Richtlinie"),
        ("LED arts 12-17, 25, 34", "ar", "المواد من 12 إلى 17 و25 و34 من التوجيه 2016/680"),
        ("BDSG § 78(2) [GK]", "de", "§ 78 Abs. 2 BDSG [zu prüfen]"),
        (
            "LED art. 5; Dir. 2023/977 art. 16(4)",
            "fr",
            "directive 2016/680, art. 5\u00a0; directive 2023/977, art. 16, par. 4",
        ),
        (
            "LED art. 5; Dir. 2023/977 art. 16(4)",
            "ar",
            "المادة 5 من التوجيه 2016/680؛ المادة 16(4) من التوجيه 2023/977",
        ),
        ("Police Act of Atlantis s. 4", "ar", "Police Act of Atlantis s. 4"),
    ],
)
def test_a_clause_in_the_readers_words(clause: str, language: str, words: str) -> None:
    assert cited(clause, language) == words


def test_numbers_of_a_clause_are_the_same_in_each_language() -> None:
    """A translation that drops or invents an article would be worse than none."""
    for clause in CLAUSES:
        bare = re.sub(r" \[GK[^\]]*\]", "", clause)
        bare = re.sub(r"Directive \(EU\) 2016/680( \(LED\))?|LED", "2016/680", bare)
        told = sorted(re.findall(r"\d+", re.sub(r"H\d", "", bare)))
        for language in LANGUAGES:
            named = (
                re.sub(r"H\d", "", cited(clause, language))
                .replace("LED", "2016/680")
                .replace("JI-Richtlinie", "2016/680")
            )
            said = sorted(re.findall(r"\d+", named))
            assert said == told, (clause, language)


def test_latin_letters_inside_arabic_keep_their_direction() -> None:
    assert '<bdi dir="ltr">2008/615/JHA</bdi>' in on_page("Dec. 2008/615/JHA art. 16", "ar")
    assert '<bdi dir="ltr">ICD 203</bdi>' in on_page("ICD 203", "ar")
    assert "<bdi" not in on_page("LED arts 5, 16", "ar")
    assert on_page("LED art. 5 <b>", "en") == "LED art. 5 &lt;b&gt;"


def test_each_law_has_a_name_in_each_language() -> None:
    assert all(len(row) == len(LANGUAGES) for row in LAWS["law"].values())
    assert all(all(row) for row in LAWS["law"].values())
    assert not [t for row in LAWS["law"].values() for t in [row[1]] if "'" in t or re.search(r" [:;?!]", t)]


@pytest.mark.parametrize("language", ["ar", "de", "es", "fr"])
def test_no_page_shows_a_clause_in_english(town: Town, language: str) -> None:
    browser = signed_in(town, "madrid")
    browser.speak(language)
    d, r = f"/dossiers/{town.dossier}", f"/dossiers/{town.request}"
    acts = [f"{d}/acts/dossier.feedback", f"{d}/acts/dossier.permission_requested", "/compose/warning"]
    for path in ("/", d, r, f"/hits/{town.match}", *acts, "/ledger"):
        text = browser.get(path).text
        seen = re.sub(r"<script.*?</script>|<code[^>]*>.*?</code>|<[^>]+>", " ", text, flags=re.DOTALL)
        seen = re.sub(r"\S{40,}", " ", seen)  # the letters of a key or a signature may spell a law
        found = [seen[max(0, m.start() - 30) : m.end() + 30] for m in NAMED.finditer(seen)]
        assert not found, (path, found[:3])
