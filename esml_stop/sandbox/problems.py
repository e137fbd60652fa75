"""Error responses in the same form as in Elasticsearch."""

from typing import Any


class Problem(Exception):
    """An error response: its status, type and reason."""

    def __init__(self, status: int, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.kind = kind
        self.reason = reason

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the response."""
        cause = {"type": self.kind, "reason": self.reason}
        return {"error": {"root_cause": [cause], **cause}, "status": self.status}


def missing_model(names: str) -> Problem:
    """Return the 404 for a model, an alias or, in `_stats`, a deployment that does not exist."""
    advice = "you may need to create it or load it into the cluster with eland"
    text = f"No known trained model with model_id [{names}], {advice}"
    return Problem(404, "resource_not_found_exception", text)


def missing_deployment(name: str) -> Problem:
    """Return the 404 of a stop with allow_no_match false."""
    return Problem(404, "resource_not_found_exception", f"No known model deployment with id [{name}]")
