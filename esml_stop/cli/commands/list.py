"""`esml list`: what runs, how busy it is, and what uses it."""

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from esml_stop.cli.duration import Duration
from esml_stop.cli.help import Command
from esml_stop.cli.options import OutputOptions, connection_options, output_options
from esml_stop.cli.targets import ALLOW_NO_MATCH, choice_options

if TYPE_CHECKING:
    from esml_stop.cluster.reader import Reader
    from esml_stop.config.settings import ConnectionOptions
    from esml_stop.output.progress import Quiet
    from esml_stop.plan.patterns import Wanted
    from esml_stop.report import Report


def run(wanted: "Wanted", reader: "Reader", listener: "Quiet", *, check: bool = True, strict: bool = False) -> "Report":
    """Read what is wanted, or everything, and return it with what uses it; nothing is changed."""
    from esml_stop.outcomes import Outcome, Result
    from esml_stop.plan.patterns import ALL
    from esml_stop.plan.stop_plan import listed
    from esml_stop.report import Report
    from esml_stop.runtime.background import watched

    unnamed = wanted.is_nothing
    if unnamed:
        wanted = replace(wanted, names=(ALL,))
    listener.phase("Looking up deployments and what uses them" if check else "Looking up deployments")
    snapshot = watched(lambda: reader.read(wanted, check=check), reader.deadline)
    targets = (one for one in listed(wanted, snapshot) if not (unnamed and one.decision is Outcome.NOT_FOUND))
    return Report("list", tuple(map(Result.planned, targets)), strict=strict)


EPILOG = """\b
Examples:
  esml list
  esml list 'ci-*' --idle 7d
  esml list --model my_model -o json
"""


@click.command("list", cls=Command, epilog=EPILOG)
@choice_options("[DEPLOYMENT_ID...]")
@ALLOW_NO_MATCH
@click.option("--timeout", type=Duration(), default="1m", show_default=True, help="For the whole command: 30s, 5m, 1h.")
@click.option("--no-check", is_flag=True, help="Do not look for what uses the deployments.")
@connection_options
@output_options
def command(
    wanted: "Wanted",
    *,
    allow_no_match: bool,
    timeout: float,
    no_check: bool,
    connection_options: "ConnectionOptions",
    output_options: OutputOptions,
) -> int:
    """List trained-model deployments and what uses them.

    Without a DEPLOYMENT_ID all of them; one may be exact, hold *, be a comma list, or be _all, and - reads
    exact IDs from standard input, one a line.
    """
    output_options.show_begin()
    from esml_stop.cli.session import Session

    with Session(connection_options, output_options, timeout=timeout) as session:
        report = run(wanted, session.reader, session.listener, check=not no_check, strict=not allow_no_match)
        return session.finish(report)
