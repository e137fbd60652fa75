"""The commands, one module each: a click shell, a frozen request, and a run function that knows no click."""
