import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esml_stop import text

# Characters that a terminal interprets: C0 and C1 controls, DEL, bidirectional marks and invisible characters.
ACTIVE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


@given(st.text())
def test_cleaned_text_has_no_control_characters(untrusted: str) -> None:
    """Cleaned text is one line and contains no character that a terminal interprets."""
    cleaned = text.clean(untrusted)
    assert not ACTIVE.search(cleaned)
    assert len(cleaned.splitlines()) <= 1
    assert all(unicodedata.category(one)[0] != "C" for one in cleaned)


@given(st.text(st.characters(categories=["L", "N", "P", "S", "M", "Zs"])))
def test_printable_text_is_unchanged(untrusted: str) -> None:
    """Letters of any script, marks, digits, punctuation and symbols are not changed."""
    assert text.clean(untrusted) == untrusted


@pytest.mark.parametrize(
    ("untrusted", "expected"),
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
def test_control_characters_are_escaped_as_in_python(untrusted: str, expected: str) -> None:
    """Control characters, bidirectional marks and lone surrogates are escaped as in Python."""
    assert text.clean(untrusted) == expected


@pytest.mark.parametrize(
    ("number", "expected"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (42.4, "42 s"), (119.6, "120 s"), (3600, "60 min")]
)
def test_a_duration_is_short(number: float, expected: str) -> None:
    """A duration is shown with tenths under ten seconds, in seconds under two minutes, and in minutes above."""
    assert text.seconds(number) == expected


@pytest.mark.parametrize(("number", "expected"), [(0, "0 targets"), (1, "1 target"), (1234, "1,234 targets")])
def test_a_count_has_a_plural_noun(number: int, expected: str) -> None:
    """A count other than 1 has the plural, and its thousands are separated by commas."""
    assert text.counted(number, "target") == expected


def test_a_command_is_quoted_for_a_shell() -> None:
    """Words with special characters are quoted for a shell."""
    assert text.command("esml", "stop", "a b", "$(rm)") == "esml stop 'a b' '$(rm)'"


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        (-5, "just now"),
        (59_999, "just now"),
        (60_000, "1 min ago"),
        (7_200_000, "2 h ago"),
        (10**9, "11 days ago"),
    ],
)
def test_an_age_is_in_the_largest_unit_that_fits(milliseconds: int, expected: str) -> None:
    """An age is shown in days, hours or minutes, or as "just now" under a minute."""
    assert text.ago(milliseconds) == expected


def test_a_time_is_in_utc() -> None:
    """A time is shown in RFC 3339 format, in UTC, to the second."""
    assert text.rfc3339(1_700_000_000_999) == "2023-11-14T22:13:20Z"
