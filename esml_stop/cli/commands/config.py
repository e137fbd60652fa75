"""`esml config`: options; the steps are in cli/runs/config.py."""

from functools import partial
from typing import TYPE_CHECKING

import click

from esml_stop.cli.help import Command
from esml_stop.cli.options import Duration, OutputOptions, connection_options, output_options

if TYPE_CHECKING:
    from esml_stop.config.settings import ConnectionOptions

FORMATS = ("table", "tsv", "json", "jsonl")

EPILOG = """\b
Examples:
  esml config
  esml config --profile production --check
  esml config --check -q && esml stop my_model_for_search
"""


@click.command("config", cls=Command, epilog=EPILOG)
@click.option("--check", is_flag=True, help="Contact the cluster: show its version, your user and your privileges.")
@click.option(
    "--timeout", type=Duration(), default="30s", show_default=True, help="Time limit for --check, e.g. 10s, 1m."
)
@connection_options
@partial(output_options, formats=FORMATS)
def command(
    *, check: bool, timeout: float, connection_options: "ConnectionOptions", output_options: OutputOptions
) -> int:
    """Show the effective connection settings and, with --check, test them.

    Each setting is shown with its source; secrets are hidden. The exit code of --check is 0 if you may stop
    deployments, 2 if the settings are wrong, 4 if the credentials are rejected or you may not stop deployments,
    6 if the cluster cannot be reached or is not Elasticsearch, and 1 for any other error.
    """
    from esml_stop.cli.runs.config import check_connection, show_connection

    if not check:
        return show_connection(connection_options, output_options)
    output_options.show_connecting()
    return check_connection(connection_options, output_options, timeout)
