"""`esml restart`, step by step: resolve, check, confirm, save the settings, restart, report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from esml_stop.cli.runs.stop import Ask, StopRequest, resolve, save_outcomes, unknown_settings_warnings
from esml_stop.cluster.reader import Reader
from esml_stop.cluster.readiness import models_of_aliases, start_blocker
from esml_stop.execute.restart import Restarts
from esml_stop.outcomes import Outcome, Report, Result, Target
from esml_stop.output.progress import Progress
from esml_stop.plan.restart_plan import plan
from esml_stop.runtime.signals import raise_if_interrupted
from esml_stop.savefile.file import SaveFile

# Outcomes after which the deployment certainly runs as before, or did not run before either.
UNHARMED = {Outcome.RESTARTED, Outcome.IN_USE, Outcome.NOT_IDLE, Outcome.NOT_FOUND}


@dataclass(frozen=True, slots=True)
class RestartRequest:
    """The arguments of one `esml restart`.

    `file` creates the save file. `keep` is true with --save: the file is kept even if every restart succeeds.
    `again` returns the command that restores from a file.
    """

    stop: StopRequest
    file: Callable[[], SaveFile]
    again: Callable[[str], str]
    keep: bool = False
    wait_for: str = "started"


def run(
    request: RestartRequest,
    reader: Reader,
    progress: Progress,
    ask: Ask,
    *,
    say: Callable[[str], None],
    warn: Callable[[str], None],
) -> Report:
    """Carry out the request and return the report; `say` prints where the settings are saved.

    `warn` prints, before the first stop, which settings will change.
    """
    stop = request.stop
    targets = resolve(stop, reader, progress)
    results = decided(targets, reader, force=stop.flags.force)
    planned = Report("restart", results, dry_run=stop.dry_run, strict=stop.strict)
    chosen = [one.target for one in results]
    for line in unknown_settings_warnings(chosen, "the restart uses"):
        warn(line)
    if stop.dry_run or not planned.count(Outcome.WOULD_RESTART):
        return planned
    cluster, file = reader.identity(), request.file()
    file.check_cluster(cluster)
    if stop.needs_confirmation and not ask(chosen, cluster):
        return Report("restart", tuple(map(Result.not_attempted, chosen)), cancelled=True)
    raise_if_interrupted()
    name = file.write(results, cluster)
    say(f"esml: Settings saved to {name}{'' if request.keep else '; the file is removed when everything runs again'}.")
    report = restart(request, planned, reader, progress, request.again(name))
    if not request.keep and unharmed(report.results):
        file.remove()
        return report
    return save_outcomes(replace(report, saved_to=name), file, cluster)


def decided(targets: Sequence[Target], reader: Reader, *, force: bool) -> tuple[Result, ...]:
    """Return the decision for each target; a deployment that could not be started again is not stopped."""
    chosen = [one for one in targets if one.decision is Outcome.WOULD_STOP]
    if not chosen:
        return plan(targets, obstacle=None, force=force)
    found = [one.deployment for one in chosen if one.deployment]
    return plan(targets, models_of_aliases(reader, found), obstacle=start_blocker(reader), force=force)


def restart(request: RestartRequest, planned: Report, reader: Reader, progress: Progress, again: str) -> Report:
    """Restart the planned deployments and return the report."""
    progress.phase("Restarting", planned.count(Outcome.WOULD_RESTART))
    restarts = Restarts(reader, request.stop.flags, wait_for=request.wait_for, again=again)
    seen = restarts.carry_out(planned.results, progress, parallel=request.stop.parallel)
    return replace(planned, results=tuple(seen.results), signal=seen.signal, warnings=seen.warnings)


def unharmed(results: Sequence[Result]) -> bool:
    """Return whether every deployment that ran before still runs."""
    return all(one.outcome in UNHARMED or was_not_attempted(one) for one in results)


def was_not_attempted(result: Result) -> bool:
    """Return whether no request was sent for a target."""
    return result.attempts == 0 and (
        result.outcome is Outcome.NOT_ATTEMPTED or not result.target.decision.is_planned_change
    )
