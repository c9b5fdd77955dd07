"""Several requests at once, where their order is not what is tried, of a target that takes its time to answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

WORTH_IT_SECONDS = 0.01
"""Of a target that answers sooner, threads would only get into each other's way."""

SHARE_OF_TIMEOUT = 0.25
"""Of the time for an answer, what those that are asked for at once may take one after the other."""

T = TypeVar("T")


class Callers:
    """Threads that call at once; each has connections of its own.

    Args:
        latency: what the target takes for a read of late, seconds.
        per_second: requests that it may get; more callers than that lets through would only wait for their turn.
        most: that may be under way at once.
        timeout: within which each has to be answered, seconds. A target that answers one after the other must not
            lose an answer by being asked for several.
    """

    def __init__(self, latency: Callable[[], float], per_second: float | None, timeout: float, most: int) -> None:
        self._latency = latency
        self._per_second = per_second
        self._timeout = timeout
        self._most = most
        self._threads: ThreadPoolExecutor | None = None

    def each(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """What each call gives, in their order; the first error of any, once all that have begun are done."""
        if min(len(calls), self._worth_it()) < 2:
            return [call() for call in calls]
        self._threads = self._threads or ThreadPoolExecutor(self._most)
        begun = [self._threads.submit(call) for call in calls]
        wait(begun, return_when=FIRST_EXCEPTION)
        wait([one for one in begun if not one.cancel()])
        return [one.result() for one in begun if not one.cancelled()]

    def _worth_it(self) -> int:
        latency = self._latency()
        if latency < WORTH_IT_SECONDS:
            return 1
        let_through = math.ceil(self._per_second * latency) if self._per_second else self._most
        return min(self._most, let_through, int(self._timeout * SHARE_OF_TIMEOUT / latency))
