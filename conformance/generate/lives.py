"""Whole lives of addresses, each distinct one sent once.

A plan that is complete is handed to whoever can send it (``take``). So Hypothesis may run a machine as often as it
likes; a plan that was met before is not sent again. For the same reason it does not shrink here: its replays would
reach a target whose addresses have lived on. A plan that fails is shortened by leaving steps out, at most
:data:`MOST_ATTEMPTS_TO_SHRINK` further times and for :data:`LONGEST_SHRINK_SECONDS`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from conformance.generate.plans import Plan, Size, closed, fixed_plans
from conformance.judge.lifecycle import PlayedSequence

MOST_ATTEMPTS_TO_SHRINK = 25
LONGEST_SHRINK_SECONDS = 20.0

Take = Callable[[Plan], PlayedSequence]


def walks(take: Take, seed: int, size: Size, *, slots: int, servers: int) -> Iterator[PlayedSequence]:
    """Walk through the fixed plans and the generated ones; the first that fails is shortened, and ends it."""
    for plan in fixed_plans(slots, servers):
        walk = take(plan)
        yield walk
        if walk.broken:
            yield from shortened(plan, walk, take)
            return
    yield from _generated(take, seed, size, slots, servers)


def _generated(take: Take, seed: int, size: Size, slots: int, servers: int) -> Iterator[PlayedSequence]:
    from conformance.generate import machine  # noqa: PLC0415  # and Hypothesis with it

    for mortal, most in ((False, size.plans), (True, size.mortal)):
        met = _Met(take, slots, most)
        if most:
            machine.run(met.meet, seed, most, size.steps, slots=slots, servers=servers, mortal=mortal)
        yield from met.walks
        if met.obstacle:
            raise met.obstacle
        if met.walks and met.walks[-1].broken:
            yield from shortened(met.last, met.walks[-1], take)
            return


@dataclass(slots=True)
class _Met:
    """The plans that were sent; once one has failed, or something stood in the way, no more are."""

    take: Take
    slots: int
    most: int
    walks: list[PlayedSequence] = field(default_factory=list)
    known: set[Plan] = field(default_factory=set)
    last: Plan = ()
    obstacle: Exception | None = None

    def meet(self, plan: Plan) -> None:
        """Send a complete plan, unless it is known, or comes to nothing, or enough were sent."""
        whole = closed(plan, self.slots)
        over = self.obstacle or len(self.walks) >= self.most or (self.walks and self.walks[-1].broken)
        if over or whole in self.known or all(step.f != "associate" for step in plan):
            return
        self.known.add(whole)
        self.last = whole
        try:
            self.walks.append(self.take(whole))
        except Exception as error:  # noqa: BLE001  # raised again outside of Hypothesis, which would replay it
            self.obstacle = error


def shortened(plan: Plan, failed: PlayedSequence, take: Take) -> Iterator[PlayedSequence]:
    """Leave out steps while the plan still fails in the same way; yields each walk that does, the shortest last.

    What changed nothing goes first, all at once; then halves, and ever smaller parts.
    """
    give_up = time.monotonic() + LONGEST_SHRINK_SECONDS
    kept = plan[: failed.steps]
    parts = _parts(failed)
    for _ in range(MOST_ATTEMPTS_TO_SHRINK):
        dropped = next((part for part in parts if part & set(range(len(kept) - 1))), None)
        if dropped is None or time.monotonic() > give_up:
            return
        candidate = tuple(step for number, step in enumerate(kept) if number not in dropped or number == len(kept) - 1)
        walk = take(candidate)
        if walk.broken and walk.rule == failed.rule:
            kept = candidate[: walk.steps]
            parts = _slices(len(kept), min(len(dropped), len(kept) // 2))
            yield walk
        if walk.open:
            return


def _parts(failed: PlayedSequence) -> Iterator[frozenset[int]]:
    """What to leave out of a walk, the most promising first."""
    yield frozenset(range(failed.steps - 1)) - failed.effects
    yield from _slices(failed.steps, failed.steps // 2)


def _slices(length: int, size: int) -> Iterator[frozenset[int]]:
    """Parts of all steps but the last, from the end, by halves down to single steps."""
    while size:
        for end in range(length - 1, 0, -size):
            yield frozenset(range(max(0, end - size), end))
        size //= 2
