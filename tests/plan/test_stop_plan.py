import pytest

from esml_stop.models import NotChecked, Pipeline, Pipelines, Snapshot
from esml_stop.outcomes import Outcome, Target
from esml_stop.plan.patterns import Selection
from esml_stop.plan.stop_plan import listed, plan
from tests.support.builders import UNREAD, deployment, endpoint, short, snapshot


def decisions(selection: Selection, seen: Snapshot, *, force: bool = False, strict: bool = False) -> dict[str, str]:
    """Return the decision about each target by deployment ID."""
    return {one.deployment_id: one.decision.value for one in plan(selection, seen, force=force, strict=strict)}


def test_unused_deployments_are_stopped_in_order() -> None:
    """Unused deployments are stopped once each, in the requested order."""
    seen = snapshot(deployment("a"), deployment("b"), deployment("c"))
    assert decisions(Selection(("c", "*", "a")), seen) == dict.fromkeys("cab", "would_stop")
    assert [one.deployment_id for one in plan(Selection(("c", "*", "a")), seen)] == ["c", "a", "b"]


def test_an_unmatched_name_is_not_found_with_its_hint() -> None:
    """A name, pattern or model without a match is not found, with its hint."""
    targets = plan(Selection(("x", "y*"), ("z",)), snapshot(hints={"x": "is a model"}))
    assert targets == (
        Target("x", Outcome.NOT_FOUND, hint="is a model"),
        Target("y*", Outcome.NOT_FOUND),
        Target("z", Outcome.NOT_FOUND),
    )


def test_strict_stops_nothing_if_a_name_is_unmatched() -> None:
    """With --no-allow-no-match, an unmatched name makes all other targets not attempted, even those in use."""
    seen = snapshot(deployment("a"), deployment("b", "n", "p"), models={"n": ()})
    assert decisions(Selection(("a", "b", "x")), seen, strict=True) == {
        "a": "not_attempted",
        "b": "not_attempted",
        "x": "not_found",
    }
    assert decisions(Selection(("a", "b")), seen, strict=True) == {"a": "would_stop", "b": "in_use"}
    assert decisions(Selection(("a", "x*")), seen) == {"a": "would_stop", "x*": "not_found"}


def test_strict_does_not_count_busy_deployments_as_unmatched() -> None:
    """With --no-allow-no-match a deployment that is not idle does not count as unmatched."""
    seen = snapshot(deployment("a", idle_since=9), deployment("b", idle_since=1))
    selection = Selection(("a", "b", "x"), idle_before=5)
    assert decisions(selection, seen, strict=True) == {"a": "not_idle", "b": "not_attempted", "x": "not_found"}
    assert decisions(Selection(("a", "b"), idle_before=5), seen, strict=True) == {"a": "not_idle", "b": "would_stop"}


def test_a_busy_deployment_is_skipped_rather_than_not_found() -> None:
    """An exact ID that is not idle is skipped; a pattern or model without idle matches has a hint that says so."""
    seen = snapshot(deployment("a", "m", "p", idle_since=9), models={"m": ()})
    targets = plan(Selection(("a", "a*", "b*"), ("m",), idle_before=5), seen)
    assert [(one.deployment_id, one.decision.value, one.hint) for one in targets] == [
        ("a", "not_idle", None),
        ("a*", "not_found", "matches no deployment that is known to have been idle for that long"),
        ("b*", "not_found", None),
        ("m", "not_found", "matches no deployment that is known to have been idle for that long"),
    ]
    assert targets[0].deployment == seen.deployments[0]


def test_a_model_without_idle_deployments_is_not_a_deployment_with_its_id() -> None:
    """--model without idle deployments reports the model, not a deployment with the same ID."""
    seen = snapshot(deployment("m", "m", idle_since=9), deployment("d", "m", idle_since=9))
    assert decisions(Selection((), ("m",), idle_before=5), seen) == {"m": "not_found"}


