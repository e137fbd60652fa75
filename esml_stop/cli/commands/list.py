"""`esml list`: options; the steps are in cli/runs/list.py."""

from typing import TYPE_CHECKING

import click

from esml_stop.cli import options
from esml_stop.cli.help import Command
from esml_stop.cli.options import OutputOptions, connection_options, output_options
from esml_stop.cli.targets import allow_no_match, choice_options

if TYPE_CHECKING:
    from esml_stop.config.settings import ConnectionOptions
    from esml_stop.plan.patterns import Selection


EPILOG = """\b
Examples:
  esml list
  esml list 'ci-*' --idle 7d
  esml list --sort memory
  esml list --model my_model -o json
"""


@click.command("list", cls=Command, epilog=EPILOG)
@choice_options("[DEPLOYMENT_ID...]")
@allow_no_match("")
@options.timeout("1m")
@options.NO_CHECK
@click.option(
    "--sort",
    type=click.Choice(["id", "last-used", "memory"]),
    help="Order: by ID, longest unused first, or most memory first.  [default: the order given]",
)
@connection_options
@output_options
def command(
    selection: "Selection",
    *,
    allow_no_match: bool,
    timeout: float,
    no_check: bool,
    sort: str | None,
    connection_options: "ConnectionOptions",
    output_options: OutputOptions,
) -> int:
    """List trained-model deployments and what uses them.

    DEPLOYMENT_ID is an exact ID, a pattern with *, a comma-separated list, or _all (the default). Use - to read exact
    IDs from standard input, one per line.
    """
    output_options.show_connecting()
    from esml_stop.cli.runs.list import ordered, run
    from esml_stop.cli.session import Session

    with Session(connection_options, output_options, timeout=timeout) as session:
        report = run(selection, session.reader, session.progress, check=not no_check, strict=not allow_no_match)
        return session.finish(ordered(report, sort))
