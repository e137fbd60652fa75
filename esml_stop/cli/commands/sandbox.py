"""`esml sandbox`: runs a practice cluster until Ctrl-C, or for one command."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

import click

from esml_stop.errors import InputError
from esml_stop.exit_status import ExitStatus
from esml_stop.output.stderr import write_line
from esml_stop.runtime.signals import Interrupted, forwarded_to

# Prefixes of all environment variables that could direct the command to another cluster.
OUTER = ("ESML_", "ELASTICSEARCH_", "ELASTIC_", "ES_", "ESCLI_", "ESCLIENT_", "CLOUD_ID")
PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@click.command("sandbox", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1.  [default: a free one]")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
def command(port: int, words: tuple[str, ...]) -> int:
    """Run a practice cluster on this machine, or run COMMAND against a new one.

    Without a COMMAND it runs until Ctrl-C, and prints what to try in another terminal: a deployment that nothing
    uses, one that a pipeline references, one that an inference endpoint created, one that takes long to stop, and
    two deployments of a model with an alias. It runs no model.
    """
    from esml_stop.sandbox import serve

    try:
        with serve(port=port) as server:
            return run(words, server.url) if words else wait(server.url)
    except OSError as error:
        raise InputError(f"Cannot listen on port {port}: {(error.strerror or str(error)).lower()}.") from None


def wait(url: str) -> int:
    """Print how to reach the practice cluster and serve until a signal arrives; always returns 0."""

    def end(number: int) -> None:
        raise Interrupted(number)

    try:
        with forwarded_to(end):
            introduce(url)
            while True:  # in short sleeps: a signal that arrives just before a sleep does not end it
                time.sleep(0.5)
    except Interrupted:
        write_line("Practice cluster stopped. Everything in it is gone.")
    return ExitStatus.OK


def introduce(url: str) -> None:
    """Print how to reach the practice cluster from another terminal, and what to try there."""
    from esml_stop.output.render import write
    from esml_stop.sandbox.scene import TRY

    write_line(f"Practice cluster running at {url}. Press Ctrl-C to stop it.\nIn another terminal, run:\n")
    write(f"export ESML_URL={url}\n")
    width = max(map(len, TRY))
    write_line("\n".join(["\nThen try:\n", *(f"{command:{width}}  # {note}" for command, note in TRY.items())]))


def run(words: Sequence[str], url: str) -> int:
    """Run a command against the practice cluster and return its exit code; 127 if there is no such command."""
    try:
        child = subprocess.Popen(found(words), env=environment(os.environ, url))  # noqa: S603 - the user's own command
    except FileNotFoundError:
        write_line(f"esml: {words[0]}: command not found")
        return 127
    except OSError as error:
        write_line(f"esml: {words[0]}: {error.strerror}")
        return 126
    return ended(child)


def ended(child: "subprocess.Popen[bytes]") -> int:
    """Wait for a command, forward signals to it, and return its exit code as a shell would report it."""

    def hand_on(number: int) -> None:
        # On a terminal, Ctrl-C reaches the command directly.
        if number != signal.SIGINT or not sys.stdin.isatty():
            child.send_signal(number)

    with forwarded_to(hand_on):
        status = child.wait()
    return status if status >= 0 else 128 - status


def found(words: Sequence[str]) -> list[str]:
    """Return the command line; `esml` means this program if there is none on the PATH."""
    if words[0] == "esml" and not shutil.which("esml"):
        return [sys.executable, "-m", "esml_stop", *words[1:]]
    return list(words)


def environment(outer: Mapping[str, str], url: str) -> dict[str, str]:
    """Return the environment without settings of other clusters, and with the URL of the practice cluster."""
    kept = {name: value for name, value in outer.items() if not name.startswith(OUTER) and name.lower() not in PROXIES}
    return {**kept, "ESML_URL": url}
