"""Whether a target is gone, over all tests of a process: so many answers lost in a row that it can be no bad luck."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from conformance.client import halting
from conformance.client.outgoing import Outgoing
from conformance.evidence import Exchange

FEWEST = 3
"""So many answers are lost in a row before a target is taken for gone."""

MOST = 20
PAUSE_SECONDS = 3.0
"""A read is repeated so long after them; a target that answers it is none that is gone."""

IMPROBABLE = 1e-6
"""A target that loses some answers must be less likely to be stopped at any one request."""


@dataclass(slots=True)
class _Origin:
    """What one origin answered.

    Attributes:
        lost: answers that never came, those of the row that goes on left out.
        row: how many were lost since the last answer.
        read: a plain read that was answered.
    """

    answered: int = 0
    lost: int = 0
    row: int = 0
    read: Outgoing | None = None


@dataclass(slots=True)
class Breaker:
    """Hears of every exchange. Threads may share it."""

    _origins: dict[str, _Origin] = field(default_factory=lambda: defaultdict(_Origin))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hear(self, sent: Outgoing, exchange: Exchange) -> Outgoing | None:
        """Count it; the read to repeat after a pause, once so many answers are lost."""
        with self._lock:
            origin = self._origins[urlsplit(sent.url).netloc]
            if exchange.response is None:
                origin.row += 1
                return origin.read if origin.row == _enough(origin) else None
            origin.answered += 1
            origin.lost += origin.row
            origin.row = 0
            if sent.method == "GET" and exchange.status == 200:
                origin.read = sent
            return None

    def ask(self, read: Outgoing, last: Exchange, again: Callable[[Outgoing], Exchange]) -> None:
        """Ask the run to stop unless the read is answered after a pause.

        Args:
            last: the exchange that was lost last.
            again: sends a request and lets :meth:`hear` know.
        """
        halting.pause(PAUSE_SECONDS)
        if again(read).response is None and self.silent(read):
            halting.ask(f"the target stopped answering ({last.request.method} {last.request.url}: {last.failure})")

    def silent(self, sent: Outgoing) -> bool:
        """Nothing was answered there since so many answers were lost."""
        with self._lock:
            return self._origins[urlsplit(sent.url).netloc].row >= FEWEST


def _enough(origin: _Origin) -> int:
    """The fewest losses in a row, the repeated read among them, that the losses so far make improbable; less one."""
    share = (origin.lost + 0.5) / (origin.lost + origin.answered + 1)
    return next((row for row in range(FEWEST, MOST) if share ** (row + 1) < IMPROBABLE), MOST)
