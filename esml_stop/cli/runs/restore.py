"""`esml restore`, step by step: compare the file with the cluster, start missing deployments, wait, report."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from esml_stop.cluster.reader import Reader
from esml_stop.errors import InputError
from esml_stop.execute.batch import FinalResults
from esml_stop.execute.start import is_on_the_way, start_all, wait_until_started
from esml_stop.models import Listing
from esml_stop.outcomes import Outcome, Report, Result
from esml_stop.output.progress import Progress
from esml_stop.plan.patterns import Selection, expression
from esml_stop.plan.restore_plan import held_back, plan
from esml_stop.plan.start_settings import not_shown, settings
from esml_stop.runtime.signals import raise_if_interrupted
from esml_stop.savefile.document import Document
from esml_stop.text import clean, counted

NOTHING = Listing((), frozenset())


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """The arguments of one `esml restore`."""

    saved: Document
    selection: Selection
    wait_for: str = "started"
    strict: bool = False
    dry_run: bool = False
    yes: bool = False
    needs_confirmation: bool = False
    parallel: int = 4


def run(
    request: RestoreRequest,
    reader: Reader,
    progress: Progress,
    confirmed: Callable[[str], bool],
    warn: Callable[[str], None],
) -> Report:
    """Carry out the request and return the report; `confirmed` asks the user a yes/no question.

    `warn` prints, before the first start, which settings will change.
    """
    results = resolve(request, reader, progress)
    report = Report("restore", results, dry_run=request.dry_run, strict=request.strict)
    todo = [one for one in results if one.outcome is Outcome.WOULD_START]
    if not todo and not watched_for(results):
        return report
    for line in defaults(todo):
        warn(line)
    if todo and (doubt := request.saved.mismatch(reader.identity())):
        question = f"{clean(doubt)} Start {counted(len(todo), 'deployment')} on this cluster?"
        if request.yes or request.dry_run:
            warn(doubt)
        elif not agreed(request, doubt, question, confirmed):
            return replace(report, results=tuple(map(held_back, results)), cancelled=True)
    if request.dry_run:
        return report
    seen = start(request, results, reader, progress)
    return replace(report, results=tuple(seen.results), signal=seen.signal, warnings=seen.warnings)


def watched_for(results: tuple[Result, ...]) -> bool:
    """Return whether a deployment is still starting."""
    return any(is_on_the_way(one) for one in results)


def agreed(request: RestoreRequest, doubt: str, question: str, confirmed: Callable[[str], bool]) -> bool:
    """Ask whether to start the deployments on another cluster; raise InputError if nobody can be asked."""
    if not request.needs_confirmation:
        raise InputError(doubt, hint="Pass --yes to start the deployments on this cluster.")
    return confirmed(question)


def defaults(todo: list[Result]) -> Iterator[str]:
    """Yield a warning for each deployment that cannot be started with all of its previous settings."""
    for one in todo:
        if one.target.deployment and (names := not_shown(one.target.deployment)):
            yield (
                f"{one.deployment_id} starts with the server's default {' and '.join(names)}: "
                "the cluster did not show these settings when it was saved."
            )
        elif one.target.deployment and settings(one.target.deployment).get("number_of_allocations") == 0:
            yield f"{one.deployment_id} had 0 allocations, but cannot be started with 0; it starts with 1."


def resolve(request: RestoreRequest, reader: Reader, progress: Progress) -> tuple[Result, ...]:
    """Return the decision for each requested deployment of the file."""
    progress.phase("Looking up running deployments")
    saved = request.saved.deployments
    names = {one.deployment_id for one in saved}
    models = {one.model_id for one in saved} if request.dry_run else set()
    listed = reader.listing(expression(sorted(names | models))) if names else NOTHING
    running = {one.deployment_id: one for one in listed.deployments if one.deployment_id in names}
    on_cluster = listed.models if request.dry_run else None
    return plan(request.selection, saved, running, models=on_cluster, strict=request.strict)


def start(request: RestoreRequest, planned: tuple[Result, ...], reader: Reader, progress: Progress) -> FinalResults:
    """Start the planned deployments, wait for them, and return the results."""
    progress.phase("Starting", sum(one.outcome is Outcome.WOULD_START for one in planned))
    raise_if_interrupted()
    results, signal = start_all(reader, planned, progress, wait_for=request.wait_for, parallel=request.parallel)
    if signal:
        return FinalResults(results, signal)
    progress.phase("Waiting for the deployments to start")
    return wait_until_started(results, reader, request.wait_for)
