"""The reasons for which Elasticsearch refuses to start a deployment, each with a message and a hint; pure.

Sources: the messages of TransportStartTrainedModelDeploymentAction and TrainedModelAssignmentClusterService in
Elasticsearch 8.19 and 9.1. Each is recognized by its HTTP status and a part of its text.
"""

from dataclasses import dataclass

from esml_stop.errors import EsmlError, Refused
from esml_stop.exit_status import ExitStatus
from esml_stop.models import Deployment

EXISTS = "existing deployment with the same id", "it has already been started"
NAME_TAKEN = "is the same as an another model"


class AliasReassigned(EsmlError):
    """The deployment was started through a model alias that now belongs to another model; nothing was sent."""

    code = "alias_reassigned"
    sent = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """One kind of refusal; `{model}` and `{reason}` are filled in, and `{again}` is the command to run again."""

    status: int
    part: str
    code: str
    message: str
    hint: str


REFUSALS = (
    Refusal(
        403,
        "cluster upgrade is in progress",
        "upgrading",
        "The cluster is being upgraded. No deployment can be started until every node has the same version.",
        "Run {again} when every node is upgraded.",
    ),
    Refusal(
        403,
        "license is non-compliant",
        "license",
        "The cluster's license does not include machine learning, or it has expired.",
        "Check the license (GET _license), then run {again}.",
    ),
    Refusal(
        404,
        "model definition",
        "definition_missing",
        "The definition of model {model} is missing on this cluster.",
        "Upload the model again, for example with eland, then run {again}.",
    ),
    Refusal(
        404,
        "",
        "model_missing",
        "Model {model} is not on this cluster.",
        "Upload the model first, for example with eland, then run {again}.",
    ),
    Refusal(
        408,
        "download task is currently running",
        "downloading",
        "Model {model} is still being downloaded.",
        "Run {again} when the download has finished.",
    ),
    Refusal(
        409,
        "feature reset is in progress",
        "feature_reset",
        "The cluster's features are being reset.",
        "Run {again} when the reset has finished.",
    ),
    Refusal(
        429,
        "upgrade mode is enabled",
        "upgrade_mode",
        "Machine learning upgrade mode is enabled. No deployment can be started in this mode.",
        "Disable it (POST _ml/set_upgrade_mode?enabled=false), then run {again}.",
    ),
    Refusal(
        429,
        "reached the limit of",
        "too_many_deployments",
        "The cluster has reached its maximum number of deployments.",
        "Elasticsearch says: {reason}. Stop deployments that are not needed (`esml list` shows their last use), "
        "then run {again}.",
    ),
    Refusal(
        429,
        "not enough resources to provide all",
        "no_capacity",
        "The machine learning nodes do not have enough memory or processors for all of its allocations.",
        "Elasticsearch says: {reason}. Add capacity or stop other deployments, then run {again}.",
    ),
    Refusal(
        429,
        "Could not start",
        "no_capacity",
        "No machine learning node has enough memory or processors for it.",
        "Elasticsearch says: {reason}. Add capacity or stop other deployments, then run {again}.",
    ),
)


def refusal(code: str, again: str, model_id: str = "") -> EsmlError:
    """Return the error of one kind of refusal before a start is sent; `again` is the command to run again."""
    found = next(one for one in REFUSALS if one.code == code)
    given = {"model": model_id, "again": again}
    return EsmlError(found.message.format(**given), hint=found.hint.format(**given), code=code)


def explained(refused: Refused, deployment: Deployment, again: str) -> EsmlError:
    """Return the error with a message and a hint for its kind of refusal, or unchanged if the kind is unknown."""
    reason = refused.reason or ""
    for one in REFUSALS:
        if one.status == refused.http_status and one.part in reason:
            given = {"model": deployment.model_id, "reason": reason.rstrip("."), "again": again}
            return refused.replace(
                message=one.message.format(**given),
                hint=one.hint.format(**given),
                code=one.code,
                exit_status=ExitStatus.FAILED,
            )
    return refused


def other_model(deployment: Deployment, model_id: str, again: str) -> AliasReassigned:
    """Return the error for a deployment whose ID is a model alias that now belongs to another model."""
    name, model = deployment.deployment_id, deployment.model_id
    return AliasReassigned(
        f"{name} is now a model alias of {model_id}, but the deployment used model {model}.",
        hint=f"Reassign the model alias, then run {again}.",
    )
