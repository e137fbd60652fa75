"""One run of esml, from its command line on: what its results and its errors are reported with."""

import time
from dataclasses import dataclass, field

from esml_stop.models import ClusterIdentity
from esml_stop.text import utc_now


@dataclass(slots=True)
class Invocation:
    """What is known about one run of esml, from the command line on; errors before any result are reported with it."""

    command: str = ""
    form: str | None = None
    debug: bool = False
    options: tuple[str, ...] = ()
    cluster: ClusterIdentity | None = None
    warnings: list[str] = field(default_factory=list)
    started_at: str = field(default_factory=utc_now)
    began: float = field(default_factory=time.monotonic)

    @property
    def is_data(self) -> bool:
        """Tell whether stdout is for programs, errors included."""
        return self.form in {"json", "jsonl"}
