import pytest

from esml_stop.errors import Refused
from esml_stop.models import Kind, NotChecked, Reference, Through
from esml_stop.outcomes import Outcome, Report, Result, Target
from esml_stop.output.in_use import broken_uses_warning, in_use_lines, missing_checks, use, use_in_brief
from tests.support.builders import UNREAD, deployment

BY_ID = Reference(Kind.PIPELINE, "p", Through.DEPLOYMENT)
BY_MODEL = Reference(Kind.PIPELINE, "p", Through.MODEL)
CREATOR = Reference(Kind.ENDPOINT, "e", Through.ENDPOINT)
OPTIONS = ("--url", "http://es:9200", "--save", "a file")


@pytest.mark.parametrize(
    ("reference", "long", "brief"),
    [
        (BY_ID, "ingest pipeline p references this deployment", "pipeline p"),
        (BY_MODEL, "ingest pipeline p references its model", "pipeline p (model)"),
        (CREATOR, "inference endpoint e created this deployment", "endpoint e"),
        (Reference(Kind.ENDPOINT, "e", Through.DEPLOYMENT), "inference endpoint e uses this deployment", "endpoint e"),
        (
            Reference(Kind.ENDPOINT, ".e", Through.ENDPOINT),
            "inference endpoint .e created this deployment and starts it again when the endpoint is used",
            "endpoint .e",
        ),
    ],
)
def test_a_use_has_a_long_and_a_short_description(reference: Reference, long: str, brief: str) -> None:
    """A use has a full and a short description."""
    assert (use(reference), use_in_brief(reference)) == (long, brief)


def test_a_refusal_ends_with_the_command_that_stops_the_deployment_anyway() -> None:
    """A refusal lists each use on a separate line and ends with the command, with all options quoted for a shell."""
    target = Target("d 1", Outcome.IN_USE, deployment("d 1"), (BY_ID, CREATOR))
    lines = in_use_lines(Result(target, Outcome.IN_USE, used_by=target.used_by), Report("stop"), OPTIONS)
    assert lines == [
        "d 1 is in use and was not stopped:",
        "  ingest pipeline p references this deployment",
        "  inference endpoint e created this deployment",
        "  To stop it anyway: esml stop 'd 1' --force --url http://es:9200 --save 'a file'",
    ]


def test_a_refusal_names_the_last_deployment_of_a_model() -> None:
    """A refusal because of a reference to the model says that this is its last running deployment."""
    target = Target("d", Outcome.IN_USE, deployment("d", "m"), (BY_MODEL,), failing_uses=(BY_MODEL,))
    lines = in_use_lines(Result(target, Outcome.IN_USE, used_by=target.used_by), Report("stop", dry_run=True), OPTIONS)
    assert lines[0] == "d is in use and would not be stopped:"
    assert lines[2] == "  This is the last running deployment of model m."


def refused(name: str, *failing_uses: Reference, state: str = "started", model: str = "m") -> Result:
    """Return the result of a refused deployment with these failing uses."""
    target = Target(name, Outcome.IN_USE, deployment(name, model, state=state), failing_uses, failing_uses=failing_uses)
    return Result(target, Outcome.IN_USE, used_by=failing_uses)


def test_deployments_refused_only_together_name_each_other() -> None:
    """If deployments are refused only together, the refusal names the others and how to keep the model available."""
    one = refused("one", BY_MODEL)
    others = [
        refused("two", BY_MODEL),
        refused("named", BY_ID, BY_MODEL),
        refused("crashed", BY_MODEL, state="failed"),
        refused("other", BY_MODEL, model="n"),
    ]
    lines = in_use_lines(one, Report("stop", (one, *others)), ())
    assert lines[2:4] == [
        "  Stopping it together with two would leave no deployment of model m.",
        "  To keep the model available, leave at least one of them running.",
    ]
    many = [refused(f"d{number}", BY_MODEL) for number in range(9)]
    assert "with d1, d2, d3, d4, d5, more would" in in_use_lines(many[0], Report("stop", tuple(many)), ())[2]


def test_a_refusal_quotes_the_reason_of_the_server() -> None:
    """A refusal quotes the server's reason, with control characters escaped."""
    error = Refused("HTTP 409", http_status=409, reason="Cannot stop\x1b[31m [d]")
    lines = in_use_lines(Result(Target("d", Outcome.WOULD_STOP), Outcome.IN_USE, error=error), Report("stop"), OPTIONS)
    assert lines[1] == "  Elasticsearch says: Cannot stop\\x1b[31m [d]"