@pytest.mark.parametrize(
    ("seen", "use"),
    [
        (snapshot(deployment("d", "m", "p"), models={"m": ()}), "p deployment"),
        (snapshot(deployment("d"), endpoints=(endpoint("d"),)), "d endpoint"),
        (snapshot(deployment("d"), endpoints=(endpoint("e", "d"),)), "e deployment"),
        (snapshot(deployment("d", "m", "p"), models={"m": ("p",)}), "p model"),
    ],
    ids=["pipeline", "owner", "user", "last of its model"],
)
def test_each_kind_of_use_prevents_a_stop_without_force(seen: Snapshot, use: str) -> None:
    """Each kind of use makes the deployment in use; with --force it is stopped."""
    (target,) = plan(Selection(("d",)), seen)
    assert (target.decision, short(target.used_by)) == (Outcome.IN_USE, [use])
    (forced,) = plan(Selection(("d",)), seen, force=True)
    assert (forced.decision, short(forced.used_by)) == (Outcome.WOULD_STOP, [use])


@pytest.mark.parametrize(
    ("state", "decision"),
    [("started", "would_stop"), ("starting", "would_stop"), ("stopping", "in_use"), ("failed", "in_use")],
)
def test_only_a_started_or_starting_sibling_keeps_the_model_available(state: str, decision: str) -> None:
    """A started or starting deployment keeps the model available; a stopping or failed one does not."""
    seen = snapshot(deployment("d", "m", "p"), deployment("other", "m", "p", state=state), models={"m": ("p",)})
    assert decisions(Selection(("d",)), seen) == {"d": decision}


def test_of_two_deployments_of_a_used_model_one_can_be_stopped() -> None:
    """Of two deployments of a used model, one can be stopped alone, but both are refused together without --force."""
    seen = snapshot(deployment("a", "m", "p"), deployment("b", "m", "p"), models={"m": ("p",)})
    assert decisions(Selection(("a", "b")), seen) == {"a": "in_use", "b": "in_use"}
    assert decisions(Selection(("a",)), seen) == {"a": "would_stop"}
    assert decisions(Selection(("a", "b")), seen, force=True) == {"a": "would_stop", "b": "would_stop"}


def failing_uses(selection: Selection, seen: Snapshot, *, force: bool = False) -> dict[str, list[str]]:
    """Return the uses that would fail, for each target."""
    return {one.deployment_id: short(one.failing_uses) for one in plan(selection, seen, force=force)}


def test_with_force_only_failing_uses_are_reported() -> None:
    """With --force a pipeline that references the model fails only if all of its deployments are stopped."""
    seen = snapshot(deployment("a", "m", "p"), deployment("b", "m", "p"), models={"m": ("p",)})
    assert failing_uses(Selection(("a",)), seen, force=True) == {"a": []}
    assert failing_uses(Selection(("a", "b")), seen, force=True) == {"a": ["p model"], "b": ["p model"]}


def test_only_uses_that_fail_are_reported() -> None:
    """If another deployment serves the model, only pipelines that reference the deployment ID fail."""
    seen = snapshot(deployment("a", "m", "q"), deployment("b", "m", "p"), models={"m": ("p",)})
    for force in (False, True):
        assert failing_uses(Selection(("a",)), seen, force=force) == {"a": ["q deployment"]}
    assert failing_uses(Selection(("b",)), seen) == {"b": []}
    assert failing_uses(Selection(("a", "b")), seen, force=True) == {"a": ["q deployment", "p model"], "b": ["p model"]}


def test_a_refused_sibling_keeps_the_model_available() -> None:
    """A refused deployment keeps the model available, so that the others can be stopped."""
    seen = snapshot(deployment("named", "m", "q"), deployment("free", "m", "p"), models={"m": ("p",)})
    assert decisions(Selection(("named", "free")), seen) == {"named": "in_use", "free": "would_stop"}


def test_each_model_is_decided_separately() -> None:
    """Deployments of one model do not keep another model available."""
    seen = snapshot(deployment("a", "m", "p"), deployment("b", "n", "q"), models={"m": ("p",), "n": ("q",)})
    assert decisions(Selection(("a",)), seen) == {"a": "in_use"}


def test_an_endpoint_of_another_deployment_does_not_prevent_a_stop() -> None:
    """Endpoints of other deployments do not prevent a stop."""
    assert decisions(Selection(("d",)), snapshot(deployment("d"), endpoints=(endpoint("e", "x"),))) == {
        "d": "would_stop"
    }


def test_each_target_contains_the_missing_checks() -> None:
    """Each target contains the missing checks."""
    (target,) = plan(Selection(("d",)), snapshot(deployment("d"), not_checked=(UNREAD,)))
    assert target.not_checked == (UNREAD,)


