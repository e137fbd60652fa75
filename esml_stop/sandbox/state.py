"""The state of the practice cluster: models, aliases, deployments, pipelines and endpoints, and the steps of a stop."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import RLock
from typing import Any
from uuid import uuid4

from esml_stop.sandbox.problems import Problem, missing_deployment, missing_model

# The depth to which Elasticsearch searches nested processors.
DEPTH = 10

MODEL_BYTES = 265_632_637
ANOTHER_MODEL = (
    "Deployment id [{}] is the same as an another model which is not the model being deployed. "
    "Deployment id can be the same as the model being deployed but cannot match a different model"
)


def now() -> int:
    """Return the time in epoch milliseconds."""
    return int(time.time() * 1000)


@dataclass
class Deployment:
    """One running deployment and the faults that a test configured for it; times are epoch milliseconds."""

    deployment_id: str
    model_id: str
    number_of_allocations: int = 1
    threads_per_allocation: int = 1
    queue_capacity: int = 10_000
    priority: str = "normal"
    cache_size: str = "253.3mb"
    adaptive_allocations: dict[str, Any] | None = None
    state: str = "started"
    start_time: int = field(default_factory=now)
    last_access: int | None = None
    inference_count: int = 0
    process_start: int = field(default_factory=now)
    scaled_to_zero: bool = False
    reason: str | None = None
    stop_ms: int = 50
    pending_ms: int = 0
    failures: int = 0
    status: int = 503
    forever: bool = False


class State:
    """The whole state of the practice cluster; thread-safe."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.models: dict[str, str] = {}
        self.aliases: dict[str, str] = {}
        self.deployments: dict[str, Deployment] = {}
        self.pipelines: dict[str, Any] = {}
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.endpoint_check = True
        self.uuid = uuid4().hex
        self._searched: dict[str, tuple[Any, set[str]]] = {}

    def reset(self, *, endpoint_check: bool = True) -> None:
        """Delete everything except the pipelines, as the test node does."""
        for kept in (self.models, self.aliases, self.deployments, self.endpoints):
            kept.clear()
        self.endpoint_check = endpoint_check

    def start(self, model: str, deployment_id: str, **parameters: Any) -> Deployment:
        """Start a deployment of a model, named by its ID or an alias."""
        model_id = self.aliases.get(model, model)
        if deployment_id in self.deployments:
            text = "Could not start model deployment because an existing deployment with the same id"
            raise Problem(400, "status_exception", f"{text} [{deployment_id}] exist")
        if model_id not in self.models:
            raise missing_model(model)
        if self.models[model_id] != "pytorch":
            text = f"model [{model_id}] of type [{self.models[model_id]}] cannot be deployed"
            raise Problem(400, "status_exception", f"{text}. Only PyTorch models can be deployed")
        if deployment_id != model and deployment_id in {*self.models, *self.aliases}:
            raise Problem(400, "status_exception", ANOTHER_MODEL.format(deployment_id))
        self.deployments[deployment_id] = Deployment(deployment_id, model_id, **parameters)
        return self.deployments[deployment_id]

    def put_endpoint(self, inference_id: str, task: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create an inference endpoint; without a deployment_id, also start a deployment for it."""
        settings = body.get("service_settings", {})
        self.endpoints[inference_id] = {
            "inference_id": inference_id,
            "task_type": task,
            "service": body.get("service", "elasticsearch"),
            "service_settings": settings,
        }
        if "deployment_id" not in settings and "model_id" in settings:
            self.models[settings["model_id"]] = "pytorch"
            self.deployments.setdefault(
                inference_id, Deployment(inference_id, settings["model_id"], queue_capacity=1024)
            )
        return self.endpoints[inference_id]

    def begin_stop(self, deployment_id: str, flags: dict[str, bool]) -> Deployment | None:
        """Mark a deployment as stopping and return it, or None if it does not exist and allow_no_match is set."""
        deployment = self.deployments.get(deployment_id)
        if deployment is None:
            if flags["allow_no_match"]:
                return None
            raise missing_deployment(deployment_id)
        if deployment.forever or deployment.failures > 0:
            deployment.failures -= 1
            raise Problem(deployment.status, "status_exception", f"injected failure for [{deployment_id}]")
        reason = None if flags["force"] else self.refusal(deployment)
        if reason:
            raise Problem(409, "status_exception", f"Cannot stop deployment [{deployment_id}] as it {reason}")
        deployment.state = "stopping"
        return deployment

    def refusal(self, deployment: Deployment) -> str | None:
        """Return the reason why a stop without force is refused, or None."""
        name, named = deployment.deployment_id, self.named()
        if name in named:
            return "is referenced by ingest processors; use force to stop the deployment"
        for alias, model in self.aliases.items():
            if model == name and alias in named:
                used = "is still referenced by ingest processors; use force to stop the deployment"
                return f"has a model_alias [{alias}] that {used}"
        for endpoint in self.endpoints.values() if self.endpoint_check else ():
            if endpoint["inference_id"] == name:
                return f"was created by inference endpoint [{name}]"
            if endpoint["service_settings"].get("deployment_id") == name:
                return f"is used by inference endpoint [{endpoint['inference_id']}]"
        return None

    def named(self) -> set[str]:
        """Return all names that a pipeline references; cached, because there may be thousands of pipelines."""
        for pipeline, body in self.pipelines.items():
            if self._searched.get(pipeline, (None,))[0] is not body:
                self._searched[pipeline] = body, set(self.names_in(body))
        return set().union(*(self._searched[pipeline][1] for pipeline in self.pipelines))

    def names_in(self, pipeline: Any) -> Iterator[str]:
        """Yield the names that Elasticsearch finds in a pipeline; it does not search the pipeline's `on_failure`."""
        for processor in pipeline.get("processors", []):
            yield from self.names_in_processor(processor)

    def names_in_processor(self, processor: dict[str, Any], depth: int = 0) -> Iterator[str]:
        """Yield the names in a processor, in the processor of `foreach`, and in `on_failure`, down to DEPTH."""
        for kind, settings in processor.items() if depth < DEPTH else ():
            if kind == "inference" and "model_id" in settings:
                yield settings["model_id"]
            below = [settings["processor"]] if kind == "foreach" and "processor" in settings else []
            if kind not in {"foreach", "inference"}:
                below += settings.get("on_failure", [])
            for one in below:
                yield from self.names_in_processor(one, depth + 1)


def shown_size(text: str) -> str:
    """Return a size in the format of `_stats`: in the largest unit, truncated to one decimal."""
    found = re.fullmatch(r"(\d+)([kmg]?b)", text.lower()) or re.fullmatch(r"(0)()", text)
    if not found:
        said = f"failed to parse setting [cache_size] with value [{text}] as a size in bytes"
        raise Problem(400, "parse_exception", f"{said}: unit is missing or unrecognized")
    size = int(found[1]) * 1024 ** ["b", "kb", "mb", "gb"].index(found[2] or "b")
    power = max(power for power in range(4) if power == 0 or size >= 1024**power)
    tenths = size * 10 // 1024**power
    value = f"{tenths // 10}.{tenths % 10}" if tenths % 10 else f"{tenths // 10}"
    return value + ["b", "kb", "mb", "gb"][power]
