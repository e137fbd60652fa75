"""Starts deployments and waits until they have started."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from esml_stop.cluster.api import Cluster
from esml_stop.cluster.reader import Reader
from esml_stop.errors import EsmlError, Refused
from esml_stop.execute.batch import Batch, FinalResults, Listener, Say, keep_results_on_error, settled_at_once
from esml_stop.execute.change import Change
from esml_stop.models import Deployment
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.plan.restore_plan import updated
from esml_stop.plan.start_refusals import EXISTS, NAME_TAKEN, AliasReassigned, explained, other_model
from esml_stop.plan.start_settings import start_call
from esml_stop.runtime.deadline import Deadline

ON_THE_WAY = {Outcome.STARTED, Outcome.RESTARTED, Outcome.STARTING}
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0


def start_all(
    reader: Reader, planned: Sequence[Result], listener: Listener, *, wait_for: str, parallel: int
) -> tuple[list[Result], int | None]:
    """Start the planned deployments, at most `parallel` at a time.

    Returns one result per target, in order, and the number of the signal that interrupted it, or None.
    """

    def start(target: Target, say: Say) -> Result:
        return Start(reader.cluster, target, wait_for, reader.deadline, say).run()

    batch = Batch(start, reader.deadline, listener, parallel=parallel)
    done, signal = batch.run([one.target for one in planned if one.outcome is Outcome.WOULD_START])
    results = [done.get(one.deployment_id) or not_attempted(one) for one in planned]
    return (settled_at_once(results, reader, settled) if signal else results), signal


def not_attempted(planned: Result) -> Result:
    """Return the result of a target for which no request was sent."""
    return planned if planned.error else Result.not_attempted(planned.target)


def settled(result: Result, found: Deployment | None) -> Result:
    """Return the result of a start whose answer is missing, based on the deployment's current state."""
    if not found:
        return result
    seen = replace(result, seen=found)
    if found.state == "started":
        return replace(seen, outcome=Outcome.STARTED, error=None)
    return replace(seen, outcome=Outcome.STARTING) if found.state == "starting" else seen


class Start(Change):
    """Starts one deployment; waits first if it is still stopping."""

    done = Outcome.STARTED
    unknown_hint = "Check again later with `esml list`. It is safe to restore again."
    failed_hint = "It is not running. Restore it again when the cluster is healthy."

    def __init__(
        self,
        cluster: Cluster,
        target: Target,
        wait_for: str,
        deadline: Deadline,
        on_retry: Callable[[str], None],
        *,
        again: str = "the restore again",
    ) -> None:
        super().__init__(cluster, target, deadline, on_retry)
        self.again = again
        assert target.deployment
        self.deployment = target.deployment
        self.look_first = target.deployment.state == "stopping"
        self.wait_for = wait_for

    def run(self) -> Result:
        """Send the start and return the result; never raises EsmlError."""
        try:
            return super().run()
        except AliasReassigned as error:
            return self.result(Outcome.FAILED, error)

    def send(self, timeout: float) -> None:
        """Send the start request."""
        if self.deployment.through_alias:
            self.use_alias()
        try:
            self.cluster.start(start_call(self.deployment), wait_for=self.wait_for, timeout=timeout)
        except Refused as refused:
            if self.deployment.through_alias or NAME_TAKEN not in (refused.reason or ""):
                raise
            self.use_alias()
            if not self.deployment.through_alias:
                raise
            self.cluster.start(start_call(self.deployment), wait_for=self.wait_for, timeout=self.deadline.left)

    def use_alias(self) -> None:
        """Use the alias in the path of the request if the deployment ID is an alias of the same model.

        Raises AliasReassigned if it belongs to another model.
        """
        name, model_id = self.deployment.deployment_id, self.deployment.model_id
        model = self.cluster.model(name, self.deadline.left)
        if model and model.model_id not in {name, model_id}:
            raise other_model(self.deployment, model.model_id, self.again)
        self.deployment = self.deployment._replace(through_alias=model is not None and model.model_id == model_id)

    def result(self, outcome: Outcome, error: EsmlError | None = None) -> Result:
        """Return the result, with the deployment as it was started."""
        self.target = replace(self.target, deployment=self.deployment)
        return super().result(outcome, error)

    def reached(self, deadline: Deadline, patience: float) -> Result | None:
        """Return a result if the deployment is running, no matter who started it, else None."""
        return self.result(Outcome.STARTED) if self.wait_while_stopping(deadline, patience) else None

    def refused(self, refused: Refused) -> Result:
        """Return the result for an error that Elasticsearch returned."""
        if any(words in (refused.reason or "") for words in EXISTS):
            return self.result(Outcome.STARTED)  # by someone else; the final check compares the settings
        error = explained(refused, self.deployment, self.again)
        if (
            refused.http_status == 408 and error is refused
        ):  # the server's own timeout; it continues to start the deployment
            return self.result(Outcome.STARTING, refused)
        return self.result(Outcome.FAILED, error)


def wait_until_started(results: Sequence[Result], reader: Reader, wait_for: str) -> FinalResults:
    """Return the results once every deployment has started or the deadline is reached; errors leave them unchanged."""
    return keep_results_on_error(results, lambda: watched(results, reader, wait_for), lambda unseen, _: unseen)


def watched(results: Sequence[Result], reader: Reader, wait_for: str) -> list[Result]:
    """Poll the listing, with one request for all deployments, and return the updated results."""
    pause, seen = FIRST_PAUSE, list(results)
    while names := [one.deployment_id for one in seen if is_on_the_way(one)]:
        try:
            running = reader.running(names)
        except EsmlError:
            return seen  # the answers to the start requests remain valid
        seen = [updated(one, running, wait_for) if is_on_the_way(one) else one for one in seen]
        if not any(one.outcome is Outcome.STARTING for one in seen) or pause >= reader.deadline.remaining:
            break
        reader.deadline.clock.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
    return seen


def is_on_the_way(result: Result) -> bool:
    """Return whether the state of a deployment may still change."""
    found = result.target.deployment
    waiting = result.outcome is Outcome.ALREADY_RUNNING and found is not None and found.state == "starting"
    return result.outcome in ON_THE_WAY or waiting
