"""`esml config`: which connection would be used, where each setting came from, and whether it works."""

import os
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from esml_stop.cli.duration import Duration
from esml_stop.cli.help import Command
from esml_stop.cli.options import OutputOptions, connection_options, output_options
from esml_stop.errors import EsmlError
from esml_stop.output import stderr

if TYPE_CHECKING:
    from esml_stop.cli.session import Session
    from esml_stop.config.settings import ConnectionOptions
    from esml_stop.settings_report import SettingsReport

FORMATS = ("table", "json", "jsonl")


def found(options: "ConnectionOptions", output: OutputOptions) -> "SettingsReport":
    """Return the connection that the settings make; no password is asked for, as none is needed."""
    from esml_stop.config import resolve
    from esml_stop.settings_report import shown

    report = shown(resolve(options, os.environ, stdin=sys.stdin, prompt=lambda _: ""), os.environ)
    for line in () if output.quiet else report.warnings:
        stderr.warn(line)
    return report


def checked(session: "Session") -> "SettingsReport":
    """Return the connection with what the cluster says to it, or with why it says nothing."""
    from esml_stop.cluster.access import inspect
    from esml_stop.runtime.background import watched
    from esml_stop.settings_report import shown

    report = shown(session.connection, os.environ)
    session.listener.phase("Asking the cluster")
    try:
        inspection = watched(lambda: inspect(session.cluster.transport, session.reader), session.reader.deadline)
    except EsmlError as error:
        return replace(report, error=error)
    return replace(report, inspection=inspection)


def finish(report: "SettingsReport", output: OutputOptions) -> int:
    """Write the report, say what is wrong, and return the exit code."""
    from esml_stop.output.settings import show

    show(report, output.form, quiet=output.quiet)
    if report.error:
        stderr.error(report.error)
    elif report.inspection and not report.inspection.may_stop:
        stderr.block(["Not allowed: this connection may not stop deployments.", f"  {ENOUGH}"])
    return report.exit_status


ENOUGH = "The cluster privilege manage_ml is enough; the role machine_learning_admin has it."

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
    if not check:
        return finish(found(connection_options, output_options), output_options)
    output_options.show_begin()
    from esml_stop.cli.session import Session

    with Session(connection_options, output_options, timeout=timeout) as session:
        report = checked(session)
    return finish(report, output_options)
