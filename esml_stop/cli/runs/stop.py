"""`esml stop`, step by step: resolve, check, confirm, stop, verify, report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from esml_stop.cluster.reader import Reader
from esml_stop.execute.last_look import looked_at_again
from esml_stop.execute.stopper import Stopper, untouched
from esml_stop.models import Flags
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.output.progress import Quiet
from esml_stop.plan.patterns import Wanted
from esml_stop.plan.stop_plan import plan
from esml_stop.report import Report
from esml_stop.runtime.background import watched
from esml_stop.runtime.signals import hold_signals
from esml_stop.savefile.file import SaveFile

Ask = Callable[[Sequence[Target]], bool]


@dataclass(frozen=True, slots=True)
class StopRequest:
    """What `esml stop` was told to do; `ask`: a person has to agree to what is going to be stopped."""

    wanted: Wanted
    flags: Flags
    strict: bool = False
    dry_run: bool = False
    check: bool = True
    ask: bool = False
    parallel: int = 4
    save: SaveFile | None = None


def run(request: StopRequest, reader: Reader, listener: Quiet, ask: Ask) -> Report:
    """Carry the request out and return what happened; `ask` shows the targets and returns the answer."""
    targets = resolve(request, reader, listener)

    todo = [target for target in targets if target.decision is Outcome.WOULD_STOP]
    planned = Report("stop", tuple(map(Result.planned, targets)), dry_run=request.dry_run, strict=request.strict)
    if todo and request.ask and not ask(targets):
        return Report("stop", tuple(map(untouched, targets)), cancelled=True)
    saved_to = request.save.write(planned.results, reader.cluster.label) if request.save else None
    if request.dry_run or not todo:
        return replace(planned, saved_to=saved_to)
    results, signal = stop(request, targets, reader, listener)
    if request.save:
        request.save.add_outcomes(results, reader.cluster.label)
    return Report("stop", tuple(results), strict=request.strict, signal=signal, saved_to=saved_to)


def resolve(request: StopRequest, reader: Reader, listener: Quiet) -> tuple[Target, ...]:
    """Return the decision about each wanted deployment."""
    wanted = request.wanted
    unseen = not (request.check or request.dry_run or request.save or wanted.is_broad)
    if unseen and not (request.strict and len(wanted.names) > 1):
        return tuple(Target(name, Outcome.WOULD_STOP) for name in wanted.names)
    listener.phase("Looking up deployments and what uses them" if request.check else "Looking up deployments")
    snapshot = watched(lambda: reader.read(wanted, check=request.check), reader.deadline)
    return plan(wanted, snapshot, force=request.flags.force, strict=request.strict)


def stop(
    request: StopRequest, targets: Sequence[Target], reader: Reader, listener: Quiet
) -> tuple[Sequence[Result], int | None]:
    """Stop what is planned, look again, and return the results and the signal that interrupted, if one did."""
    listener.phase("Stopping", sum(target.decision is Outcome.WOULD_STOP for target in targets))
    stopper = Stopper(reader.cluster, request.flags, reader.deadline, listener, parallel=request.parallel)
    hold_signals()
    results, signal = stopper.carry_out(targets)
    if signal:
        return results, signal
    listener.phase("Verifying")
    return looked_at_again(results, reader, check=request.check)
