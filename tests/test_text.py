import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esml_stop import text

# Characters that a terminal interprets: C0, DEL, C1, and bidirectional and invisible ones.
ACTIVE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


@given(st.text())
def test_cleaned_text_has_no_control_characters(foreign: str) -> None:
    """Cleaned text contains nothing that a terminal would interpret."""
    shown = text.clean(foreign)
    assert not ACTIVE.search(shown)
    assert len(shown.splitlines()) <= 1
    assert all(unicodedata.category(one)[0] != "C" for one in shown)


@given(st.text(st.characters(categories=["L", "N", "P", "S", "M", "Zs"])))
def test_printable_text_is_unchanged(foreign: str) -> None:
    """Letters of any script, marks, digits, punctuation and symbols are not changed."""
    assert text.clean(foreign) == foreign


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("a\x1b[31mred", "a\\x1b[31mred"),
        ("a\x1b]8;;http://x\x07b", "a\\x1b]8;;http://x\\x07b"),
        ("a\x9b2Jb", "a\\x9b2Jb"),
        ("a\rb\nc\td", "a\\rb\\nc\\td"),
        ("a\u202eb", "a\\u202eb"),
        ("a\ud800b", "a\\ud800b"),
        ("größe", "größe"),
        ("[red]a[/red]", "[red]a[/red]"),
    ],
)
def test_control_characters_are_escaped_as_in_python(foreign: str, shown: str) -> None:
    """Control characters, bidirectional marks and lone surrogates are escaped as in Python."""
    assert text.clean(foreign) == shown


@pytest.mark.parametrize(
    ("number", "shown"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (42.4, "42 s"), (119.6, "120 s"), (3600, "60 min")]
)
def test_a_duration_is_short(number: float, shown: str) -> None:
    """A duration is shown with tenths under ten seconds, in seconds under two minutes, and in minutes above."""
    assert text.seconds(number) == shown


@pytest.mark.parametrize(("number", "shown"), [(0, "0 targets"), (1, "1 target"), (1234, "1,234 targets")])
def test_a_count_has_its_plural(number: int, shown: str) -> None:
    """A count other than 1 has the plural, and its thousands are separated by commas."""
    assert text.counted(number, "target") == shown


def test_a_command_can_be_pasted() -> None:
    """Words with special characters are quoted for a shell."""
    assert text.command("esml", "stop", "a b", "$(rm)") == "esml stop 'a b' '$(rm)'"


@pytest.mark.parametrize(
    ("passed", "shown"),
    [
        (-5, "just now"),
        (59_999, "just now"),
        (60_000, "1 min ago"),
        (7_200_000, "2 h ago"),
        (10**9, "11 days ago"),
    ],
)
def test_an_age_is_in_the_largest_unit_that_fits(passed: int, shown: str) -> None:
    """An age is shown in days, hours or minutes, or as "just now" under a minute."""
    assert text.ago(passed) == shown


def test_a_time_is_in_utc() -> None:
    """A time is shown in RFC 3339 format, in UTC, to the second."""
    assert text.rfc3339(1_700_000_000_999) == "2023-11-14T22:13:20Z"
