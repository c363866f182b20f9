"""Failures of commands in the caller's language."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from tansiq.cli.main import FLAGS, ITS_OWN, VALUED, app, call, globals_first
from tansiq.settings import terminal_language

NO_NODE = {
    "ar": "لا توجد عقدة في هذا المجلد.",
    "fr": "Il n’y a pas de nœud dans ce répertoire.",
    "es": "No hay ningún nodo en esta carpeta.",
    "de": "In diesem Ordner ist kein Knoten.",
}


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "pt_PT.UTF-8"}, "en"),
        ({"LANG": "fr_MA.UTF-8"}, "fr"),
        ({"LANG": "ar"}, "ar"),
        ({"LANG": "de@euro"}, "de"),
        ({"LANG": "de_DE", "LC_MESSAGES": "es_ES.UTF-8"}, "es"),
        ({"LANG": "de_DE", "LC_ALL": "C", "LC_MESSAGES": "es_ES"}, "en"),
        ({"LANG": "de_DE", "LC_ALL": "fr_FR", "TANSIQ_LANG": "ar"}, "ar"),
        ({"LANG": "de_DE", "TANSIQ_LANG": ""}, "de"),
    ],
)
def test_the_language_is_the_terminals_and_ours_goes_before_it(environ: dict[str, str], language: str) -> None:
    assert terminal_language(environ) == language


@pytest.mark.parametrize("language", sorted(NO_NODE))
def test_a_failure_is_told_in_the_language_that_was_asked_for(
    language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["--home", str(tmp_path), "duties"]
    english = call(argv)
    assert "Invalid: read settings: tansiq.toml: there is no such file (settings.missing)" in capsys.readouterr().err
    assert call([*argv, "--lang", language]) == english == 2
    told = capsys.readouterr().err
    assert NO_NODE[language] in told
    assert all(f"\u2068[{x}]\u2069" in told for x in ("read settings", "tansiq.toml", "settings.missing"))
    assert "tansiq --home" in told, "the command that helps is the same in every language"


@pytest.mark.parametrize("language", [*sorted(NO_NODE), "en"])
def test_for_programs_a_failure_is_the_same_in_every_language(
    language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for argv in (["--home", str(tmp_path), "duties"], ["duties", "--limit", "nine"], ["no-such-command"]):
        call([*argv, "--json"])
        plain = capsys.readouterr().out
        call([*argv, "--json", "--lang", language])
        assert capsys.readouterr().out == plain
        assert json.loads(plain)["exit_code"] == 2


def test_what_the_parser_refuses_is_told_so_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["--lang=fr", "duties", "--limt", "5"]) == 2
    assert "Il n’y a pas de telle option." in capsys.readouterr().err
    assert call(["match", "x", "--lang", "de", "--limit", "0"]) == 2
    assert "Dieser Wert passt nicht." in capsys.readouterr().err


def test_a_list_to_choose_from_is_shown_in_every_language(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["--lang", "it", "duties"]) == 2
    assert "--lang: one of ar, fr, es, de, en (cli.lang)" in capsys.readouterr().err
    assert call(["--lang", "es", "dossier", "example", "letter"]) == 2
    told = capsys.readouterr().err
    assert "Elija uno de estos: \u2068" in told
    assert "report" in told


def test_a_failure_that_nobody_has_words_for_keeps_its_english_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["--lang", "ar", "match", "x", "--sex", "other"]) == 2
    told = capsys.readouterr().err
    assert "خطأ في المدخلات" in told
    assert "\u2068male or female\u2069" in told


@pytest.mark.parametrize("own", [["--lang", "es"], ["--lang=es"], ["--lang", "it"]])
def test_a_translation_has_a_language_of_its_own(
    own: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.txt"
    text.write_text("hola", encoding="utf-8")
    argv = ["--home", str(tmp_path), "dossier", "translate", "d-41c0", "p-77ab", *own, str(text)]
    assert globals_first(["--lang", "fr", *argv, "--json"])[:5] == ["--lang", "fr", "--home", str(tmp_path), "--json"]
    assert call(["--lang", "fr", *argv]) == 2
    told = capsys.readouterr().err
    assert NO_NODE["fr"] in told, "the parser took the option for the translation's; only the node is missing"
    assert "settings.missing" in told


def _commands(command: object, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    yield words, {name for param in command.params for name in param.opts}  # type: ignore[attr-defined]
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, (*words, name))


def test_no_command_loses_an_option_to_a_global_one_of_that_name() -> None:
    both = {words: own & (FLAGS | VALUED) for words, own in _commands(typer.main.get_command(app)) if words}
    assert {words: own for words, own in both.items() if own} == ITS_OWN
