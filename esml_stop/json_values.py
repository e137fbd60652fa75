"""Reads values from decoded JSON and checks their types."""

from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")

NAMES: Mapping[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


class WrongShape(ValueError):
    """A value in a JSON document is missing or has the wrong type; the message says which."""


def required(body: Any, key: str, kind: type[T]) -> T:
    """Return a required value; raise WrongShape if it is missing or has another type."""
    if key not in of_type(body, dict):
        raise WrongShape(f"it has no {key!r}")
    return of_type(body[key], kind)


def optional(body: Any, key: str, kind: type[T], default: Any) -> Any:
    """Return an optional value, or the default if it is missing or null; raise WrongShape if it has another type."""
    value = of_type(body, dict).get(key)
    return default if value is None else of_type(value, kind)


def of_type(value: Any, kind: type[T]) -> T:
    """Return the value if it has the given type, else raise WrongShape; a bool does not count as an int."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise WrongShape(f"it holds {NAMES.get(type(value), 'nothing')} where {NAMES[kind]} belongs")
    return value
