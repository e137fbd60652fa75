import os
import stat
from pathlib import Path
from time import sleep

import pytest

from esml_stop.config.credential_stores import KINDS, STORES, lookup
from esml_stop.errors import ConfigError

WHERE = "profile p in FILE: api_key"
ACCOUNT = "elastic-cli/p:elasticsearch.auth.api_key"
POWERSHELL = f"(Get-StoredCredential -Target '{ACCOUNT}').GetNetworkCredential().Password"
ENTRIES = {
    "keychain": ("security", ACCOUNT),
    "secret_service": ("secret-tool", ACCOUNT),
    "pass": ("pass", "elastic/key"),
    "credential_manager": ("powershell.exe", ACCOUNT),
}


def fake_program(folder: Path, program: str, script: str) -> dict[str, str]:
    """Write a program into a folder and return an environment in which only this folder is searched."""
    path = folder / program
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"PATH": str(folder), "FOLDER": str(folder)}


def error_text(kind: str, what: str, environment: dict[str, str]) -> str:
    """Return the error text for an expression that cannot be resolved."""
    with pytest.raises(ConfigError) as raised:
        lookup(kind, what, WHERE, environment)
    return f"{raised.value.message} {raised.value.hint}"


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("keychain", "find-generic-password|-s|elastic-cli|-a|p:elasticsearch.auth.api_key|-w"),
        ("secret_service", "lookup|service|elastic-cli|account|p:elasticsearch.auth.api_key"),
        ("pass", "show|elastic/key"),
        (
            "credential_manager",
            f"-NoProfile|-NonInteractive|-Command|{POWERSHELL}",
        ),
    ],
)
def test_each_store_is_read_by_its_own_program(tmp_path: Path, kind: str, arguments: str) -> None:
    """Each store is read by its program, with separate arguments; trailing white space is removed."""
    program, what = ENTRIES[kind]
    environment = fake_program(
        tmp_path, program, "IFS='|'; printf '%s' \"$*\" >\"$FOLDER/arguments\"; printf 'secret \\n\\n'"
    )
    assert lookup(kind, what, WHERE, environment) == "secret"
    assert (tmp_path / "arguments").read_text() == arguments


