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
    """A part of a document is missing or of another type; says which."""


def required(body: Any, key: str, kind: type[T]) -> T:
    """Return a value that must be there."""
    if key not in need(body, dict):
        raise WrongShape(f"it has no {key!r}")
    return need(body[key], kind)


def optional(body: Any, key: str, kind: type[T], default: Any) -> Any:
    """Return a value that may be missing or null, but not of another type."""
    value = need(body, dict).get(key)
    return default if value is None else need(value, kind)


def need(value: Any, kind: type[T]) -> T:
    """Return the value when it is of the type; a bool is no number."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise WrongShape(f"it holds {NAMES.get(type(value), 'nothing')} where {NAMES[kind]} belongs")
    return value
