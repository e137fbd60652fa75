"""What every command that talks to a cluster needs, from its options to its last word."""

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from esml_stop.cli.options import OutputOptions
from esml_stop.cluster.api import Cluster
from esml_stop.cluster.http.client import Request
from esml_stop.cluster.reader import Reader
from esml_stop.config.credentials import Prompt
from esml_stop.config.resolve import resolve
from esml_stop.config.settings import ConnectionOptions
from esml_stop.errors import OutputFailed
from esml_stop.models import ClusterIdentity
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.output import messages, stderr, table
from esml_stop.output.moving import listener
from esml_stop.output.render import render
from esml_stop.output.terminal import has_colour, is_terminal, width
from esml_stop.report import DONE, Report
from esml_stop.runtime.deadline import Deadline
from esml_stop.runtime.signals import interruptible
from esml_stop.text import clean


class Session:
    """One command's connection, deadline and voice."""

    def __init__(
        self,
        connection: ConnectionOptions,
        output: OutputOptions,
        *,
        timeout: float,
        parallel: int = 4,
        options: tuple[str, ...] = (),
    ) -> None:
        self.output = output
        with interruptible():
            self.connection = resolve(connection, os.environ, stdin=sys.stdin, prompt=password_prompt())
        for line in self.connection.warnings:
            self.warn(line)
        self.listener = listener(quiet=output.quiet, verbose=output.verbose)
        self.cluster = Cluster(self.connection, parallel=parallel, on_request=self.show_request)
        self.reader = Reader(self.cluster, Deadline(timeout), self.listener.retrying)
        self.arguments = connection.arguments
        self.options = options
        self._told: set[str] = set()
        self._over = False
        self._stack = ExitStack()

    def __enter__(self) -> "Session":
        self._stack.enter_context(self.listener)
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._stack.close()

    def show_request(self, request: Request) -> None:
        """Write a line about a request, with --verbose; a server's Warning header, without --quiet."""
        if self._over:  # an answer that nobody waits for any more
            return
        if self.output.verbose:
            stderr.say(f"esml: {request.method} {clean(request.path)} {request.result} {request.seconds:.3f} s")
        for text in request.warnings:
            if text not in self._told:  # every answer repeats it
                self._told.add(text)
                self.warn(f"Elasticsearch says: {clean(text)}")

    def warn(self, line: str) -> None:
        """Write a warning, without --quiet."""
        if not self.output.quiet:
            stderr.warn(line)

    def remark(self, line: str) -> None:
        """Write a line that is good to know, without --quiet."""
        if not self.output.quiet:
            stderr.say(line)

    def ask(self, targets: Sequence[Target], cluster: ClusterIdentity) -> bool:
        """Show the plan and return whether the user confirms it; waiting for the answer costs no time."""
        self._stack.close()
        stderr.say(table.plan(targets, width(sys.stderr), coloured=has_colour(sys.stderr)).rstrip("\n"))
        return self.confirmed(messages.question(targets, cluster))

    def confirmed(self, question: str) -> bool:
        """Ask a question and return whether the answer is yes; waiting for it does not count against --timeout."""
        self._stack.close()
        with self.reader.deadline.paused(), interruptible():
            answer = stderr.ask(f"{question} [y/N] ")
        self._stack.enter_context(self.listener)
        return answer.strip().lower() in {"y", "yes"}

    def finish(self, report: Report) -> int:
        """Write the results, then everything that is said about them, and return the exit code."""
        self._stack.close()
        status, failed = int(report.exit_status), None
        try:
            render(report, self.output.form, said=not self.output.quiet and is_terminal(sys.stderr))
        except OutputFailed as error:
            failed, status = error, int(report.exit_status or error.exit_status)
        self.comment(report)
        if failed:
            stderr.error(failed)
        if failed or (not self.output.quiet and messages.needs_closing(report, shown=is_terminal(sys.stdout))):
            stderr.say(f"esml: {messages.closing(report)}")
        return status

    def comment(self, report: Report) -> None:
        """Write what is to be said beside the results: problems come last, where the eye is."""
        for line in (*report.warnings, *messages.unread(report, verbose=self.output.verbose)):
            self.warn(clean(line))
        for line in messages.way_back(report, ("esml", "restore", *self.arguments), verbose=self.output.verbose):
            self.remark(line)
        if not report.results and report.command in {"stop", "restart"}:
            (stderr.say if report.strict else self.warn)(
                f"No deployment ID was given on stdin; nothing to {report.command}."
            )
        for result in () if report.cancelled else report.results:
            self.explain(result, report)

    def explain(self, result: Result, report: Report) -> None:
        """Write what is to be said about one target that is not simply done."""
        if result.outcome is Outcome.IN_USE:
            stderr.block(messages.refusal(result, report, self.options))
        elif result.error:
            stderr.block(messages.failure(result))
        elif result.outcome is Outcome.NOT_FOUND:
            (stderr.say if report.strict else self.warn)(messages.missing(result.target, report.command))
        elif result.outcome is Outcome.NOT_IDLE:
            self.warn(messages.not_idle(result.target))
        elif result.outcome in DONE and (line := messages.forced(result, report)):
            self.warn(line)


def password_prompt() -> Prompt | None:
    """Return the function that prompts for a password, or None without a terminal to prompt on."""
    if not is_terminal(sys.stdin):
        return None
    from getpass import getpass

    def ask(text: str) -> str:
        stderr.wipe()
        return getpass(text, stream=sys.stderr)

    return ask
