"""The table of faults for test_faults.py: each case states a fault, its phase, and how `esml stop d` must end."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from tests.support import faults
from tests.support.faulty_server import ENDPOINTS, LOOK, RESOLVE, STOP, Fault

STOP_AGAIN_ERROR = {"error": {"type": "x", "reason": "Could not undeploy. Attempt to stop again"}, "status": 500}
NOT_FOUND_ERROR = ("resource_not_found_exception", "No known model deployment with id [d]")


@dataclass(frozen=True)
class Case:
    """One fault and the expected result of `esml stop d`.

    `script` maps each phase to its responses. With `forever` they are repeated; otherwise the server then responds
    correctly. `message` is a part of stderr. `gone` means that the deployment no longer exists afterwards. `requests`
    is the number of requests that the server receives in each phase. A `thorough` case repeats another one in a
    different way, and runs only in .ci/run.
    """

    name: str
    script: dict[str, tuple[Fault, ...]]
    status: int
    message: str
    outcome: str | None = None
    gone: bool = False
    forever: bool = True
    options: tuple[str, ...] = ("--timeout", "20s")
    requests: dict[str, int] = field(default_factory=dict)
    thorough: bool = False
    stop_ms: int = 0

    def __str__(self) -> str:
        return f"{self.name}, {' and '.join(self.script)}"


def recovers(name: str, phase: str, *responses: Fault, gone: bool = True, **more: object) -> Case:
    """Return a case in which the server responds with faults, then correctly, and the stop succeeds."""
    details: dict[str, object] = {"outcome": "stopped", "status": 0, "message": "", "options": (), "forever": False}
    return Case(name, {phase: responses}, gone=gone, **(details | more))  # type: ignore[arg-type]


def lookup_fails(name: str, fault: Fault, message: str, status: int = 6, requests: int = 1, **more: object) -> Case:
    """Return a case in which the look-up before the stop fails, so that nothing is stopped."""
    return Case(name, {RESOLVE: (fault,)}, status, message, requests={RESOLVE: requests, STOP: 0}, **more)  # type: ignore[arg-type]


def stop_fails(
    name: str, fault: Fault, outcome: str, status: int, message: str, requests: int = 1, **more: object
) -> Case:
    """Return a case in which the response to the stop request is a fault."""
    details: dict[str, object] = {"requests": {STOP: requests}} | more
    return Case(name, {STOP: (fault,)}, status, message, outcome, **details)  # type: ignore[arg-type]


def listing_with(**stats: object) -> Fault:
    """Return a response that lists one deployment with the given fields of `deployment_stats`."""
    deployment_stats = {"deployment_id": "d", "state": "started", **stats}
    entry = {"model_id": deployment_stats.pop("model_id", "m"), "deployment_stats": deployment_stats}
    return faults.answer({"count": 1, "trained_model_stats": [entry]})


# Invalid values in responses: esml rejects them before any change, because it could not report them afterwards.
INVALID_VALUES: dict[str, tuple[dict[str, object], str]] = {
    "a size in other words": ({"cache_size": "1.5 GB"}, "it holds '1.5 GB' where a size such as 253.3mb belongs"),
    "half of a character in a model ID": ({"model_id": "m\ud800"}, "a model called 'm\\ud800', which cannot be an ID"),
    "half of a character in a priority": ({"priority": "\udfff"}, "it holds '\\udfff', which is not valid Unicode"),
}


def final_check_fails(name: str, fault: Fault, **more: object) -> Case:
    """Return a case in which the stop succeeds and the final check fails."""
    message = "stopped, according to Elasticsearch; a final check was not possible"
    return Case(name, {LOOK: (fault,)}, 0, message, "stopped", gone=True, requests={STOP: 1, LOOK: 1}, **more)  # type: ignore[arg-type]


def thorough_after(count: int, cases: Iterable[Case]) -> Iterator[Case]:
    """Yield similar cases, and mark all but the first `count` of them as thorough."""
    for number, case in enumerate(cases):
        yield replace(case, thorough=number >= count)


INVALID_RESPONSES = {
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
LARGE_RESPONSES = {
    "70 MB": (faults.huge(70), "sent a response larger than 64 MB."),
    "a gzip bomb": (faults.bomb("gzip", 70), "sent a response larger than 64 MB."),
    "a deflate bomb": (faults.bomb("deflate", 70), "sent a response larger than 64 MB."),
    "packed twice": (faults.bomb("gzip, gzip", 70), "sent a response that cannot be read."),
}
ENDLESS_RESPONSES = {
    "a byte a second": faults.drip(),
    "a head that drips": faults.drip(from_head=True),
    "no answer": faults.silence,
}
BROKEN_CONNECTIONS = {
    "a reset": faults.reset,
    "a closed connection": faults.hang_up,
    "a truncated answer": faults.truncated,
    "no HTTP at all": faults.raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
}
CLOSED = "closed the connection before the response was complete."
SILENT = "did not respond in time."
SHORT_TIMEOUT = ("--timeout", "2s")

CASES = [
    # Endless responses: the deadline ends the command in every phase.
    *(lookup_fails(name, fault, SILENT, options=SHORT_TIMEOUT) for name, fault in ENDLESS_RESPONSES.items()),
    *thorough_after(
        1,
        (
            stop_fails(name, fault, "unknown", 7, SILENT, options=SHORT_TIMEOUT)
            for name, fault in ENDLESS_RESPONSES.items()
        ),
    ),
    *thorough_after(
        1, (final_check_fails(name, fault, options=SHORT_TIMEOUT) for name, fault in ENDLESS_RESPONSES.items())
    ),
    stop_fails(
        "carried out, but drips", faults.work_then(faults.drip()), "stopped", 0, "", gone=True, options=SHORT_TIMEOUT
    ),
    Case("a stop that lasts longer", {}, 7, "d is still stopping: ", "stopping", stop_ms=4_000, options=SHORT_TIMEOUT),
    # Broken connections: requests are retried, but a stop only after the state was read.
    *thorough_after(2, (lookup_fails(name, fault, CLOSED, requests=4) for name, fault in BROKEN_CONNECTIONS.items())),
    *thorough_after(
        1, (stop_fails(name, fault, "failed", 1, CLOSED, requests=4) for name, fault in BROKEN_CONNECTIONS.items())
    ),
    recovers("one reset", RESOLVE, faults.reset, requests={STOP: 1}),
    recovers("one reset", STOP, faults.reset, requests={STOP: 2}),
    recovers("one reset", LOOK, faults.reset, requests={STOP: 1, LOOK: 2}),
    recovers("carried out, then a reset", STOP, faults.reset_after, requests={STOP: 1}),
    recovers("carried out, then a 504", STOP, faults.work_then(faults.page(504)), requests={STOP: 1}),
    recovers("carried out, then a 502", STOP, faults.work_then(faults.error(502)), requests={STOP: 1}),
    recovers("a keep-alive connection that is closed", RESOLVE, *[faults.closing] * 3, requests={STOP: 1}),
    # Unavailable clusters: esml waits as Retry-After requests, but not beyond the deadline.
    *(
        lookup_fails(
            f"HTTP {status}",
            faults.error(status, reason="busy"),
            f"(HTTP {status}: busy).",
            requests=4,
        )
        for status in (429, 503)
    ),
    *thorough_after(
        1,
        (
            lookup_fails(f"HTTP {status} as a page", faults.page(status), f"(HTTP {status}).", requests=4)
            for status in (502, 504)
        ),
    ),
    stop_fails("HTTP 503", faults.error(503), "failed", 1, "It is still running.", requests=4),
    stop_fails("HTTP 429", faults.error(429), "failed", 1, "It is still running.", requests=4),
    recovers("Retry-After: 1", STOP, faults.error(429, retry_after="1"), requests={STOP: 2}),
    *(
        lookup_fails(f"Retry-After: {text}", faults.error(503, retry_after=text), "It asks to wait")
        for text in ("3600", "Wed, 21 Oct 2099 07:28:00 GMT")
    ),
    stop_fails(
        "Retry-After: 9999999999999999", faults.error(429, retry_after="9" * 16), "failed", 1, "It asks to wait"
    ),
    lookup_fails("Retry-After: soon", faults.error(503, retry_after="soon"), "(HTTP 503: no).", requests=4),
    recovers("a 503 of an unknown media type", RESOLVE, faults.answer(b"\0\1", 503, media="application/octet-stream")),
    # Permanent errors are not retried; fail-overs are, and lost responses are resolved by reading the state.
    lookup_fails("HTTP 400", faults.error(400), "HTTP 400: no", status=1),
    lookup_fails("HTTP 401", faults.error(401, "security_exception"), "requires authentication", status=4),
    lookup_fails("HTTP 403", faults.error(403, "security_exception"), "does not allow this", status=4),
    lookup_fails("HTTP 500", faults.error(500), "HTTP 500: no", status=1),
    stop_fails("HTTP 400", faults.error(400), "failed", 1, "HTTP 400: no"),
    stop_fails("HTTP 401", faults.error(401, "security_exception"), "failed", 4, "requires authentication"),
    stop_fails("HTTP 403", faults.error(403, "security_exception"), "failed", 4, "does not allow this"),
    stop_fails("HTTP 500", faults.error(500), "failed", 1, "HTTP 500: no"),
    stop_fails("HTTP 409", faults.error(409), "in_use", 5, "esml stop d --force"),
    stop_fails(
        "HTTP 404 about something else", faults.error(404, "index_not_found_exception"), "failed", 1, "HTTP 404"
    ),
    recovers("a master lost midway", STOP, faults.master_lost(502, "node_disconnected_exception"), requests={STOP: 2}),
    recovers("a master lost midway, 500", STOP, faults.master_lost(500, "not_master_exception"), requests={STOP: 2}),
    recovers("a fail-over", STOP, faults.error(500, "not_master_exception"), requests={STOP: 2}),
    recovers("a fail-over", RESOLVE, faults.error(500, "node_closed_exception"), requests={RESOLVE: 2, STOP: 1}),
    recovers("Attempt to stop again", STOP, faults.answer(STOP_AGAIN_ERROR, 500), requests={STOP: 2}),
    Case("a lost answer, then a 409", {STOP: (faults.reset, faults.error(409))}, 5, "in use", "in_use", forever=False),
    Case(
        "a lost answer, then a 404",
        {STOP: (faults.reset, faults.error(404, *NOT_FOUND_ERROR))},
        1,
        "is still listed as running.",
        "failed",
        forever=False,
    ),
    # Invalid responses, e.g. of another server: esml never reports a deployment that is still running as stopped.
    *thorough_after(6, (lookup_fails(name, fault, message) for name, (fault, message) in INVALID_RESPONSES.items())),
    *thorough_after(
        4, (stop_fails(name, fault, "unknown", 6, message) for name, (fault, message) in INVALID_RESPONSES.items())
    ),
    *thorough_after(2, (lookup_fails(name, fault, message) for name, (fault, message) in LARGE_RESPONSES.items())),
    *thorough_after(
        1,
        (
            final_check_fails(name, INVALID_RESPONSES[name][0])
            for name in ("a web page", "half of a JSON", "no product header")
        ),
    ),
    stop_fails("stopped: false", faults.answer({"stopped": False}), "unknown", 6, '"stopped": false'),
    stop_fails(
        "stopped: true, but it runs on", faults.answer({"stopped": True}), "failed", 1, "still listed as running"
    ),
    lookup_fails(
        "an ID that no request can name",
        listing_with(deployment_id=".."),
        "a deployment called '..', which cannot be an ID",
    ),
    *(lookup_fails(name, listing_with(**values), message) for name, (values, message) in INVALID_VALUES.items()),
    # Uses that cannot be read do not prevent a stop.
    recovers("HTTP 403", ENDPOINTS, faults.error(403, "security_exception"), requests={STOP: 1}),
    recovers("a web page", ENDPOINTS, faults.page(), requests={STOP: 1}),
    recovers("a byte a second", ENDPOINTS, faults.drip(), requests={STOP: 1}, options=("--timeout", "6s")),
    # With --no-check the deployment is not listed before the stop, so less is known after a lost response.
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
        "is not running, but the response to a stop was lost",
        "unknown",
        gone=True,
        forever=False,
        options=("--no-check", "--timeout", "20s"),
    ),
]
