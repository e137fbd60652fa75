"""The session of one command: its connection, deadline, progress, prompts and report."""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace

from esml_stop.cli.options import OutputOptions
from esml_stop.cluster.api import Cluster
from esml_stop.cluster.http.client import RequestRecord
from esml_stop.cluster.reader import Reader
from esml_stop.config.credentials import Prompt
from esml_stop.config.resolve import resolve
from esml_stop.config.settings import ConnectionOptions
from esml_stop.errors import EsmlError, OutputFailed
from esml_stop.invocation import ClusterIdentity
from esml_stop.outcomes import Outcome, Report, Result, Target, is_unmatched
from esml_stop.output import in_use, messages, stderr, table
from esml_stop.output.progress import MOST_NAMES, LogProgress, progress_on
from esml_stop.output.render import render
from esml_stop.output.terminal import has_colour, is_terminal, width
from esml_stop.plan.patterns import expression
from esml_stop.runtime.deadline import Deadline
from esml_stop.runtime.signals import Interrupted, interruptible, received_signal
from esml_stop.text import clean

# Time limit for reading the queue lengths, in seconds.
QUEUE_SECONDS = 5.0

# The filter_path of a request would fill the screen.
FIELDS = re.compile(r"(filter_path=)[^&]{30,}")


class Session:
    """The connection, deadline and output of one command."""

    def __init__(
        self,
        connection: ConnectionOptions,
        output: OutputOptions,
        *,
        timeout: float,
        parallel: int = 4,
        options: tuple[str, ...] = (),
        prompts: bool = True,
    ) -> None:
        self.output, self.invocation = output, output.invocation
        self.invocation.options = options
        with interruptible():
            prompt = password_prompt() if prompts else None
            self.connection = resolve(connection, os.environ, stdin=sys.stdin, prompt=prompt)
        for line in self.connection.warnings:
            self.warn(line)
        self.progress = progress_on(sys.stderr, quiet=output.quiet, verbose=output.verbose)
        self.cluster = Cluster(self.connection, parallel=parallel, on_request=self.show_request)
        self.invocation.cluster = ClusterIdentity(self.cluster.label)
        self.reader = Reader(self.cluster, Deadline(timeout), self.progress.retrying)
        self.arguments = connection.arguments
        self.options = options
        self._shown_warnings: set[str] = set()
        self._over = False
        self._stack = ExitStack()

    def __enter__(self) -> "Session":
        self._stack.enter_context(self.progress)
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._stack.close()

    def show_request(self, request: RequestRecord) -> None:
        """Log a request with --verbose; print new Warning headers of the server unless --quiet."""
        if self._over:  # a late answer, after the command has finished
            return
        if self.output.verbose:
            path = FIELDS.sub(r"\1...", clean(request.path))
            stderr.write_line(f"esml: {request.method} {path} {request.result} {request.seconds:.3f} s")
        for text in request.warnings:
            if text not in self._shown_warnings:  # the server repeats it in every answer
                self._shown_warnings.add(text)
                self.warn(f"Elasticsearch says: {clean(text)}")

    def warn(self, line: str) -> None:
        """Print a warning unless --quiet; JSON reports always contain it."""
        text = clean(line)
        self.invocation.warnings.append(text)
        if not self.output.quiet:
            stderr.warn(text)

    def info(self, line: str) -> None:
        """Print an informational line unless --quiet."""
        if not self.output.quiet:
            stderr.write_line(line)

    def begin(self, doing: str, what: Sequence[str]) -> None:
        """In a log, print the action, its targets and the cluster; on a terminal the progress display shows them."""
        if what and not (self.output.quiet or is_terminal(sys.stderr)):
            names = ", ".join([*what[:MOST_NAMES], *([f"{len(what) - MOST_NAMES} more"] if what[MOST_NAMES:] else [])])
            stderr.write_line(f"esml: {doing} {clean(names)} on {clean(self.cluster.label)}")

    def show_queues(self) -> None:
        """Add the number of queued requests to the progress lines of a log."""
        if isinstance(self.progress, LogProgress):
            self.progress.queued = self.queued

    def queued(self, names: Sequence[str]) -> dict[str, int]:
        """Return the number of queued requests by deployment ID; empty if that cannot be read in time."""
        with suppress(EsmlError):
            found = self.cluster.deployments(expression(names), QUEUE_SECONDS).deployments
            return {one.deployment_id: one.pending for one in found}
        return {}

    def confirm_plan(self, targets: Sequence[Target], cluster: ClusterIdentity) -> bool:
        """Show the plan and return whether the user confirms it."""
        self._stack.close()
        stderr.write_line(table.plan(targets, width(sys.stderr), coloured=has_colour(sys.stderr)).rstrip("\n"))
        return self.confirmed(in_use.question(targets, cluster))

    def confirmed(self, question: str) -> bool:
        """Ask a question and return whether the answer is yes; waiting for it does not count against --timeout."""
        self._stack.close()
        with self.reader.deadline.paused(), interruptible():
            answer = stderr.prompt(f"{question} [y/N] ")
        self._stack.enter_context(self.progress)
        return answer.strip().lower() in {"y", "yes"}

    def finish(self, report: Report) -> int:
        """Write the results, then warnings and errors, and return the exit code."""
        self._stack.close()
        self.read_cluster_identity(report)
        # A signal may have arrived while the identity was read.
        report = replace(report, signal=report.signal or received_signal())
        status, failed, warnings = int(report.exit_status), None, list(self.warnings(report))
        self.invocation.warnings += warnings
        try:
            render(report, self.invocation, summarized=not self.output.quiet and is_terminal(sys.stderr))
        except OutputFailed as error:
            failed, status = error, int(report.exit_status or error.exit_status)
        self.write_messages(report, warnings)
        if failed:
            stderr.error(failed)
        if failed or (not self.output.quiet and messages.needs_summary(report, shown=is_terminal(sys.stdout))):
            stderr.write_line(f"esml: {messages.summary(report)}")
        return status

    def read_cluster_identity(self, report: Report) -> None:
        """Read the cluster's name and UUID for JSON reports; errors are ignored, and so is an expired deadline."""
        if self.invocation.is_json and not report.signal and self.reader.deadline.remaining:
            with suppress(EsmlError, Interrupted):
                self.invocation.cluster = self.reader.identity()

    def warnings(self, report: Report) -> Iterator[str]:
        """Yield the warnings about the results."""
        yield from map(clean, report.warnings)
        if any(one.target.not_checked for one in report.results):
            yield from map(clean, in_use.missing_checks(report, verbose=self.output.verbose))
        if not (report.results or report.strict) and report.command in {"stop", "restart"}:
            yield messages.no_ids(report)
        for result in () if report.cancelled else report.results:
            if line := messages.warning(result, report):
                yield line

    def write_messages(self, report: Report, warnings: Sequence[str]) -> None:
        """Write warnings, the restore command and errors to stderr; errors come last."""
        for line in () if self.output.quiet else warnings:
            stderr.warn(line)
        for line in messages.restore_instructions(
            report, ("esml", "restore", *self.arguments), verbose=self.output.verbose
        ):
            self.info(line)
        if report.strict and not report.results and report.command in {"stop", "restart"}:
            stderr.write_line(f"esml: {messages.no_ids(report)}")
        for result in () if report.cancelled else report.results:
            self.write_problem(result, report)

    def write_problem(self, result: Result, report: Report) -> None:
        """Write the refusal or error of one target."""
        if result.outcome is Outcome.IN_USE:
            stderr.write_error(in_use.in_use_lines(result, report, self.options))
        elif result.error:
            stderr.write_error(messages.failure(result))
        elif is_unmatched(result, strict=report.strict):
            stderr.write_error(messages.unmatched_error(result, report, self.options))


def password_prompt() -> Prompt | None:
    """Return the function that prompts for a password, or None without a terminal to prompt on."""
    if not is_terminal(sys.stdin):
        return None
    from getpass import getpass

    def ask(text: str) -> str:
        stderr.clear_step()
        return getpass(text, stream=sys.stderr)

    return ask
