import io
import os
import stat
from pathlib import Path

import pytest

from esml_stop.config.files import is_open_to_others, is_writable_only_by_owner, must_exist, read, secret
from esml_stop.errors import ConfigError


def said(path: Path, largest: int = 100) -> str:
    """Return the error text for a file that cannot be read."""
    with pytest.raises(ConfigError) as wrong:
        read(path, "--x", largest)
    return wrong.value.message


@pytest.mark.parametrize("text", [" pass word \n\n", '"pass word"\n', "'pass word'", "\ufeffpass word"])
def test_a_secret_is_what_its_file_holds(tmp_path: Path, text: str) -> None:
    """White space, line breaks and quotes around the secret are removed; spaces within it are kept."""
    path = tmp_path / "secret"
    path.write_text(text)
    assert secret(str(path), "--password-file", None) == "pass word"


@pytest.mark.parametrize(("mode", "ours"), [(0o600, True), (0o644, True), (0o620, False), (0o602, False)])
def test_a_file_is_ours_alone_when_nobody_else_may_write_it(tmp_path: Path, mode: int, ours: bool) -> None:
    """A file that other users can write, or that belongs to another user, is not ours; reading is irrelevant."""
    path = tmp_path / "file"
    path.write_text("x")
    path.chmod(mode)
    assert is_writable_only_by_owner(path.stat()) is ours
    theirs = os.stat_result((stat.S_IFREG | mode, 1, 1, 1, os.geteuid() + 1, 0, 1, 0, 0, 0))
    assert not is_writable_only_by_owner(theirs)


def test_a_dash_is_standard_input() -> None:
    """A dash reads standard input without its trailing line break; empty input is an error."""
    assert secret("-", "--api-key-file", io.StringIO("key\n")) == "key"
    for nothing in (io.StringIO(""), None):
        with pytest.raises(ConfigError, match="standard input is empty"):
            secret("-", "--api-key-file", nothing)


def test_a_pipe_that_a_shell_hands_over_is_read() -> None:
    """A pipe, such as from <(command), can be read."""
    reading, writing = os.pipe()
    os.write(writing, b"from a pipe\n")
    os.close(writing)
    try:
        assert secret(f"/dev/fd/{reading}", "--api-key-file", None) == "from a pipe"
    finally:
        os.close(reading)


def test_a_pipe_that_nobody_writes_to_does_not_hang(tmp_path: Path) -> None:
    """A pipe without a writer counts as empty at once."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="is empty"):
        secret(str(tmp_path / "pipe"), "--api-key-file", None)


def test_whatever_is_no_readable_file_is_said_plainly(tmp_path: Path) -> None:
    """Missing files, folders, devices, broken or circular links and invalid names are reported in one line."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dead").symlink_to(tmp_path / "gone")
    (tmp_path / "ring").symlink_to(tmp_path / "ring")
    assert said(tmp_path / "gone") == "--x cannot be read (no such file or directory)."
    assert said(tmp_path) == "--x cannot be read (is a directory)."
    assert said(tmp_path / "pipe") == "--x is not a regular file."
    assert said(Path("/dev/zero")) == "--x is not a regular file."
    assert said(tmp_path / "dead") == "--x cannot be read (no such file or directory)."
    assert said(tmp_path / "ring") == "--x cannot be read (too many levels of symbolic links)."
    assert said(Path("a\0b")) == "--x cannot be read (not a file name)."


def test_size_and_encoding_have_limits(tmp_path: Path) -> None:
    """A file that is too large or not UTF-8 is reported in one line; a byte order mark is accepted."""
    path = tmp_path / "file"
    path.write_text("x" * 2049)
    assert said(path, 2048) == "--x is larger than 2 KiB."
    for text in ("ünï".encode("latin-1"), "text".encode("utf-16")):
        path.write_bytes(text)
        assert said(path) == "--x is not UTF-8 text."
    path.write_bytes(b"\xef\xbb\xbftext")
    assert read(path, "--x", 100)[0] == "text"


@pytest.mark.parametrize(
    ("mode", "wide"), [(0o600, False), (0o700, False), (0o640, True), (0o604, True), (0o644, True)]
)
def test_who_else_may_look_is_told(tmp_path: Path, mode: int, wide: bool) -> None:
    """Any permission for group or others counts; for a link, those of its target count."""
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_text("x")
    path.chmod(mode)
    link.symlink_to(path)
    for one in (path, link):
        text, found = read(one, "--x", 100)
        assert (text, is_open_to_others(found)) == ("x", wide)


def test_a_file_that_is_only_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path of a certificate is returned with ~ expanded; a missing file or a folder is an error."""
    (tmp_path / "ca.crt").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert must_exist("~/ca.crt", "--ca-certs") == str(tmp_path / "ca.crt")
    for path, why in ((str(tmp_path), "is a folder"), ("/no/such", "no such file")):
        with pytest.raises(ConfigError, match=why):
            must_exist(path, "--ca-certs")
