"""`esml restore`: options, and the file that is read; what it does is in cli/runs/restore.py."""

import sys
from typing import TYPE_CHECKING

import click

from esml_stop.cli.help import Command, completed
from esml_stop.cli.options import Duration, OutputOptions, connection_options, output_options
from esml_stop.cli.targets import ALLOW_NO_MATCH
from esml_stop.errors import InputError
from esml_stop.output.terminal import is_terminal

if TYPE_CHECKING:
    from esml_stop.config.settings import ConnectionOptions
    from esml_stop.savefile.document import Document


EPILOG = """\b
Examples:
  esml restore before-upgrade.json
  esml restore before-upgrade.json 'search-*' --dry-run
  esml restore before-upgrade.json --wait-for fully_allocated --timeout 20m
"""


@click.command("restore", cls=Command, epilog=EPILOG, needs_arguments=True)
@click.argument("file", type=click.Path())
@click.argument("names", nargs=-1, metavar="[DEPLOYMENT_ID...]", shell_complete=completed("saved_ids"))
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be started; start nothing.")
@click.option("-y", "--yes", is_flag=True, help="Start the deployments even if the file is from another cluster.")
@click.option("--no-input", is_flag=True, help="Never ask; fail if a question would be needed.")
@click.option(
    "--wait-for",
    type=click.Choice(["started", "fully_allocated"]),
    default="started",
    show_default=True,
    help="State to wait for.",
)
@ALLOW_NO_MATCH
@click.option(
    "--timeout",
    type=Duration(),
    default="5m",
    show_default=True,
    help="Time limit for the whole command, e.g. 30s, 5m, 1h.",
)
@click.option(
    "--parallel", type=click.IntRange(1, 32), default=4, show_default=True, help="Number of concurrent starts."
)
@connection_options
@output_options
def command(
    file: str,
    names: tuple[str, ...],
    *,
    allow_no_match: bool,
    dry_run: bool,
    yes: bool,
    no_input: bool,
    wait_for: str,
    timeout: float,
    parallel: int,
    connection_options: "ConnectionOptions",
    output_options: OutputOptions,
) -> int:
    """Start the deployments saved by `esml stop --save FILE` with the same settings.

    Use - as FILE to read it from standard input. Without a DEPLOYMENT_ID, every deployment in the file that is not
    running is started. A DEPLOYMENT_ID is an exact ID, a pattern with *, a comma-separated list, or _all.
    """
    from esml_stop.plan.patterns import ALL, parse

    saved = read_document(file, connection_options)
    wanted = parse(names or ((ALL,) if saved.entries else ()))
    output_options.show_begin()
    from esml_stop.cli.runs.restore import RestoreRequest, run
    from esml_stop.cli.session import Session

    request = RestoreRequest(
        saved,
        wanted,
        wait_for=wait_for,
        strict=not allow_no_match,
        dry_run=dry_run,
        yes=yes,
        ask=not no_input and is_terminal(sys.stdin) and is_terminal(sys.stderr),
        parallel=parallel,
    )
    with Session(connection_options, output_options, timeout=timeout, parallel=parallel) as session:
        if not dry_run:
            session.connection.check_allowed("start")
        session.begin("Dry run: start" if dry_run else "Starting", wanted.names)
        return session.finish(run(request, session.reader, session.progress, session.confirmed))


def read_document(file: str, connection: "ConnectionOptions") -> "Document":
    """Return what the file holds; - is standard input."""
    from esml_stop.savefile.file import LARGEST, loaded, read

    if file != "-":
        return read(file)
    if "-" in {connection.api_key_file, connection.password_file}:
        text = "Standard input cannot hold both the save file and a secret."
        raise InputError(text, hint="Read one of them from a file.")
    try:
        text = sys.stdin.read(LARGEST + 1)
    except (OSError, ValueError, AttributeError):  # closed, or not text
        text = ""
    return loaded(text, "Standard input")
