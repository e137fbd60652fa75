"""The file from which stopped deployments are started again: written before the first stop, never half."""

import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from esml_stop.errors import ConfigError, InputError
from esml_stop.models import Deployment
from esml_stop.outcomes import Result
from esml_stop.savedata import deployments, document
from esml_stop.shape import WrongShape

LARGEST = 64 * 1024 * 1024


class SaveFile:
    """A file that is written twice: with what is about to be stopped, and with what became of it."""

    def __init__(self, path: str, *, overwrite: bool = False) -> None:
        self.path = Path(path)
        self.overwrite = overwrite

    def check(self) -> None:
        """Raise InputError, before any request, when the file could not be written."""
        folder = self.path.parent
        if self.path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
            raise InputError(f"{self.path} cannot be written.", hint="Is its folder there, and may you write to it?")
        if self.path.exists() and not self.overwrite:
            raise self.taken()

    def write(self, results: Iterable[Result], cluster: str) -> None:
        """Write the deployments that are stopped, or would be; from then on the file may be replaced."""
        text = json.dumps(document(results, cluster), indent=2) + "\n"
        try:
            replace(self.path, text, exclusive=not self.overwrite)
        except FileExistsError:
            raise self.taken() from None
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be written ({(error.strerror or 'why?').lower()}).") from None
        self.overwrite = True

    def taken(self) -> InputError:
        """Return the error about a file that is there already."""
        return InputError(f"{self.path} exists already.", hint="Take another name, or add --overwrite.")


def replace(path: Path, text: str, *, exclusive: bool) -> None:
    """Write a file so that it is whole or not there, whatever happens; only its owner may read it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if exclusive:
            os.link(temporary, path)  # fails when the file is there, also if it came a moment ago
        else:
            Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def read(path: str) -> tuple[Deployment, ...]:
    """Return the deployments of a file; raise InputError when it is not one that --save wrote."""
    try:
        return deployments(json.loads(content(path)))
    except WrongShape as wrong:
        raise InputError(f"{path} was not written by esml stop --save: {wrong}.") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path} was not written by esml stop --save: it is not JSON.") from None


def content(path: str) -> str:
    """Return the text of a file that is not too large."""
    try:
        with Path(path).open(encoding="utf-8") as file:
            text = file.read(LARGEST + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({(error.strerror or 'why?').lower()}).") from None
    if len(text) > LARGEST:
        raise InputError(f"{path} is larger than {LARGEST // 1024 // 1024} MB.")
    return text
