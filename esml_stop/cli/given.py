"""The options of the command line that is running, as words for the next one."""

from collections.abc import Container, Iterator
from typing import Any

import click
from click.core import ParameterSource

from esml_stop.cli.duration import Duration, spelled

# What chooses the deployments is replaced by an ID in the suggested command, and --dry-run would change nothing.
LEFT_OUT = {"models", "idle", "dry_run", "force"}


def given_options(left_out: Container[str] = LEFT_OUT) -> tuple[str, ...]:
    """Return the options that were given to the running command; a URL that holds a login is left out."""
    ctx = click.get_current_context()
    return tuple(
        word
        for option in ctx.command.params
        if isinstance(option, click.Option) and option.name and option.name not in left_out
        if ctx.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
        for word in words(option, ctx.params[option.name])
    )


def words(option: click.Option, value: Any) -> Iterator[str]:
    """Yield an option and its value as they are typed."""
    name = max(option.opts, key=len)
    if option.is_flag:
        yield name if value else option.secondary_opts[0]
    elif isinstance(option.type, Duration):
        yield from (name, spelled(value))
    elif not (option.name == "url" and "@" in value):
        yield from (name, str(value))
