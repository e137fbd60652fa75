import os
from pathlib import Path

import pytest

from esml_stop.errors import ConfigError, InputError
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.savefile.file import SaveFile, read
from tests.support.builders import deployment


def result(outcome: Outcome) -> Result:
    """Return what became of a deployment that was to be stopped."""
    return Result(Target("d", Outcome.WOULD_STOP, deployment("d")), outcome)


def test_a_file_is_written_twice_and_read(tmp_path: Path) -> None:
    """Before the first stop and after the last; for its owner only, and nothing else is left in the folder."""
    file = SaveFile(str(tmp_path / "f.json"))
    file.check()
    file.write([result(Outcome.WOULD_STOP)], "c")
    assert '"outcome": null' in file.path.read_text()
    file.write([result(Outcome.STOPPED)], "c")
    assert '"outcome": "stopped"' in file.path.read_text()
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["f.json"]
    assert [one.deployment_id for one in read(str(file.path))] == ["d"]


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    """At the check, and when it comes between the check and the writing; --overwrite replaces it."""
    path = tmp_path / "f.json"
    file = SaveFile(str(path))
    file.check()
    path.write_text("precious")
    with pytest.raises(InputError, match="exists already"):
        file.check()
    with pytest.raises(InputError, match="exists already"):
        file.write([], "c")
    assert path.read_text() == "precious"
    assert [one.name for one in tmp_path.iterdir()] == ["f.json"]
    over = SaveFile(str(path), overwrite=True)
    over.check()
    over.write([], "c")
    assert read(str(path)) == ()


def test_a_file_that_cannot_be_written_is_said_to_be_before_any_request(tmp_path: Path) -> None:
    """A folder that is not there, or a folder in its place."""
    for path in (tmp_path / "no" / "f.json", tmp_path):
        with pytest.raises(InputError, match="cannot be written"):
            SaveFile(str(path)).check()
    with pytest.raises(ConfigError, match="cannot be written"):
        SaveFile(str(tmp_path / "no" / "f.json")).write([], "c")


def test_a_file_that_cannot_be_read_is_said_to_be(tmp_path: Path) -> None:
    """Missing, a folder, no text, nested without end."""
    with pytest.raises(InputError, match="cannot be read"):
        read(str(tmp_path / "missing"))
    with pytest.raises(InputError, match="cannot be read"):
        read(str(tmp_path))
    for content in (b"\xff\xfe", b"[" * 100_000, b"{"):
        (tmp_path / "f").write_bytes(content)
        with pytest.raises(InputError, match="it is not JSON"):
            read(str(tmp_path / "f"))


def test_a_file_system_without_hard_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is still whole, and one that is there is still kept."""

    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refused)
    SaveFile(str(tmp_path / "f.json")).write([result(Outcome.STOPPED)], "c")
    assert [one.deployment_id for one in read(str(tmp_path / "f.json"))] == ["d"]
    with pytest.raises(InputError, match="exists already"):
        SaveFile(str(tmp_path / "f.json")).write([], "c")
    assert [one.name for one in tmp_path.iterdir()] == ["f.json"]


def test_what_is_held_back_leaves_no_file(tmp_path: Path) -> None:
    """Nothing is stopped then, so there is nothing to bring back."""
    held = Result(Target("d", Outcome.NOT_STARTED, deployment("d")), Outcome.NOT_STARTED)
    assert SaveFile(str(tmp_path / "f.json")).write([held], "c") is None
    assert list(tmp_path.iterdir()) == []
