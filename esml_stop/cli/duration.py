"""Lengths of time as people type them."""

import re

import click

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


class Duration(click.ParamType):  # type: ignore[type-arg]
    """An option's value such as 30s, 5m, 1h30m or 7d, in seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds, or fail with an example."""
        if isinstance(value, float | int):
            return float(value)
        parts = PART.findall(str(value))
        total = sum(float(number) * UNITS[unit] for number, unit in parts)
        if "".join(number + unit for number, unit in parts) != str(value) or not 0 < total <= 366 * UNITS["d"]:
            self.fail(f"{value!r} is not a valid duration. Examples: 30s, 5m, 1h, 7d.", param, ctx)
        return total


def spelled(seconds: float) -> str:
    """Return a length of time as it can be typed, in the largest unit that makes a whole number."""
    for unit, length in reversed(UNITS.items()):
        if seconds % length == 0:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:g}s"
