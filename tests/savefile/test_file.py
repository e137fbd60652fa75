import os
import threading
from pathlib import Path

import pytest

from esml_stop.errors import ConfigError, InputError
from esml_stop.invocation import ClusterIdentity
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.savefile.file import SaveFile, read
from tests.support.builders import deployment

CLUSTER = ClusterIdentity("https://es:9200", "prod", "abc")


def result(outcome: Outcome, name: str = "d") -> Result:
    """Return the result of a deployment that was planned to be stopped."""
    return Result(Target(name, Outcome.WOULD_STOP, deployment(name)), outcome)


def save_file(path: Path) -> SaveFile:
    """Return a save file whose time is fixed."""
    return SaveFile(str(path), lambda: "2026-01-02T03:04:05Z")


def saved(path: Path) -> list[str]:
    """Return the IDs in a save file."""
    return [one.deployment_id for one in read(str(path)).deployments]


def test_a_file_is_written_twice_and_read(tmp_path: Path) -> None:
    """The file is written before the first stop and after the last, for its owner only, without temporary files."""
    file = save_file(tmp_path / "f.json")
    file.check()
    assert file.write([result(Outcome.WOULD_STOP)], CLUSTER) == str(tmp_path / "f.json")
    assert '"outcome": null' in file.path.read_text()
    file.write([result(Outcome.STOPPED)], CLUSTER)
    assert '"outcome": "stopped"' in file.path.read_text()
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["f.json"]
    assert saved(file.path) == ["d"]
    assert read(str(file.path)).cluster == CLUSTER


def test_a_save_file_is_added_to(tmp_path: Path) -> None:
    """Saving to an existing file adds to it, even if the run stops fewer deployments."""
    path = tmp_path / "f.json"
    for names in ("ab", "bc", ""):
        save_file(path).write([result(Outcome.STOPPED, name) for name in names], CLUSTER)
    assert saved(path) == ["a", "b", "c"]


@pytest.mark.parametrize("content", ["precious", "{}", '{"save_version": 1}', ""])
def test_a_file_that_is_no_save_file_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    """A file that is not a save file is rejected and not changed, also if it appears after the check."""
    path = tmp_path / "f.json"
    file = save_file(path)
    file.check()
    path.write_text(content)
    for attempt in (file.check, lambda: file.write([result(Outcome.WOULD_STOP)], CLUSTER)):
        with pytest.raises(InputError, match="was not written by esml stop --save"):
            attempt()
    assert path.read_text() == content
    assert [one.name for one in tmp_path.iterdir()] == ["f.json"]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (
            ClusterIdentity("https://es:9200", "prod", "xyz"),
            r"was saved from another .*UUID abc, at .*UUID xyz",
        ),
        (ClusterIdentity("https://staging", "staging", "xyz"), 'This is "staging" \\(https://staging\\)'),
        (ClusterIdentity("https://staging"), "may have been saved from another cluster"),
    ],
)
def test_a_file_of_another_cluster_is_refused(tmp_path: Path, other: ClusterIdentity, said: str) -> None:
    """A file of another cluster is rejected, by UUID or, if that is unknown, by URL."""
    file = save_file(tmp_path / "f.json")
    file.write([result(Outcome.WOULD_STOP)], CLUSTER)
    for attempt in (file.check_cluster, lambda cluster: file.write([], cluster)):
        with pytest.raises(InputError, match=said):
            attempt(other)
    file.check_cluster(ClusterIdentity("https://moved:9200", "prod", "abc"))
    file.check_cluster(ClusterIdentity("https://es:9200"))
    assert saved(file.path) == ["d"]


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    """The target of a symbolic link is written, even if it does not exist yet."""
    (tmp_path / "folder").mkdir()
    link, target = tmp_path / "link.json", tmp_path / "folder" / "f.json"
    link.symlink_to(target)
    for name in "ab":
        file = save_file(link)
        file.check()
        file.write([result(Outcome.STOPPED, name)], CLUSTER)
    assert (link.is_symlink(), saved(target)) == (True, ["a", "b"])
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(InputError, match="cannot be written"):
        save_file(link).check()


def test_what_is_no_regular_file_is_refused_before_any_request(tmp_path: Path) -> None:
    """A folder, device or pipe, and a missing or read-only folder, are rejected before any request."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, Path("/dev/null"), tmp_path / "pipe"):
        with pytest.raises(InputError, match="not a regular file"):
            save_file(path).check()
    with pytest.raises(InputError, match="its folder does not exist"):
        save_file(tmp_path / "no" / "f.json").check()
    with pytest.raises(ConfigError, match="cannot be written: no such file or directory"):
        save_file(tmp_path / "no" / "f.json").write([], CLUSTER)


def test_a_file_that_cannot_be_read_is_said_to_be(tmp_path: Path) -> None:
    """A file that is missing, a folder, not text or too deeply nested is reported."""
    with pytest.raises(InputError, match="cannot be read"):
        read(str(tmp_path / "missing"))
    with pytest.raises(InputError, match="cannot be read"):
        read(str(tmp_path))
    for content in (b"\xff\xfe", b"[" * 100_000, b"{"):
        (tmp_path / "f").write_bytes(content)
        with pytest.raises(InputError, match="it is not JSON"):
            read(str(tmp_path / "f"))


def test_runs_that_save_to_one_file_at_once_lose_nothing(tmp_path: Path) -> None:
    """Concurrent runs that save to one file keep each other's entries."""
    path, names = tmp_path / "f.json", [f"d{number}" for number in range(12)]
    writers = [
        threading.Thread(target=save_file(path).write, args=([result(Outcome.STOPPED, name)], CLUSTER))
        for name in names
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(saved(path)) == sorted(names)
