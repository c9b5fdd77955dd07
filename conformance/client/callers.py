"""Several requests at once, where their order is not what is tried, of a target that takes its time to answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

MOST_CALLERS = 8
WORTH_IT_SECONDS = 0.01
"""Of a target that answers sooner, threads would only get into each other's way."""

T = TypeVar("T")


class Callers:
    """Threads that call at once; each has connections of its own.

    Args:
        latency: what the target takes for a read of late, seconds.
        per_second: requests that it may get; more callers than that lets through would only wait for their turn.
    """

    def __init__(self, latency: Callable[[], float], per_second: float | None) -> None:
        self._latency = latency
        self._per_second = per_second
        self._threads: ThreadPoolExecutor | None = None

    def each(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """What each call gives, in their order; the first error of any, once all that have begun are done."""
        if min(len(calls), self._worth_it()) < 2:
            return [call() for call in calls]
        self._threads = self._threads or ThreadPoolExecutor(MOST_CALLERS)
        begun = [self._threads.submit(call) for call in calls]
        wait(begun, return_when=FIRST_EXCEPTION)
        wait([one for one in begun if not one.cancel()])
        return [one.result() for one in begun if not one.cancelled()]

    def _worth_it(self) -> int:
        latency = self._latency()
        if latency < WORTH_IT_SECONDS:
            return 1
        return math.ceil(min(MOST_CALLERS, self._per_second * latency)) if self._per_second else MOST_CALLERS
