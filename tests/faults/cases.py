"""The table of faults for test_faults.py: what goes wrong, in which phase, and how `esml stop d` must end."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from tests.support import faults
from tests.support.faulty_server import ENDPOINTS, LOOK, RESOLVE, STOP, Fault

OTHER_STOP = {"error": {"type": "x", "reason": "Could not undeploy. Attempt to stop again"}, "status": 500}
TYPO_404 = ("resource_not_found_exception", "No known model deployment with id [d]")


@dataclass(frozen=True)
class Case:
    """One fault and the expected result; `script` maps each phase to its responses, the last of which repeats.

    A `thorough` case repeats another one in a different way, and only runs in .ci/run. `requests` is the number of
    requests that the server receives in a phase.
    """

    name: str
    script: dict[str, tuple[Fault, ...]]
    status: int
    says: str
    outcome: str | None = None
    gone: bool = False
    forever: bool = True
    options: tuple[str, ...] = ("--timeout", "20s")
    requests: dict[str, int] = field(default_factory=dict)
    thorough: bool = False
    stop_ms: int = 0

    def __str__(self) -> str:
        return f"{self.name}, {' and '.join(self.script)}"


def once(name: str, phase: str, *answers: Fault, gone: bool = True, **more: object) -> Case:
    """Return a case in which everything works after some faults."""
    details: dict[str, object] = {"outcome": "stopped", "status": 0, "says": "", "options": (), "forever": False}
    return Case(name, {phase: answers}, gone=gone, **(details | more))  # type: ignore[arg-type]


def resolving(name: str, fault: Fault, says: str, status: int = 6, requests: int = 1, **more: object) -> Case:
    """Return a case in which the look-up fails, so that nothing is stopped."""
    return Case(name, {RESOLVE: (fault,)}, status, says, requests={RESOLVE: requests, STOP: 0}, **more)  # type: ignore[arg-type]


def stopping(name: str, fault: Fault, outcome: str, status: int, says: str, requests: int = 1, **more: object) -> Case:
    """Return a case in which the stop request gets a fault as its response."""
    details: dict[str, object] = {"requests": {STOP: requests}} | more
    return Case(name, {STOP: (fault,)}, status, says, outcome, **details)  # type: ignore[arg-type]


def listed(**stats: object) -> Fault:
    """Return a response with one deployment that has an invalid value."""
    shown = {"deployment_id": "d", "state": "started", **stats}
    entry = {"model_id": shown.pop("model_id", "m"), "deployment_stats": shown}
    return faults.answer({"count": 1, "trained_model_stats": [entry]})


# Invalid values in responses: rejected before any change, because they could not be reported afterwards.
ODD_VALUES: dict[str, tuple[dict[str, object], str]] = {
    "a size in other words": ({"cache_size": "1.5 GB"}, "it holds '1.5 GB' where a size such as 253.3mb belongs"),
    "half of a character in a model ID": ({"model_id": "m\ud800"}, "a model called 'm\\ud800', which cannot be an ID"),
    "half of a character in a priority": ({"priority": "\udfff"}, "it holds '\\udfff', which is not valid Unicode"),
}


def looking(name: str, fault: Fault, **more: object) -> Case:
    """Return a case in which the stop succeeds and the check afterwards fails."""
    shown = "stopped, according to Elasticsearch; a final check was not possible"
    return Case(name, {LOOK: (fault,)}, 0, shown, "stopped", gone=True, requests={STOP: 1, LOOK: 1}, **more)  # type: ignore[arg-type]


def alike(keep: int, cases: Iterable[Case]) -> Iterator[Case]:
    """Yield similar cases; all but the first `keep` are thorough."""
    for number, case in enumerate(cases):
        yield replace(case, thorough=number >= keep)


ODD_ANSWERS = {
    "a web page": (faults.page(), "is not Elasticsearch: it answered HTTP 200 with a web page (HTML)."),
    "empty": (faults.answer(), "it holds nothing where an object belongs."),
    "no content": (faults.answer(b"", 204), "it holds nothing where an object belongs."),
    "half of a JSON": (faults.answer(b'{"count": 1, "trai'), "sent a response that cannot be read."),
    "a list": (faults.answer([1]), "it holds a list where an object belongs."),
    "another type": (faults.answer({"count": "1", "stopped": "yes"}), "it holds a text where"),
    "deeply nested": (faults.answer(b"[" * 100_000), "sent a response that cannot be read."),
    "invalid UTF-8": (faults.answer(b'{"count": 1, "x": "\xff\xfe"}'), "sent a response that cannot be read."),
    "not packed as it says": (faults.answer({"count": 1}, content_encoding="gzip"), "sent a response that cannot be"),
    "no product header": (
        faults.answer({"count": 0, "stopped": True}, product=False),
        "without Elasticsearch's product header.",
    ),
    "a redirect": (
        faults.answer(b"", 302, location="http://127.0.0.1:1/"),
        "a redirect (HTTP 302), which esml",
    ),
    "a 404 of something else": (faults.page(404), "is not Elasticsearch: it answered HTTP 404 with a web page (HTML)."),
}
LARGE_ANSWERS = {
    "70 MB": (faults.huge(70), "sent a response larger than 64 MB."),
    "a gzip bomb": (faults.bomb("gzip", 70), "sent a response larger than 64 MB."),
    "a deflate bomb": (faults.bomb("deflate", 70), "sent a response larger than 64 MB."),
    "packed twice": (faults.bomb("gzip, gzip", 70), "sent a response that cannot be read."),
}
NO_END = {
    "a byte a second": faults.drip(),
    "a head that drips": faults.drip(from_head=True),
    "no answer": faults.silence,
}
BROKEN = {
    "a reset": faults.reset,
    "a closed connection": faults.hang_up,
    "a truncated answer": faults.truncated,
    "no HTTP at all": faults.raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
}
CLOSED = "closed the connection without a complete answer."
SILENT = "did not answer in time."
BRIEF = ("--timeout", "2s")

CASES = [
    # Endless responses: the deadline ends them in every phase.
    *(resolving(name, fault, SILENT, options=BRIEF) for name, fault in NO_END.items()),
    *alike(1, (stopping(name, fault, "unknown", 7, SILENT, options=BRIEF) for name, fault in NO_END.items())),
    *alike(1, (looking(name, fault, options=BRIEF) for name, fault in NO_END.items())),
    stopping("carried out, but drips", faults.work_then(faults.drip()), "stopped", 0, "", gone=True, options=BRIEF),
    Case("a stop that lasts longer", {}, 7, "d is still stopping: ", "stopping", stop_ms=4_000, options=BRIEF),
    # Broken connections: retried; a stop only after reading the state.
    *alike(2, (resolving(name, fault, CLOSED, requests=4) for name, fault in BROKEN.items())),
    *alike(1, (stopping(name, fault, "failed", 1, CLOSED, requests=4) for name, fault in BROKEN.items())),
    once("one reset", RESOLVE, faults.reset, requests={STOP: 1}),
    once("one reset", STOP, faults.reset, requests={STOP: 2}),
    once("one reset", LOOK, faults.reset, requests={STOP: 1, LOOK: 2}),
    once("carried out, then a reset", STOP, faults.reset_after, requests={STOP: 1}),
    once("carried out, then a 504", STOP, faults.work_then(faults.page(504)), requests={STOP: 1}),
    once("carried out, then a 502", STOP, faults.work_then(faults.error(502)), requests={STOP: 1}),
    once("a keep-alive connection that is closed", RESOLVE, *[faults.closing] * 3, requests={STOP: 1}),
    # Unavailable clusters: Retry-After is used, but not beyond the deadline.
    *(
        resolving(
            f"HTTP {status}",
            faults.error(status, reason="busy"),
            f"(HTTP {status}: busy).",
            requests=4,
        )
        for status in (429, 503)
    ),
    *alike(
        1,
        (
            resolving(f"HTTP {status} as a page", faults.page(status), f"(HTTP {status}).", requests=4)
            for status in (502, 504)
        ),
    ),
    stopping("HTTP 503", faults.error(503), "failed", 1, "It is still running.", requests=4),
    stopping("HTTP 429", faults.error(429), "failed", 1, "It is still running.", requests=4),
    once("Retry-After: 1", STOP, faults.error(429, retry_after="1"), requests={STOP: 2}),
    *(
        resolving(f"Retry-After: {text}", faults.error(503, retry_after=text), "It asks to wait")
        for text in ("3600", "Wed, 21 Oct 2099 07:28:00 GMT")
    ),
    stopping("Retry-After: 9999999999999999", faults.error(429, retry_after="9" * 16), "failed", 1, "It asks to wait"),
    resolving("Retry-After: soon", faults.error(503, retry_after="soon"), "(HTTP 503: no).", requests=4),
    once("a 503 of an unknown media type", RESOLVE, faults.answer(b"\0\1", 503, media="application/octet-stream")),
    # Permanent errors: not retried.
    resolving("HTTP 400", faults.error(400), "HTTP 400: no", status=1),
    resolving("HTTP 401", faults.error(401, "security_exception"), "requires authentication", status=4),
    resolving("HTTP 403", faults.error(403, "security_exception"), "does not allow this", status=4),
    resolving("HTTP 500", faults.error(500), "HTTP 500: no", status=1),
    stopping("HTTP 400", faults.error(400), "failed", 1, "HTTP 400: no"),
    stopping("HTTP 401", faults.error(401, "security_exception"), "failed", 4, "requires authentication"),
    stopping("HTTP 403", faults.error(403, "security_exception"), "failed", 4, "does not allow this"),
    stopping("HTTP 500", faults.error(500), "failed", 1, "HTTP 500: no"),
    stopping("HTTP 409", faults.error(409), "in_use", 5, "esml stop d --force"),
    stopping("HTTP 404 about something else", faults.error(404, "index_not_found_exception"), "failed", 1, "HTTP 404"),
    once("a master lost midway", STOP, faults.master_lost(502, "node_disconnected_exception"), requests={STOP: 2}),
    once("a master lost midway, 500", STOP, faults.master_lost(500, "not_master_exception"), requests={STOP: 2}),
    once("a fail-over", STOP, faults.error(500, "not_master_exception"), requests={STOP: 2}),
    once("a fail-over", RESOLVE, faults.error(500, "node_closed_exception"), requests={RESOLVE: 2, STOP: 1}),
    once("Attempt to stop again", STOP, faults.answer(OTHER_STOP, 500), requests={STOP: 2}),
    Case("a lost answer, then a 409", {STOP: (faults.reset, faults.error(409))}, 5, "in use", "in_use", forever=False),
    Case(
        "a lost answer, then a 404",
        {STOP: (faults.reset, faults.error(404, *TYPO_404))},
        1,
        "is still listed as running.",
        "failed",
        forever=False,
    ),
    # Responses that are not from Elasticsearch: one line, exit code 6, never "stopped".
    *alike(6, (resolving(name, fault, says) for name, (fault, says) in ODD_ANSWERS.items())),
    *alike(4, (stopping(name, fault, "unknown", 6, says) for name, (fault, says) in ODD_ANSWERS.items())),
    *alike(2, (resolving(name, fault, says) for name, (fault, says) in LARGE_ANSWERS.items())),
    *alike(1, (looking(name, ODD_ANSWERS[name][0]) for name in ("a web page", "half of a JSON", "no product header"))),
    stopping("stopped: false", faults.answer({"stopped": False}), "unknown", 6, '"stopped": false'),
    stopping("stopped: true, but it runs on", faults.answer({"stopped": True}), "failed", 1, "still listed as running"),
    resolving(
        "an ID that no request can name",
        listed(deployment_id=".."),
        "a deployment called '..', which cannot be an ID",
    ),
    *(resolving(name, listed(**odd), says) for name, (odd, says) in ODD_VALUES.items()),
    # Uses that cannot be read do not prevent a stop.
    once("HTTP 403", ENDPOINTS, faults.error(403, "security_exception"), requests={STOP: 1}),
    once("a web page", ENDPOINTS, faults.page(), requests={STOP: 1}),
    once("a byte a second", ENDPOINTS, faults.drip(), requests={STOP: 1}, options=("--timeout", "6s")),
    # With --no-check the deployment was not listed before, so less is known afterwards.
    Case(
        "never reached, --no-check",
        {STOP: (faults.reset,)},
        1,
        CLOSED,
        "failed",
        options=("--no-check", "--timeout", "20s"),
    ),
    Case(
        "a typing error behind a 502, --no-check",
        {STOP: (faults.work_then(faults.error(502)),)},
        7,
        "is not running, but an answer to the stop was lost",
        "unknown",
        gone=True,
        forever=False,
        options=("--no-check", "--timeout", "20s"),
    ),
]
