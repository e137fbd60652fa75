"""Secrets from the operating system's credential stores and from commands, for the Elastic CLI's expressions.

Each store is read by its own program, without a shell: https://www.elastic.co/docs/reference/elastic-cli/cli/configuration
"""

import re
from collections.abc import Callable, Mapping
from shlex import join
from typing import NamedTuple

from esml_stop.config.programs import ProgramFailed, ProgramNotFound, ProgramTimeout, output
from esml_stop.errors import ConfigError


class Store(NamedTuple):
    """A credential store: its command line, the hint if its program is missing, and the time limit in seconds."""

    arguments: Callable[[str], list[str]]
    missing: str
    seconds: float = 5.0


def service_and_account(text: str) -> tuple[str, str]:
    """Return the two parts of SERVICE/ACCOUNT; raises ValueError."""
    service, slash, account = text.partition("/")
    if not (slash and service and account and re.fullmatch(r"[ -~]+", text)):
        raise ValueError("must be SERVICE/ACCOUNT in printable ASCII")
    if text.startswith("-") or account.startswith("-"):
        raise ValueError("must not begin with a dash")
    return service, account


def keychain(text: str) -> list[str]:
    """Return the command for the keychain of macOS."""
    service, account = service_and_account(text)
    return ["security", "find-generic-password", "-s", service, "-a", account, "-w"]


def secret_service(text: str) -> list[str]:
    """Return the command for the Secret Service of a Linux desktop, such as GNOME Keyring or KWallet."""
    service, account = service_and_account(text)
    return ["secret-tool", "lookup", "service", service, "account", account]


def password_store(text: str) -> list[str]:
    """Return the command for an entry in pass."""
    path = text.strip()
    if not re.fullmatch(r"[ -~]+", path) or path.startswith("-"):
        raise ValueError("must be the path of an entry in printable ASCII")
    return ["pass", "show", path]


def credential_manager(text: str) -> list[str]:
    """Return the command for Windows, which WSL can run; it uses the same PowerShell module as the Elastic CLI."""
    target = "/".join(service_and_account(text)).replace("'", "''")
    script = f"(Get-StoredCredential -Target '{target}').GetNetworkCredential().Password"
    return ["powershell.exe", "-NoProfile", "-NonInteractive", "-Command", script]


def shell(text: str) -> list[str]:
    """Return the command that runs the user's own command in a shell."""
    return ["/bin/sh", "-c", text]


STORES = {
    "keychain": Store(keychain, "The keychain is only available on macOS."),
    "secret_service": Store(secret_service, "Install it: libsecret-tools (Debian, Ubuntu) or libsecret (Fedora)."),
    "pass": Store(password_store, "Install the package pass."),
    "credential_manager": Store(credential_manager, "Credential Manager is only available on Windows and WSL.", 10.0),
    "cmd": Store(shell, "There is no /bin/sh.", 10.0),
}
KINDS = tuple(STORES)


def label_of(kind: str, what: str) -> str:
    """Return an expression for messages, without the text of a command, which may contain a secret."""
    return f"$({kind}:{'...' if kind == 'cmd' else what})"


def lookup(kind: str, what: str, where: str, environment: Mapping[str, str]) -> str:
    """Return the value of an expression without trailing whitespace; for an entry in pass, only the first line.

    Raises ConfigError, which contains the expression and a hint, but never the output of a program.
    """
    store, name = STORES[kind], label_of(kind, what)
    try:
        arguments = store.arguments(what)
        text = output(arguments, store.seconds, environment).rstrip()
    except ValueError as wrong:
        raise ConfigError(f"{where}: {name} {wrong}.") from None
    except ProgramNotFound as missing:
        text = f"{where}: {name} requires {missing}, which is not installed."
        raise ConfigError(text, hint=store.missing) from None
    except ProgramTimeout:
        text = f"{where}: {name} was not answered within {store.seconds:g} seconds."
        raise ConfigError(text, hint=unlock(kind, arguments)) from None
    except ProgramFailed as failed:
        text = f"{where}: {name} cannot be read: {failed}."
        raise ConfigError(text, hint=unlock(kind, arguments)) from None
    found = text.split("\n", 1)[0] if kind == "pass" else text
    if not found:
        raise ConfigError(f"{where}: {name} is empty.", hint=unlock(kind, arguments))
    return found


def unlock(kind: str, arguments: list[str]) -> str:
    """Return the hint for a store that did not return a secret."""
    if kind == "cmd":
        return "Run the command in a terminal to see what is wrong."
    if kind == "credential_manager":
        return "Check that the entry exists and that the PowerShell module CredentialManager is installed."
    return f"Check that the entry exists and that the store is unlocked. To try it: {join(arguments)}"
