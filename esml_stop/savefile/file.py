"""Save files: read, merged and written atomically, readable by their owner only."""

import fcntl
import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from esml_stop.errors import ConfigError, InputError
from esml_stop.invocation import ClusterIdentity
from esml_stop.json_values import WrongShape
from esml_stop.outcomes import Result
from esml_stop.savefile.document import Document, document, parsed

LARGEST = 64 * 1024 * 1024  # bytes


class SaveFile:
    """A file that is written twice: before the first stop, and at the end with the outcomes.

    Existing entries are kept: a run adds its deployments to the file and replaces only their entries.
    """

    def __init__(self, path: str, now: Callable[[], str]) -> None:
        self.name = path
        self.now = now
        self.path = target_of(path)

    def check(self) -> None:
        """Raise InputError if the file cannot be written or is not a save file; called before the first request."""
        if self.path.exists():
            if not stat.S_ISREG(self.path.stat().st_mode):
                raise cannot_write(self.name, "it is not a regular file")
            self.existing()
        folder = self.path.parent
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            raise cannot_write(self.name, "its folder does not exist or is not writable")

    def check_cluster(self, cluster: ClusterIdentity) -> None:
        """Raise InputError if the file was saved from another cluster."""
        found = self.existing()
        if found and (mismatch := found.mismatch(cluster, self.name)):
            raise InputError(mismatch, hint="Choose another file.")

    def existing(self) -> Document | None:
        """Return the document in the file, or None if the file does not exist."""
        return read(str(self.path), self.name) if self.path.exists() else None

    def write(self, results: Sequence[Result], cluster: ClusterIdentity) -> str:
        """Add the deployments of a run to the file and return its name; raise EsmlError if that fails."""
        new = document(results, cluster, self.now())
        try:
            with locked(self.path.parent):
                self.check_cluster(cluster)
                found = self.existing()
                replace(self.path, (new.merged(found) if found else new).content)
        except OSError as error:
            raise ConfigError(f"{self.name} cannot be written: {reason(error)}.") from None
        return self.name

    def remove(self) -> None:
        """Remove the file if it exists."""
        self.path.unlink(missing_ok=True)


def target_of(path: str) -> Path:
    """Return the path to write: the target of a symbolic link, not the link; raise InputError for a circular link."""
    try:
        found = Path(path).resolve()
    except (OSError, RuntimeError):
        found = Path(path)
    if found.is_symlink():  # from Python 3.13 on, resolve() returns a circular link unchanged
        raise cannot_write(path, "too many levels of symbolic links")
    return found


def cannot_write(name: str, why: str) -> InputError:
    """Return the error for a file that cannot be written."""
    return InputError(f"{name} cannot be written: {why}.", hint="Choose another file.")


def reason(error: OSError) -> str:
    """Return the message of the operating system in lower case, for use inside a sentence."""
    return (error.strerror or "unknown error").lower()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder, so that two runs of esml do not overwrite each other's save files."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems do not support locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def replace(path: Path, content: object) -> None:
    """Write a file atomically and durably, with mode 0600."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:200]}.")  # creates it with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(content, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Sync a folder to disk, so that a renamed file survives a crash, where the file system supports it."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read(path: str, name: str | None = None) -> Document:
    """Return the document in a save file; raise InputError if it is not a save file."""
    return loaded(content(path, name or path), name or path)


def loaded(text: str, name: str) -> Document:
    """Return the document in the text of a save file."""
    try:
        return parsed(json.loads(text))
    except WrongShape as wrong:
        raise InputError(f"{name} was not written by esml stop --save: {wrong}.") from None
    except (ValueError, RecursionError):
        raise InputError(f"{name} was not written by esml stop --save: it is not JSON.") from None


def content(path: str, name: str) -> str:
    """Return the text of a file; raise InputError if it cannot be read or is too large."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise InputError(f"{name} cannot be read: {reason(error)}.") from None
    if len(data) > LARGEST:
        raise InputError(f"{name} is larger than {LARGEST // 1024 // 1024} MB.")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise InputError(f"{name} was not written by esml stop --save: it is not JSON.") from None