def test_a_refusal_omits_uses_that_keep_working() -> None:
    """A refusal omits a pipeline that another deployment of the model serves."""
    target = Target("d", Outcome.IN_USE, deployment("d", "m"), (BY_ID, BY_MODEL), failing_uses=(BY_ID,))
    lines = in_use_lines(Result(target, Outcome.IN_USE, used_by=target.used_by), Report("stop"), OPTIONS)
    assert lines[1:-1] == ["  ingest pipeline p references this deployment"]


def planned_stop(name: str, outcome: Outcome, *failing_uses: Reference) -> Result:
    """Return the result of a planned stop of a deployment of model m with these failing uses."""
    return Result(
        Target(name, Outcome.WOULD_STOP, deployment(name, "m"), failing_uses, failing_uses=failing_uses), outcome
    )


def test_force_warns_about_uses_that_fail() -> None:
    """With --force a warning says which uses fail until the restart, or would fail in a dry run."""
    result = planned_stop("d", Outcome.STOPPED, BY_ID, CREATOR)
    uses = "ingest pipeline p references this deployment; inference endpoint e created this deployment"
    assert (
        broken_uses_warning(result, Report("stop", (result,)))
        == f"d was in use: {uses}. These will fail until it is restarted."
    )
    dry = broken_uses_warning(result, Report("stop", (result,), dry_run=True))
    assert dry == f"d is in use: {uses}. These would fail until it is restarted."
    assert broken_uses_warning(planned_stop("d", Outcome.STOPPED), Report("stop")) is None


@pytest.mark.parametrize(
    ("other", "is_reported"),
    [
        (Outcome.STOPPED, True),
        (Outcome.STOPPING, True),
        (Outcome.UNKNOWN, True),
        (Outcome.FAILED, False),
        (Outcome.NOT_ATTEMPTED, False),
        (Outcome.IN_USE, False),
    ],
)
def test_no_use_fails_while_a_deployment_of_the_model_is_running(other: Outcome, is_reported: bool) -> None:
    """A pipeline does not count as broken if another deployment of its model did not stop."""
    result = planned_stop("d", Outcome.STOPPED, BY_MODEL)
    line = broken_uses_warning(result, Report("stop", (result, planned_stop("e", other, BY_MODEL))))
    assert (line is not None) is is_reported
    elsewhere = Result(Target("x", Outcome.IN_USE, deployment("x", "n")), Outcome.FAILED)
    assert broken_uses_warning(result, Report("stop", (result, elsewhere))) is not None


@pytest.mark.parametrize(
    ("version", "dry_run", "was_forced", "verbose", "is_reported"),
    [
        ("8.19.0", False, False, False, False),
        ("8.18.3", False, False, False, False),
        ("8.18.2", False, False, False, True),
        ("9.0.2", False, False, False, True),
        ("9.0.3", False, False, False, False),
        ("", False, False, False, True),
        ("8.19.0", True, False, False, True),
        ("8.19.0", False, True, False, True),
        ("8.19.0", False, False, True, True),
    ],
)
def test_a_missing_check_is_reported_if_the_server_would_not_refuse(
    version: str, dry_run: bool, was_forced: bool, verbose: bool, is_reported: bool
) -> None:
    """A missing check is reported unless the server itself would refuse the stop, and always with --verbose."""
    found = deployment("d", node_versions=(version,) if version else ())
    target = Target("d", Outcome.WOULD_STOP, found, not_checked=(UNREAD,))
    report = Report("stop", (Result(target, Outcome.STOPPED, was_forced),), dry_run=dry_run)
    line = "Not checked (requires monitor_inference): inference endpoints."
    assert missing_checks(report, verbose=verbose) == ([line] if is_reported else [])


def test_a_missing_check_is_reported_once() -> None:
    """A list reports each missing check once for all deployments, regardless of the server's version."""
    target = Target(
        "d", Outcome.LISTED, deployment("d", node_versions=("9.1.0",)), not_checked=(UNREAD, NotChecked("x", "y"))
    )
    report = Report("list", (Result(target, Outcome.LISTED), Result(target, Outcome.LISTED)))
    assert len(missing_checks(report, verbose=False)) == 2