def test_an_unclear_use_counts_as_in_use_in_a_dry_run() -> None:
    """Without read_pipeline it is unknown whether pipelines reference the deployment or only its model.

    The server decides about a stop; in a dry run the deployment counts as in use.
    """
    seen = snapshot(deployment("d", "m", "q", "p"), deployment("e", "m"), models={"m": ("p", "q")})
    doubt = NotChecked("whether a pipeline references the deployment (p, q)", "requires read_pipeline")
    for dry_run, decision in ((False, Outcome.WOULD_STOP), (True, Outcome.IN_USE)):
        (target,) = plan(Selection(("d",)), seen, dry_run=dry_run)
        assert (target.decision, target.not_checked) == (decision, (doubt,))
    read = seen._replace(pipelines=Pipelines({name: Pipeline(frozenset({"m"})) for name in ("p", "q")}))
    (target,) = plan(Selection(("d",)), read, dry_run=True)
    assert (target.decision, target.not_checked) == (Outcome.WOULD_STOP, ())


def test_a_refusal_contains_every_use_that_would_fail() -> None:
    """A refusal contains every use that would fail, by deployment ID and by model."""
    pipelines = Pipelines({"p1": Pipeline(frozenset({"b1"})), "p2": Pipeline(frozenset({"both"}))})
    seen = snapshot(deployment("b1", "both", "p1"), models={"both": ("p2",)}, pipelines=pipelines)
    (target,) = plan(Selection(("b1",)), seen)
    assert (target.decision, short(target.failing_uses)) == (Outcome.IN_USE, ["p1 deployment", "p2 model"])


def test_force_breaks_no_pipeline_if_another_deployment_is_left() -> None:
    """A deployment with its model's ID is refused; with --force its pipelines keep working if another one is left."""
    pipelines = Pipelines({"p": Pipeline(frozenset({"m"})), "q": Pipeline(frozenset({"alias"}))})
    seen = snapshot(
        deployment("m", "m", "p", "q"),
        deployment("other", "m"),
        models={"m": ("p", "q")},
        pipelines=pipelines,
        aliases={"m": frozenset({"alias"})},
    )
    assert decisions(Selection(("m",)), seen) == {"m": "in_use"}
    assert failing_uses(Selection(("m",)), seen, force=True) == {"m": []}
    assert failing_uses(Selection(("m", "other")), seen, force=True)["m"] == ["q alias", "p deployment"]


@pytest.mark.parametrize(
    ("options", "decision"), [({}, "would_stop"), ({"strict": True}, "not_found"), ({"dry_run": True}, "not_found")]
)
def test_an_unlisted_exact_id_is_sent_to_the_server(options: dict[str, bool], decision: str) -> None:
    """An unlisted exact ID is sent to the server, as its model may have been deleted, unless strict or in a dry run."""
    (target,) = plan(Selection(("x",)), snapshot(hints={"x": "did you mean y?"}), **options)
    assert (target.decision.value, target.deployment, target.hint) == (decision, None, "did you mean y?")


def test_a_model_id_is_never_sent_in_a_stop() -> None:
    """A model ID is never sent in a stop, because servers before 8.8 would stop its deployment."""
    seen = snapshot(hints={"m": "is a model; its deployments are d"}, model_deployments={"m": ("d",)})
    (target,) = plan(Selection(("m",)), seen)
    assert (target.decision, target.model_deployments) == (Outcome.NOT_FOUND, ("d",))


def test_idle_time_is_measured_with_the_servers_clock() -> None:
    """Idle time is measured with the server's clock, even if it is behind this machine's."""
    seen = snapshot(deployment("d", idle_since=1_000))
    assert decisions(Selection(("d",), idle_before=2_000), seen) == {"d": "would_stop"}
    assert decisions(Selection(("d",), idle_before=2_000), seen._replace(clock_ahead=-1_500)) == {"d": "not_idle"}


def test_a_list_contains_every_deployment_with_its_uses() -> None:
    """A list contains every deployment with its uses, and unmatched names as not found."""
    seen = snapshot(deployment("d", "m", "p"), models={"m": ("p",)})
    targets = listed(Selection(("*", "x")), seen)
    assert [(one.deployment_id, one.decision.value, short(one.used_by)) for one in targets] == [
        ("d", "listed", ["p model"]),
        ("x", "not_found", []),
    ]
