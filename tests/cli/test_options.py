import click
import pytest
from click.testing import CliRunner

from esml_stop.cli.options import Duration, format_duration, given_options


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
def test_a_duration_is_a_number_with_a_unit(typed: str, seconds: float) -> None:
    """A duration is a number with a unit, or several of these, such as 1h30m."""
    assert Duration().convert(typed, None, None) == pytest.approx(seconds)


@pytest.mark.parametrize("typed", ["", "30", "5 m", "-5m", "m", "0s", "1y", "1e3s", "5m!", "nan", "٣s"[::-1], "5M"])
def test_an_invalid_duration_is_rejected_with_examples(typed: str) -> None:
    """A duration that is empty, zero, negative or without a number or known unit is rejected with examples."""
    with pytest.raises(click.BadParameter, match=r"Examples: 30s, 5m, 1h, 7d"):
        Duration().convert(typed, None, None)


def test_a_duration_of_more_than_366_days_is_rejected() -> None:
    """A duration of more than 366 days is rejected, and the message states this limit."""
    with pytest.raises(click.BadParameter, match="'367d' is longer than 366d"):
        Duration().convert("367d", None, None)


def test_a_numeric_default_is_in_seconds() -> None:
    """A numeric default is a number of seconds."""
    assert Duration().convert(3, None, None) == 3.0


@click.command()
@click.argument("names", nargs=-1)
@click.option("--url")
@click.option("--model", "models", multiple=True)
@click.option("-q", "--quiet", is_flag=True)
@click.option("--allow/--no-allow", default=True)
@click.option("--timeout", type=Duration(), default="5m")
@click.option("--parallel", type=int, default=4)
def command(**_: object) -> None:
    """Print the options that were given, one word per line."""
    click.echo("\n".join(given_options()))


@pytest.mark.parametrize(
    ("typed", "given"),
    [
        (["a", "b"], []),
        (["a", "-q", "--no-allow", "--timeout", "90s"], ["--quiet", "--no-allow", "--timeout", "90s"]),
        (["a", "--timeout=10m", "--parallel=4", "--allow"], ["--allow", "--timeout", "10m", "--parallel", "4"]),
        (["--model", "m", "--url", "http://es:9200"], ["--url", "http://es:9200"]),
        (["--url", "http://user:secret@es:9200"], []),
    ],
)
def test_given_options_are_returned(typed: list[str], given: list[str]) -> None:
    """The given options are returned, without arguments, --model, defaults, and a URL that contains credentials."""
    assert CliRunner().invoke(command, typed).output.split() == given


@pytest.mark.parametrize("typed", ["200ms", "1s", "90s", "10m", "36h", "7d", "1500ms"])
def test_a_formatted_duration_equals_the_original(typed: str) -> None:
    """A formatted duration equals the original one, but may be in a different unit."""
    convert = Duration().convert
    assert convert(format_duration(convert(typed, None, None)), None, None) == pytest.approx(convert(typed, None, None))
