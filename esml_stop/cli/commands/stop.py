"""`esml stop`: options and usage errors; the steps are in cli/runs/stop.py."""

import sys
from typing import TYPE_CHECKING

import click

from esml_stop.cli import options
from esml_stop.cli.help import Command
from esml_stop.cli.options import OutputOptions, connection_options, given_options, output_options
from esml_stop.cli.targets import allow_no_match, choice_options
from esml_stop.errors import InputError
from esml_stop.output.terminal import is_terminal

if TYPE_CHECKING:
    from esml_stop.config.settings import ConnectionOptions
    from esml_stop.plan.patterns import Selection
    from esml_stop.savefile.file import SaveFile


EPILOG = """\b
Examples:
  esml stop my_model_for_search
  esml stop my_model_for_search --force --timeout 10m
  esml stop 'ci-*' --yes
  esml stop --model my_model --dry-run

\b
API reference:
  https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ml-stop-trained-model-deployment
"""


@click.command("stop", cls=Command, epilog=EPILOG, needs_arguments=True)
@choice_options("DEPLOYMENT_ID...")
@options.force("Stop")
@options.dry_run("stopped or refused")
@options.yes()
@options.FINISH_PENDING_WORK
@allow_no_match()
@options.timeout()
@options.parallel("stops")
@options.NO_CHECK
@options.save("Save the settings of the stopped deployments for esml restore")
@options.NO_INPUT
@connection_options
@output_options
def command(
    selection: "Selection",
    *,
    force: bool,
    finish_pending_work: bool,
    allow_no_match: bool,
    dry_run: bool,
    yes: bool,
    no_check: bool,
    no_input: bool,
    save: str | None,
    timeout: float,
    parallel: int,
    connection_options: "ConnectionOptions",
    output_options: OutputOptions,
) -> int:
    """Stop trained-model deployments and wait until they are gone.

    DEPLOYMENT_ID is an exact ID, a pattern with *, a comma-separated list, or _all. Use - to read exact IDs from
    standard input, one per line.
    """
    check_arguments(selection, no_check=no_check)
    ask = needs_answer(selection, "stop", yes=yes or dry_run, no_input=no_input)
    file = save_file(save)
    output_options.show_connecting()
    from esml_stop.cli.runs.stop import StopRequest, run
    from esml_stop.cli.session import Session
    from esml_stop.models import Flags

    request = StopRequest(
        selection,
        Flags(force=force, finish_pending_work=finish_pending_work),
        strict=not allow_no_match,
        dry_run=dry_run,
        check=not no_check,
        needs_confirmation=ask,
        parallel=parallel,
        save=file,
    )
    given = given_options()
    with Session(
        connection_options, output_options, timeout=timeout, parallel=parallel, options=given, prompts=not no_input
    ) as session:
        if not dry_run:
            session.connection.check_allowed("stop")
        session.begin("Dry run: stop" if dry_run else "Stopping", selection.names + selection.models)
        if finish_pending_work:
            session.show_queues()
        return session.finish(run(request, session.reader, session.progress, session.confirm_plan, session.warn))


def needs_answer(selection: "Selection", verb: str, *, yes: bool, no_input: bool) -> bool:
    """Return whether the user has to confirm the plan; raise InputError if nobody can be asked."""
    ask = selection.is_broad and not yes
    if ask and (no_input or not (is_terminal(sys.stdin) and is_terminal(sys.stderr))):
        raise InputError(
            f"Refusing to {verb} by pattern, _all or --model without confirmation.",
            hint=f"Pass --yes to {verb} without confirmation, or --dry-run to see what would be done.",
        )
    return ask


def check_arguments(selection: "Selection", *, no_check: bool = False) -> None:
    """Raise UsageError if nothing is selected, or if --no-check and --idle are combined."""
    if selection.is_empty:
        raise click.UsageError("Missing argument: pass a DEPLOYMENT_ID, a pattern, _all or --model ID.")
    if no_check and selection.idle_before is not None:
        raise click.UsageError("--no-check and --idle cannot be used together: idle time is part of the check.")


def save_file(path: str | None) -> "SaveFile | None":
    """Return the file of --save; raise an error if it cannot be written."""
    if path is None:
        return None
    from esml_stop.invocation import utc_now
    from esml_stop.savefile.file import SaveFile

    file = SaveFile(path, utc_now)
    file.check()
    return file
