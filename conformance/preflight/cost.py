"""What a run costs, before it has begun: requests by depth, and the time that they take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.client import Pacer
from conformance.target import Target

COMPUTING_SECONDS = 0.01
"""What the suite computes for a request, roughly, while its process keeps a processor busy."""


REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Durations:
    """How long a target takes, in seconds.

    Attributes:
        read: to answer what changes nothing.
        writes: operation -> from a request that it grants until the effect shows, and :data:`REFUSED` -> until it has
            refused one; empty where nothing was tried.
    """

    read: float
    writes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run of one depth takes.

    Attributes:
        requests: about how many are sent.
        waits: how often the settling time is waited out, to see that nothing shows late.
        writes: operation -> how many of the requests change something on a conforming target, and how many it refuses.
    """

    requests: int
    waits: int
    writes: Mapping[str, int]

    def seconds(self, target: Target, durations: Durations, pacer: Pacer) -> float:
        """About how long that takes, one request after the other: each takes its time, or waits its turn."""
        writes = [(durations.writes[name], count) for name, count in self.writes.items() if name in durations.writes]
        reads = self.requests - sum(count for _, count in writes)
        each = [(durations.read, reads), *writes]
        taken = sum(count * max(seconds + COMPUTING_SECONDS, pacer.spacing) for seconds, count in each)
        return taken + self.waits * target.policy.settle_seconds


def _writes(allocations: int, associations: int, removals: int, refused: int) -> Mapping[str, int]:
    """What is allocated is also de-allocated."""
    return {
        "allocateAddress": allocations,
        "associate": associations,
        "removeAssociation": removals,
        "deallocateAddress": allocations,
        REFUSED: refused,
    }


COSTS = {
    "quick": Cost(1000, 1, _writes(8, 90, 85, 280)),
    "standard": Cost(6700, 1, _writes(27, 660, 540, 2400)),
    "deep": Cost(15300, 1, _writes(48, 1660, 1230, 6300)),
}
"""By depth; the README repeats the requests, and a test compares them with runs."""

TOLERANCE = 0.15
"""How far a run may be from that, as a share: servers, addresses and workers shift it."""


def in_words(seconds: float) -> str:
    """A time to plan with."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
