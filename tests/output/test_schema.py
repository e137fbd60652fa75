"""Checks that the JSON output of the commands conforms to the published schemas."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from esml_stop.outcomes import Outcome
from esml_stop.sandbox import SandboxServer, serve
from tests.support.command import checked, esml
from tests.support.raw_cluster import RawCluster


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    """Yield a practice cluster."""
    with serve() as server:
        yield server


@pytest.mark.parametrize("name", ["", "report", "save"])
def test_the_printed_schema_is_valid(name: str) -> None:
    """`esml schema` prints valid JSON Schemas for reports and save files."""
    ended = esml("schema", *filter(None, [name]))
    assert ended.status == 0
    Draft202012Validator.check_schema(json.loads(ended.out))


def test_a_save_file_conforms_to_its_schema(sandbox: SandboxServer, tmp_path: Path) -> None:
    """A save file of all deployments, one of them with adaptive allocations, conforms to its schema."""
    start = "/_ml/trained_models/my_model/deployment/_start?deployment_id=adaptive&cache_size=1234567b"
    RawCluster(sandbox.url).do("POST", start, {"adaptive_allocations": {"enabled": True}})
    file = tmp_path / "saved.json"
    ended = esml("stop", "_all", "--yes", "--save", str(file), "--force", environment={"ESML_URL": sandbox.url})
    saved = json.loads(file.read_text())
    assert (ended.status, len(saved["deployments"])) == (0, 10)
    Draft202012Validator(json.loads(esml("schema", "save").out)).validate(saved)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("list",), 0),
        (("stop", "my_model_for_search", "nope"), 0),
        (("stop", "my_model_for_search", "reviews_for_ingest", "--dry-run"), 5),
        (("stop", "nope", "large_model", "--no-allow-no-match"), 3),
        (("config",), 0),
    ],
)
def test_each_output_conforms_to_the_schema(sandbox: SandboxServer, arguments: tuple[str, ...], status: int) -> None:
    """The JSON output conforms to the schema and contains the command and the exit code of the process."""
    environment = {"ESML_URL": sandbox.url}
    ended = esml(*arguments, "-o", "json", environment=environment)
    assert (ended.status, ended.json["exit"]["code"], ended.json["command"]) == (status, status, arguments[0])


def test_json_lines_are_the_deployments_and_a_summary(sandbox: SandboxServer) -> None:
    """JSON lines are one document per line with its type: the deployments, then the summary."""
    ended = esml(
        "stop", "my_model_for_search", "reviews_for_ingest", "-o", "jsonl", environment={"ESML_URL": sandbox.url}
    )
    documents = [checked(json.loads(line)) for line in ended.out.splitlines()]
    assert [one["type"] for one in documents] == ["deployment", "deployment", "summary"]
    assert [one.get("outcome") for one in documents] == ["stopped", "in_use", None]
    counts = documents[-1]["counts"]
    assert set(counts) == {outcome.value for outcome in Outcome}
    assert {name: number for name, number in counts.items() if number} == {"stopped": 1, "in_use": 1}


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("stop", "d"), "config", 2),
        (("stop", "*"), "usage", 2),
        (("stop", "a,,b"), "usage", 2),
        (("stop", "d", "--no-such-option"), "usage", 2),
        (("stop", "d", "--url", "http://127.0.0.1:1", "--timeout", "200ms"), "unreachable", 6),
        (("restore", "no-such-file"), "usage", 2),
    ],
)
@pytest.mark.parametrize("output_format", ["json", "jsonl"])
def test_an_error_before_any_result_is_json_on_stdout(
    arguments: tuple[str, ...], code: str, exit_code: int, output_format: str
) -> None:
    """An error before any result is written to stdout as JSON with a stable code, and to stderr as text."""
    ended = esml(*arguments, "-o", output_format)
    document = checked(json.loads(ended.out))
    assert (ended.status, document["exit"]["code"]) == (exit_code, exit_code)
    assert [one["code"] for one in document["errors"]] == [code]
    assert ended.err.startswith("esml: ")
    assert not any(document["counts"].values())


def test_a_json_error_has_a_code_a_message_a_hint_and_a_command(sandbox: SandboxServer) -> None:
    """The JSON of a refusal has a code, a message, a hint and the command that stops the deployment anyway."""
    ended = esml("stop", "reviews_for_ingest", "-qo", "json", environment={"ESML_URL": sandbox.url})
    (error,) = ended.json["errors"]
    assert error == ended.json["deployments"][0]["error"]
    assert (error["code"], error["target"]) == ("in_use", "reviews_for_ingest")
    assert "ingest pipeline reviews-pipeline references this deployment" in error["message"]
    assert error["command"] == "esml stop reviews_for_ingest --force --output json --quiet"
    assert error["hint"] == f"To stop it anyway: {error['command']}"
    assert error["hint"] in ended.err
    assert ended.json["exit"] == {"code": 5, "reason": "in_use"}


def test_the_report_contains_the_cluster_and_the_duration(sandbox: SandboxServer) -> None:
    """A report contains the cluster, the duration and all warnings, even with -q."""
    found = esml("stop", "nope", "-q", "-o", "json", environment={"ESML_URL": sandbox.url}).json
    assert found["cluster"]["url"] == sandbox.url
    assert found["cluster"]["name"] == "esml-sandbox"
    assert found["cluster"]["uuid"]
    assert found["seconds"] > 0
    assert found["warnings"] == ["Deployment nope is not running; nothing to stop."]
    assert found["errors"] == []


def test_a_report_contains_the_states_before_and_after_a_stop(sandbox: SandboxServer) -> None:
    """A stopped deployment has the states before and after; a list has only the current state."""
    environment = {"ESML_URL": sandbox.url}
    (stopped,) = esml("stop", "my_model_for_search", "-o", "json", environment=environment).json["deployments"]
    assert (stopped["outcome"], stopped["previous_state"], stopped["state"]) == ("stopped", "started", "stopped")
    listed = esml("list", "large_model", "-o", "json", environment=environment).json["deployments"][0]
    assert (listed["previous_state"], listed["state"]) == (None, "started")


def test_the_schema_rejects_invalid_reports() -> None:
    """The schema rejects an unknown outcome and a wrong type, and accepts an additional field."""
    document = esml("sandbox", "--", "esml", "list", "-o", "json").json
    checked({**document, "added": 1, "deployments": [{**document["deployments"][0], "added": 1}]})
    for change in ({"seconds": "1"}, {"outcome": "vanished"}):
        with pytest.raises(ValidationError):
            checked({**document, "deployments": [{**document["deployments"][0], **change}]})


def test_the_json_of_a_list_contains_deployments_only(sandbox: SandboxServer) -> None:
    """An unmatched name in the JSON of a list is a warning, or an error with --no-allow-no-match."""
    environment = {"ESML_URL": sandbox.url}
    ended = esml("list", "large_model", "zz*", "-o", "json", environment=environment).json
    assert [one["deployment_id"] for one in ended["deployments"]] == ["large_model"]
    assert (ended["counts"]["not_found"], ended["warnings"]) == (1, ["No deployment matches zz*."])
    ended = esml("list", "large_model", "zz*", "-o", "json", "--no-allow-no-match", environment=environment).json
    assert [one["target"] for one in ended["errors"]] == ["zz*"]


def test_an_error_contains_the_command_that_stops_anyway(sandbox: SandboxServer) -> None:
    """Errors about uses and about models contain the command that resolves them, with the given options."""
    ended = esml("stop", "reviews_for_ingest", "questions", "-o", "json", environment={"ESML_URL": sandbox.url}).json
    assert [one["command"] for one in ended["errors"]] == [
        "esml stop reviews_for_ingest --force --output json",
        "esml stop --model questions --output json",
    ]