@pytest.mark.parametrize("what", ["$(touch ran)/x", "a;touch ran/`touch ran`", "a'/b\"", "a b/c d"])
def test_names_are_not_interpreted_by_a_shell(tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names with shell syntax are passed to the program as arguments and run nothing."""
    monkeypatch.chdir(tmp_path)
    environment = fake_program(tmp_path, "secret-tool", 'printf \'%s/%s\' "$3" "$5"')
    assert lookup("secret_service", what, WHERE, environment) == what
    assert not (tmp_path / "ran").exists()


def test_an_account_can_contain_slashes(tmp_path: Path) -> None:
    """Only the first slash separates service and account."""
    environment = fake_program(tmp_path, "secret-tool", 'printf \'%s %s\' "$3" "$5"')
    assert lookup("secret_service", "s/a/b", WHERE, environment) == "s a/b"


@pytest.mark.parametrize("what", ["service", "/account", "service/", "s/ä", "s/a\tb", "-s/a", "s/-a"])
@pytest.mark.parametrize("kind", ["keychain", "secret_service", "credential_manager"])
def test_an_invalid_service_or_account_runs_no_program(tmp_path: Path, kind: str, what: str) -> None:
    """No program runs unless the name is SERVICE/ACCOUNT in printable ASCII and neither part begins with a dash."""
    environment = fake_program(tmp_path, ENTRIES[kind][0], "touch $FOLDER/ran; echo secret")
    assert f"{WHERE}: $({kind}:{what}) must " in error_text(kind, what, environment)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("what", [" ", "ä", "--clip"])
def test_an_invalid_path_of_a_pass_entry_is_rejected(tmp_path: Path, what: str) -> None:
    """A path of a pass entry that is empty, not ASCII or begins with a dash is rejected."""
    assert "must be the path of an entry" in error_text("pass", what, fake_program(tmp_path, "pass", "echo secret"))


def test_only_the_first_line_of_a_pass_entry_is_the_secret(tmp_path: Path) -> None:
    """Only the first line of a pass entry is the secret; the output of a command is used completely."""
    environment = fake_program(tmp_path, "pass", "printf 'first\\nsecond\\n'")
    assert lookup("pass", "x", WHERE, environment) == "first"
    assert lookup("cmd", "printf 'first\\nsecond\\n'", WHERE, environment) == "first\nsecond"


@pytest.mark.parametrize(
    ("kind", "needs", "hint"),
    [
        ("keychain", "security", "only available on macOS"),
        ("secret_service", "secret-tool", "Install it: libsecret-tools"),
        ("pass", "pass", "Install the package pass."),
        ("credential_manager", "powershell.exe", "only available on Windows and WSL"),
    ],
)
def test_a_missing_program_is_named(tmp_path: Path, kind: str, needs: str, hint: str) -> None:
    """The error for a missing program names it, with how to install it or where it is available."""
    what = ENTRIES[kind][1]
    text = error_text(kind, what, {"PATH": str(tmp_path)})
    assert f"{WHERE}: $({kind}:{what}) requires {needs}, which is not installed. " in text
    assert hint in text


def test_a_program_that_is_not_executable_is_not_reported_as_missing(tmp_path: Path) -> None:
    """A program that is not executable is reported with the operating system's reason, not as missing."""
    (tmp_path / "pass").write_text("#!/bin/sh\n")
    assert "cannot be read: pass: permission denied." in error_text("pass", "a", {"PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo canary; echo canary >&2; exit 3", "cannot be read: secret-tool exited with code 3."),
        ("echo canary >&2", "is empty."),
        ("printf ' \\n'", "is empty."),
        ("printf 'canary\\377'", "cannot be read: it is not UTF-8 text."),
        ("exec cat /dev/zero", "cannot be read: it is larger than 64 KiB."),
    ],
)
def test_the_output_of_a_program_is_never_shown(tmp_path: Path, script: str, message: str) -> None:
    """The error for a failed program contains the reason and the command to try, but neither stdout nor stderr."""
    environment = {**fake_program(tmp_path, "secret-tool", script), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    text = error_text("secret_service", "s/a", environment)
    assert f"{WHERE}: $(secret_service:s/a) {message}" in text
    assert "To try it: secret-tool lookup service s account a" in text
    assert "canary" not in text


def test_the_text_of_a_command_is_not_shown(tmp_path: Path) -> None:
    """The error for a failed command does not contain its text, which may be a secret, or its output."""
    text = error_text("cmd", "echo canary >&2; exit 7", {"PATH": str(tmp_path)})
    assert f"{WHERE}: $(cmd:...) cannot be read: sh exited with code 7." in text
    assert "canary" not in text


@pytest.mark.parametrize("ending", ["read x <&9", "exit 0"], ids=["waits", "leaves a child behind"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_program_is_killed_at_its_time_limit(
    tmp_path: Path, kind: str, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program is killed at its time limit, together with the processes that it started."""
    monkeypatch.setitem(STORES, kind, STORES[kind]._replace(seconds=0.5))
    script = "echo $$ >$FOLDER/pid; exec 9<>$FOLDER/fifo; sleep 600 & echo $! >$FOLDER/child; " + ending
    os.mkfifo(tmp_path / "fifo")
    program, what = ENTRIES.get(kind, ("unused", script))
    environment = {**fake_program(tmp_path, program, script), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert "was not answered within 0.5 seconds." in error_text(kind, what, environment)
    for name in ("pid", "child"):
        pid = int((tmp_path / name).read_text())
        while is_alive(pid):  # a killed process may exist for a moment; only the time limit of the test ends this loop
            sleep(0.01)


def is_alive(pid: int) -> bool:
    """Return whether a process exists and is not a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in {"Z", "X"}


def test_programs_do_not_read_standard_input(tmp_path: Path) -> None:
    """Programs cannot read esml's standard input, which may be a list of deployments."""
    assert lookup("cmd", "if read x; then echo got; else echo nothing; fi", WHERE, {"PATH": str(tmp_path)}) == "nothing"
