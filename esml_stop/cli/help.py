"""How help looks: what a command is for, its examples, then its options in groups."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def grouped(function: F, title: str) -> F:
    """Put the options that a function has so far, and that are in no group yet, under a title of their own."""
    for parameter in getattr(function, "__click_params__", ()):
        if isinstance(parameter, click.Option) and not hasattr(parameter, "group"):
            parameter.group = title  # type: ignore[attr-defined]
    return function


def completed(by: str) -> Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]:
    """Return the completion of that name, which is imported when Tab is pressed."""

    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        from esml_stop.cli import completion

        found: list[CompletionItem] = getattr(completion, by)(ctx, parameter, incomplete)
        return found

    return complete


class NoArguments(click.UsageError):
    """A command was given nothing at all; what is shown is the short help."""

    def format_message(self) -> str:
        """Return usage, purpose and examples."""
        assert self.ctx
        formatter = self.ctx.make_formatter()
        show_purpose(self.ctx, formatter)
        return f"{formatter.getvalue()}\nSee `{self.ctx.command_path} --help` for all options."


class Command(click.Command):
    """A command that shows examples before options; `needs_arguments` answers a bare call with short help."""

    def __init__(self, *args: Any, needs_arguments: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.needs_arguments = needs_arguments

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words of the command line."""
        if self.needs_arguments and not args and not ctx.resilient_parsing:
            raise NoArguments("", ctx)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the whole help."""
        show_purpose(ctx, formatter)
        self.format_options(ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, those of the command itself first."""
        for title, options in groups(self, ctx).items():
            with formatter.section(title):
                formatter.write_dl([record for one in options if (record := one.get_help_record(ctx))])


def show_purpose(ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write usage, purpose and examples."""
    command = ctx.command
    command.format_usage(ctx, formatter)
    command.format_help_text(ctx, formatter)
    command.format_epilog(ctx, formatter)


def groups(command: click.Command, ctx: click.Context) -> dict[str, list[click.Option]]:
    """Return the options that are shown, by the title of their group."""
    found: dict[str, list[click.Option]] = {}
    for parameter in command.get_params(ctx):
        if isinstance(parameter, click.Option) and not parameter.hidden:
            found.setdefault(getattr(parameter, "group", "Options"), []).append(parameter)
    return found
