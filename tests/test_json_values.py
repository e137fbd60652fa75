import pytest

from esml_stop.json_values import WrongShape, of_type, optional, required


def test_a_value_of_the_right_type_is_returned() -> None:
    """A value of the expected type is returned."""
    assert required({"a": 1}, "a", int) == 1
    assert optional({"a": "x"}, "a", str, None) == "x"
    assert of_type([], list) == []


def test_a_missing_required_value_is_an_error() -> None:
    """A missing required value is an error that names it; a missing or null optional value is the default."""
    with pytest.raises(WrongShape, match="it has no 'a'"):
        required({}, "a", int)
    assert optional({}, "a", int, 7) == 7
    assert optional({"a": None}, "a", int, 7) == 7


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ("1", int, "a text where a whole number belongs"),
        (True, int, "true or false where a whole number belongs"),
        (None, str, "nothing where a text belongs"),
        ([], dict, "a list where an object belongs"),
    ],
)
def test_a_value_of_another_type_is_rejected(value: object, kind: type, message: str) -> None:
    """A value of another type is rejected; a boolean is not an integer, and null is not a string."""
    with pytest.raises(WrongShape, match=message):
        of_type(value, kind)
    with pytest.raises(WrongShape, match=message):
        required({"a": value}, "a", kind)


@pytest.mark.parametrize("body", [[], None, "text", 3])
def test_only_objects_have_values(body: object) -> None:
    """Reading a value from anything but an object is an error."""
    with pytest.raises(WrongShape, match="where an object belongs"):
        required(body, "a", int)
    with pytest.raises(WrongShape, match="where an object belongs"):
        optional(body, "a", int, None)
