"""Errors of a command or a target, each with an exit code, a stable error code for programs, and an optional hint."""

from typing import Any

from esml_stop.exit_status import ExitStatus
from esml_stop.text import clean

CHECK_URL = "Check that this is the address of Elasticsearch itself, not of Kibana, a proxy or another web server."


class EsmlError(Exception):
    """An expected failure: what happened, and what to do about it.

    `code` is a stable error code for programs, `exit_status` the exit code for this error. `http_status`, `type` and
    `reason` come from the error response of Elasticsearch, if there was one. `transient` means that the same request
    may succeed later, after `retry_after` seconds if the server sent Retry-After. `sent` is False if the request
    certainly never left this machine.
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
        super().__init__(clean(message))  # tracebacks print this text without escaping it
        self.message = message
        self.hint = hint
        self.target = target
        self.code = code or self.code
        self.exit_status = self.exit_status if exit_status is None else exit_status

    def replace(self, **changes: Any) -> "EsmlError":
        """Return a copy of this error with some attributes changed, such as the hint or the exit code."""
        other = self.__class__.__new__(self.__class__, *self.args)
        other.__dict__.update(self.__dict__, **changes)
        other.args = (clean(other.message),)
        return other


class InputError(EsmlError):
    """The arguments, or a file that they name, cannot be used."""

    exit_status = ExitStatus.USAGE
    code = "usage"


class ConfigError(EsmlError):
    """The connection settings are missing, contradictory or unreadable, or a save file cannot be written."""

    exit_status = ExitStatus.USAGE
    code = "config"


class EndedEarly(EsmlError):
    """A signal ended the command before it changed anything."""

    code = "interrupted"

    def __init__(self, signal: int) -> None:
        super().__init__("Interrupted before anything was changed.")
        self.exit_status = ExitStatus(128 + signal)


class Unreachable(EsmlError):
    """The cluster sent no usable response, e.g. connection refused, unknown host, timeout or repeated errors."""

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
    """The time limit of --timeout was reached."""

    code = "deadline"


class TlsFailed(Unreachable):
    """The TLS connection could not be established; never retried."""

    code = "tls"


class BadAnswer(Unreachable):
    """The response is not from Elasticsearch, or not in the form that esml expects."""

    code = "bad_answer"


class OutputFailed(EsmlError):
    """The results cannot be written to standard output; changes that were made remain."""

    code = "output"


class Refused(EsmlError):
    """Elasticsearch returned an error status."""

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
    """HTTP 403: the credentials are valid, but a privilege is missing."""

    exit_status = ExitStatus.AUTH
    code = "not_allowed"
