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


def saved_ids(path: Path) -> list[str]:
    """Return the deployment IDs in a save file."""
    return [one.deployment_id for one in read(str(path)).deployments]


def test_a_save_file_is_written_twice_and_read(tmp_path: Path) -> None:
    """The file is written before and after the stops, with mode 0600 and without leftover temporary files."""
    file = save_file(tmp_path / "f.json")
    file.check()
    assert file.write([result(Outcome.WOULD_STOP)], CLUSTER) == str(tmp_path / "f.json")
    assert '"outcome": null' in file.path.read_text()
    file.write([result(Outcome.STOPPED)], CLUSTER)
    assert '"outcome": "stopped"' in file.path.read_text()
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["f.json"]
    assert saved_ids(file.path) == ["d"]
    assert read(str(file.path)).cluster == CLUSTER


def test_saving_to_an_existing_file_adds_to_it(tmp_path: Path) -> None:
    """Saving to an existing file adds to it and keeps its entries, even if the run stops no deployment."""
    path = tmp_path / "f.json"
    for names in ("ab", "bc", ""):
        save_file(path).write([result(Outcome.STOPPED, name) for name in names], CLUSTER)
    assert saved_ids(path) == ["a", "b", "c"]


@pytest.mark.parametrize("content", ["precious", "{}", '{"save_version": 1}', ""])
def test_a_file_that_is_not_a_save_file_is_rejected_and_kept(tmp_path: Path, content: str) -> None:
    """A file that is not a save file is rejected and not changed, even if it appears after the first check."""
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
    ("other", "message"),
    [
        (
            ClusterIdentity("https://es:9200", "prod", "xyz"),
            r"was saved from another .*UUID abc, at .*UUID xyz",
        ),
        (ClusterIdentity("https://staging", "staging", "xyz"), 'This is "staging" \\(https://staging\\)'),
        (ClusterIdentity("https://staging"), "may have been saved from another cluster"),
    ],
)
def test_a_save_file_of_another_cluster_is_rejected(tmp_path: Path, other: ClusterIdentity, message: str) -> None:
    """A save file of another cluster is rejected, by UUID or, if that is unknown, by URL."""
    file = save_file(tmp_path / "f.json")
    file.write([result(Outcome.WOULD_STOP)], CLUSTER)
    for attempt in (file.check_cluster, lambda cluster: file.write([], cluster)):
        with pytest.raises(InputError, match=message):
            attempt(other)
    file.check_cluster(ClusterIdentity("https://moved:9200", "prod", "abc"))
    file.check_cluster(ClusterIdentity("https://es:9200"))
    assert saved_ids(file.path) == ["d"]


def test_the_target_of_a_symbolic_link_is_written(tmp_path: Path) -> None:
    """The target of a symbolic link is written, even if it does not exist yet; a circular link is an error."""
    (tmp_path / "folder").mkdir()
    link, target = tmp_path / "link.json", tmp_path / "folder" / "f.json"
    link.symlink_to(target)
    for name in "ab":
        file = save_file(link)
        file.check()
        file.write([result(Outcome.STOPPED, name)], CLUSTER)
    assert (link.is_symlink(), saved_ids(target)) == (True, ["a", "b"])
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(InputError, match="cannot be written"):
        save_file(link).check()


def test_a_path_that_cannot_be_a_save_file_is_rejected(tmp_path: Path) -> None:
    """A folder, a device, a pipe and a path in a missing folder are rejected."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, Path("/dev/null"), tmp_path / "pipe"):
        with pytest.raises(InputError, match="not a regular file"):
            save_file(path).check()
    with pytest.raises(InputError, match="its folder does not exist"):
        save_file(tmp_path / "no" / "f.json").check()
    with pytest.raises(ConfigError, match="cannot be written: no such file or directory"):
        save_file(tmp_path / "no" / "f.json").write([], CLUSTER)


def test_an_unreadable_save_file_is_reported(tmp_path: Path) -> None:
    """A save file that is missing, a folder, or not valid JSON is reported."""
    with pytest.raises(InputError, match="cannot be read"):
        read(str(tmp_path / "missing"))
    with pytest.raises(InputError, match="cannot be read"):
        read(str(tmp_path))
    for content in (b"\xff\xfe", b"[" * 100_000, b"{"):
        (tmp_path / "f").write_bytes(content)
        with pytest.raises(InputError, match="it is not JSON"):
            read(str(tmp_path / "f"))


def test_concurrent_saves_to_one_file_lose_no_entries(tmp_path: Path) -> None:
    """Concurrent saves to one file keep the entries of all of them."""
    path, names = tmp_path / "f.json", [f"d{number}" for number in range(12)]
    writers = [
        threading.Thread(target=save_file(path).write, args=([result(Outcome.STOPPED, name)], CLUSTER))
        for name in names
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(saved_ids(path)) == sorted(names)
