"""`esml config`: options; what it does is in cli/runs/config.py."""

from functools import partial
from typing import TYPE_CHECKING

import click

from esml_stop.cli.duration import Duration
from esml_stop.cli.help import Command
from esml_stop.cli.options import OutputOptions, connection_options, output_options

if TYPE_CHECKING:
    from esml_stop.config.settings import ConnectionOptions

FORMATS = ("table", "json", "jsonl")

EPILOG = """\b
Examples:
  esml config
  esml config --profile production --check
  esml config --check -q && esml stop my_model_for_search
"""


@click.command("config", cls=Command, epilog=EPILOG)
@click.option("--check", is_flag=True, help="Ask the cluster: its version, who I am, what I may do.")
@click.option("--timeout", type=Duration(), default="30s", show_default=True, help="For --check: 10s, 1m.")
@connection_options
@partial(output_options, formats=FORMATS)
def command(
    *, check: bool, timeout: float, connection_options: "ConnectionOptions", output_options: OutputOptions
) -> int:
    """Show which cluster would be asked, and check that it may be.

    Each setting is shown with where it was found; secrets are not. With --check the exit code is 0 when
    deployments may be stopped, 4 when not, and 6 when the cluster cannot be reached.
    """
    from esml_stop.cli.runs.config import check_connection, show_connection

    if not check:
        return show_connection(connection_options, output_options)
    output_options.show_begin()
    return check_connection(connection_options, output_options, timeout)
