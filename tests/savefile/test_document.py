import json
from typing import Any

import pytest

from esml_stop.errors import InputError
from esml_stop.json_values import WrongShape
from esml_stop.models import Kind, Reference, Through
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.savefile.document import deployments, document
from tests.support.builders import deployment

ONE = deployment(
    "d",
    "m",
    number_of_allocations=2,
    adaptive_allocations={"enabled": False},
    threads_per_allocation=4,
    queue_capacity=9,
    priority="low",
    cache_size="64mb",
)
USE = Reference(Kind.PIPELINE, "p", Through.MODEL)


def saved(outcome: Outcome, decision: Outcome = Outcome.WOULD_STOP) -> dict[str, Any]:
    """Return the content of a file about one deployment."""
    target = Target("d", decision, ONE, (USE,))
    return document([Result(target, outcome, used_by=(USE,))], "https://es:9200")


def test_everything_is_kept_and_read_again() -> None:
    """What goes into a file comes out of it, through JSON, as a deployment that does not run."""
    (again,) = deployments(json.loads(json.dumps(saved(Outcome.STOPPED))))
    assert (again.deployment_id, again.model_id, again.state) == ("d", "m", "stopped")
    assert (again.number_of_allocations, again.threads_per_allocation, again.queue_capacity) == (2, 4, 9)
    assert (again.priority, again.cache_size, again.adaptive_allocations) == ("low", "64mb", {"enabled": False})


def test_an_outcome_is_only_there_once_it_is_known() -> None:
    """Written before the first stop it is null; a use is kept with its kind and by which name."""
    (entry,) = saved(Outcome.WOULD_STOP)["deployments"]
    assert entry["outcome"] is None
    assert entry["used_by"] == [{"kind": "ingest_pipeline", "id": "p", "through": "model"}]
    assert saved(Outcome.UNKNOWN)["deployments"][0]["outcome"] == "unknown"


@pytest.mark.parametrize("decision", [Outcome.IN_USE, Outcome.NOT_FOUND, Outcome.NOT_IDLE])
def test_what_this_run_does_not_stop_is_not_in_the_file(decision: Outcome) -> None:
    """Refused or not there: nothing to bring back."""
    assert saved(decision, decision)["deployments"] == []


def test_a_deployment_that_stands_twice_counts_once() -> None:
    """The later one, as in any JSON."""
    body = saved(Outcome.STOPPED)
    body["deployments"].append({"deployment_id": "d", "model_id": "n", "parameters": {}})
    assert [one.model_id for one in deployments(body)] == ["n"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"save_version": 2}, "its save_version is 2, this esml reads 1"),
        ({"save_version": "1"}, "it holds a text where a whole number belongs"),
        ({"deployments": {}}, "it holds an object where a list belongs"),
        ({"deployments": ["d"]}, "it holds a text where an object belongs"),
        ({"deployments": [{"deployment_id": "d"}]}, "it has no 'parameters'"),
        (
            {"deployments": [{"deployment_id": "d", "model_id": "m", "parameters": {"cache_size": "big"}}]},
            "'big' where a size",
        ),
        (
            {"deployments": [{"deployment_id": "d", "model_id": "m", "parameters": {"priority": 1}}]},
            "a whole number where a text",
        ),
    ],
)
def test_a_document_of_another_shape_is_refused(change: dict[str, Any], said: str) -> None:
    """And it is said what is wrong with it."""
    with pytest.raises(WrongShape, match=said):
        deployments(saved(Outcome.STOPPED) | change)


@pytest.mark.parametrize("name", ["", "a*", "a,b", "..", "a\nb", "_all"])
def test_ids_in_a_file_are_checked_as_if_they_were_typed(name: str) -> None:
    """A file that was changed by hand reaches no other endpoint."""
    for wrong in ({"deployment_id": name, "model_id": "m"}, {"deployment_id": "d", "model_id": name}):
        with pytest.raises(InputError):
            deployments({"save_version": 1, "deployments": [{**wrong, "parameters": {}}]})
