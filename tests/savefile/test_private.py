import tempfile
from pathlib import Path

import pytest

from esml_stop.errors import InputError
from esml_stop.savefile.private import private_file


def fixed_time() -> str:
    """Return a fixed time."""
    return "2026-01-02T03:04:05Z"


def test_the_file_is_in_the_state_folder_of_the_user(tmp_path: Path) -> None:
    """The file is in XDG_STATE_HOME, if that is absolute, or else ~/.local/state, in a folder with mode 0700."""
    file = private_file({"HOME": str(tmp_path)}, fixed_time)
    assert file.path.parent == tmp_path / ".local/state/esml"
    assert file.path.name.startswith("restart-20260102T030405Z-")
    assert file.path.parent.stat().st_mode & 0o777 == 0o700
    moved = private_file({"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}, fixed_time)
    assert moved.path.parent == tmp_path / "state/esml"
    relative = private_file({"HOME": str(tmp_path), "XDG_STATE_HOME": "state"}, fixed_time)
    assert relative.path.parent == file.path.parent


def test_without_a_writable_home_the_temporary_folder_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a writable home the temporary folder is used; if that is not writable either, --save is required."""
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for environment in ({"HOME": str(tmp_path / "file")}, {}, {"XDG_STATE_HOME": "/proc/none"}):
        assert private_file(environment, fixed_time).path.parent == tmp_path
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file" / "none"))
    with pytest.raises(InputError) as raised:
        private_file({}, fixed_time)
    assert raised.value.hint == "Pass --save FILE."
