"""`esml restart`: options and usage errors; the steps are in cli/runs/restart.py."""

import os
from typing import TYPE_CHECKING

import click

from esml_stop.cli import options
from esml_stop.cli.commands.stop import check_arguments, needs_answer, save_file
from esml_stop.cli.help import Command
from esml_stop.cli.options import OutputOptions, connection_options, given_options, output_options
from esml_stop.cli.targets import allow_no_match, choice_options

if TYPE_CHECKING:
    from esml_stop.config.settings import ConnectionOptions
    from esml_stop.plan.patterns import Selection


EPILOG = """\b
Examples:
  esml restart my_model_for_search
  esml restart my_model_for_search --force --wait-for fully_allocated
  esml restart --model my_model --dry-run
"""


@click.command("restart", cls=Command, epilog=EPILOG, needs_arguments=True)
@choice_options("DEPLOYMENT_ID...")
@options.force("Restart")
@options.dry_run("restarted or refused")
@options.yes()
@options.FINISH_PENDING_WORK
@options.WAIT_FOR
@allow_no_match()
@options.timeout()
@options.parallel("restarts")
@options.save("Save the settings in FILE and keep it when everything runs again")
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
    no_input: bool,
    wait_for: str,
    save: str | None,
    timeout: float,
    parallel: int,
    connection_options: "ConnectionOptions",
    output_options: OutputOptions,
) -> int:
    """Stop deployments and start them again with the same settings.

    Each deployment is started as soon as it has stopped; meanwhile, requests to it fail. Before the first stop the
    settings are written to a private file in $XDG_STATE_HOME/esml (~/.local/state/esml). It is removed when everything
    runs again; otherwise `esml restore FILE` starts what is missing.

    DEPLOYMENT_ID is an exact ID, a pattern with *, a comma-separated list, or _all. Use - to read exact IDs from
    standard input, one per line.
    """
    check_arguments(selection)
    ask = needs_answer(selection, "restart", yes=yes or dry_run, no_input=no_input)
    file = save_file(save)
    output_options.show_connecting()
    from esml_stop.cli.runs.restart import RestartRequest, run
    from esml_stop.cli.runs.stop import StopRequest
    from esml_stop.cli.session import Session
    from esml_stop.invocation import utc_now
    from esml_stop.models import Flags
    from esml_stop.savefile.private import private_file
    from esml_stop.text import command as command_line

    stop = StopRequest(
        selection,
        Flags(force=force, finish_pending_work=finish_pending_work),
        strict=not allow_no_match,
        dry_run=dry_run,
        needs_confirmation=ask,
        parallel=parallel,
    )
    request = RestartRequest(
        stop,
        file=lambda: file or private_file(os.environ, utc_now),
        again=lambda name: f"`{command_line('esml', 'restore', name, *connection_options.arguments)}`",
        keep=file is not None,
        wait_for=wait_for,
    )
    given = given_options()
    with Session(
        connection_options, output_options, timeout=timeout, parallel=parallel, options=given, prompts=not no_input
    ) as session:
        if not dry_run:
            session.connection.check_allowed("stop", "start")
        session.begin("Dry run: restart" if dry_run else "Restarting", selection.names + selection.models)
        if finish_pending_work:
            session.show_queues()
        return session.finish(
            run(request, session.reader, session.progress, session.confirm_plan, say=session.info, warn=session.warn)
        )
