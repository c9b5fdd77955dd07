"""What a run costs, before it has begun: requests by depth, and the time that they take."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.client import Pacer
from conformance.target import Target


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run of one depth takes on a target whose effects show at once.

    Attributes:
        requests: about how many are sent.
        waits: how often the settling time is waited out, to see that nothing shows late.
    """

    requests: int
    waits: int

    def seconds(self, target: Target, latency: float, pacer: Pacer) -> float:
        """About how long that takes, one request after the other: each takes its latency, or waits its turn."""
        return self.requests * max(latency, pacer.spacing) + self.waits * target.policy.settle_seconds


COSTS = {"quick": Cost(1250, 1), "standard": Cost(3400, 1), "deep": Cost(9000, 1)}
"""By depth; the README repeats the requests, and a test compares them with runs."""

TOLERANCE = 0.15
"""How far a run may be from that, as a share: servers, addresses and workers shift it."""


def in_words(seconds: float) -> str:
    """A time to plan with."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
