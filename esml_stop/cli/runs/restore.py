"""`esml restore`, step by step: compare the file with what runs, start what is missing, watch it arrive, report."""

from dataclasses import dataclass

from esml_stop.cluster.reader import Reader
from esml_stop.execute.afterwards import improved
from esml_stop.execute.restorer import Restorer, watched_arriving
from esml_stop.models import Deployment
from esml_stop.outcomes import Outcome, Result
from esml_stop.output.progress import Quiet
from esml_stop.plan.patterns import Wanted
from esml_stop.plan.restore_plan import plan
from esml_stop.report import Report
from esml_stop.runtime.background import watched
from esml_stop.runtime.signals import hold_signals


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """What `esml restore` was told to do."""

    saved: tuple[Deployment, ...]
    wanted: Wanted
    wait_for: str = "started"
    strict: bool = False
    dry_run: bool = False
    parallel: int = 4


def run(request: RestoreRequest, reader: Reader, listener: Quiet) -> Report:
    """Carry the request out and return what happened."""
    results = resolve(request, reader, listener)
    held = any(one.outcome is Outcome.NOT_STARTED for one in results)
    if request.dry_run or held:
        return Report("restore", results, dry_run=request.dry_run, strict=request.strict)
    results, signal = start(request, results, reader, listener)
    return Report("restore", results, strict=request.strict, signal=signal)


def resolve(request: RestoreRequest, reader: Reader, listener: Quiet) -> tuple[Result, ...]:
    """Return the decision about each deployment that is wanted from the file."""
    listener.phase("Looking up what runs already")
    names = [one.deployment_id for one in request.saved]
    running = watched(lambda: reader.running(names), reader.deadline) if names else {}
    return plan(request.wanted, request.saved, running, strict=request.strict)


def start(
    request: RestoreRequest, planned: tuple[Result, ...], reader: Reader, listener: Quiet
) -> tuple[tuple[Result, ...], int | None]:
    """Start what is planned, watch it arrive, and return the results and the signal that interrupted, if one did."""
    listener.phase("Starting", sum(one.outcome is Outcome.WOULD_START for one in planned))
    restorer = Restorer(reader, listener, wait_for=request.wait_for, parallel=request.parallel)
    hold_signals()
    results, signal = restorer.carry_out(planned)
    if signal:
        return tuple(results), signal
    listener.phase("Waiting until everything has started")
    seen, signal = improved(
        results,
        lambda: watched_arriving(results, reader, request.wait_for),
        reader.deadline,
        lambda unseen, _: unseen,  # the server's own word stands
    )
    return tuple(seen), signal
