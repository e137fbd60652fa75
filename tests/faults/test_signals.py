import fcntl
import signal
import struct
import termios
import threading
from typing import IO

import pytest

from esml_stop.sandbox.state import State
from tests.support import faults
from tests.support.faulty_server import LOOK, RESOLVE, STOP, Fault, FaultyServer, deployments
from tests.support.terminal import PATIENCE, interrupted, on_terminal, started, until

EXIT_CODES: dict[int, int] = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGTERM: 143}

EACH_SIGNAL = pytest.mark.parametrize(
    "number",
    [signal.SIGINT, signal.SIGHUP, pytest.param(signal.SIGTERM, marks=pytest.mark.thorough)],
    ids=["int", "hup", "term"],
)
THOROUGH = pytest.mark.thorough


def outcomes(out: str) -> dict[str, str]:
    """Return the outcome of each target from tab-separated lines."""
    return dict(line.split("\t")[:2] for line in out.splitlines())


@EACH_SIGNAL
@pytest.mark.parametrize(
    "fault",
    [faults.silence, pytest.param(faults.drip(), marks=THOROUGH), faults.error(503)],
    ids=["silent", "drips", "503"],
)
def test_a_signal_during_the_lookup_changes_nothing(server: FaultyServer, number: int, fault: Fault) -> None:
    """A signal before the first stop ends the command with the message that nothing was changed."""
    server.on(RESOLVE, fault, forever=True)
    with started("stop", "d", environment={"ESML_URL": server.url}) as process:
        until(lambda: server.lines(RESOLVE), "the first request")
        status, out, err = interrupted(process, number)
        expected_error = f"esml: Stopping d on {server.url}\nesml: Interrupted before anything was changed.\n"
    assert (status, out, err) == (EXIT_CODES[number], "", expected_error)


@EACH_SIGNAL
@pytest.mark.parametrize(
    "fault", [pytest.param(faults.silence, marks=THOROUGH), faults.drip()], ids=["silent", "drips"]
)
def test_a_signal_during_stops_reports_each_target(
    server: FaultyServer, state: State, number: int, fault: Fault
) -> None:
    """After a signal, each target is reported as stopped, unknown or not attempted, and no further stop is sent."""
    deployments(state, "a", "b", "c", "d")
    server.on(STOP, faults.after(0), fault, fault)
    with started("stop", "a,b,c,d", "--parallel", "2", environment={"ESML_URL": server.url}) as process:
        until(lambda: len(server.lines(STOP)) == 3, "the third stop")
        status, out, err = interrupted(process, number)
    reported = outcomes(out)
    assert status == EXIT_CODES[number]
    assert sorted(reported.values()) == ["not_attempted", "stopped", "unknown", "unknown"]
    assert reported["d"] == "not_attempted"
    assert [name for name, outcome in reported.items() if outcome == "stopped"] == sorted(
        {*"abcd"} - {*state.deployments}
    )
    assert err.count("The request was sent, but esml was interrupted before the response arrived.") == 2
    assert len(server.lines(STOP)) == 3


@EACH_SIGNAL
def test_a_signal_during_the_final_check_keeps_the_results(server: FaultyServer, state: State, number: int) -> None:
    """After a signal during the final check, the stopped targets are reported as stopped."""
    deployments(state, "a", "b")
    server.on(LOOK, faults.silence, forever=True)
    with started("stop", "a,b", environment={"ESML_URL": server.url}) as process:
        until(lambda: server.lines(LOOK), "the final check")
        status, out, _ = interrupted(process, number)
    assert (status, outcomes(out)) == (EXIT_CODES[number], {"a": "stopped", "b": "stopped"})


@pytest.mark.parametrize("numbers", [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM)])
def test_a_second_signal_does_not_prevent_the_report(
    server: FaultyServer, state: State, numbers: tuple[int, ...]
) -> None:
    """A second signal, as from GNU timeout or a service manager, does not prevent the report."""
    deployments(state, "a")
    server.on(STOP, faults.silence)
    with started("stop", "a", environment={"ESML_URL": server.url}) as process:
        until(lambda: server.lines(STOP), "the stop")
        status, out, _ = interrupted(process, *numbers, pause=0)
    assert (status in {EXIT_CODES[one] for one in numbers}, outcomes(out)) == (True, {"a": "unknown"})


def test_a_report_of_thousands_is_written_in_plain_lines(server: FaultyServer, state: State) -> None:
    """After Ctrl-C, a report of 2,000 targets is written in plain lines, because a table would take too long."""
    deployments(state, *(f"d{number}" for number in range(2_000)), stop_ms=50)
    with on_terminal("stop", "*", "--yes", environment={"ESML_URL": server.url, "TERM": "xterm"}) as terminal:
        terminal.wait(lambda: len(server.lines(STOP)) > 5, "the stops")
        terminal.type("\x03")
        assert terminal.ended() == 130, terminal.seen[-500:]
    reported = [line for line in terminal.seen.splitlines() if line.count("\t") > 1]
    assert len(reported) == 2_000
    assert sum("not_attempted" in line for line in reported) > 1_900


