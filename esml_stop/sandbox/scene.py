"""The example deployments of the practice cluster, one for each case."""

import time

from esml_stop.sandbox.state import State

MINUTE = 60_000
# Commands to try on the practice cluster, one for each case; `esml sandbox` prints them, and tests run them.
TRY = {
    "esml list": "every deployment, and what uses it",
    "esml stop my_model_for_search": "nothing uses it: stopped",
    "esml stop reviews_for_ingest": "referenced by a pipeline: refused",
    "esml stop my-elser": "created by an endpoint: refused",
    "esml stop answers": "used by an endpoint: refused",
    "esml stop large_model": "takes five seconds to stop",
    "esml stop questions_a": "faq still has questions_b: stopped",
    "esml stop 'questions_*' --dry-run": "alias faq would have none: refused",
    "esml stop faq": "a model alias: exit 3",
    "ESML_API_KEY=viewer:any esml stop answers": "this API key may only read: exit 4",
    "esml restart translations": "failed: restarted",
    "esml list nightly_batch": "scaled to zero: last use unknown",
}


USED = {"deployment_id": "answers"}


def practice(state: State) -> None:
    """Add the example deployments to an empty state."""
    now = int(time.time() * 1000)
    for model in ("my_model", "reviews", "answers", "large_model", "questions", "translations", "batch"):
        state.models[model] = "pytorch"
    state.models["prices"] = "tree_ensemble"
    state.start("my_model", "my_model_for_search", number_of_allocations=2).last_access = now - 3 * MINUTE
    state.start("reviews", "reviews_for_ingest").last_access = now - 9 * 24 * 60 * MINUTE
    state.start("large_model", "large_model", threads_per_allocation=4).stop_ms = 5_000
    state.start("questions", "questions_a")
    state.start("questions", "questions_b")
    failed = state.start("translations", "translations")
    failed.state, failed.reason = "failed", "inference process crashed due to reason [out of memory]"
    batch = state.start(
        "batch", "nightly_batch", adaptive_allocations={"enabled": True, "min_number_of_allocations": 0}
    )
    batch.scaled_to_zero = True
    state.start("answers", "answers")
    state.aliases["faq"] = "questions"
    state.put_endpoint("my-elser", "sparse_embedding", {"service": "elser", "service_settings": {"model_id": "elser"}})
    state.put_endpoint("my-answers", "text_embedding", {"service": "elasticsearch", "service_settings": USED})
    state.pipelines["reviews-pipeline"] = {"processors": [{"inference": {"model_id": "reviews_for_ingest"}}]}
    state.pipelines["faq-pipeline"] = {"processors": [{"inference": {"model_id": "faq"}}]}
