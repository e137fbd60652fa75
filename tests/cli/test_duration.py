import click
import pytest

from esml_stop.cli.duration import Duration


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("1h", 3600),
        ("7d", 604_800),
        ("250ms", 0.25),
        ("1.5s", 1.5),
        ("1h30m", 5400),
        ("366d", 31_622_400),
    ],
)
def test_a_length_of_time_is_read_as_people_type_it(typed: str, seconds: float) -> None:
    """A number with its unit, or several of them."""
    assert Duration().convert(typed, None, None) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "typed", ["", "30", "5 m", "-5m", "m", "0s", "1y", "1e3s", "5m!", "367d", "nan", "٣s"[::-1], "5M"]
)
def test_anything_else_is_refused_with_an_example(typed: str) -> None:
    """No unit, no number, nothing, less than nothing, or more than a year."""
    with pytest.raises(click.BadParameter, match=r"Examples: 30s, 5m, 1h, 7d"):
        Duration().convert(typed, None, None)


def test_a_number_is_seconds_already() -> None:
    """A default that is no text needs no reading."""
    assert Duration().convert(3, None, None) == 3.0
