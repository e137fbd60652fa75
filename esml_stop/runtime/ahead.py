"""A question that is asked while something else is waited for."""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class Early(Generic[T]):
    """A call whose first attempt is made at once, in a thread; calling this returns, or raises, what came of it."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._first: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()
        Thread(target=self._begin, daemon=True).start()

    def __call__(self, attempt: int, *, timeout: float | None = None) -> T:
        """Return the result of the first attempt, once; raise queue.Empty when that takes longer than `timeout`.

        Every later attempt is made now.
        """
        if attempt > 1:
            return self._call()
        result, error = self._first.get(timeout=timeout)
        if error:
            raise error
        return result  # type: ignore[return-value]

    def _begin(self) -> None:
        try:
            self._first.put((self._call(), None))
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is wanted
            self._first.put((None, error))
