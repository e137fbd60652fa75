from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esml_stop.errors import InputError
from esml_stop.plan.patterns import (
    LONGEST_EXPRESSION,
    Selection,
    chosen,
    chunks,
    expression,
    fits,
    is_pattern,
    matches,
    parse,
    select,
)
from tests.support.builders import deployment, snapshot

IDS = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters=",*"), min_size=1, max_size=40
)
ID = IDS.filter(lambda text: text == text.strip() and text not in {".", "..", "_all"})


def test_names_keep_their_order_without_duplicates() -> None:
    """Comma-separated lists are split and duplicates removed; the first occurrence keeps its position."""
    assert parse(["b,a", "b", "c*", "_all"]).names == ("b", "a", "c*", "_all")


def test_names_from_standard_input_follow_the_arguments() -> None:
    """Names from standard input follow the arguments, models are kept separate, and duplicates are removed."""
    selection = parse(["a"], lines=["b", "a"], models=["m", "m"], idle_before=5)
    assert selection == Selection(("a", "b"), ("m",), idle_before=5, from_input=True)
    assert parse(["a"]).from_input is False
    assert parse([], lines=[]).from_input is True


def test_exact_names_and_patterns_are_distinguished() -> None:
    """A name with an asterisk and `_all` are patterns; an ID that only begins with `_all` is exact."""
    selection = Selection(("a", "b*", "_all", "*", "_all_of_them"))
    assert selection.exact == ("a", "_all_of_them")
    assert selection.patterns == ("b*", "_all", "*")


@pytest.mark.parametrize(
    ("selection", "is_broad"),
    [
        (Selection(("a",)), False),
        (Selection(("a", "b*")), True),
        (Selection(("_all",)), True),
        (Selection((), ("m",)), True),
    ],
)
def test_patterns_and_models_make_a_selection_broad(selection: Selection, is_broad: bool) -> None:
    """A selection is broad if it contains a pattern, `_all` or a model."""
    assert selection.is_broad is is_broad


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "A deployment ID is empty."),
        ("a,", "A deployment ID is empty."),
        (".", "'.' is not a deployment ID."),
        ("..", "'..' is not a deployment ID."),
        ("a\nb", r"The deployment ID 'a\nb' contains control characters or is not valid UTF-8."),
        ("a\x1b[31m", r"The deployment ID 'a\x1b[31m' contains control characters or is not valid UTF-8."),
        ("a\u2028b", r"The deployment ID 'a\u2028b' contains control characters or is not valid UTF-8."),
        ("a\u2029b", r"The deployment ID 'a\u2029b' contains control characters or is not valid UTF-8."),
        ("a\udcff", r"The deployment ID 'a\udcff' contains control characters or is not valid UTF-8."),
        (" a", "The deployment ID ' a' starts or ends with a space."),
        ("x" * 2_701, f"The deployment ID that starts with {'x' * 40!r} is too long."),
    ],
)
def test_invalid_ids_are_rejected(name: str, message: str) -> None:
    """An impossible ID is rejected with one sentence that shows it escaped."""
    with pytest.raises(InputError) as raised:
        parse([name])
    assert (raised.value.message, raised.value.target) == (message, "" if name == "a," else name)


def test_the_hint_for_an_empty_id_mentions_unset_variables() -> None:
    """The hint for an empty ID mentions stray commas and unset variables; the ID `..` has no hint."""
    with pytest.raises(InputError) as raised:
        parse(["a,,b"])
    assert raised.value.hint == "Check the command for a stray comma or an unset variable."
    with pytest.raises(InputError) as raised:
        parse([".."])
    assert raised.value.hint is None


def test_the_hint_for_control_characters_suggests_a_pattern() -> None:
    """The hint for an ID with control characters suggests a pattern."""
    with pytest.raises(InputError) as raised:
        parse(["a\tb"])
    assert "a pattern with *" in str(raised.value.hint)


@pytest.mark.parametrize("name", ["a*", "_all", "a,b"])
def test_standard_input_and_models_accept_no_patterns(name: str) -> None:
    """Patterns and comma-separated lists are rejected on standard input and in --model."""
    with pytest.raises(InputError, match="is not an exact ID"):
        parse([], lines=[name])
    with pytest.raises(InputError, match="is not an exact ID") as raised:
        parse([], models=[name])
    assert raised.value.target == name


def test_the_longest_id_is_allowed() -> None:
    """The longest ID that fits into a request line is accepted."""
    assert parse(["x" * LONGEST_EXPRESSION]).names == ("x" * LONGEST_EXPRESSION,)


