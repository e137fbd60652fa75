"""Options shared by several commands, their types, and the options that the user gave, as arguments."""

import os
import re
from collections.abc import Callable, Container, Iterator, Sequence
from functools import wraps
from typing import Any, NamedTuple, TypeVar

import click
from click.core import ParameterSource

from esml_stop.cli.help import completion, grouped
from esml_stop.invocation import Invocation
from esml_stop.output import stderr

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("table", "wide", "tsv", "json", "jsonl", "ids")

OUTPUT_HELP = "Output format.  [default: table on a terminal, tsv elsewhere]"


class OutputOptions(NamedTuple):
    """The verbosity; `invocation` has the output format, and reports errors before there are results."""

    invocation: Invocation
    quiet: bool = False
    verbose: bool = False

    def show_connecting(self) -> None:
        """Show "Connecting" on a terminal at once, because importing the HTTP client takes noticeable time."""
        if not self.quiet:
            stderr.show_step("Connecting")


def output_options(function: F, formats: Sequence[str] = FORMATS) -> F:
    """Add -o, -q, -v and --debug; the command gets them as `output_options`."""

    @click.option("-o", "--output", "output_format", type=click.Choice(formats), help=OUTPUT_HELP)
    @click.option("-q", "--quiet", is_flag=True, help="Print only errors and refusals on stderr.")
    @click.option("-v", "--verbose", is_flag=True, help="Log each request to stderr.")
    @click.option("--debug", is_flag=True, help="Show a traceback with errors.")
    @click.option("--no-color", is_flag=True, help="Disable colors. NO_COLOR and FORCE_COLOR work too.")
    @wraps(function)
    def wrapped(
        *args: Any, output_format: str | None, quiet: bool, verbose: bool, debug: bool, no_color: bool, **rest: Any
    ) -> Any:
        if no_color:
            os.environ["NO_COLOR"] = "1"
        found = click.get_current_context().find_object(Invocation)
        invocation = found or Invocation(output_format=output_format, debug=debug)
        return function(*args, output_options=OutputOptions(invocation, quiet, verbose), **rest)

    return grouped(wrapped, "Output")  # type: ignore[return-value]


def connection_options(function: F) -> F:
    """Add the connection options; the command gets them as `connection_options`."""

    @wraps(function)
    def wrapped(*args: Any, **rest: Any) -> Any:
        from esml_stop.config.settings import ConnectionOptions

        given = {name: rest.pop(name) for name in ConnectionOptions._fields}
        return function(*args, connection_options=ConnectionOptions(**given), **rest)

    for option in reversed(CONNECTION):
        wrapped = option(wrapped)
    return grouped(wrapped, "Connection")  # type: ignore[return-value]


CONNECTION = (
    click.option("--url", metavar="URL", help="URL of the cluster, e.g. https://localhost:9200.  [ESML_URL]"),
    click.option("--cloud-id", metavar="ID", help="Elastic Cloud ID of the cluster.  [ESML_CLOUD_ID]"),
    click.option(
        "--api-key-file",
        metavar="FILE",
        type=click.Path(),
        help="File with the API key; - is stdin.  [ESML_API_KEY_FILE, or the key in ESML_API_KEY]",
    ),
    click.option("--username", metavar="NAME", help="User name; prompts for the password.  [ESML_USERNAME]"),
    click.option(
        "--password-file",
        metavar="FILE",
        type=click.Path(),
        help="File with the password; - is stdin.  [ESML_PASSWORD_FILE, or the password in ESML_PASSWORD]",
    ),
    click.option(
        "--ca-certs",
        metavar="FILE",
        type=click.Path(),
        help="CA certificates to trust instead of the system's.  [ESML_CA_CERTS]",
    ),
    click.option(
        "--ssl-fingerprint",
        metavar="HEX",
        help="SHA-256 fingerprint of the certificate to trust.  [ESML_SSL_FINGERPRINT]",
    ),
    click.option("--client-cert", metavar="FILE", type=click.Path(), help="Client certificate.  [ESML_CLIENT_CERT]"),
    click.option(
        "--client-key",
        metavar="FILE",
        type=click.Path(),
        help="Private key of the client certificate.  [ESML_CLIENT_KEY]",
    ),
    click.option("--insecure", is_flag=True, default=None, help="Do not verify certificates.  [ESML_INSECURE]"),
    click.option(
        "--profile",
        metavar="NAME",
        shell_complete=completion("profiles"),
        help="Profile: a context in the Elastic CLI's ~/.elasticrc.yml.  [ESML_PROFILE]",
    ),
    click.option(
        "--config-file",
        metavar="FILE",
        type=click.Path(),
        help="Configuration file of the Elastic CLI, or of es_client and curator.  [ESML_CONFIG_FILE]",
    ),
)


