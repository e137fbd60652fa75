"""The report of `esml config`: the connection settings with their sources, and the result of --check."""

from collections.abc import Mapping
from typing import NamedTuple

from esml_stop.errors import EsmlError
from esml_stop.exit_status import ExitStatus


class Setting(NamedTuple):
    """One setting without secrets, and its source."""

    name: str
    value: str
    source: str = ""


class Inspection(NamedTuple):
    """What a cluster said about itself and about who asks; None where that may not be read.

    `may` holds for each privilege that esml can use whether it is there.
    """

    user: str | None
    roles: tuple[str, ...] = ()
    api_key: str | None = None
    security: bool = True
    cluster_name: str | None = None
    version: str | None = None
    may: Mapping[str, bool | None] | None = None

    @property
    def may_stop(self) -> bool:
        """Tell whether deployments may be stopped."""
        return bool((self.may or {}).get("manage_ml"))


class SettingsReport(NamedTuple):
    """The end of one `esml config`, ready to be shown in any form.

    `blocked` tells whether the profile's command policy does not allow stops.
    """

    settings: tuple[Setting, ...]
    not_used: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    inspection: Inspection | None = None
    error: EsmlError | None = None
    blocked: bool = False

    @property
    def exit_status(self) -> int:
        """Return 0 when the settings make a connection that, if it was tried, may stop deployments."""
        if self.error:
            return self.error.exit_status
        unable = self.inspection and (self.blocked or not self.inspection.may_stop)
        return ExitStatus.AUTH if unable else ExitStatus.OK
