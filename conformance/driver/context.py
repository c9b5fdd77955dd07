"""What the tests of one process share."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from conformance.client import Client, Wait
from conformance.driver.lateness import Lateness
from conformance.driver.met import MetClasses
from conformance.driver.observer import Views
from conformance.evidence import Exchange, Recorder
from conformance.judge import Held, Pair
from conformance.provision import Address, Ledger, Provisioner
from conformance.target import Target
from conformance.verdict import Spent


@dataclass(frozen=True, slots=True)
class Deallocated:
    """An address that was de-allocated: ``clause`` speaks of it, ``exchange`` did it."""

    address: str
    clause: str
    exchange: Exchange


@dataclass(slots=True)
class Process:
    """What the tests of one process share."""

    target: Target
    client: Client
    recorder: Recorder
    ledger: Ledger
    provisioner: Provisioner
    views: Views = field(default_factory=Views)
    lateness: Lateness = field(default_factory=Lateness)
    depth: str = "standard"
    seed: int = 0
    probe_limits: bool = False
    probed: int = 0
    """Scenes of the request space so far: each meets its settings in another order."""

    worn_together: set[frozenset[str]] = field(default_factory=set)
    """Any three harmless things that a request wore (:class:`conformance.generate.dress.Wardrobe`)."""

    worn_no_more: set[str] = field(default_factory=set)
    """Harmless things that were seen to make a difference."""

    baselines: dict[str, Held] = field(default_factory=dict)
    """Address -> what its single read showed before anything was done to it."""

    allocations: dict[str, str] = field(default_factory=dict)
    """Address -> the allocation that it came of."""

    made: dict[Pair, Exchange] = field(default_factory=dict)
    """Association -> the exchange that made it last."""

    removed: dict[Pair, Exchange] = field(default_factory=dict)
    """Association that was not made again -> the exchange that removed it, answered 204."""

    introduced: set[str] = field(default_factory=set)
    """Addresses that compute has had the time to learn of."""

    removes_in_vain: bool = False
    """Something was still shown after a 204, so that no removal is taken for made that was not looked at."""

    deallocated: list[Deallocated] = field(default_factory=list)
    """Addresses that were seen to go: they stay gone."""

    persisting: dict[str, tuple[Exchange, ...]] = field(default_factory=dict)
    """Method -> every try of a de-allocation of a held address that a fault turned out to be the answer to."""

    content_is_turned_away: bool = False
    """A 413 with a Retry-After came to content while the same removal without it went through (decision 18)."""

    failing: set[Pair] = field(default_factory=set)
    """Associations of which even a plain removal is answered with a fault, while those of others succeed."""

    controls: int = 2
    """Addresses without associations that may still be de-allocated to tell such a fault (decision 13)."""

    doubted: set[str] = field(default_factory=set)
    """Addresses that went through sequences or overlapping rounds: they are looked at before they are lent again."""

    met: MetClasses = field(default_factory=MetClasses)
    """Classes of the request space that were met by what was judged."""

    generated: dict[str, Any] = field(default_factory=lambda: {"total": 0, "reached": 0, "by_code": {}})
    notes: list[str] = field(default_factory=list)

    def meet(self, address: Address) -> None:
        """Take note of an address; what was said of an earlier one of its ID is void (decision 16)."""
        if self.allocations.get(address.id) == address.allocation:
            return
        self.allocations[address.id] = address.allocation
        self.baselines.pop(address.id, None)
        self.doubted.discard(address.id)
        self.made = {pair: exchange for pair, exchange in self.made.items() if pair.address != address.id}
        self.removed = {pair: exchange for pair, exchange in self.removed.items() if pair.address != address.id}
        self.deallocated = [one for one in self.deallocated if one.address != address.id]

    def changed(self, pair: Pair, exchange: Exchange) -> None:
        """An association was made, or removed, in a sequence or a round."""
        if exchange.request.method == "DELETE":
            self.removed[pair] = exchange
        else:
            self.removed.pop(pair, None)

    def readings(self) -> Readings:
        """What it has sent and how it has spent its time."""
        watch = self.client.stopwatch
        computed = time.process_time() - watch.busy
        return Readings(self.recorder.total, time.monotonic(), computed, dict(watch.seconds))


@dataclass(frozen=True, slots=True)
class Readings:
    """Of a process at one moment: requests sent, clocks, and what was waited for until then.

    Attributes:
        wall: the monotonic clock.
        computed: processor time, without that of waiting.
    """

    requests: int
    wall: float
    computed: float
    waited: dict[Wait, float]

    def until(self, later: Readings) -> Spent:
        """Where the time went; what nothing accounts for was slept away, as answers had asked for."""
        waits = {kind.value: round(later.waited[kind] - self.waited[kind], 3) for kind in Wait}
        own = round(later.computed - self.computed, 3)
        rest = later.wall - self.wall - sum(waits.values()) - own
        return Spent(**waits, own=max(0.0, own), pausing=max(0.0, round(rest, 3)))
