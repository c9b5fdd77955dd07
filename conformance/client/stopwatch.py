"""Where a process's time goes: what it waits for, and what it computes itself."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from conformance.client import halting


class Wait(StrEnum):
    """What a process waits for; the values are the members of the run document."""

    TARGET = "target"
    SETTLING = "settling"
    PACING = "pacing"
    LEASES = "leases"


@dataclass(slots=True)
class Stopwatch:
    """Adds up waits by kind; threads that wait for the same at once wait once.

    Attributes:
        seconds: kind -> wall time during which at least one thread waited so.
        busy: processor time used while something was awaited, such as for sending and reading.
    """

    seconds: dict[Wait, float] = field(default_factory=lambda: dict.fromkeys(Wait, 0.0))
    busy: float = 0.0
    _waiting: Counter[Wait] = field(default_factory=Counter)
    _since: dict[Wait, float] = field(default_factory=dict)
    _busy_since: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def on(self, kind: Wait) -> Iterator[None]:
        """Count the time until the context ends."""
        self._begin(kind)
        try:
            yield
        finally:
            self._end(kind)

    def pause(self, kind: Wait, seconds: float) -> None:
        """Sleep, and count it."""
        with self.on(kind):
            halting.pause(seconds)

    def _begin(self, kind: Wait) -> None:
        with self._lock:
            if not self._waiting.total():
                self._busy_since = time.process_time()
            if not self._waiting[kind]:
                self._since[kind] = time.monotonic()
            self._waiting[kind] += 1

    def _end(self, kind: Wait) -> None:
        with self._lock:
            self._waiting[kind] -= 1
            if not self._waiting[kind]:
                self.seconds[kind] += time.monotonic() - self._since[kind]
            if not self._waiting.total():
                self.busy += time.process_time() - self._busy_since
