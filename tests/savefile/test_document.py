import json
from typing import Any

import pytest

from esml_stop.errors import InputError
from esml_stop.invocation import ClusterIdentity
from esml_stop.json_values import WrongShape
from esml_stop.models import Deployment, Kind, Reference, Through
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.savefile.document import Document, document, parsed
from tests.support.builders import deployment

CLUSTER = ClusterIdentity("https://es:9200", "prod", "abc")
NOW = "2026-01-02T03:04:05Z"
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


def document_of(outcome: Outcome, decision: Outcome = Outcome.WOULD_STOP, one: Deployment = ONE) -> Document:
    """Return the document of a save file with one deployment."""
    target = Target(one.deployment_id, decision, one, (USE,))
    return document([Result(target, outcome, used_by=(USE,))], CLUSTER, NOW)


def body() -> dict[str, Any]:
    """Return the decoded JSON of a save file with one deployment."""
    content: dict[str, Any] = json.loads(json.dumps(document_of(Outcome.STOPPED).content))
    return content


def test_the_cluster_time_and_settings_survive_a_round_trip() -> None:
    """The cluster, the time and all settings are the same after writing and reading."""
    read_back = parsed(body())
    assert (read_back.cluster, read_back.saved_at) == (CLUSTER, NOW)
    (one,) = read_back.deployments
    assert (one.deployment_id, one.model_id, one.state) == ("d", "m", "stopped")
    assert (one.number_of_allocations, one.threads_per_allocation, one.queue_capacity) == (2, 4, 9)
    assert (one.priority, one.cache_size, one.adaptive_allocations) == ("low", "64mb", {"enabled": False})
    assert read_back.content == body()


def test_an_outcome_is_null_until_it_is_known() -> None:
    """The outcome is null before the first stop, and each use is saved with its kind and name."""
    (entry,) = document_of(Outcome.WOULD_STOP).entries
    assert entry["outcome"] is None
    assert entry["used_by"] == [{"kind": "ingest_pipeline", "id": "p", "through": "model"}]
    assert document_of(Outcome.UNKNOWN).entries[0]["outcome"] == "unknown"


@pytest.mark.parametrize("decision", [Outcome.IN_USE, Outcome.NOT_FOUND, Outcome.NOT_IDLE])
def test_deployments_that_are_not_stopped_are_not_saved(decision: Outcome) -> None:
    """Deployments that are in use, not found or not idle are not saved."""
    assert document_of(decision, decision).entries == ()


def test_the_alias_that_started_a_deployment_is_saved() -> None:
    """The alias through which a deployment was started is saved, because it is needed for the start."""
    found = document_of(Outcome.STOPPED, one=deployment("alias", "m", through_alias=True))
    assert found.entries[0]["model_alias"] == "alias"
    assert found.entries[0]["start_call"] == "POST _ml/trained_models/alias/deployment/_start"
    assert parsed(json.loads(json.dumps(found.content))).deployments[0].through_alias


def test_the_setting_names_of_8_0_servers_are_saved() -> None:
    """The setting names of 8.0 servers are saved, and kept when a later run cannot see the settings."""
    found = document_of(Outcome.STOPPED, one=deployment("m", "m", number_of_allocations=2, old_names=True))
    assert "?model_threads=2" in found.entries[0]["start_call"]
    assert parsed(json.loads(json.dumps(found.content))).deployments[0].old_names
    without_settings = document_of(Outcome.STOPPED, one=deployment("m", "m", state="failed")).merged(found)
    assert "?model_threads=2" in without_settings.entries[0]["start_call"]


def test_a_merge_keeps_the_entries_of_other_deployments() -> None:
    """Entries of other deployments are kept, those of this run are replaced, and new ones are appended."""
    older = document_of(Outcome.STOPPED, one=deployment("a")).merged(document_of(Outcome.STOPPED))
    newer = document_of(Outcome.FAILED, one=deployment("a", queue_capacity=7))
    both = newer.merged(older)
    assert [(one["deployment_id"], one["outcome"]) for one in both.entries] == [("d", "stopped"), ("a", "failed")]
    assert [one.queue_capacity for one in both.deployments] == [9, 7]
    nothing = document([], CLUSTER, NOW)
    assert nothing.merged(older).entries == older.entries


def test_missing_settings_are_taken_from_an_older_entry() -> None:
    """Settings that the cluster does not show are named and taken from an older entry of the same model."""
    failed = document_of(Outcome.STOPPED, one=deployment("d", state="failed", priority="normal"))
    missing = ["number_of_allocations", "threads_per_allocation", "queue_capacity"]
    assert failed.entries[0]["settings_not_shown"] == missing
    (merged,) = failed.merged(document_of(Outcome.STOPPED)).entries
    assert merged["settings"] == {
        "priority": "normal",
        "number_of_allocations": 2,
        "threads_per_allocation": 4,
        "queue_capacity": 9,
    }
    assert merged["settings_not_shown"] == []
    assert "threads_per_allocation=4" in merged["start_call"]
    other = document_of(Outcome.STOPPED, one=deployment("d", "other", queue_capacity=9))
    assert failed.merged(other).entries == failed.entries


def test_the_later_of_two_entries_is_used() -> None:
    """If a file has two entries for a deployment, the later one is used."""
    twice = body()
    twice["deployments"].append({"deployment_id": "d", "model_id": "n", "settings": {}})
    assert [one.model_id for one in parsed(twice).deployments] == ["n"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"save_version": 2}, "its save_version is 2, this esml reads 1"),
        ({"save_version": "1"}, "it holds a text where a whole number belongs"),
        ({"cluster": "https://es:9200"}, "it holds a text where an object belongs"),
        ({"saved_at": None}, "it holds nothing where a text belongs"),
        ({"deployments": {}}, "it holds an object where a list belongs"),
        ({"deployments": ["d"]}, "it holds a text where an object belongs"),
        ({"deployments": [{"deployment_id": "d"}]}, "it has no 'settings'"),
        (
            {"deployments": [{"deployment_id": "d", "model_id": "m", "settings": {"cache_size": "big"}}]},
            "'big' where a size",
        ),
        (
            {"deployments": [{"deployment_id": "d", "model_id": "m", "settings": {"priority": 1}}]},
            "a whole number where a text",
        ),
    ],
)
def test_a_document_of_an_unexpected_form_is_rejected(change: dict[str, Any], reason: str) -> None:
    """A file of an unexpected form is rejected with the reason."""
    with pytest.raises(WrongShape, match=reason):
        parsed(body() | change)


@pytest.mark.parametrize("name", ["", "a*", "a,b", "..", "a\nb", "_all"])
def test_ids_in_a_save_file_are_checked_like_arguments(name: str) -> None:
    """Deployment and model IDs in a save file are checked like arguments."""
    for entry in ({"deployment_id": name, "model_id": "m"}, {"deployment_id": "d", "model_id": name}):
        with pytest.raises(InputError):
            parsed(body() | {"deployments": [{**entry, "settings": {}}]})
