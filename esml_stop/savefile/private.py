"""The save file that esml creates for a restart without --save."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from esml_stop.errors import InputError
from esml_stop.savefile.file import SaveFile


def private_file(environment: Mapping[str, str], now: Callable[[], str]) -> SaveFile:
    """Return a new save file in the user's state folder or, if that is not writable, in the temporary folder."""
    name = f"restart-{now().replace(':', '').replace('-', '')}-{os.getpid()}.json"
    for folder in (*state_folder(environment), Path(tempfile.gettempdir())):
        with suppress(OSError, InputError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = SaveFile(str(folder / name), now)
            file.check()
            return file
    raise InputError("No folder is writable for the settings of the deployments.", hint="Pass --save FILE.")


def state_folder(environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield the folder for state files according to the XDG Base Directory Specification, if it is known."""
    state, home = environment.get("XDG_STATE_HOME", ""), environment.get("HOME")
    if state.startswith("/"):
        yield Path(state) / "esml"
    elif home:
        yield Path(home) / ".local" / "state" / "esml"
