"""`esml stop`: resolve, check, confirm, stop, verify, report."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from esml_stop.cli.duration import Duration
from esml_stop.cli.help import Command
from esml_stop.cli.options import OutputOptions, connection_options, output_options
from esml_stop.cli.targets import ALLOW_NO_MATCH, choice_options
from esml_stop.errors import InputError
from esml_stop.output.terminal import is_terminal

if TYPE_CHECKING:
    from esml_stop.cluster.reader import Reader
    from esml_stop.config.settings import ConnectionOptions
    from esml_stop.models import Flags
    from esml_stop.outcomes import Result, Target
    from esml_stop.output.progress import Quiet
    from esml_stop.plan.patterns import Wanted
    from esml_stop.report import Report
    from esml_stop.savefile.file import SaveFile

    Ask = Callable[[Sequence[Target]], bool]


@dataclass(frozen=True, slots=True)
class StopRequest:
    """What `esml stop` was told to do."""

    wanted: "Wanted"
    flags: "Flags"
    strict: bool = False
    dry_run: bool = False
    check: bool = True
    yes: bool = False
    parallel: int = 4
    save: "SaveFile | None" = None

    @property
    def needs_answer(self) -> bool:
        """Tell whether a person has to agree to what is going to be stopped."""
        return self.wanted.is_broad and not (self.yes or self.dry_run)


def run(request: StopRequest, reader: "Reader", listener: "Quiet", ask: "Ask") -> "Report":
    """Carry the request out and return what happened; `ask` shows the targets and returns the answer."""
    from esml_stop.outcomes import Outcome, Result

    targets = resolve(request, reader, listener)
    from esml_stop.execute.stopper import untouched
    from esml_stop.report import Report

    todo = [target for target in targets if target.decision is Outcome.WOULD_STOP]
    planned = Report("stop", tuple(map(Result.planned, targets)), dry_run=request.dry_run, strict=request.strict)
    if todo and request.needs_answer and not ask(targets):
        return Report("stop", tuple(map(untouched, targets)), cancelled=True)
    saved_to = request.save.write(planned.results, reader.cluster.label) if request.save else None
    if request.dry_run or not todo:
        return replace(planned, saved_to=saved_to)
    results, signal = stop(request, targets, reader, listener)
    if request.save:
        request.save.add_outcomes(results, reader.cluster.label)
    return Report("stop", tuple(results), strict=request.strict, signal=signal, saved_to=saved_to)


def resolve(request: StopRequest, reader: "Reader", listener: "Quiet") -> "tuple[Target, ...]":
    """Return the decision about each wanted deployment."""
    from esml_stop.outcomes import Outcome, Target
    from esml_stop.runtime.ahead import import_ahead
    from esml_stop.runtime.background import watched

    wanted = request.wanted
    unseen = not (request.check or request.dry_run or request.save or wanted.is_broad)
    if unseen and not (request.strict and len(wanted.names) > 1):
        return tuple(Target(name, Outcome.WOULD_STOP) for name in wanted.names)
    listener.phase("Looking up deployments and what uses them" if request.check else "Looking up deployments")
    import_ahead("execute.stopper", "plan.stop_plan")
    snapshot = watched(lambda: reader.read(wanted, check=request.check), reader.deadline)
    from esml_stop.plan.stop_plan import plan

    return plan(wanted, snapshot, force=request.flags.force, strict=request.strict)


def stop(
    request: StopRequest, targets: "Sequence[Target]", reader: "Reader", listener: "Quiet"
) -> "tuple[Sequence[Result], int | None]":
    """Stop what is planned, look again, and return the results and the signal that interrupted, if one did."""
    from esml_stop.execute.stopper import Stopper
    from esml_stop.outcomes import Outcome
    from esml_stop.runtime.ahead import import_ahead
    from esml_stop.runtime.signals import hold_signals

    listener.phase("Stopping", sum(target.decision is Outcome.WOULD_STOP for target in targets))
    import_ahead("execute.last_look", "output.messages", "output.table" if is_terminal(sys.stdout) else "output.tsv")
    stopper = Stopper(reader.cluster, request.flags, reader.deadline, listener, parallel=request.parallel)
    hold_signals()
    results, signal = stopper.carry_out(targets)
    if signal:
        return results, signal
    from esml_stop.execute.last_look import looked_at_again

    listener.phase("Verifying")
    return looked_at_again(results, reader, check=request.check)


EPILOG = """\b
Examples:
  esml stop my_model_for_search
  esml stop my_model_for_search --force --timeout 10m
  esml stop 'ci-*' --yes
  esml stop --model my_model --dry-run

