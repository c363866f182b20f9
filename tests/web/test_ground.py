"""What can be read off the files: CSS has no physical side, vendored files are what the list says, texts are whole."""

from __future__ import annotations

import hashlib
import re
import tomllib
from datetime import timedelta

import pytest
from babel.messages.pofile import read_po

from tansiq.terms import codes
from tansiq.web import labels, views
from tansiq.web.i18n import LANGUAGES, LOCALES, tongue
from tansiq.web.visit import zone_of_country
from tests.support.messages import WEB, all_messages

CSS = sorted((WEB / "static" / "css").glob("*.css"))
PHYSICAL = re.compile(
    r"(?<![\w-])(?:margin|padding|border)-(?:left|right|top|bottom)\b|(?<![\w-])(?:left|right|top|bottom)\s*:"
    r"|text-align\s*:\s*(?:left|right)|float\s*:\s*(?:left|right)|(?<![\w-])(?:min-|max-)?(?:width|height)\s*:"
    r"|border-(?:top|bottom)-(?:left|right)-radius"
)


@pytest.mark.parametrize("path", CSS, ids=lambda p: p.name)
def test_css_knows_no_left_and_right(path) -> None:
    text = re.sub(r"/\*.*?\*/|@media[^{]*", "", path.read_text(encoding="utf-8"), flags=re.S)
    bad = [f"{n}: {line.strip()[:80]}" for n, line in enumerate(text.splitlines(), 1) if PHYSICAL.search(line)]
    assert not bad, "\n".join(bad)


def test_colours_are_named_once() -> None:
    """Values stand in tokens.css; the mark and the navigation are dark in both themes and may name white."""
    for path in CSS:
        if path.name in ("tokens.css", "print.css"):
            continue
        found = set(re.findall(r"#[0-9A-Fa-f]{3,8}\b", path.read_text(encoding="utf-8")))
        assert found <= {"#FFFFFF", "#4FC3D6", "#93A5B1", "#F2B84B", "#08222A"}, (path.name, found)


def test_each_class_and_token_of_the_css_is_used() -> None:
    """A rule that nothing uses any more is read, kept true in two themes, and shown by no page."""
    css = re.sub(r"/\*.*?\*/", "", "\n".join(p.read_text(encoding="utf-8") for p in CSS), flags=re.S)
    classes = set(re.findall(r"\.([a-zA-Z][\w-]*)", re.sub(r"\{[^{}]*\}", "{}", css)))
    makers = [*WEB.glob("**/*.html"), *WEB.glob("**/*.py"), *(WEB / "static" / "js").glob("*.js")]
    named = set(re.findall(r"[\w-]+", "\n".join(p.read_text(encoding="utf-8") for p in makers)))
    assert not sorted(classes - named)
    assert set(re.findall(r"(--[\w-]+)\s*:", css)) == set(re.findall(r"var\((--[\w-]+)", css))


def test_vendored_files_are_what_the_list_says() -> None:
    folder = WEB / "static" / "vendor"
    packages = tomllib.loads((folder / "VENDORED.toml").read_text(encoding="utf-8"))["package"]
    listed = {f"{p['name']}@{p['version']}/{name}" for p in packages for name in p["sha256"]}
    there = {f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file() and f.name != "VENDORED.toml"}
    assert listed == there
    for p in packages:
        assert p["licence"] in ("OFL-1.1", "ISC", "0BSD")
        assert "LICENSE" in p["sha256"]
        for name, digest in p["sha256"].items():
            held = (folder / f"{p['name']}@{p['version']}" / name).read_bytes()
            assert hashlib.sha256(held).hexdigest() == digest, name


@pytest.mark.parametrize("code", LANGUAGES)
def test_each_catalogue_has_every_text_and_no_other(code: str) -> None:
    with (WEB / "locale" / code / "LC_MESSAGES" / "tansiq.po").open("rb") as file:
        catalog = read_po(file, locale=LOCALES[code])
    assert {m.id for m in catalog if m.id} == all_messages()
    if code == "en":
        return
    for message in catalog:
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(texts), f"{code}: {message.id} is not translated"
        wanted = set(re.findall(r"%\(\w+\)[sd]", str(message.id)))
        for text in texts if message.id else ():
            assert set(re.findall(r"%\(\w+\)[sd]", text)) <= wanted, message.id
    assert catalog.num_plurals == (6 if code == "ar" else 2)


def test_every_closed_list_has_its_words() -> None:
    pairs = (
        (codes.HandlingCode, labels.HANDLING),
        (codes.PersonRole, labels.ROLE),
        (codes.Purpose, labels.PURPOSE),
        (codes.TransferBasis, labels.TRANSFER_BASIS),
        (codes.UrgencyGround, labels.URGENCY_GROUND),
        (codes.RefusalGround, labels.REFUSAL_GROUND),
        (codes.CrimeArea, labels.CRIME_AREA),
        (codes.Basis, labels.BASIS),
        (codes.LogVerb, labels.LOG_VERB),
    )
    for closed, table in pairs:
        assert {str(c.value) for c in closed} == set(table), closed


