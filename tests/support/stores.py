"""Provides temporary, real credential stores; tests are skipped if the programs are not installed."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

LOGIN = "esml@example.invalid"


def need(*programs: str) -> None:
    """Skip the test if a program is not installed."""
    missing = [name for name in programs if not shutil.which(name)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (Debian: pass gnupg libsecret-tools gnome-keyring dbus)")


def run(environment: Mapping[str, str], *command: str, given: str = "") -> str:
    """Run a command that must succeed, and return its stdout."""
    full = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **environment}
    ended = subprocess.run(command, env=full, input=given, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, (command, ended.stderr)
    return ended.stdout


@contextmanager
def short_folder() -> Iterator[Path]:
    """Yield a folder whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="esml-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def password_store(**entries: str) -> Iterator[dict[str, str]]:
    """Yield the variables of a pass store with these entries, encrypted with a new key without a passphrase."""
    need("pass", "gpg")
    with short_folder() as folder:
        environment = {"GNUPGHOME": str(folder), "PASSWORD_STORE_DIR": str(folder / "store"), "HOME": str(folder)}
        make = ("gpg", "--batch", "--quiet", "--passphrase", "", "--quick-gen-key", LOGIN, "future-default")
        run(environment, *make, "default", "never")
        run(environment, "pass", "init", LOGIN)
        for name, text in entries.items():
            run(environment, "pass", "insert", "--multiline", name, given=text)
        try:
            yield environment
        finally:
            run(environment, "gpgconf", "--kill", "all")


@contextmanager
def secret_service(**entries: str) -> Iterator[dict[str, str]]:
    """Yield the variables of a private D-Bus session with an unlocked GNOME keyring that contains these accounts."""
    need("dbus-daemon", "gnome-keyring-daemon", "secret-tool")
    with short_folder() as folder:
        environment = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "XDG_DATA_HOME": str(folder / "data")}
        bus = ("dbus-daemon", "--session", "--fork", "--print-address=1", "--print-pid=1", "--nopidfile")
        address, pid = run(environment, *bus).split()
        environment["DBUS_SESSION_BUS_ADDRESS"] = address
        try:
            run(environment, "gnome-keyring-daemon", "--unlock", "--components=secrets", given="password\n")
            for account, secret in entries.items():
                where = ("service", "elastic-cli", "account", account)
                run(environment, "secret-tool", "store", "--label=test", *where, given=secret)
            yield environment
        finally:
            os.kill(int(pid), signal.SIGTERM)  # the keyring on this bus ends as well
