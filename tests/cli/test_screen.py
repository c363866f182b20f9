"""What a partner wrote can neither drive the terminal nor reorder the line around it."""

from __future__ import annotations

import io

from rich.console import Console

from tansiq.cli.screen import facts, safe, share, table
from tansiq.terms.plain import plain


def drawn(value: object) -> str:
    out = Console(file=io.StringIO(), width=200, force_terminal=True, color_system=None)
    out.print(value)
    return out.file.getvalue()


def test_control_characters_do_not_reach_the_terminal() -> None:
    hostile = "Karim\x1b[2J\x1b]0;owned\x07\x9b31m\r\x08Nobody"
    shown = drawn(safe(hostile))
    assert not set(shown) & {"\x1b", "\x07", "\x9b", "\r", "\x08"}
    assert "Karim" in shown
    assert "Nobody" in shown


def test_markup_is_text() -> None:
    assert "[red]alarm[/red]" in drawn(safe("[red]alarm[/red]"))
    assert "[link=x]" in drawn(table("a", rows=[("[link=x]",)]))


def test_a_right_to_left_name_is_isolated_and_overrides_are_dropped() -> None:
    shown = safe("يونس \u202eevil").plain
    assert shown.startswith("\u2068")
    assert shown.endswith("\u2069")
    assert "\u202e" not in shown


def test_facts_without_a_value_are_left_out() -> None:
    out = Console(file=io.StringIO(), width=80)
    facts(out, [("node", "ma-x"), ("url", ""), ("count", 0)])
    assert out.file.getvalue().split() == ["node", "ma-x", "count", "0"]


def test_plain_values_are_what_json_carries() -> None:
    assert plain({"a": (1, b"\x01"), "b": frozenset({"y", "x"})}) == {"a": [1, "01"], "b": ["x", "y"]}


def test_a_score_never_says_more_than_it_is() -> None:
    assert [share(x) for x in (0.0, 0.29, 0.994, 0.996, 0.9999, 1.0)] == [
        "0.00",
        "0.29",
        "0.99",
        "0.99",
        "0.99",
        "1.00",
    ]


def test_words_stand_side_by_side_and_nothing_is_left_out() -> None:
    out = Console(file=io.StringIO(), width=200, color_system=None)
    facts(out, [("roles", ["analyst", "liaison"]), ("failures", []), ("count", 0)])
    assert [line.rstrip() for line in out.file.getvalue().splitlines()] == ["roles  analyst, liaison", "count  0"]