def test_a_deployment_that_is_stopping_at_a_signal_is_reported(server: FaultyServer, state: State) -> None:
    """After a signal, a deployment that the cluster shows as stopping is reported as stopping."""
    deployments(state, "a", stop_ms=5_000)
    with started("stop", "a", environment={"ESML_URL": server.url}) as process:
        until(lambda: server.lines(STOP), "the stop")
        status, out, _ = interrupted(process, signal.SIGTERM)
    assert (status, outcomes(out)) == (143, {"a": "stopping"})


def test_a_full_output_pipe_does_not_delay_the_end(server: FaultyServer, state: State) -> None:
    """A signal ends a command that waits for a full output pipe, and every deployment is stopped."""
    names = [f"a-deployment-with-a-rather-long-name-{number}" for number in range(300)]
    deployments(state, *names)
    environment = {"ESML_URL": server.url}
    with started("stop", "*", "--yes", "-o", "json", "--parallel", "32", environment=environment) as process:
        threading.Thread(target=process.stderr.read, daemon=True).start()  # type: ignore[union-attr]
        until(lambda: is_full(process.stdout), "a full pipe")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == 130
    assert not state.deployments


def is_full(pipe: IO[str] | None) -> bool:
    """Return whether less than 4,096 bytes are free in a pipe, so that a larger write blocks."""
    assert pipe
    size: int = fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ)
    return bytes_in(pipe) > size - 4096


def bytes_in(pipe: IO[str]) -> int:
    """Return the number of unread bytes in a pipe."""
    count: int = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]
    return count


@EACH_SIGNAL
@pytest.mark.parametrize("command", [("stop", "-", "--force"), ("restore", "-")], ids=["stop", "restore"])
def test_a_signal_ends_a_command_that_reads_standard_input(
    server: FaultyServer, number: int, command: tuple[str, ...]
) -> None:
    """A signal ends a command that reads IDs or a save file from standard input, before any request."""
    with started(*command, environment={"ESML_URL": server.url}) as process:
        assert process.stdin
        process.stdin.write("first line\n")
        process.stdin.flush()
        until(lambda: process.stdin and not bytes_in(process.stdin), "the reading of standard input")
        status, out, err = interrupted(process, number)
    assert (status, out, err) == (EXIT_CODES[number], "", "esml: Interrupted before anything was changed.\n")
    assert not server.received


@pytest.mark.parametrize(
    ("typed", "status"), [("\x03", 130), ("\x04", 1), pytest.param("n\n", 1, marks=THOROUGH), ("\n", 1), ("y\n", 0)]
)
def test_the_prompt_can_be_answered_or_interrupted(server: FaultyServer, state: State, typed: str, status: int) -> None:
    """At the prompt, Ctrl-C exits with 130, any answer but yes with 1, and yes stops the listed deployments."""
    deployments(state, "a", "b")
    with on_terminal("stop", "*", environment={"ESML_URL": server.url}) as terminal:
        terminal.read_until("[y/N] ")
        deployments(state, "later")
        terminal.type(typed)
        assert terminal.ended() == status, terminal.seen
    assert sorted(state.deployments) == (["later"] if status == 0 else ["a", "b", "later"])
    after_prompt = terminal.seen.partition("[y/N] ")[2].replace("^C", "").replace("^D\b\b", "")
    assert after_prompt.lstrip(typed.strip()).startswith("\r\n"), "the output after the answer starts on a new line"
    if status == 130:
        assert "Interrupted before anything was changed." in terminal.seen


def test_the_password_prompt_can_be_interrupted(server: FaultyServer) -> None:
    """Ctrl-C at the password prompt exits with 130 before any request, and the typed text is not shown."""
    environment = {"ESML_URL": server.url}
    with on_terminal("stop", "a", "--username", "u", environment=environment) as terminal:
        terminal.read_until("Password of u:")
        terminal.type("s3cret-canary\x03")
        assert terminal.ended() == 130, terminal.seen
    assert "s3cret" not in terminal.seen
    assert not server.received


def test_ctrl_c_on_a_terminal_shows_the_report(server: FaultyServer, state: State) -> None:
    """After Ctrl-C the summary counts stopped and unknown targets, and the cursor is visible."""
    deployments(state, "a", "b")
    server.on(STOP, faults.after(0), faults.silence)
    with on_terminal(
        "stop", "a,b", "--parallel", "1", environment={"ESML_URL": server.url, "TERM": "xterm"}
    ) as terminal:
        terminal.wait(lambda: len(server.lines(STOP)) == 2, "the second stop")
        terminal.type("\x03")
        assert terminal.ended() == 130, terminal.seen
    assert "1 deployment stopped, 1 unknown." in terminal.seen
    assert terminal.seen.rfind("\x1b[?25h") >= terminal.seen.rfind("\x1b[?25l")
