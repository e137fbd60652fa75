"""The options that several commands share, each group as one decorator and one frozen object."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

import click

from esml_stop.render import FORMATS

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """How much is said, and in which form."""

    form: str = "table"
    quiet: bool = False
    verbose: bool = False
    debug: bool = False


def output_options(function: F) -> F:
    """Add -o, -q, -v and --debug; the command gets them as `output_options`."""

    @click.option("-o", "--output", "form", type=click.Choice(FORMATS), default="table", help="What stdout gets.")
    @click.option("-q", "--quiet", is_flag=True, help="No warnings, no closing sentence; refusals and errors stay.")
    @click.option("-v", "--verbose", is_flag=True, help="One line on stderr for each request.")
    @click.option("--debug", is_flag=True, help="Show a traceback with an error.")
    @wraps(function)
    def wrapped(*args: Any, form: str, quiet: bool, verbose: bool, debug: bool, **rest: Any) -> Any:
        options = OutputOptions(form, quiet=quiet, verbose=verbose, debug=debug)
        return function(*args, output_options=options, **rest)

    return wrapped  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """The options that say which cluster; `arguments` are those that a repeated command needs."""

    arguments: tuple[str, ...] = ()


def connection_options(function: F) -> F:
    """Add the options that say which cluster; the command gets them as `connection_options`."""

    @wraps(function)
    def wrapped(*args: Any, **rest: Any) -> Any:
        return function(*args, connection_options=ConnectionOptions(), **rest)

    return wrapped  # type: ignore[return-value]
