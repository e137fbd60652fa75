import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esml_stop.models import Deployment
from esml_stop.plan.start_settings import differences, format_size, not_shown, settings, size_in_bytes, start_call
from tests.support.builders import deployment

MODEL_BYTES = 265_632_637


def running(**more: Any) -> Deployment:
    """Return a deployment with all settings, some of which are replaced by these."""
    values: dict[str, Any] = {
        "number_of_allocations": 2,
        "threads_per_allocation": 4,
        "queue_capacity": 1024,
        "priority": "normal",
        "cache_size": "253.3mb",
        "model_bytes": MODEL_BYTES,
    }
    return deployment("d", "m", **(values | more))


def test_the_default_cache_size_is_omitted() -> None:
    """The cache size is omitted if it is the default, which is the size of the model."""
    assert settings(running()) == {
        "number_of_allocations": 2,
        "threads_per_allocation": 4,
        "queue_capacity": 1024,
        "priority": "normal",
    }
    assert settings(running(cache_size="64mb"))["cache_size"] == "64mb"
    assert settings(running(model_bytes=None))["cache_size"] == "253.3mb"


def test_adaptive_allocations_replace_the_number_of_allocations() -> None:
    """With adaptive allocations enabled the number of allocations is omitted; disabled ones keep the number."""
    on, off = {"enabled": True, "min_number_of_allocations": 1}, {"enabled": False}
    assert "number_of_allocations" not in settings(running(adaptive_allocations=on))
    assert settings(running(adaptive_allocations=on))["adaptive_allocations"] == on
    assert settings(running(adaptive_allocations=off))["number_of_allocations"] == 2


def test_the_start_call_contains_every_setting() -> None:
    """The start call contains every setting, with the cache size in bytes, because the server rejects decimals."""
    call = start_call(running(cache_size="64.5mb"))
    assert call.path == "/_ml/trained_models/m/deployment/_start"
    assert call.body is None
    assert call.query == {
        "deployment_id": "d",
        "number_of_allocations": "2",
        "threads_per_allocation": "4",
        "queue_capacity": "1024",
        "priority": "normal",
        "cache_size": "67633152b",
    }


def test_the_start_call_has_the_format_of_dev_console() -> None:
    """The start call has the format of Kibana's Dev Console, with encoded IDs and adaptive allocations in the body."""
    one = Deployment("a b/c", "m/ä", "started", priority="low", adaptive_allocations={"enabled": True})
    assert start_call(one).console == (
        "POST _ml/trained_models/m%2F%C3%A4/deployment/_start?deployment_id=a%20b%2Fc&priority=low\n"
        '{"adaptive_allocations": {"enabled": true}}'
    )


def test_a_deployment_with_its_models_id_needs_no_deployment_id() -> None:
    """A deployment ID that equals the model ID is omitted, because servers before 8.8 lack the parameter."""
    assert start_call(Deployment("m", "m", "started")).console == "POST _ml/trained_models/m/deployment/_start"


def test_servers_before_8_3_get_the_old_setting_names() -> None:
    """Servers before 8.3 get the old setting names, and these do not count as differences."""
    old = running(old_names=True)
    assert start_call(old).query == {
        "deployment_id": "d",
        "model_threads": "2",
        "inference_threads": "4",
        "queue_capacity": "1024",
        "priority": "normal",
    }
    assert list(differences(old, running())) == []


def test_a_deployment_started_through_an_alias_has_the_alias_in_its_path() -> None:
    """The path of the start call contains the alias if the deployment was started through it."""
    one = Deployment("alias", "m", "started", priority="low", through_alias=True)
    assert start_call(one).console == "POST _ml/trained_models/alias/deployment/_start?priority=low"


def test_zero_allocations_are_omitted_from_the_start() -> None:
    """Zero allocations are omitted from the start, and do not count as a difference."""
    zero = running(number_of_allocations=0)
    assert settings(zero)["number_of_allocations"] == 0
    assert "number_of_allocations" not in start_call(zero).query
    assert list(differences(zero, running(number_of_allocations=1))) == []


def test_settings_that_the_cluster_does_not_show_are_listed() -> None:
    """Missing cache, priority and adaptive allocations mean the default; other missing settings are unknown."""
    assert not_shown(running()) == ()
    assert not_shown(running(cache_size=None, priority=None)) == ()
    assert not_shown(deployment("d", state="failed")) == (
        "number_of_allocations",
        "threads_per_allocation",
        "queue_capacity",
    )
    adaptive = running(number_of_allocations=None, adaptive_allocations={"enabled": True})
    assert not_shown(adaptive) == ()


def test_differences_are_described() -> None:
    """Each difference shows both values, the model comes first, and a missing value is the default."""
    saved, now = running(), running(number_of_allocations=3, cache_size="1gb", priority=None)
    assert list(differences(saved, now)) == [
        "number_of_allocations is 3, not 2",
        "priority is the default, not normal",
        "cache_size is 1gb, not the default",
    ]
    assert list(differences(saved, saved)) == []
    assert next(differences(saved, deployment("d", "other"))) == "its model is other, not m"


def test_unknown_settings_are_not_differences() -> None:
    """A setting that the save file lacks is a difference only if its absence means the default."""
    adaptive = {"enabled": True}
    now = running(cache_size="1gb", adaptive_allocations=adaptive)
    assert list(differences(deployment("d", "m"), now)) == [
        "cache_size is 1gb, not the default",
        f"adaptive_allocations is {adaptive}, not the default",
    ]


def test_state_and_counts_are_not_settings() -> None:
    """State, nodes, counts and times do not count as differences."""
    other = running(state="starting", allocations=1, inference_count=9, start_time=5, last_access=6, nodes=("n",))
    assert list(differences(running(), other)) == []


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0b"),
        (1023, "1023b"),
        (1024, "1kb"),
        (1535, "1.4kb"),
        (1536, "1.5kb"),
        (MODEL_BYTES, "253.3mb"),
        (1024**3, "1gb"),
        (1024**3 - 1, "1023.9mb"),
        (5 * 1024**4 // 2, "2.5tb"),
        (3 * 1024**5, "3pb"),
    ],
)
def test_sizes_have_the_format_of_the_server(size: int, text: str) -> None:
    """Sizes use the largest unit that fits and are truncated to one decimal, which is omitted if it is zero."""
    assert format_size(size) == text


@given(st.integers(0, 2**62))
def test_a_size_is_shown_in_the_same_way_after_a_start(size: int) -> None:
    """A size that is read from `_stats` and sent in a start is shown in the same way again, and never grows."""
    again = size_in_bytes(format_size(size))
    assert format_size(again) == format_size(size)
    assert again <= size


@pytest.mark.parametrize("text", ["", "mb", "1", "1.2.3mb", "-1mb", "1 mb", "1xb"])
def test_text_that_is_not_a_size_is_rejected(text: str) -> None:
    """Text that is not a size raises ValueError."""
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        size_in_bytes(text)
