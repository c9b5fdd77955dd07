"""The signals that ask a run to end: each is noted, and the run ends by itself, with its clean-up and its report.

Only a second Ctrl-C ends it at once. Services of CI send INT and TERM within seconds: a TERM after an INT is not taken
for impatience. What was ignored as the run began, as under nohup, stays ignored.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from conformance.client import halting

HEEDED = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
REASON = "the run was interrupted"


def exit_code(number: int) -> int:
    """With which code a run ends that this signal ended, or pytest's own interruption with 0."""
    return 128 + number if number not in {0, signal.SIGINT} else 2


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Processes that are started within the context get no signal before they are ready for it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HEEDED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Handlers:
    """The handlers of one process of a run.

    Args:
        left: what to say when a second Ctrl-C ends the run at once; None where another process of the run decides.
    """

    def __init__(self, left: Callable[[], str] | None = None) -> None:
        self._left = left
        self._interrupted = False
        self._before: dict[int, Any] = {}

    def install(self) -> None:
        """Heed the signals that were not ignored, also those that came while they were held back."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in HEEDED:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self)
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HEEDED)

    def restore(self) -> None:
        """Put back what was there before."""
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before.clear()

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Note the signal."""
        if self._left and self._interrupted and number == signal.SIGINT:
            os.write(2, f"\nconformance: ended at once; {self._left()}\n".encode(errors="replace"))
            os._exit(exit_code(number))
        self._interrupted = self._interrupted or number == signal.SIGINT
        halting.ask(REASON, number)
