import pytest

from esml_stop.errors import Refused
from esml_stop.models import Kind, NotChecked, Reference, Through
from esml_stop.outcomes import Outcome, Report, Result, Target
from esml_stop.output.in_use import broken_uses_warning, in_use_lines, missing_checks, use, use_in_brief
from tests.support.builders import UNREAD, deployment

NAMED = Reference(Kind.PIPELINE, "p", Through.DEPLOYMENT)
BY_MODEL = Reference(Kind.PIPELINE, "p", Through.MODEL)
OWNER = Reference(Kind.ENDPOINT, "e", Through.ENDPOINT)
OPTIONS = ("--url", "http://es:9200", "--save", "a file")
TIME = 1_700_000_000_000


@pytest.mark.parametrize(
    ("reference", "long", "brief"),
    [
        (NAMED, "ingest pipeline p references this deployment", "pipeline p"),
        (BY_MODEL, "ingest pipeline p references its model", "pipeline p (model)"),
        (OWNER, "inference endpoint e created this deployment", "endpoint e"),
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
    target = Target("d 1", Outcome.IN_USE, deployment("d 1"), (NAMED, OWNER))
    lines = in_use_lines(Result(target, Outcome.IN_USE, used_by=target.used_by), Report("stop"), OPTIONS)
    assert lines == [
        "d 1 is in use and was not stopped:",
        "  ingest pipeline p references this deployment",
        "  inference endpoint e created this deployment",
        "  To stop it anyway: esml stop 'd 1' --force --url http://es:9200 --save 'a file'",
    ]


def test_a_refusal_names_the_last_deployment_of_a_model() -> None:
    """A refusal because of the model says that this is its last running deployment."""
    target = Target("d", Outcome.IN_USE, deployment("d", "m"), (BY_MODEL,), failing_uses=(BY_MODEL,))
    lines = in_use_lines(Result(target, Outcome.IN_USE, used_by=target.used_by), Report("stop", dry_run=True), OPTIONS)
    assert lines[0] == "d is in use and would not be stopped:"
    assert lines[2] == "  This is the last running deployment of model m."


def together(name: str, *breaks: Reference, state: str = "started", model: str = "m") -> Result:
    """Return the result of a refused deployment."""
    target = Target(name, Outcome.IN_USE, deployment(name, model, state=state), breaks, failing_uses=breaks)
    return Result(target, Outcome.IN_USE, used_by=breaks)


def test_deployments_refused_only_together_name_each_other() -> None:
    """If deployments are refused only together, the refusal names the others and how to keep the model available."""
    one = together("one", BY_MODEL)
    others = [
        together("two", BY_MODEL),
        together("named", NAMED, BY_MODEL),
        together("crashed", BY_MODEL, state="failed"),
        together("other", BY_MODEL, model="n"),
    ]
    lines = in_use_lines(one, Report("stop", (one, *others)), ())
    assert lines[2:4] == [
        "  Stopping it together with two would leave no deployment of model m.",
        "  To keep the model available, leave at least one of them running.",
    ]
    many = [together(f"d{number}", BY_MODEL) for number in range(9)]
    assert "with d1, d2, d3, d4, d5, more would" in in_use_lines(many[0], Report("stop", tuple(many)), ())[2]


def test_a_refusal_by_the_server_is_quoted() -> None:
    """A refusal by the server quotes its reason if no use was found."""
    error = Refused("HTTP 409", http_status=409, reason="Cannot stop\x1b[31m [d]")
    lines = in_use_lines(Result(Target("d", Outcome.WOULD_STOP), Outcome.IN_USE, error=error), Report("stop"), OPTIONS)
    assert lines[1] == "  Elasticsearch says: Cannot stop\\x1b[31m [d]"


def test_a_refusal_omits_uses_that_are_still_served() -> None:
    """A refusal omits a pipeline that another deployment of the model serves."""
    target = Target("d", Outcome.IN_USE, deployment("d", "m"), (NAMED, BY_MODEL), failing_uses=(NAMED,))
    lines = in_use_lines(Result(target, Outcome.IN_USE, used_by=target.used_by), Report("stop"), OPTIONS)
    assert lines[1:-1] == ["  ingest pipeline p references this deployment"]


def going(name: str, outcome: Outcome, *breaks: Reference) -> Result:
    """Return the result of a deployment of model m that was planned to be stopped."""
    return Result(Target(name, Outcome.WOULD_STOP, deployment(name, "m"), breaks, failing_uses=breaks), outcome)


def test_force_warns_about_uses_that_fail() -> None:
    """With --force a warning says which uses fail until the restart, or would fail in a dry run."""
    result = going("d", Outcome.STOPPED, NAMED, OWNER)
    uses = "ingest pipeline p references this deployment; inference endpoint e created this deployment"
    assert (
        broken_uses_warning(result, Report("stop", (result,)))
        == f"d was in use: {uses}. These will fail until it is restarted."
    )
    dry = broken_uses_warning(result, Report("stop", (result,), dry_run=True))
    assert dry == f"d is in use: {uses}. These would fail until it is restarted."
    assert broken_uses_warning(going("d", Outcome.STOPPED), Report("stop")) is None


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (Outcome.STOPPED, True),
        (Outcome.STOPPING, True),
        (Outcome.UNKNOWN, True),
        (Outcome.FAILED, False),
        (Outcome.NOT_ATTEMPTED, False),
        (Outcome.IN_USE, False),
    ],
)
def test_no_broken_use_while_a_deployment_of_the_model_is_running(other: Outcome, said: bool) -> None:
    """A pipeline does not count as broken if another deployment of its model did not stop."""
    result = going("d", Outcome.STOPPED, BY_MODEL)
    line = broken_uses_warning(result, Report("stop", (result, going("e", other, BY_MODEL))))
    assert (line is not None) is said
    elsewhere = Result(Target("x", Outcome.IN_USE, deployment("x", "n")), Outcome.FAILED)
    assert broken_uses_warning(result, Report("stop", (result, elsewhere))) is not None


@pytest.mark.parametrize(
    ("version", "dry_run", "was_forced", "verbose", "said"),
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
    version: str, dry_run: bool, was_forced: bool, verbose: bool, said: bool
) -> None:
    """A missing check is reported unless the server itself would refuse the stop, and always with --verbose."""
    found = deployment("d", node_versions=(version,) if version else ())
    target = Target("d", Outcome.WOULD_STOP, found, not_checked=(UNREAD,))
    report = Report("stop", (Result(target, Outcome.STOPPED, was_forced),), dry_run=dry_run)
    line = "Not checked (needs monitor_inference): inference endpoints."
    assert missing_checks(report, verbose=verbose) == ([line] if said else [])


def test_a_missing_check_is_reported_once() -> None:
    """A missing check is reported once for all deployments, and always in a list."""
    target = Target(
        "d", Outcome.LISTED, deployment("d", node_versions=("9.1.0",)), not_checked=(UNREAD, NotChecked("x", "y"))
    )
    report = Report("list", (Result(target, Outcome.LISTED), Result(target, Outcome.LISTED)))
    assert len(missing_checks(report, verbose=False)) == 2
