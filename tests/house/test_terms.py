"""House rule 6 in the languages of the pages: what officers read keeps to the glossary's words."""

from __future__ import annotations

import re
import tomllib
from functools import cache

import pytest
from babel.messages.pofile import read_po

from tansiq.kinds.words import LANGUAGES as ORDER
from tansiq.web.failure_words import SELDOM
from tansiq.web.labels import FAILURES
from tests.support.tree import ROOT, read

LANGUAGES = ("ar", "fr", "es", "de")
WEB = ROOT / "src" / "tansiq" / "web" / "locale"
KINDS = ROOT / "src" / "tansiq" / "kinds"
LAWS = ROOT / "src" / "tansiq" / "web" / "laws.toml"
TITLES = ROOT / "src" / "tansiq" / "policy" / "titles.toml"


def table() -> list[list[str]]:
    """The rows of the glossary's second table: term, one word a language, do not write."""
    rows = [line for line in read("GLOSSARY.md").partition("\n## ")[2].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


@cache
def said(language: str) -> tuple[tuple[str, str], ...]:
    """Every text that an officer reads in this language, with where it stands."""
    with (WEB / language / "LC_MESSAGES" / "tansiq.po").open("rb") as file:
        words = [(str(m.id), m.string or "") for m in read_po(file) if m.id]
    found = [(where, s) for where, string in words for s in ([string] if isinstance(string, str) else string)]
    for path in sorted(KINDS.rglob("words.toml")):
        for rows in tomllib.loads(path.read_text(encoding="utf-8")).values():
            found += [(f"{path.parent.name}: {code}", row[ORDER.index(language)]) for code, row in rows.items()]
    laws = tomllib.loads(LAWS.read_text(encoding="utf-8"))
    found += [(law, row[ORDER.index(language)]) for rows in laws.values() for law, row in rows.items()]
    titles = tomllib.loads(TITLES.read_text(encoding="utf-8"))
    return (*found, *((rule, words[language]) for rule, words in titles.items()))


def stands(word: str, text: str) -> bool:
    """Arabic joins articles and prepositions to a word, so there a part of one is enough."""
    if re.match(r"[\u0600-\u06ff]", word):
        return word in text
    return re.search(rf"(?<!\w){re.escape(word.lower())}(?!\w)", text.lower()) is not None


def test_arabic_is_written_without_tanwin_signs() -> None:
    """As the administration writes it; half of the pages had them and half had not."""
    assert not [(where, text) for where, text in said("ar") if "\u064b" in text]


def test_the_table_of_languages_is_whole() -> None:
    rows = table()
    assert len(rows) > 30
    assert all(len(row) == 6 and all(row[:5]) for row in rows), [r for r in rows if len(r) != 6 or not all(r[:5])]
    marks = [mark for row in rows for mark in re.findall(r"`([^`]+)`", row[5])]
    assert marks
    assert all(mark.partition(": ")[0] in LANGUAGES and mark.partition(": ")[2] for mark in marks)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_term_of_the_table_is_in_use(language: str) -> None:
    everything = "\n".join(text for _, text in said(language)).lower()
    unused = [row[0] for row in table() if row[1 + LANGUAGES.index(language)].lower() not in everything]
    assert not unused, f"{language}: the pages say otherwise: {unused}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_uses_a_word_that_the_table_bans(language: str) -> None:
    banned = {
        mark.partition(": ")[2]: row[1 + LANGUAGES.index(language)]
        for row in table()
        for mark in re.findall(r"`([^`]+)`", row[5])
        if mark.startswith(f"{language}: ")
    }
    assert banned
    bad = [
        f"{where}: write {instead}, not {word}: {text}"
        for where, text in said(language)
        for word, instead in banned.items()
        if stands(word, text)
    ]
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_capitals_alone_is_in_each_translation(language: str) -> None:
    """IBAN once stood in Spanish as "fact or assessment": a mend by line number had met its neighbour."""
    laws = tomllib.loads(LAWS.read_text(encoding="utf-8"))["law"]  # these have a name in each language
    capitals = {mark: text for mark, text in said(language) if re.fullmatch(r"[A-Z][A-Z0-9]{2,}", mark)}
    names = {mark: text for mark, text in capitals.items() if mark not in laws}
    assert "IBAN" in names
    assert not {mark: text for mark, text in names.items() if mark not in text}


def test_french_has_its_own_signs() -> None:
    """Typewriter apostrophes and breakable spaces before double signs: a line would begin with a colon."""
    bad = [text for _, text in said("fr") if "'" in text or re.search(r" [:;?!»]|« ", text)]
    assert not bad, "\n".join(bad)


def test_a_template_writes_no_colon_of_its_own_after_a_word() -> None:
    """The space before it differs by language: templates say `colon`."""
    here = re.compile(r"""[}]}(?:</span>)? ?: |%}: |~ ?['"] ?: ['"] ?~""")
    folder = ROOT / "src" / "tansiq" / "web" / "templates"
    bad = [
        f"{path.name}: ...{text[max(0, m.start() - 30) : m.end() + 10]}"
        for path in sorted(folder.rglob("*.html"))
        for text in [path.read_text(encoding="utf-8")]
        for m in here.finditer(text)
    ]
    assert not bad, "\n".join(bad)


def test_arabic_has_its_own_signs() -> None:
    bad = [text for _, text in said("ar") if re.search(r"[\u0600-\u06ff][,;?]|[\u0660-\u0669]", text)]
    assert not bad, "\n".join(bad)


def test_words_for_seldom_failures_are_for_failures_that_there_are() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src" / "tansiq").rglob("*.py"))
    assert not [code for code in SELDOM if source.count(f'"{code}"') < 2]
    assert not set(SELDOM) & set(FAILURES), "labels.py has words for it"
