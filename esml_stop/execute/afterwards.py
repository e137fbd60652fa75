"""What is done after the cluster was changed: whatever goes wrong here, what is known of the changes is not lost."""

from collections.abc import Callable, Sequence

from esml_stop.errors import EsmlError
from esml_stop.outcomes import Result
from esml_stop.output import stderr
from esml_stop.runtime.background import watched
from esml_stop.runtime.deadline import Deadline
from esml_stop.runtime.signals import Interrupted
from esml_stop.text import clean

Results = Sequence[Result]


def improved(
    results: Results,
    work: Callable[[], Results],
    deadline: Deadline,
    without: Callable[[Results, EsmlError], Results],
) -> tuple[Results, int | None]:
    """Return the results as some work improves them, and the signal that came meanwhile, if one did.

    `without` says what they are when the cluster could not be read; after a signal, or a bug, they stay as they were.
    """
    try:
        return watched(work, deadline), None
    except Interrupted as interrupted:
        return results, interrupted.signal
    except EsmlError as error:
        return without(results, error), None
    except Exception as error:  # noqa: BLE001 - a bug must not take the report along
        stderr.warn(f"the last look failed unexpectedly ({clean(repr(error))}); this is a bug in esml.")
        return results, None
