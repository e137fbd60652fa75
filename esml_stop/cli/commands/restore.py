"""`esml restore`: options, and the file that is read; what it does is in cli/runs/restore.py."""

from typing import TYPE_CHECKING

import click

from esml_stop.cli.duration import Duration
from esml_stop.cli.help import Command
from esml_stop.cli.options import OutputOptions, connection_options, output_options
from esml_stop.cli.targets import ALLOW_NO_MATCH

if TYPE_CHECKING:
    from esml_stop.config.settings import ConnectionOptions


EPILOG = """\b
Examples:
  esml restore before-upgrade.json
  esml restore before-upgrade.json 'search-*' --dry-run
  esml restore before-upgrade.json --wait-for fully_allocated --timeout 20m
"""


@click.command("restore", cls=Command, epilog=EPILOG, needs_arguments=True)
@click.argument("file", type=click.Path())
@click.argument("names", nargs=-1, metavar="[DEPLOYMENT_ID...]")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be started; start nothing.")
@click.option(
    "--wait-for",
    type=click.Choice(["started", "fully_allocated"]),
    default="started",
    show_default=True,
    help="How far each deployment has to be.",
)
@ALLOW_NO_MATCH
@click.option("--timeout", type=Duration(), default="5m", show_default=True, help="For the whole command: 30s, 5m, 1h.")
@click.option("--parallel", type=click.IntRange(1, 32), default=4, show_default=True, help="Starts at the same time.")
@connection_options
@output_options
def command(
    file: str,
    names: tuple[str, ...],
    *,
    allow_no_match: bool,
    dry_run: bool,
    wait_for: str,
    timeout: float,
    parallel: int,
    connection_options: "ConnectionOptions",
    output_options: OutputOptions,
) -> int:
    """Start again what `esml stop --save FILE` stopped, as it was.

    Without a DEPLOYMENT_ID everything in the file that does not run; one may be exact, hold *, be a comma
    list, or be _all.
    """
    from esml_stop.plan.patterns import ALL, parse
    from esml_stop.savefile.file import read

    saved = read(file)
    wanted = parse(names or ((ALL,) if saved else ()))
    output_options.show_begin()
    from esml_stop.cli.runs.restore import RestoreRequest, run
    from esml_stop.cli.session import Session

    request = RestoreRequest(
        saved, wanted, wait_for=wait_for, strict=not allow_no_match, dry_run=dry_run, parallel=parallel
    )
    with Session(connection_options, output_options, timeout=timeout, parallel=parallel) as session:
        return session.finish(run(request, session.reader, session.listener))
