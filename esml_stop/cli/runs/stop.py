"""`esml stop`, step by step: resolve, check, confirm, stop, verify, report."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from esml_stop.cluster.reader import Reader
from esml_stop.errors import EsmlError
from esml_stop.execute.batch import FinalResults
from esml_stop.execute.stop import stop_all, with_final_check
from esml_stop.invocation import ClusterIdentity
from esml_stop.models import Flags
from esml_stop.outcomes import Outcome, Report, Result, Target
from esml_stop.output.progress import Progress
from esml_stop.plan.patterns import Selection
from esml_stop.plan.start_settings import not_shown
from esml_stop.plan.stop_plan import plan
from esml_stop.runtime.signals import raise_if_interrupted
from esml_stop.savefile.file import SaveFile

Ask = Callable[[Sequence[Target], ClusterIdentity], bool]


@dataclass(frozen=True, slots=True)
class StopRequest:
    """The arguments of one `esml stop`; with `needs_confirmation`, the user has to confirm the plan."""

    selection: Selection
    flags: Flags
    strict: bool = False
    dry_run: bool = False
    check: bool = True
    needs_confirmation: bool = False
    parallel: int = 4
    save: SaveFile | None = None


def run(request: StopRequest, reader: Reader, progress: Progress, ask: Ask, warn: Callable[[str], None]) -> Report:
    """Carry out the request and return the report.

    `ask` shows the plan and returns whether the user confirms it. `warn` prints, before the first stop, which settings
    cannot be saved.
    """
    targets = resolve(request, reader, progress)
    for line in (
        *orphan_warnings(targets, saving=bool(request.save)),
        *(unknown_settings_warnings(targets) if request.save else ()),
    ):
        warn(line)
    planned = Report("stop", tuple(map(Result.planned, targets)), dry_run=request.dry_run, strict=request.strict)
    if request.dry_run or not planned.count(Outcome.WOULD_STOP):
        return planned
    save, cluster = request.save, ClusterIdentity(reader.cluster.label)
    if save or request.needs_confirmation:
        cluster = reader.identity()
    if save:
        save.check_cluster(cluster)
    if request.needs_confirmation and not ask(targets, cluster):
        return Report("stop", tuple(map(Result.not_attempted, targets)), cancelled=True)
    raise_if_interrupted()
    if save and any(map(is_saved, targets)):
        planned = replace(planned, saved_to=save.write(planned.results, cluster))
    final = stop(request, targets, reader, progress)
    unlisted = unlisted_warnings(final.results) if save else ()
    report = replace(planned, results=tuple(final.results), signal=final.signal, warnings=(*unlisted, *final.warnings))
    return save_outcomes(report, save, cluster) if save and report.saved_to else report


def is_saved(target: Target) -> bool:
    """Return whether a target is to be stopped and can be started again."""
    found = target.deployment
    return target.decision.is_planned_change and found is not None and not found.is_orphan


def unlisted_warnings(results: Iterable[Result]) -> Iterator[str]:
    """Yield a warning for each deployment that was stopped without having been listed."""
    for one in results:
        if one.outcome is Outcome.STOPPED and not one.target.deployment:
            yield f"{one.deployment_id} was not saved: it was not listed, so its settings are not known."


def orphan_warnings(targets: Iterable[Target], *, saving: bool) -> Iterator[str]:
    """Yield a warning for each deployment that is going to be stopped although its model was deleted."""
    for target in targets:
        if target.deployment and target.deployment.is_orphan and target.decision.is_planned_change:
            lost = " and is not saved" if saving else ""
            model = target.deployment.model_id
            yield f"{target.deployment_id} cannot be started again{lost}: its model {model} was deleted."


def unknown_settings_warnings(targets: Iterable[Target], what: str = "a restore will use") -> Iterator[str]:
    """Yield a warning for each deployment that is to be stopped and whose settings are not all known."""
    for target in targets:
        found = target.deployment
        if found and is_saved(target) and (names := not_shown(found)):
            yield (
                f"{found.deployment_id} is {found.state}, and the cluster does not show its {', '.join(names)}: "
                f"{what} the server's defaults for these."
            )


def save_outcomes(report: Report, save: SaveFile, cluster: ClusterIdentity) -> Report:
    """Add the outcomes to the save file; a failure is only a warning, because the settings are saved already."""
    try:
        save.write(report.results, cluster)
    except EsmlError as error:
        text = f"The outcomes were not saved: {error.message} {save.name} still has all settings."
        return replace(report, warnings=(*report.warnings, text))
    return report


def resolve(request: StopRequest, reader: Reader, progress: Progress) -> tuple[Target, ...]:
    """Return the decision for each requested deployment."""
    selection = request.selection
    unseen = not (request.check or request.dry_run or request.save or selection.is_broad)
    if unseen and not (request.strict and len(selection.names) > 1) and reader.stops_deployments:
        return tuple(Target(name, Outcome.WOULD_STOP) for name in selection.names)
    progress.phase("Looking up deployments and what uses them" if request.check else "Looking up deployments")
    snapshot = reader.read(selection, check=request.check)
    return plan(selection, snapshot, force=request.flags.force, strict=request.strict, dry_run=request.dry_run)


def stop(request: StopRequest, targets: Sequence[Target], reader: Reader, progress: Progress) -> FinalResults:
    """Stop the planned deployments, verify that they are gone, and return the results."""
    progress.phase("Stopping", sum(target.decision is Outcome.WOULD_STOP for target in targets))
    results, signal = stop_all(reader, targets, request.flags, progress, parallel=request.parallel)
    if signal:
        return FinalResults(results, signal)
    progress.phase("Verifying")
    return with_final_check(results, reader, check=request.check)
