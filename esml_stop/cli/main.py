"""The command group; turns every result and error into an exit code."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import ENOSPC
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from esml_stop import __version__
from esml_stop.cli.help import SETTINGS, NoArguments, record_output_format
from esml_stop.errors import EndedEarly, EsmlError, InputError, OutputFailed
from esml_stop.exit_status import ExitStatus
from esml_stop.invocation import Invocation
from esml_stop.output import stderr
from esml_stop.runtime.signals import Interrupted, raise_if_interrupted, received_signal
from esml_stop.text import clean
from esml_stop.text import command as shell

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# The summaries in `esml --help`, common commands first. Kept here so that the help imports no command module.
COMMANDS = {
    "stop": "Stop trained-model deployments and wait until they are gone.",
    "list": "List trained-model deployments and what uses them.",
    "restart": "Stop deployments and start them again with the same settings.",
    "restore": "Start the deployments saved by `esml stop --save FILE` with the same settings.",
    "config": "Show the effective connection settings and, with --check, test them.",
    "sandbox": "Run a practice cluster on this machine, or run COMMAND against a new one.",
    "completion": "Print the shell completion script for commands, options and deployment IDs.",
    "help": "Show the help of esml or of one command.",
    "schema": "Print the JSON Schema of -o json and -o jsonl, or of save files.",
}


class PipeClosed(Exception):
    """The reader of standard output closed the pipe; click would turn a BrokenPipeError into exit code 1."""


@contextmanager
def broken_pipe_as_pipe_closed() -> Iterator[None]:
    """Raise PipeClosed instead of BrokenPipeError, which click would handle."""
    try:
        yield
    except BrokenPipeError:
        raise PipeClosed from None


class LazyGroup(click.Group):
    """A group that imports a command's module only when the command is used."""

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        """Parse the command line; --help and --version write their output here."""
        with broken_pipe_as_pipe_closed():
            return super().make_context(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with broken_pipe_as_pipe_closed():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the command names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return a command."""
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"esml_stop.cli.commands.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the summary of each command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Return the commands and options that start with the typed text."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=purpose) for name, purpose in COMMANDS.items() if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments before the command; raise UsageError for options of the command placed before it."""
        try:
            return super().parse_args(ctx, list(args))
        except click.NoSuchOption:
            name = next((word for word in args if word in COMMANDS), None)
            command = self.get_command(ctx, name) if name else None
            if not (name and command):
                raise
            others = list(args)
            others.remove(name)
            record_output_format(ctx, command, others)
            again = clean(shell("esml", name, *others))
            raise click.UsageError(f"Options must come after the command: {again}", ctx) from None

    def remember_output(self, ctx: click.Context, args: list[str]) -> None:
        """Remember the requested output format for an unknown command; -o means the same for all commands."""
        if command := self.get_command(ctx, "list"):
            record_output_format(ctx, command, args)
            ctx.ensure_object(Invocation).command = ""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command; raise UsageError for an unknown one, with a similar name as a suggestion."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            self.remember_output(ctx, args)

            alike = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {alike[0]!r}?" if alike else f" Commands: {', '.join(COMMANDS)}."
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup, invoke_without_command=True, subcommand_metavar="COMMAND [ARGS]...", context_settings=SETTINGS
)
@click.version_option(__version__, prog_name="esml", message="%(prog)s %(version)s")
@click.pass_context
def esml(ctx: click.Context) -> None:
    """Stop trained-model deployments on an Elasticsearch cluster and confirm that they have stopped.

    \b
    Examples:
      esml stop my_model_for_search                    stop a deployment
      esml stop my_model_for_search --force            even if something uses it
      esml sandbox -- esml stop my_model_for_search    try it without a cluster
    """  # noqa: D301 - click requires the control character
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; never raises."""
    invocation = Invocation()
    try:
        raise_if_interrupted()  # a signal may have arrived during imports
        status = int(
            esml.main(args=list(arguments), prog_name="esml", standalone_mode=False, obj=invocation) or ExitStatus.OK
        )
        number = received_signal()
        return 128 + number if number else status
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except SystemExit as ended:  # click exits this way after a completion
        return int(ended.code or ExitStatus.OK)
    except click.Abort:
        return report_error(Interrupted(2), invocation)
    except click.UsageError as wrong:
        return report_usage_error(wrong, invocation)
    except (EsmlError, Interrupted) as error:
        return report_error(error, invocation)
    except PipeClosed:
        return ExitStatus.BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - last chance to report a bug readably
        return report_bug(error, invocation)


def report_error(error: EsmlError | Interrupted, invocation: Invocation) -> int:
    """Report an error that ended a command before it had results: on stderr, and on stdout with -o json or jsonl."""
    show_traceback(invocation)
    if isinstance(error, Interrupted):
        error = EndedEarly(error.signal)
    stderr.clear_step()
    try:
        write_json_error(error, invocation)
    except BrokenPipeError:
        return ExitStatus.BROKEN_PIPE
    stderr.error(error)
    return int(error.exit_status)


def write_json_error(error: EsmlError, invocation: Invocation) -> None:
    """Write the error to stdout as JSON, if -o requests JSON."""
    if invocation.is_json and not isinstance(error, OutputFailed):
        from esml_stop.output.json_report import error_document
        from esml_stop.output.render import stdout

        text = error_document(error, invocation)
        with suppress(OutputFailed), stdout() as out:
            out.write(text)


def report_usage_error(wrong: click.UsageError, invocation: Invocation) -> int:
    """Report a usage error."""
    bare = isinstance(wrong, NoArguments)
    try:
        write_json_error(InputError("No arguments were given." if bare else wrong.format_message()), invocation)
    except BrokenPipeError:
        return ExitStatus.BROKEN_PIPE
    if bare:
        stderr.write_line(wrong.format_message())
    else:
        help_line = f"\n  See `{wrong.ctx.command_path} --help`." if wrong.ctx else ""
        stderr.write_line(f"esml: {clean(wrong.format_message())}{help_line}")
    return ExitStatus.USAGE


def report_bug(error: Exception, invocation: Invocation) -> int:
    """Report an unexpected exception as a bug in esml; a full disk is reported as a failed write."""
    if isinstance(error, OSError) and error.errno == ENOSPC:
        return report_error(OutputFailed("Standard output cannot be written: no space is left."), invocation)
    name = type(error).__name__
    return report_error(
        EsmlError(f"unexpected {name}; this is a bug in esml. --debug shows where.", code="bug"), invocation
    )


def show_traceback(invocation: Invocation) -> None:
    """With --debug, write the traceback of the current exception."""
    if invocation.debug:
        import traceback

        stderr.clear_step()
        stderr.write_line("\n".join(map(clean, traceback.format_exc().rstrip().split("\n"))))
