"""A ceiling on requests a second that all processes of a run share."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

MARGIN = 1.08
"""Slots are this much further apart than the ceiling asks, so that jitter on the way bunches no more than allowed."""


@dataclass(frozen=True, slots=True)
class Pacer:
    """Hands out send times, evenly spaced over all processes that share ``file``.

    The monotonic clock is one for all processes of a machine, so a file with the next free slot is all they share.
    """

    file: Path
    per_second: float | None = None

    @property
    def spacing(self) -> float:
        """Seconds between the beginnings of two requests at least; 0 without a ceiling."""
        return MARGIN / self.per_second if self.per_second else 0.0

    def wait(self) -> None:
        """Return when the next request may be sent."""
        if self.per_second:
            time.sleep(max(0.0, self._slot(self.spacing) - time.monotonic()))

    def _slot(self, spacing: float) -> float:
        with FileLock(f"{self.file}.lock"):
            slot = max(time.monotonic(), self._taken())
            self.file.write_text(repr(slot + spacing))
        return slot

    def _taken(self) -> float:
        try:
            return float(self.file.read_text())
        except (OSError, ValueError):
            return 0.0  # not written yet, or by a process that was killed while it wrote