\b
The API behind it:
  https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ml-stop-trained-model-deployment
"""


@click.command("stop", cls=Command, epilog=EPILOG, needs_arguments=True)
@choice_options("DEPLOYMENT_ID...")
@click.option("--force", is_flag=True, help="Stop it even if an ingest pipeline or an inference endpoint uses it.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be stopped or refused; stop nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before stopping what a pattern or --model chose.")
@click.option("--finish-pending-work", is_flag=True, help="Stop after the queued work is done.")
@ALLOW_NO_MATCH
@click.option("--timeout", type=Duration(), default="5m", show_default=True, help="For the whole command: 30s, 5m, 1h.")
@click.option("--parallel", type=click.IntRange(1, 32), default=4, show_default=True, help="Stops at the same time.")
@click.option("--no-check", is_flag=True, help="Do not look for what uses the deployments.")
@click.option(
    "--save", metavar="FILE", type=click.Path(), help="Write what esml restore needs to start the deployments again."
)
@click.option("--overwrite", is_flag=True, help="Replace the file of --save if it is there.")
@click.option("--no-input", is_flag=True, help="Never ask; fail if a question would be needed.")
@connection_options
@output_options
def command(
    wanted: "Wanted",
    *,
    no_input: bool,
    timeout: float,
    connection_options: "ConnectionOptions",
    output_options: OutputOptions,
    **flags: Any,
) -> int:
    """Stop trained-model deployments and wait until they are gone.

    A DEPLOYMENT_ID may be exact, hold *, be a comma list, or be _all; - reads exact IDs from
    standard input, one a line.
    """
    request = stop_request(wanted, **flags)
    if request.needs_answer and (no_input or not (is_terminal(sys.stdin) and is_terminal(sys.stderr))):
        raise InputError("A pattern, _all or --model needs --yes when nobody can be asked.", hint=DRY_RUN_HINT)
    output_options.show_begin()
    from esml_stop.cli.session import Session

    with Session(connection_options, output_options, timeout=timeout, parallel=request.parallel) as session:
        report = run(request, session.reader, session.listener, session.ask)
        return session.finish(report)


DRY_RUN_HINT = "Add --yes to stop without a question, or --dry-run to see what would be stopped."


def stop_request(
    wanted: "Wanted",
    *,
    force: bool,
    finish_pending_work: bool,
    allow_no_match: bool,
    no_check: bool,
    save: str | None,
    overwrite: bool,
    **rest: Any,
) -> StopRequest:
    """Return the request that the options make; raise an error where they cannot mean anything."""
    if wanted.is_nothing:
        raise click.UsageError("Which deployment? Give a DEPLOYMENT_ID, a pattern, _all or --model ID.")
    if no_check and wanted.idle_before is not None:
        raise click.UsageError("--no-check and --idle exclude each other: whether it is idle has to be looked up.")
    from esml_stop.models import Flags
    from esml_stop.savefile.file import SaveFile

    file = SaveFile(save, overwrite=overwrite) if save else None
    if file:
        file.check()
    flags = Flags(force=force, finish_pending_work=finish_pending_work)
    return StopRequest(wanted, flags, strict=not allow_no_match, check=not no_check, save=file, **rest)
