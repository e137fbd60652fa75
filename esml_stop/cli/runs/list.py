"""`esml list`, step by step: read the deployments and what uses them, report."""

from dataclasses import replace

from esml_stop.cluster.reader import Reader
from esml_stop.outcomes import Outcome, Result
from esml_stop.output.progress import Quiet
from esml_stop.plan.patterns import ALL, Wanted
from esml_stop.plan.stop_plan import listed
from esml_stop.report import Report


def run(wanted: Wanted, reader: Reader, listener: Quiet, *, check: bool = True, strict: bool = False) -> Report:
    """Read the requested deployments, or all, and what uses them; nothing is changed."""
    unnamed = wanted.is_nothing
    if unnamed:
        wanted = replace(wanted, names=(ALL,))
    listener.phase("Looking up deployments and what uses them" if check else "Looking up deployments")
    snapshot = reader.read(wanted, check=check)
    targets = (one for one in listed(wanted, snapshot) if not (unnamed and one.decision is Outcome.NOT_FOUND))
    return Report("list", tuple(map(Result.planned, targets)), strict=strict)
