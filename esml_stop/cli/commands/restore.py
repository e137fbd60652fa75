"""`esml restore`: options and reading of the save file; the steps are in cli/runs/restore.py."""

import sys
from typing import TYPE_CHECKING

import click

from esml_stop.cli import options
from esml_stop.cli.help import Command, completion
from esml_stop.cli.options import OutputOptions, connection_options, output_options
from esml_stop.cli.targets import allow_no_match, check_stdin, read_stdin
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
@click.argument("names", nargs=-1, metavar="[DEPLOYMENT_ID...]", shell_complete=completion("saved_ids"))
@options.dry_run("started")
@options.yes(" for a file from another cluster")
@options.NO_INPUT
@options.WAIT_FOR
@allow_no_match()
@options.timeout()
@options.parallel("starts")
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
    selection = parse(names or ((ALL,) if saved.entries else ()))
    output_options.show_connecting()
    from esml_stop.cli.runs.restore import RestoreRequest, run
    from esml_stop.cli.session import Session

    request = RestoreRequest(
        saved,
        selection,
        wait_for=wait_for,
        strict=not allow_no_match,
        dry_run=dry_run,
        yes=yes,
        needs_confirmation=not no_input and is_terminal(sys.stdin) and is_terminal(sys.stderr),
        parallel=parallel,
    )
    with Session(
        connection_options, output_options, timeout=timeout, parallel=parallel, prompts=not no_input
    ) as session:
        if not dry_run:
            session.connection.check_allowed("start")
        where = "standard input" if file == "-" else file
        session.begin("Dry run: start" if dry_run else "Starting", names or [f"the deployments in {where}"])
        return session.finish(run(request, session.reader, session.progress, session.confirmed, session.warn))


def read_document(file: str, connection: "ConnectionOptions") -> "Document":
    """Return the contents of the save file; - is standard input."""
    from esml_stop.savefile.file import LARGEST, loaded, read

    if file != "-":
        return read(file)
    check_stdin("the save file", connection.api_key_file, connection.password_file)
    return loaded(read_stdin("the save file", LARGEST + 1), "Standard input")
