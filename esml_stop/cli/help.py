"""Layout of help: usage, purpose, examples, then options in groups."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from esml_stop.invocation import Invocation

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def grouped(function: F, title: str) -> F:
    """Put the options of a function that are in no group yet into a group with this title."""
    for parameter in getattr(function, "__click_params__", ()):
        if isinstance(parameter, click.Option) and not hasattr(parameter, "group"):
            parameter.group = title  # type: ignore[attr-defined]
    return function


def completion(by: str) -> Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]:
    """Return a completion function that imports cli.completion only when Tab is pressed."""

    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        from esml_stop.cli import completion

        found: list[CompletionItem] = getattr(completion, by)(ctx, parameter, incomplete)
        return found

    return complete


class NoArguments(click.UsageError):
    """A command that requires arguments got none; its message is the short help."""

    def format_message(self) -> str:
        """Return usage, purpose and examples."""
        assert self.ctx
        formatter = self.ctx.make_formatter()
        show_purpose(self.ctx, formatter)
        return f"{formatter.getvalue()}\nSee `{self.ctx.command_path} --help` for all options."


class Command(click.Command):
    """A command that shows examples before options; with `needs_arguments`, no arguments print the short help."""

    def __init__(self, *args: Any, needs_arguments: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.needs_arguments = needs_arguments

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; raise NoArguments or UsageError."""
        record_output_format(ctx, self, args)
        if self.needs_arguments and not args and not ctx.resilient_parsing:
            raise NoArguments("", ctx)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as wrong:
            raise click.UsageError(unknown(wrong), ctx) from None

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the whole help."""
        show_purpose(ctx, formatter)
        self.format_options(ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, those of the command itself first."""
        for title, options in groups(self, ctx).items():
            with formatter.section(title):
                formatter.write_dl([record for one in options if (record := one.get_help_record(ctx))])


def record_output_format(ctx: click.Context, command: click.Command, args: Sequence[str]) -> None:
    """Remember the output format of a command line, so that usage errors use it wherever -o stands."""
    invocation = ctx.find_object(Invocation)
    if invocation is None:
        return
    lenient = click.Context(
        command, resilient_parsing=True, ignore_unknown_options=True, help_option_names=ctx.help_option_names
    )
    given, *_ = command.make_parser(lenient).parse_args(list(args))
    invocation.command = command.name or ""
    invocation.output_format, invocation.debug = given.get("output_format"), bool(given.get("debug"))


def unknown(wrong: click.NoSuchOption) -> str:
    """Return the message for an unknown option, with its equivalent in esml or options with a similar name."""
    if instead := EQUIVALENTS.get(wrong.option_name):
        return f"No such option: {wrong.option_name}. {instead}"
    alike = f" Did you mean {' or '.join(sorted(wrong.possibilities))}?" if wrong.possibilities else ""
    return f"No such option: {wrong.option_name}.{alike}"


# Options of other tools, and what to use instead.
WAITS = "esml always waits until the deployments are gone; --timeout limits how long."
NO_SECRETS = "Secrets cannot be passed as options, because other users of this machine could read them."
EQUIVALENTS = {
    "--all": "Use the argument _all.",
    "--wait": WAITS,
    "--no-wait": WAITS,
    "--wait-for-completion": WAITS,
    "--json": "Use -o json.",
    "--format": "Use -o, --output.",
    "--user": "Use --username.",
    "--host": "Use --url.",
    "--hosts": "Use --url.",
    "--password": f"{NO_SECRETS} Use --password-file or ESML_PASSWORD.",
    "--api-key": f"{NO_SECRETS} Use --api-key-file or ESML_API_KEY.",
    "--cacert": "Use --ca-certs.",
    "--context": "Use --profile.",
    "--ignore-missing": "This is the default; --no-allow-no-match makes a name that matches nothing an error.",
    "--ignore-not-found": "This is the default; --no-allow-no-match makes a name that matches nothing an error.",
}


def show_purpose(ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write usage, purpose and examples."""
    command = ctx.command
    command.format_usage(ctx, formatter)
    command.format_help_text(ctx, formatter)
    command.format_epilog(ctx, formatter)


def groups(command: click.Command, ctx: click.Context) -> dict[str, list[click.Option]]:
    """Return the visible options by the title of their group."""
    found: dict[str, list[click.Option]] = {}
    for parameter in command.get_params(ctx):
        if isinstance(parameter, click.Option) and not parameter.hidden:
            found.setdefault(getattr(parameter, "group", "Options"), []).append(parameter)
    return found
