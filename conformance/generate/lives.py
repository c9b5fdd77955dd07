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
from typing import Protocol

from conformance.generate.plans import Plan, Size, closed, fixed_plans
from conformance.judge.lifecycle import PlayedSequence

MOST_ATTEMPTS_TO_SHRINK = 25
LONGEST_SHRINK_SECONDS = 20.0

MOST_BROKEN = 4
"""Plans that fail, each in a way of its own, after which no more are sent."""


class Player(Protocol):
    """Who sends plans."""

    def take(self, plan: Plan) -> PlayedSequence:
        """Send a plan."""

    def go_on(self, walk: PlayedSequence) -> bool:
        """From now on a plan is no failure for what this one showed; False if others would fail for it again."""


def walks(player: Player, seed: int, size: Size, *, slots: int, servers: int) -> Iterator[PlayedSequence]:
    """Walk through the fixed plans and the generated ones; one that fails is shortened, and the search goes on."""
    course = _Course(player)
    for plan in fixed_plans(slots, servers):
        yield from course.walks(plan)
    if not course.over:
        yield from _generated(course, seed, size, slots, servers)


def _generated(course: _Course, seed: int, size: Size, slots: int, servers: int) -> Iterator[PlayedSequence]:
    from conformance.generate import machine  # noqa: PLC0415  # and Hypothesis with it

    for mortal, most in ((False, size.plans), (True, size.mortal)):
        met = _Met(course, slots, most)
        if most:
            machine.run(met.meet, seed, most, size.steps, slots=slots, servers=servers, mortal=mortal)
        yield from met.walks
        if met.obstacle:
            raise met.obstacle


@dataclass(slots=True)
class _Course:
    """Plans one after the other, until too many have failed."""

    player: Player
    broken: int = 0
    over: bool = False

    def walks(self, plan: Plan) -> Iterator[PlayedSequence]:
        """The walk of a plan, or the shortest one that fails in the same way; none once enough have failed."""
        if self.over:
            return
        walk = self.player.take(plan)
        if walk.broken:
            *_, walk = (walk, *shortened(plan, walk, self.player.take))
            self.broken += 1
            self.over = not self.player.go_on(walk) or self.broken >= MOST_BROKEN
        yield walk


@dataclass(slots=True)
class _Met:
    """The plans that were sent; once something stood in the way, no more are."""

    course: _Course
    slots: int
    most: int
    walks: list[PlayedSequence] = field(default_factory=list)
    known: set[Plan] = field(default_factory=set)
    obstacle: Exception | None = None

    def meet(self, plan: Plan) -> None:
        """Send a complete plan, unless it is known, or comes to nothing, or enough were sent."""
        whole = closed(plan, self.slots)
        over = self.obstacle or len(self.known) >= self.most
        if over or whole in self.known or all(step.f != "associate" for step in plan):
            return
        self.known.add(whole)
        try:
            self.walks += self.course.walks(whole)
        except Exception as error:  # noqa: BLE001  # raised again outside of Hypothesis, which would replay it
            self.obstacle = error


def shortened(plan: Plan, failed: PlayedSequence, take: Callable[[Plan], PlayedSequence]) -> Iterator[PlayedSequence]:
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
