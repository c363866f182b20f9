"""The settings file: read once, wrong keys named, the template readable."""

from __future__ import annotations

import contextlib
import string
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.errors import Invalid, TansiqError
from tansiq.settings import FILE, Settings

LEAST = '[node]\nname = "Rabat"\ncountry = "ma"\n'


def write(home: Path, text: str) -> Path:
    (home / FILE).write_text(text, "utf-8")
    return home


def test_a_name_and_a_country_are_enough(tmp_path: Path) -> None:
    found = Settings.read(write(tmp_path, LEAST), {})
    assert (found.node.name, found.node.country, found.language, found.time_zone) == ("Rabat", "MA", "en", "")
    assert found.database_url == f"sqlite:///{tmp_path}/tansiq.db"
    assert found.keys_file == tmp_path / "node.keys"
    assert found.passphrase_file is None
    assert found.policy_directory is None


def test_paths_stand_in_the_home_unless_they_are_absolute(tmp_path: Path) -> None:
    text = LEAST + '[keys]\npassphrase_file = "secrets/pass"\n[policy]\ndirectory = "/etc/tansiq/law"\n'
    found = Settings.read(write(tmp_path, text), {})
    assert found.passphrase_file == tmp_path / "secrets" / "pass"
    assert found.policy_directory == Path("/etc/tansiq/law")


def test_the_two_variables_of_the_environment(tmp_path: Path) -> None:
    write(tmp_path, LEAST + '[database]\nurl = "postgresql://file/one"\n')
    environ = {"TANSIQ_HOME": str(tmp_path), "TANSIQ_DATABASE": "postgresql://environment/two"}
    assert Settings.read(None, environ).database_url == "postgresql://environment/two"
    assert Settings.read(tmp_path, {}).database_url == "postgresql://file/one"


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("", "settings.required", "[node] name"),
        ('[node]\nname = "x"\n', "settings.required", "[node] country"),
        (LEAST + "colour = 1\n", "settings.unknown", "[node] colour"),
        (LEAST + "[exchang]\n", "settings.unknown", "[exchang]"),
        ("exchange = 3\n" + LEAST, "settings.value", "[exchange]"),
        (LEAST + '[web]\nport = "8080"\n', "settings.value", "[web] port"),
        (LEAST + "[web]\nport = 65536\n", "settings.value", "[web] port"),
        (LEAST + "[web]\nport = true\n", "settings.value", "[web] port"),
        (LEAST + '[web]\ntls_key = "k.pem"\n', "settings.value", "[web] tls_key"),
        (LEAST + '[exchange]\nurl = "http://plain"\n', "settings.value", "[exchange] url"),
        (LEAST + '[exchange]\nurl = "https://user:secret@host"\n', "settings.value", "[exchange] url"),
        (LEAST + "[exchange]\nbackoff_cap_seconds = nan\n", "settings.value", "[exchange] backoff_cap_seconds"),
        (LEAST + "[exchange]\nitem_days = 0\n", "settings.value", "[exchange] item_days"),
        (LEAST + "[review]\nblind = 1\n", "settings.value", "[review] blind"),
        (LEAST + 'language = "tlh"\n', "settings.value", "[node] language"),
        (LEAST + 'languages = "ar"\n', "settings.value", "[node] languages"),
        (LEAST + 'timezone = "Mars/Olympus"\n', "settings.value", "[node] timezone"),
        (LEAST + 'timezone = "../../etc/passwd"\n', "settings.value", "[node] timezone"),
        ("[node\n", "settings.not_toml", FILE),
        (LEAST + LEAST, "settings.not_toml", FILE),
    ],
)
def test_what_is_wrong_is_named_by_file_and_key(tmp_path: Path, text: str, code: str, where: str) -> None:
    with pytest.raises(Invalid) as caught:
        Settings.read(write(tmp_path, text), {})
    assert caught.value.code == code
    assert caught.value.field.startswith(FILE)
    assert caught.value.field.endswith(where)
    assert "secret" not in str(caught.value)


def test_no_home_and_no_file_are_told_apart(tmp_path: Path) -> None:
    for home, environ, code in [(None, {}, "settings.home"), (tmp_path, {}, "settings.missing")]:
        with pytest.raises(Invalid) as caught:
            Settings.read(home, environ)
        assert caught.value.code == code
    (tmp_path / FILE).write_bytes(b"\xff")
    with pytest.raises(Invalid) as caught:
        Settings.read(tmp_path, {})
    assert caught.value.code == "settings.unreadable"


def test_the_template_names_every_key_and_reads_back_as_the_defaults(tmp_path: Path) -> None:
    text = Settings.template({"node": {"name": "Rabat", "country": "MA"}})
    assert Settings.parse(text, tmp_path) == Settings.parse(LEAST, tmp_path)
    uncommented = "\n".join(line.removeprefix("#") if line[:2] not in ("# ", "#") else "" for line in text.splitlines())
    assert Settings.parse(uncommented, tmp_path) == Settings.parse(LEAST, tmp_path)
    for key in ("backoff_cap_seconds", "passphrase_file", "blind", "directory", "contact"):
        assert f"# {key}: " in text


def test_the_template_holds_what_was_chosen(tmp_path: Path) -> None:
    chosen = {
        "node": {"name": 'الرباط "1"\\', "country": "MA", "languages": ("ar", "fr"), "timezone": "Africa/Casablanca"},
        "exchange": {"port": 0, "url": "https://127.0.0.1:8443", "poll_seconds": 0.5},
        "review": {"blind": True},
    }
    found = Settings.parse(Settings.template(chosen), tmp_path)
    assert (found.node.name, found.node.languages) == (chosen["node"]["name"], ("ar", "fr"))
    assert (found.exchange.port, found.exchange.poll_seconds, found.review.blind) == (0, 0.5, True)


@pytest.mark.parametrize("chosen", [{"node": {"nam": "x"}}, {"nod": {"x": 1}}, {"node": {"name": "x", "country": "?"}}])
def test_a_template_that_could_not_be_read_back_is_refused(chosen: dict) -> None:
    with pytest.raises(Invalid):
        Settings.template(chosen)


@given(st.text(alphabet=string.printable + "ابت\u2028\x7f", max_size=60))
def test_any_text_is_settings_or_one_of_our_failures(text: str) -> None:
    with contextlib.suppress(TansiqError):
        Settings.parse(LEAST + text, Path("/home"))


@given(st.text(min_size=1, max_size=120))
def test_any_name_that_is_taken_comes_back_from_the_file(name: str) -> None:
    try:
        text = Settings.template({"node": {"name": name, "country": "MA"}})
    except Invalid:
        return
    text.encode()  # or it could not be written
    assert Settings.parse(text, Path()).node.name == name.strip()
    assert tomllib.loads(text)["node"]["name"] == name
