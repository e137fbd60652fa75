"""`esml config`, step by step: find the settings, contact the cluster with --check, report."""

import os
import sys

from esml_stop.cli.options import OutputOptions
from esml_stop.cli.session import Session
from esml_stop.cluster.access import inspect
from esml_stop.config.report import settings_report
from esml_stop.config.resolve import resolve
from esml_stop.config.settings import ConnectionOptions
from esml_stop.errors import EsmlError
from esml_stop.output import stderr
from esml_stop.output.settings import show
from esml_stop.runtime.signals import interruptible
from esml_stop.settings_report import SettingsReport

ENOUGH = "The cluster privilege manage_ml is sufficient; the role machine_learning_admin includes it."


def show_connection(options: ConnectionOptions, output: OutputOptions) -> int:
    """Show the connection without contacting the cluster, and return the exit code."""
    return finish(found(options, output), output)


def check_connection(options: ConnectionOptions, output: OutputOptions, timeout: float) -> int:
    """Show the connection and the result of testing it, and return the exit code."""
    with Session(options, output, timeout=timeout) as session:
        report = checked(session)
    return finish(report, output)


def found(options: ConnectionOptions, output: OutputOptions) -> SettingsReport:
    """Return the effective connection settings, without prompting or running credential programs."""
    with interruptible():
        connection = resolve(options, os.environ, stdin=sys.stdin, prompt=lambda _: "", run=False)
    report = settings_report(connection, os.environ)
    for line in () if output.quiet else report.warnings:
        stderr.warn(line)
    return report


def checked(session: Session) -> SettingsReport:
    """Return the connection settings with the result of testing them, or with the error."""
    report = settings_report(session.connection, os.environ)
    session.progress.phase("Contacting the cluster")
    try:
        inspection = inspect(session.cluster.transport, session.reader)
    except EsmlError as error:
        return report._replace(error=error)
    return report._replace(inspection=inspection)


def finish(report: SettingsReport, output: OutputOptions) -> int:
    """Write the report and its error, and return the exit code."""
    show(report, output.invocation, quiet=output.quiet)
    if report.error:
        stderr.error(report.error)
    elif report.inspection and not report.inspection.may_stop:
        stderr.write_error(["Not allowed: you may not stop deployments with this connection.", f"  {ENOUGH}"])
    elif report.inspection and report.blocked:
        stderr.write_error(["Not allowed: the profile's command policy does not allow stopping deployments."])
    return report.exit_status
