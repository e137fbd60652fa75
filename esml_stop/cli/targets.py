"""Arguments and options that select deployments: names, --model, --idle and standard input."""

import sys
import time
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from esml_stop.cli.help import completion
from esml_stop.cli.options import Duration
from esml_stop.errors import InputError
from esml_stop.runtime.signals import interruptible

if TYPE_CHECKING:
    from esml_stop.plan.patterns import Selection

F = TypeVar("F", bound=Callable[..., Any])

MODEL = click.option(
    "--model",
    "models",
    multiple=True,
    metavar="ID",
    shell_complete=completion("model_ids"),
    help="All deployments of a model or model alias. Can be repeated.",
)
IDLE = click.option(
    "--idle", type=Duration(), help="Only deployments that have been idle for at least this long, e.g. 7d."
)


def allow_no_match(effect: str = ", nothing is changed") -> Callable[[F], F]:
    """Return --allow-no-match; `effect` is what else its help says about the error."""
    text = f"Whether a name that matches nothing is an error (exit code 3{effect}).  [default: not an error]"
    return click.option("--allow-no-match/--no-allow-no-match", default=True, help=text)


def choice_options(metavar: str) -> Callable[[F], F]:
    """Add the arguments, --model and --idle; the command receives them as `selection`."""

    def decorate(function: F) -> F:
        @click.argument("names", nargs=-1, metavar=metavar, shell_complete=completion("deployment_ids"))
        @MODEL
        @IDLE
        @wraps(function)
        def wrapped(
            *args: Any, names: tuple[str, ...], models: tuple[str, ...], idle: float | None, **rest: Any
        ) -> Any:
            if "-" in names:
                check_stdin("the deployment IDs", rest.get("api_key_file"), rest.get("password_file"))
            return function(*args, selection=choice(names, models, idle), **rest)

        return wrapped  # type: ignore[return-value]

    return decorate


def choice(names: tuple[str, ...], models: tuple[str, ...], idle: float | None) -> "Selection":
    """Return the selection that was requested; raise InputError for a name that cannot be an ID."""
    from esml_stop.plan.patterns import parse

    lines = read_ids() if "-" in names else None
    before = None if idle is None else int((time.time() - idle) * 1000)
    return parse((one for one in names if one != "-"), lines=lines, models=models, idle_before=before)


def check_stdin(what: str, *secrets: str | None) -> None:
    """Raise InputError if one of the secret files is standard input (-), which `what` is already read from."""
    if "-" in secrets:
        text = f"Standard input cannot provide both {what} and a secret."
        raise InputError(text, hint="Read one of them from a file.")


def read_ids() -> list[str]:
    """Return the exact IDs from standard input, one per line, without blank lines; none if it is closed."""
    return [line.strip() for line in read_stdin("deployment IDs").splitlines() if line.strip()]


def read_stdin(what: str, limit: int = -1) -> str:
    """Return the text from standard input, at most `limit` characters; empty if it is closed.

    A signal raises Interrupted.
    """
    try:
        with interruptible():
            return sys.stdin.read(limit) if sys.stdin else ""
    except (OSError, ValueError):
        raise InputError(f"Cannot read {what} from standard input.") from None
