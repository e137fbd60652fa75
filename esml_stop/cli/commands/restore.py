"""`esml restore`: read the file, compare with what runs, start what is missing, watch it arrive, report."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from esml_stop.cli.duration import Duration
from esml_stop.cli.help import Command
from esml_stop.cli.options import OutputOptions, connection_options, output_options
from esml_stop.cli.targets import ALLOW_NO_MATCH

if TYPE_CHECKING:
    from esml_stop.cluster.reader import Reader
    from esml_stop.config.settings import ConnectionOptions
    from esml_stop.models import Deployment
    from esml_stop.outcomes import Result
    from esml_stop.output.progress import Quiet
    from esml_stop.plan.patterns import Wanted
    from esml_stop.report import Report


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """What `esml restore` was told to do."""

    saved: "tuple[Deployment, ...]"
    wanted: "Wanted"
    wait_for: str = "started"
    strict: bool = False
    dry_run: bool = False
    parallel: int = 4


def run(request: RestoreRequest, reader: "Reader", listener: "Quiet") -> "Report":
    """Carry the request out and return what happened."""
    from esml_stop.outcomes import Outcome
    from esml_stop.report import Report

    results = resolve(request, reader, listener)
    held = any(one.outcome is Outcome.NOT_STARTED for one in results)
    if request.dry_run or held:
        return Report("restore", results, dry_run=request.dry_run, strict=request.strict)
    results, signal = start(request, results, reader, listener)
    return Report("restore", results, strict=request.strict, signal=signal)


def resolve(request: RestoreRequest, reader: "Reader", listener: "Quiet") -> "tuple[Result, ...]":
    """Return the decision about each deployment that is wanted from the file."""
    from esml_stop.plan.restore_plan import plan
    from esml_stop.runtime.background import watched

    listener.phase("Looking up what runs already")
    names = [one.deployment_id for one in request.saved]
    running = watched(lambda: reader.running(names), reader.deadline) if names else {}
    return plan(request.wanted, request.saved, running, strict=request.strict)


def start(
    request: RestoreRequest, planned: "tuple[Result, ...]", reader: "Reader", listener: "Quiet"
) -> "tuple[tuple[Result, ...], int | None]":
    """Start what is planned, watch it arrive, and return the results and the signal that interrupted, if one did."""
    from esml_stop.execute.afterwards import improved
    from esml_stop.execute.restorer import Restorer, watched_arriving
    from esml_stop.outcomes import Outcome
    from esml_stop.runtime.signals import hold_signals

    listener.phase("Starting", sum(one.outcome is Outcome.WOULD_START for one in planned))
    restorer = Restorer(reader, listener, wait_for=request.wait_for, parallel=request.parallel)
    hold_signals()
    results, signal = restorer.carry_out(planned)
    if signal:
        return tuple(results), signal
    listener.phase("Waiting until everything has started")
    seen, signal = improved(
        results,
        lambda: watched_arriving(results, reader, request.wait_for),
        reader.deadline,
        lambda unseen, _: unseen,  # the server's own word stands
    )
    return tuple(seen), signal


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
    timeout: float,
    connection_options: "ConnectionOptions",
    output_options: OutputOptions,
    **options: Any,
) -> int:
    """Start again what `esml stop --save FILE` stopped, as it was.

    Without a DEPLOYMENT_ID everything in the file that does not run; one may be exact, hold *, be a comma
    list, or be _all.
    """
    request = restore_request(file, names, **options)
    output_options.show_begin()
    from esml_stop.cli.session import Session

    with Session(connection_options, output_options, timeout=timeout, parallel=request.parallel) as session:
        return session.finish(run(request, session.reader, session.listener))


def restore_request(file: str, names: tuple[str, ...], *, allow_no_match: bool, **rest: Any) -> RestoreRequest:
    """Return the request that the options make; raise InputError for a file that cannot be used."""
    from esml_stop.plan.patterns import ALL, parse
    from esml_stop.savefile.file import read

    saved = read(file)
    wanted = parse(names or ((ALL,) if saved else ()))
    return RestoreRequest(saved, wanted, strict=not allow_no_match, **rest)
