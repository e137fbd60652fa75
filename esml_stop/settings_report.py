"""The report of `esml config`: the connection settings with their sources, and the result of --check."""

from collections.abc import Mapping
from typing import NamedTuple

from esml_stop.errors import EsmlError
from esml_stop.exit_status import ExitStatus


class Setting(NamedTuple):
    """One setting, with any secret masked, and its source."""

    name: str
    value: str
    source: str = ""


class Inspection(NamedTuple):
    """What a cluster reports about itself and about the authenticated user; None for values that could not be read.

    `privileges` maps each privilege that esml can use to whether the user has it, or None if the server does not know
    it.
    """

    user: str | None
    roles: tuple[str, ...] = ()
    api_key: str | None = None
    security: bool = True
    cluster_name: str | None = None
    version: str | None = None
    privileges: Mapping[str, bool | None] | None = None

    @property
    def may_stop(self) -> bool:
        """Return whether the user may stop deployments."""
        return bool((self.privileges or {}).get("manage_ml"))


class SettingsReport(NamedTuple):
    """The result of one `esml config`, for any output format.

    `blocked` is True if the profile's command policy does not allow stops.
    """

    settings: tuple[Setting, ...]
    not_used: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    inspection: Inspection | None = None
    error: EsmlError | None = None
    blocked: bool = False

    @property
    def exit_status(self) -> int:
        """Return the exit code: that of the error, 4 if --check found that stops are not allowed, else 0."""
        if self.error:
            return self.error.exit_status
        unable = self.inspection and (self.blocked or not self.inspection.may_stop)
        return ExitStatus.AUTH if unable else ExitStatus.OK