def force(verb: str) -> Callable[[F], F]:
    """Return --force; `verb` is the action in its help, such as Stop."""
    text = f"{verb} deployments even if ingest pipelines or inference endpoints use them."
    return click.option("--force", is_flag=True, help=text)


def dry_run(done: str) -> Callable[[F], F]:
    """Return --dry-run; `done` is the participle in its help, such as started."""
    return click.option("-n", "--dry-run", is_flag=True, help=f"Show what would be {done}; change nothing.")


def yes(question: str = "") -> Callable[[F], F]:
    """Return --yes; `question` limits the prompt in its help, for commands that ask about one case only."""
    return click.option("-y", "--yes", is_flag=True, help=f"Skip the confirmation prompt{question}.")


def timeout(default: str = "5m") -> Callable[[F], F]:
    """Return --timeout."""
    text = "Time limit for the whole command, e.g. 30s, 5m, 1h."
    return click.option("--timeout", type=Duration(), default=default, show_default=True, help=text)


def parallel(noun: str) -> Callable[[F], F]:
    """Return --parallel; `noun` is the plural in its help, such as stops."""
    text = f"Number of concurrent {noun}."
    return click.option("--parallel", type=click.IntRange(1, 32), default=4, show_default=True, help=text)


def save(text: str) -> Callable[[F], F]:
    """Return --save; `text` is the first part of its help."""
    return click.option("--save", metavar="FILE", type=click.Path(), help=f"{text}; adds to an existing save file.")


NO_INPUT = click.option("--no-input", is_flag=True, help="Never prompt; fail if confirmation or a password is missing.")
NO_CHECK = click.option("--no-check", is_flag=True, help="Skip the usage check.")
FINISH_PENDING_WORK = click.option(
    "--finish-pending-work", is_flag=True, help="Finish queued inference requests before stopping (at most 5 minutes)."
)
WAIT_FOR = click.option(
    "--wait-for",
    type=click.Choice(["started", "fully_allocated"]),
    default="started",
    show_default=True,
    help="State to wait for.",
)


# Not repeated in a suggested command: an ID replaces the selection, and the suggestion adds --force itself.
NOT_REPEATED = {"models", "idle", "dry_run", "force"}


def given_options(left_out: Container[str] = NOT_REPEATED) -> tuple[str, ...]:
    """Return the options that the user gave, as arguments; a URL with credentials is left out."""
    ctx = click.get_current_context()
    return tuple(
        word
        for option in ctx.command.params
        if isinstance(option, click.Option) and option.name and option.name not in left_out
        if ctx.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
        for word in as_arguments(option, ctx.params[option.name])
    )


def as_arguments(option: click.Option, value: Any) -> Iterator[str]:
    """Yield an option and its value as command-line arguments."""
    name = max(option.opts, key=len)
    if option.is_flag:
        yield name if value else option.secondary_opts[0]
    elif isinstance(option.type, Duration):
        yield from (name, format_duration(value))
    elif not (option.name == "url" and "@" in value):
        yield from (name, str(value))


UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
LONGEST = 366 * UNITS["d"]
PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


class Duration(click.ParamType):  # type: ignore[type-arg]
    """An option type for durations such as 30s, 5m, 1h30m or 7d; the value is in seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds; fail with examples if the value is not a valid duration."""
        if isinstance(value, float | int):
            return float(value)
        parts = PART.findall(str(value))
        total = sum(float(number) * UNITS[unit] for number, unit in parts)
        if "".join(number + unit for number, unit in parts) != str(value) or not total:
            self.fail(f"{value!r} is not a valid duration. Examples: 30s, 5m, 1h, 7d.", param, ctx)
        if total > LONGEST:
            self.fail(f"{value!r} is longer than {format_duration(LONGEST)}.", param, ctx)
        return total


def format_duration(seconds: float) -> str:
    """Return a duration as an option value, in the largest unit that gives a whole number."""
    for unit, length in reversed(UNITS.items()):
        if seconds % length == 0:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:g}s"