@pytest.mark.parametrize(
    ("name", "deployment_id", "expected"),
    [
        ("_all", "anything", True),
        ("*", "", True),
        ("ci-*", "ci-1", True),
        ("ci-*", "xci-1", False),
        ("*-1", "ci-1", True),
        ("*-1", "ci-12", False),
        ("a*c*e", "abcde", True),
        ("a*c*e", "abde", False),
        ("a.c", "abc", False),
        ("a", "a", True),
        ("a", "ab", False),
        ("a*", "a\nb", True),
        ("[ab]", "a", False),
        ("[ab]*", "[ab]c", True),
        ("a?c*", "abc", False),
        ("*a*a*a*a*a*a*a*a*b", "a" * 60, False),
    ],
)
def test_a_pattern_matches_complete_ids(name: str, deployment_id: str, expected: bool) -> None:
    """An asterisk matches any text, including none; a pattern matches complete IDs."""
    assert matches(name, deployment_id) is expected


@given(ID)
def test_an_exact_id_matches_only_itself(name: str) -> None:
    """An exact ID matches only itself, because only the asterisk is a wildcard."""
    assert not is_pattern(name)
    assert matches(name, name)
    assert not matches(name, f"{name}x")
    assert matches(f"{name}*", f"{name}x")


def test_an_expression_contains_all_names() -> None:
    """An expression joins exact names and patterns with commas; `_all` replaces all of them."""
    assert expression(["a", "b*"]) == "a,b*"
    assert expression(["a", "_all"]) == "_all"


def test_names_too_long_for_a_request_line_become_all() -> None:
    """Three hundred long IDs, which do not fit into a request line, are requested as `_all`."""
    assert expression([f"a-rather-long-deployment-{number}" for number in range(300)]) == "_all"


@given(st.lists(ID, min_size=1, max_size=60))
def test_chunks_contain_every_name_and_fit(names: list[str]) -> None:
    """Each name is in exactly one chunk, in order, and each chunk fits into a request line."""
    lists = chunks(names)
    assert ",".join(lists) == ",".join(names)
    assert all(fits(one) for one in lists)


def test_chunks_are_as_few_as_possible() -> None:
    """Each chunk is filled up to the limit before the next one begins."""
    name = "x" * (LONGEST_EXPRESSION // 2)
    assert chunks([name[:-1], name]) == [f"{name[:-1]},{name}"]
    assert chunks([name, name]) == [name, name]
    assert len(quote(f"{name[:-1]},{name}", safe=",")) == LONGEST_EXPRESSION
    assert chunks([]) == []


def test_the_encoded_length_counts() -> None:
    """Percent-encoded characters count with their encoded length; commas and asterisks are not encoded."""
    assert fits("ä" * (LONGEST_EXPRESSION // 6))
    assert not fits("ä" * (LONGEST_EXPRESSION // 6 + 1))
    assert fits(",*" * (LONGEST_EXPRESSION // 2))


def ids(selection: Selection, *deployments: object, **more: object) -> list[tuple[str, list[str]]]:
    """Return each name with the IDs of the deployments that it selects."""
    found = select(selection, snapshot(*deployments, **more))  # type: ignore[arg-type]
    return [(name, [one.deployment_id for one in group]) for name, group in found]


def test_a_name_is_compared_with_deployment_ids_only() -> None:
    """A name is compared with deployment IDs, not with model IDs."""
    found = ids(Selection(("m", "m*")), deployment("d", "m"), deployment("m2", "x"))
    assert found == [("m", []), ("m*", ["m2"])]


def test_the_matches_of_a_pattern_are_sorted() -> None:
    """Names keep their order, and the matches of a pattern are sorted."""
    found = ids(Selection(("z", "a*")), deployment("a2"), deployment("z"), deployment("a1"))
    assert found == [("z", ["z"]), ("a*", ["a1", "a2"])]


def test_a_model_alias_selects_the_deployments_of_its_model() -> None:
    """An alias in --model selects the deployments of its model, and an unknown model selects none."""
    found = ids(Selection((), ("alias", "other")), deployment("d", "m"), deployment("e", "o"), model_ids={"alias": "m"})
    assert found == [("alias", ["d"]), ("other", [])]


def test_each_deployment_is_selected_once() -> None:
    """A deployment is selected once, even if several names match it."""
    found = chosen(Selection(("d", "d*", "_all"), ("m",)), snapshot(deployment("d", "m"), deployment("x", "m")))
    assert [one.deployment_id for one in found] == ["d", "x"]


def test_only_idle_deployments_are_selected() -> None:
    """A deployment is selected only if it is known to be idle and has neither pending nor recent requests."""
    found = chosen(
        Selection(("_all",), idle_before=1_000),
        snapshot(
            deployment("used", start_time=1, idle_since=1_000),
            deployment("idle", start_time=1, idle_since=999),
            deployment("queued", start_time=1, idle_since=999, pending=1),
            deployment("asked", start_time=1, idle_since=999, last_minute=1),
            deployment("unknown", start_time=1),
        ),
    )
    assert [one.deployment_id for one in found] == ["idle"]
