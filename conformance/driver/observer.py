"""Reading a target's state, and waiting until it has settled (spec/README.md, decision 6)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from conformance.client import Client, Wait, retried
from conformance.errors import Unjudgeable
from conformance.evidence import Exchange
from conformance.judge import ObservedState, Pair, state

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 0.5
HURRIED_PATIENCE_SECONDS = 0.5
FULL_WAITS = 2
"""So often an effect is awaited in full in vain; a target that is known to fail is not waited for as long."""


T = TypeVar("T")


@dataclass(slots=True)
class Views:
    """What is known of the target's reads: which of the two views show associations at all, and how far they lag.

    A view counts as blind when it did not show an association that the other one shows; then it says nothing.
    """

    listed: bool = True
    shown: bool = True
    calibrated: bool = False
    lag_seconds: float = 0.0
    waits_in_vain: int = 0

    def notes(self) -> list[str]:
        """What the operator should know of the target's reads."""
        blind = [name for name, sees in (("list", self.listed), ("single read", self.shown)) if not sees]
        return [
            *(f"the {name} of associations does not show existing ones; it was not relied on" for name in blind),
            *([f"reads lag behind effects: {self.lag_seconds:.1f} s were seen"] if self.lag_seconds else []),
        ]


class Observer:
    """Reads the state of the suite's own addresses and awaits effects."""

    def __init__(self, client: Client, views: Views) -> None:
        self._client = client
        self.views = views

    def associations(self, servers: Iterable[str], addresses: Iterable[str], pairs: Iterable[Pair]) -> ObservedState:
        """The lists of ``servers`` for ``addresses``, and the single reads of ``pairs``.

        Raises:
            Unjudgeable: a view that works answers nothing that could be compared.
        """
        wanted = list(addresses)
        seen = ObservedState()
        if self.views.listed:
            named = list(servers)
            for server, exchange in zip(named, self._read(self._client.list_associations, named), strict=True):
                seen |= _told(state.from_list(exchange, server, wanted), exchange)
        if self.views.shown:
            asked = list(pairs)
            for pair, exchange in zip(asked, self._read(self._show, asked), strict=True):
                seen |= _told(state.from_show(exchange, pair), exchange)
        return seen

    def _show(self, pair: Pair) -> Exchange:
        return self._client.show_association(pair.server, pair.address)

    def _read(self, read: Callable[[T], Exchange], asked: Iterable[T]) -> list[Exchange]:
        return self._client.at_once([partial(retried, partial(read, one)) for one in asked])

    def addresses(self, addresses: Iterable[str]) -> ObservedState:
        """The ports of ``addresses``, or that they are gone.

        Raises:
            Unjudgeable: the read answers nothing that could be compared.
        """
        seen, asked = ObservedState(), list(addresses)
        for address, exchange in zip(asked, self._read(self._client.show_address, asked), strict=True):
            seen |= _told(state.from_address(exchange, address), exchange)
        return seen

    def table(self, addresses: Iterable[str]) -> ObservedState:
        """What the list of addresses shows of ``addresses``; a list that cannot be read says nothing."""
        exchange = retried(self._client.list_addresses)
        return state.from_table(exchange, list(addresses))

    def settled(self, look: Callable[[], ObservedState], *acceptable: ObservedState) -> ObservedState:
        """What ``look`` shows as soon as it agrees with an acceptable state, or when the patience is over."""
        return self.awaited(look, lambda seen: any(not expected.differences(seen) for expected in acceptable))

    def awaited(self, look: Callable[[], T], agrees: Callable[[T], bool]) -> T:
        """What ``look`` gives as soon as it ``agrees``, or when the patience is over."""
        start = time.monotonic()
        pause = FIRST_PAUSE_SECONDS
        seen = look()
        while not agrees(seen):
            elapsed = time.monotonic() - start
            if elapsed >= self.patience:
                self.views.waits_in_vain += 1
                return seen
            self.rest(min(pause, self.patience - elapsed))
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
            seen = look()
            if agrees(seen):
                self.views.lag_seconds = max(self.views.lag_seconds, time.monotonic() - start)
        return seen

    def rest(self, seconds: float) -> None:
        """Let effects settle for so long."""
        self._client.stopwatch.pause(Wait.SETTLING, seconds)

    @property
    def patience(self) -> float:
        """How long an effect is awaited, seconds."""
        settle = self._client.target.policy.settle_seconds
        if self.views.waits_in_vain < FULL_WAITS:
            return settle
        return min(settle, max(HURRIED_PATIENCE_SECONDS, 3 * self.views.lag_seconds))


def _told(seen: ObservedState, exchange: Exchange) -> ObservedState:
    if not seen.told:
        raise Unjudgeable(
            f"the state cannot be read: {exchange.request.method} {exchange.request.url} answered {exchange.outcome}"
        )
    return seen
