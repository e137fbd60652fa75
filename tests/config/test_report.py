import os
from pathlib import Path

import pytest

from esml_stop.cli import main

FILE = """
current_context: here
contexts:
  here: {elasticsearch: {url: "https://$(cmd:touch ran; echo h)", auth: {api_key: "$(pass:elastic/key)"}}}
  login: {elasticsearch: {url: "https://h", auth: {username: "$(env:NAME)", password: "$(secret_service:s/a)"}}}
"""


@pytest.fixture(autouse=True)
def _programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a configuration file, and replace pass and secret-tool with scripts that create the file `ran`."""
    for name in ("pass", "secret-tool"):
        (tmp_path / name).write_text("#!/bin/sh\ntouch ran\n")
        (tmp_path / name).chmod(0o700)
    (tmp_path / ".elasticrc.yml").write_text(FILE)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("NAME", "somebody")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ([], ["url\thttps://$(cmd:...)\t", "api_key\t$(pass:elastic/key)\tprofile here in ~/.elasticrc.yml\n"]),
        (["--profile", "login"], ["username\tsomebody\t", "password\t$(secret_service:s/a)\tprofile login in "]),
    ],
)
def test_showing_the_connection_runs_no_program(
    options: list[str], rows: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`config` runs no program: it shows expressions that need one, and resolves environment variables."""
    assert main.run(["config", *options]) == 0
    out = capsys.readouterr().out
    assert all(row in out for row in rows)
    assert not (tmp_path / "ran").exists()


def test_checking_the_connection_runs_the_programs_of_its_profile(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`config --check` runs the program of the selected profile, and exits with 2 if the program returns no secret."""
    assert main.run(["config", "--check", "--profile", "login"]) == 2
    assert "$(secret_service:s/a) is empty." in capsys.readouterr().err
    assert (tmp_path / "ran").exists()
