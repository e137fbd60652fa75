import click
import pytest
from click.testing import CliRunner

from esml_stop.cli.duration import Duration, spelled
from esml_stop.cli.given import given_options


@click.command()
@click.argument("names", nargs=-1)
@click.option("--url")
@click.option("--model", "models", multiple=True)
@click.option("-q", "--quiet", is_flag=True)
@click.option("--allow/--no-allow", default=True)
@click.option("--timeout", type=Duration(), default="5m")
@click.option("--parallel", type=int, default=4)
def command(**_: object) -> None:
    """Print the options that were given, one word a line."""
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
def test_every_option_that_was_given_comes_back(typed: list[str], given: list[str]) -> None:
    """Without arguments, what chooses deployments, defaults, and a URL that holds a login."""
    assert CliRunner().invoke(command, typed).output.split() == given


@pytest.mark.parametrize("typed", ["200ms", "1s", "90s", "10m", "36h", "7d", "1500ms"])
def test_a_length_of_time_is_typed_again_as_the_same(typed: str) -> None:
    """Not necessarily in the same unit."""
    convert = Duration().convert
    assert convert(spelled(convert(typed, None, None)), None, None) == pytest.approx(convert(typed, None, None))
