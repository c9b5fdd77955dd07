"""Whether a target is gone, over all tests of a process: so many answers lost in a row that it can be no bad luck.

Each of its services counts for itself: one may be gone while the other, behind the same front, answers as ever.
"""

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
class _Service:
    """What one service answered.

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
    """Hears of every exchange. Threads may share it.

    Attributes:
        roots: URLs of the services; what lies under none of them is one service with its host.
    """

    roots: tuple[str, ...] = ()
    _services: dict[str, _Service] = field(default_factory=lambda: defaultdict(_Service))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hear(self, sent: Outgoing, exchange: Exchange) -> Outgoing | None:
        """Count it; the read to repeat after a pause, once so many answers are lost."""
        with self._lock:
            service = self._service(sent)
            if exchange.response is None:
                service.row += 1
                return service.read if service.row == _enough(service) else None
            service.answered += 1
            service.lost += service.row
            service.row = 0
            if sent.method == "GET" and exchange.status == 200:
                service.read = sent
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
            return self._service(sent).row >= FEWEST

    def _service(self, sent: Outgoing) -> _Service:
        under = next((root for root in self.roots if sent.url.startswith(f"{root}/")), "")
        return self._services[under or urlsplit(sent.url).netloc]


def _enough(service: _Service) -> int:
    """The fewest losses in a row, the repeated read among them, that the losses so far make improbable; less one."""
    share = (service.lost + 0.5) / (service.lost + service.answered + 1)
    return next((row for row in range(FEWEST, MOST) if share ** (row + 1) < IMPROBABLE), MOST)
