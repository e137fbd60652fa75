import io
import os
import stat
from pathlib import Path

import pytest

from esml_stop.config.files import is_open_to_others, is_writable_only_by_owner, must_exist, read, secret
from esml_stop.errors import ConfigError


def error_text(path: Path, largest: int = 100) -> str:
    """Return the error text for a file that cannot be read."""
    with pytest.raises(ConfigError) as raised:
        read(path, "--x", largest)
    return raised.value.message


@pytest.mark.parametrize("text", [" pass word \n\n", '"pass word"\n', "'pass word'", "\ufeffpass word"])
def test_white_space_and_quotes_around_a_secret_are_removed(tmp_path: Path, text: str) -> None:
    """White space, quotes and a byte order mark around the secret are removed; spaces within it are kept."""
    path = tmp_path / "secret"
    path.write_text(text)
    assert secret(str(path), "--password-file", None) == "pass word"


@pytest.mark.parametrize(("mode", "expected"), [(0o600, True), (0o644, True), (0o620, False), (0o602, False)])
def test_a_file_that_other_users_can_write_to_is_detected(tmp_path: Path, mode: int, expected: bool) -> None:
    """A file that other users can write to, or that another user owns, is detected; reading by others is allowed."""
    path = tmp_path / "file"
    path.write_text("x")
    path.chmod(mode)
    assert is_writable_only_by_owner(path.stat()) is expected
    other_owner = os.stat_result((stat.S_IFREG | mode, 1, 1, 1, os.geteuid() + 1, 0, 1, 0, 0, 0))
    assert not is_writable_only_by_owner(other_owner)


def test_a_dash_reads_standard_input() -> None:
    """A dash reads standard input without its trailing line break; empty input is an error."""
    assert secret("-", "--api-key-file", io.StringIO("key\n")) == "key"
    for empty in (io.StringIO(""), None):
        with pytest.raises(ConfigError, match="standard input is empty"):
            secret("-", "--api-key-file", empty)


def test_a_secret_is_read_from_a_pipe() -> None:
    """A secret is read from a pipe, such as the shell's <(command)."""
    reading, writing = os.pipe()
    os.write(writing, b"from a pipe\n")
    os.close(writing)
    try:
        assert secret(f"/dev/fd/{reading}", "--api-key-file", None) == "from a pipe"
    finally:
        os.close(reading)


def test_a_pipe_without_a_writer_does_not_block(tmp_path: Path) -> None:
    """A pipe without a writer is reported as empty and does not block."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="is empty"):
        secret(str(tmp_path / "pipe"), "--api-key-file", None)


def test_an_unreadable_file_is_reported_in_one_line(tmp_path: Path) -> None:
    """Missing files, folders, pipes, devices, broken or circular links and invalid names are reported in one line."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dead").symlink_to(tmp_path / "gone")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert error_text(tmp_path / "gone") == "--x cannot be read (no such file or directory)."
    assert error_text(tmp_path) == "--x cannot be read (is a directory)."
    assert error_text(tmp_path / "pipe") == "--x is not a regular file."
    assert error_text(Path("/dev/zero")) == "--x is not a regular file."
    assert error_text(tmp_path / "dead") == "--x cannot be read (no such file or directory)."
    assert error_text(tmp_path / "loop") == "--x cannot be read (too many levels of symbolic links)."
    assert error_text(Path("a\0b")) == "--x cannot be read (not a file name)."


def test_a_file_that_is_too_large_or_not_utf_8_is_rejected(tmp_path: Path) -> None:
    """A file that is too large or not UTF-8 is reported in one line; a byte order mark is removed."""
    path = tmp_path / "file"
    path.write_text("x" * 2049)
    assert error_text(path, 2048) == "--x is larger than 2 KiB."
    for text in ("ünï".encode("latin-1"), "text".encode("utf-16")):
        path.write_bytes(text)
        assert error_text(path) == "--x is not UTF-8 text."
    path.write_bytes(b"\xef\xbb\xbftext")
    assert read(path, "--x", 100)[0] == "text"


@pytest.mark.parametrize(
    ("mode", "open_to_others"), [(0o600, False), (0o700, False), (0o640, True), (0o604, True), (0o644, True)]
)
def test_permissions_of_other_users_are_detected(tmp_path: Path, mode: int, open_to_others: bool) -> None:
    """A file with any permission for group or others is open to others; for a link, its target counts."""
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_text("x")
    path.chmod(mode)
    link.symlink_to(path)
    for one in (path, link):
        text, found = read(one, "--x", 100)
        assert (text, is_open_to_others(found)) == ("x", open_to_others)


def test_a_file_given_by_its_path_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path of an existing file is returned with ~ expanded; a missing file or a folder is an error."""
    (tmp_path / "ca.crt").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert must_exist("~/ca.crt", "--ca-certs") == str(tmp_path / "ca.crt")
    for path, why in ((str(tmp_path), "is a folder"), ("/no/such", "no such file")):
        with pytest.raises(ConfigError, match=why):
            must_exist(path, "--ca-certs")
