"""The exit codes of every esml command; README.md has the same table."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """The exit code of the esml process."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NO_MATCH = 3
    AUTH = 4
    IN_USE = 5
    UNREACHABLE = 6
    DEADLINE = 7
    HUNG_UP = 129
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    TERMINATED = 143


# The reason for each exit code, for programs that read the JSON output.
REASONS = {
    0: "success",
    1: "failed",
    2: "usage",
    3: "no_match",
    4: "not_allowed",
    5: "in_use",
    6: "unreachable",
    7: "timed_out",
    129: "hung_up",
    130: "interrupted",
    141: "broken_pipe",
    143: "terminated",
}