def test_every_act_of_every_kind_has_its_words() -> None:
    from tansiq.dossiers import FRAME_ACTS
    from tansiq.kinds import KINDS, words_of

    acts = [a for k in KINDS.values() for a in k.acts] + list(FRAME_ACTS.values())
    own = {table: {code for k in KINDS for code in words_of(k)[table]} for table in ("act", "part")}
    assert not [a.type for a in acts if a.type not in {*labels.ENTRY_TYPE, *own["act"]}]
    assert not [p for a in acts for p in a.parts if p not in {*labels.PART, *own["part"]}]
    assert not [a.type for a in acts if a.type not in {*labels.ACT, *own["act"], *views.NOT_BY_HAND}]


def test_arabic_counts_in_six_forms() -> None:
    speak = tongue("ar", "Africa/Casablanca")
    said = [speak.say_n("%(n)d day", "%(n)d days", n) % {"n": n} for n in (1, 2, 3, 10, 11, 99, 100, 103)]
    assert said == ["يوم واحد", "يومان", "3 أيام", "10 أيام", "11 يوما", "99 يوما", "100 يوم", "103 أيام"]


def test_from_a_week_on_a_span_is_told_in_days() -> None:
    spans = (timedelta(days=6, hours=23), timedelta(days=7, minutes=5), timedelta(days=179, hours=17))
    assert [tongue("en", "UTC").duration(s) for s in spans] == ["6 days and 23 hours", "7 days", "179 days"]
    assert tongue("ar", "UTC").duration(-spans[2]) == "179 يوما"


@pytest.mark.parametrize(
    ("code", "said"),
    [("ar", "3 غشت 2026"), ("fr", "3 août 2026"), ("es", "3 ago 2026"), ("de", "3. Aug. 2026"), ("en", "3 Aug 2026")],
)
def test_dates_are_written_out(code: str, said: str) -> None:
    speak = tongue(code, "UTC")
    assert speak.day("2026-08-03") == said
    assert speak.day("1987") == "1987"
    assert speak.day("not a date") == "not a date"


def test_a_waterfall_begins_where_the_last_bar_ended() -> None:
    rows = [{"part": "name", "points": p, "outcome": o} for p, o in ((3.0, "agree"), (-1.0, "conflict"))]
    view = views.score({"score": 0.2, "comparable": True, "start": -4.0, "rows": rows, "sum": -2.0})
    ends = [(b.x, b.x + b.width) for b in (view.start_bar, view.rows[0].bar, view.rows[1].bar, view.total_bar)]
    assert ends[0][1] == pytest.approx(view.even, abs=0.2)
    assert ends[1][0] == pytest.approx(ends[0][0], abs=0.2)
    assert ends[2][1] == pytest.approx(ends[1][1], abs=0.2)
    assert ends[3] == pytest.approx((ends[2][0], view.even), abs=0.2)
    assert view.counts == {"agree": 1, "partial": 0, "conflict": 1, "missing": 0}


def test_invisible_direction_controls_are_shown() -> None:
    assert views.visible_controls("invoice\u202efdp.exe") == "invoice[U+202E]fdp.exe"


def test_a_plates_letters_cannot_turn_its_digits() -> None:
    from tansiq.web.render import num

    assert str(num("48213-ب-40")) == '<bdi dir="ltr" class="mono">48213-<bdi dir="rtl">ب</bdi>-40</bdi>'
    assert str(num("<b>")) == '<bdi dir="ltr" class="mono">&lt;b&gt;</bdi>'


def test_values_are_marked_where_they_stand_and_never_inside_one_another() -> None:
    text = "كان المسمى يوسف الزروالي رفقة يوسف على متن 48213-ب-40"
    found = views.marked(text, {"يوسف الزروالي": "this", "يوسف": "a", "48213-ب-40": "a", "ab": "a"})
    assert "".join(p.text for p in found) == text
    assert [(p.text, p.side) for p in found if p.side] == [
        ("يوسف الزروالي", "this"),
        ("يوسف", "a"),
        ("48213-ب-40", "a"),
    ]


def test_a_country_that_nobody_listed_has_its_own_time() -> None:
    assert (zone_of_country("ES"), zone_of_country("IT"), zone_of_country("TN")) == (
        "Europe/Madrid", "Europe/Rome", "Africa/Tunis"
    )  # fmt: skip
    assert zone_of_country("US") == zone_of_country("ZZ") == "UTC"
