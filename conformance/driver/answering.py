"""Answers to requests of the space: a fault or a plea is tried again until it is no more, or is the answer.

What persists while a plain removal succeeds between any two tries is what the target answers (spec/README.md, decision
13). It refuses to judge.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from conformance.client import again_after, halting
from conformance.driver import persistence
from conformance.driver.probe_target import ProbeTarget
from conformance.driver.probed import PLAIN, Answered, Asked
from conformance.evidence import Exchange
from conformance.judge import Pair

REMOVED = 204
MOST_OTHERS = 3
"""Associations that may take part as a control."""


class Answering:
    """Sends requests of the space, and insists on an answer.

    Attributes:
        unrestored: associations that a control left otherwise than the group took them to be.
    """

    def __init__(self, target: ProbeTarget) -> None:
        self._target = target
        self.unrestored: set[Pair] = set()

    def at_once(self, asked: Sequence[Asked]) -> list[Answered]:
        """The answers to requests of which none changes what another one meets."""
        sent = self._target.sent_at_once([(one.pair, one.variation) for one in asked])
        return [self._final(one, exchange) for one, exchange in zip(asked, sent, strict=True)]

    def answered(self, one: Asked) -> Answered:
        """The answer to one."""
        return self._final(one, self._target.sent(one.pair, one.variation))

    def _final(self, one: Asked, exchange: Exchange) -> Answered:
        """The answer; a fault or a plea is tried again alone until it is no more, or is the answer."""
        return self._insist(one, exchange) if self.is_plea(exchange) else Answered(one, exchange)

    def is_plea(self, exchange: Exchange) -> bool:
        """It asks for patience, or says nothing."""
        return persistence.is_plea(exchange, content_is_turned_away=self._target.content_is_turned_away)

    def _insist(self, one: Asked, first: Exchange) -> Answered:
        if one.pair in self._target.failing:
            return Answered(one, first)
        self._target.halfway(one, first)
        tries, controls, began = [first], list[Exchange](), time.monotonic()
        fewest = persistence.fewest_tries(self._target.fault_share())
        while len(tries) < fewest or time.monotonic() - began < persistence.SECONDS:
            controls.append(self._target.solo(one.pair, "a removal", {}).exchange)
            succeeds = controls[-1].status == REMOVED or self._another_is_removed(one.pair)
            self._restore(one)
            of_content = succeeds and persistence.speaks_of_content(tries[-1])
            self._target.content_is_turned_away |= of_content
            if of_content or not succeeds or len(tries) >= persistence.MOST_TRIES:
                return Answered(one, tries[-1])
            halting.pause(max(persistence.SECONDS / fewest, again_after(tries[-1], 0)))
            tries.append(self._target.sent(one.pair, one.variation))
            if not self.is_plea(tries[-1]):
                return Answered(one, tries[-1])
        if any(control.status == REMOVED for control in controls):
            return Answered(one, tries[-1], tuple(tries))
        if self._goes_with_the_association(one, controls, fewest):
            self._target.failing.add(one.pair)
            return Answered(Asked(one.pair, PLAIN), controls[-1], tuple(controls))
        return Answered(one, tries[-1])

    def _goes_with_the_association(self, one: Asked, controls: list[Exchange], fewest: int) -> bool:
        """What the request wears is not why: no plain removal of it is answered, while those of others are."""
        while len(controls) < fewest and self._another_is_removed(one.pair):
            halting.pause(again_after(controls[-1], 0))
            controls.append(self._target.solo(one.pair, "a removal", {}).exchange)
        self._restore(one)
        return len(controls) >= fewest and all(map(self.is_plea, controls))

    def _another_is_removed(self, pair: Pair) -> bool:
        """Which association it is may be what is peculiar: then another is the control, the less alike the better."""
        standing = [one for one, stands in self._target.known().listed.items() if stands]
        sound = [one for one in standing if one not in self._target.failing and one != pair]
        sound.sort(key=lambda one: (one.address == pair.address) + (one.server == pair.server))
        for other in sound[:MOST_OTHERS]:
            removal = self._target.solo(other, "a removal", {})
            self._target.establish(other)
            if removal.status == REMOVED:
                return True
        return False

    def _restore(self, asked: Asked) -> None:
        """The association stands, or does not, as the others of the group take it to."""
        (self._target.establish if asked.standing else self._target.clear)(asked.pair)
        if self._target.known().listed.get(asked.pair, asked.standing) is not asked.standing:
            self.unrestored.add(asked.pair)
