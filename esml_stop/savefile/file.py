"""The file from which stopped deployments are started again: written before the first stop, never half."""

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from esml_stop.errors import ConfigError, EsmlError, InputError
from esml_stop.json_values import WrongShape
from esml_stop.models import Deployment
from esml_stop.outcomes import Outcome, Result
from esml_stop.output import stderr
from esml_stop.savefile.document import deployments, document
from esml_stop.text import clean

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

    def write(self, results: Sequence[Result], cluster: str) -> str | None:
        """Write the deployments that are stopped, or would be, and return the file's name; None if all is held back.

        From then on the file may be replaced.
        """
        if any(one.target.decision is Outcome.NOT_STARTED for one in results):
            return None
        text = json.dumps(document(results, cluster), indent=2) + "\n"
        try:
            replace(self.path, text, exclusive=not self.overwrite)
        except FileExistsError:
            raise self.taken() from None
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be written ({(error.strerror or 'why?').lower()}).") from None
        self.overwrite = True
        return str(self.path)

    def add_outcomes(self, results: Sequence[Result], cluster: str) -> None:
        """Write again, with what became of each; the report counts for more than that this can be done."""
        try:
            self.write(results, cluster)
        except EsmlError as error:
            stderr.warn(clean(f"{error} What it says of the deployments was written before the first stop."))

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
            link(temporary, path)
        else:
            Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def link(temporary: str, path: Path) -> None:
    """Give a file its name; raise FileExistsError when that is taken, also if it was a moment ago."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        Path(temporary).replace(path)


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
