"""The errors that end a command: each has an exit code, a stable code for programs, and a hint."""

from typing import Any

from esml_stop.exit_status import ExitStatus
from esml_stop.text import clean

CHECK_URL = "Is this the address of Elasticsearch itself, not of Kibana, a proxy or another web server?"


class EsmlError(Exception):
    """An expected failure, from where it is raised to where it is shown: what happened, and what to do about it.

    `code` is stable, for programs; `exit_status` is what the command ends with because of it. `http_status`, `type` and
    `reason` are Elasticsearch's own, where it answered. `transient`: the same request may work later, after
    `retry_after` seconds if the server said so. `sent` is False when the request certainly never left this machine.
    """

    exit_status: int = ExitStatus.FAILED
    code = "failed"
    http_status: int | None = None
    type: str | None = None
    reason: str | None = None
    transient = False
    retry_after: float | None = None
    sent = True

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        target: str | None = None,
        code: str | None = None,
        exit_status: int | None = None,
    ) -> None:
        super().__init__(clean(message))  # a traceback shows it as it is
        self.message = message
        self.hint = hint
        self.target = target
        self.code = code or self.code
        self.exit_status = self.exit_status if exit_status is None else exit_status

    def but(self, **changes: Any) -> "EsmlError":
        """Return a copy of this error with some attributes changed, such as the hint or the exit code."""
        other = self.__class__.__new__(self.__class__, *self.args)
        other.__dict__.update(self.__dict__, **changes)
        other.args = (clean(other.message),)
        return other


class InputError(EsmlError):
    """The arguments cannot be carried out; no request was made."""

    exit_status = ExitStatus.USAGE
    code = "usage"


class ConfigError(EsmlError):
    """The connection settings are missing, contradict each other or cannot be read."""

    exit_status = ExitStatus.USAGE
    code = "config"


class EndedEarly(EsmlError):
    """A signal ended the command before it changed anything."""

    code = "interrupted"

    def __init__(self, signal: int) -> None:
        super().__init__("Interrupted before anything was changed.")
        self.exit_status = ExitStatus(128 + signal)


class Unreachable(EsmlError):
    """The cluster gave no usable answer: refused, unknown host, time-out, or it kept failing."""

    exit_status = ExitStatus.UNREACHABLE
    code = "unreachable"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        transient: bool = False,
        retry_after: float | None = None,
        sent: bool = True,
    ) -> None:
        super().__init__(message, hint=hint)
        self.transient = transient
        self.retry_after = retry_after
        self.sent = sent


class DeadlinePassed(Unreachable):
    """The time limit of --timeout passed before any stop was sent."""

    code = "deadline"


class TlsFailed(Unreachable):
    """The encrypted connection could not be made; never retried."""

    code = "tls"


class BadAnswer(Unreachable):
    """Something answered, but not as Elasticsearch does."""

    code = "bad_answer"


class OutputFailed(EsmlError):
    """The results cannot be written to standard output; changes that were made remain."""

    code = "output"


class Refused(EsmlError):
    """Elasticsearch answered with an error status."""

    code = "refused"

    def __init__(
        self,
        message: str,
        *,
        http_status: int,
        type: str | None = None,
        reason: str | None = None,
        hint: str | None = None,
        transient: bool = False,
    ) -> None:
        super().__init__(message, hint=hint)
        self.http_status = http_status
        self.type = type
        self.reason = reason
        self.transient = transient


class NotAuthenticated(Refused):
    """HTTP 401: the credentials are missing or wrong."""

    exit_status = ExitStatus.AUTH
    code = "not_authenticated"


class NotAllowed(Refused):
    """HTTP 403: the credentials are good, a privilege is missing."""

    exit_status = ExitStatus.AUTH
    code = "not_allowed"
