"""A ceiling on requests a second that all processes of a run share."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from conformance.client import halting

MARGIN = 1.08
"""Turns are this much further apart than the ceiling asks, so that they come evenly and not in bursts."""

WINDOW_SECONDS = 1.01
"""The second over which requests are counted, and a little for a clock that runs differently at the target."""

POLL_SECONDS = 0.01
LOCK_POLL_SECONDS = 0.002
FORGOTTEN_SECONDS = 60.0
"""A request that was under way for so long has come long ago, or its process was killed."""


@dataclass(frozen=True, slots=True)
class Pacer:
    """Hands out turns, evenly spaced over all processes that share ``file``.

    A request arrives some time between its sending and its answer. So a turn is given only if, with it, no more
    requests than the ceiling are under way or were answered within the last second: whatever happens between here
    and the target, it sees no more than that in any second. The monotonic clock is one for all processes of a machine.
    """

    file: Path
    per_second: float | None = None

    @property
    def spacing(self) -> float:
        """Seconds between the beginnings of two requests at least; 0 without a ceiling."""
        return MARGIN / self.per_second if self.per_second else 0.0

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the turn of a request, which is under way until the context ends."""
        if not self.per_second:
            yield
            return
        ticket = secrets.token_hex(8)
        while (wait := self._asked(ticket, self.per_second)) > 0:
            halting.pause(wait)
        try:
            yield
        finally:
            self._answered(ticket)

    def _asked(self, ticket: str, per_second: float) -> float:
        """Take the turn and return 0, or return the seconds after which to ask again."""
        most, window = max(1, int(per_second)), WINDOW_SECONDS * max(1.0, 1.0 / per_second)
        with self._locked():
            now, state = time.monotonic(), self._state()
            counted = {name: times for name, times in state["turns"].items() if not _over(times, now, window)}
            if len(counted) >= most:
                ended = [times[1] for times in counted.values() if times[1] is not None]
                return max(POLL_SECONDS, min(ended) + window - now) if ended else POLL_SECONDS
            if now < state["next"]:
                return float(state["next"] - now)
            self._write({"next": now + self.spacing, "turns": {**counted, ticket: [now, None]}})
        return 0.0

    def _answered(self, ticket: str) -> None:
        with self._locked():
            state = self._state()
            if ticket in state["turns"]:
                state["turns"][ticket][1] = time.monotonic()
                self._write(state)

    def _locked(self) -> contextlib.AbstractContextManager[Any]:
        return FileLock(f"{self.file}.lock").acquire(poll_interval=LOCK_POLL_SECONDS)

    def _state(self) -> dict[str, Any]:
        """When the next turn is due at the earliest, and ticket -> when its request began and when it was answered."""
        try:
            return dict(json.loads(self.file.read_text()))
        except (OSError, ValueError):
            return {"next": 0.0, "turns": {}}

    def _write(self, state: dict[str, Any]) -> None:
        aside = self.file.with_name(f"{self.file.name}.new")
        aside.write_text(json.dumps(state))
        aside.replace(self.file)  # a process that is killed meanwhile leaves the last word whole


def _over(times: list[float | None], now: float, window: float) -> bool:
    began, ended = times
    return now >= ended + window if ended is not None else began is None or now >= began + FORGOTTEN_SECONDS
