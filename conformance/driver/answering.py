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
from conformance.judge.oracle import Expected

MOST_OTHERS = 3
"""Associations that may take part as a control."""


class Answering:
    """Sends requests of the space, and insists on an answer."""

    def __init__(self, target: ProbeTarget) -> None:
        self._target = target

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
        tries, began, own = [first], time.monotonic(), False
        fewest = persistence.fewest_tries(self._target.fault_share())
        while len(tries) < fewest or time.monotonic() - began < persistence.SECONDS:
            plainly = self._is_removed_plainly(one.pair)
            succeeds, own = plainly or self._another_is_removed(one.pair), own or plainly
            self._restore(one)
            if len(tries) >= persistence.MOST_TRIES or not succeeds:
                return Answered(one, tries[-1])
            if persistence.speaks_of_content(tries[-1]):
                self._target.content_is_turned_away = True
                return Answered(one, tries[-1])
            halting.pause(max(persistence.SECONDS / fewest, again_after(tries[-1], 0)))
            tries.append(self._target.sent(one.pair, one.variation))
            if not self.is_plea(tries[-1]):
                return Answered(one, tries[-1])
        if own:
            return Answered(one, tries[-1], tuple(tries))
        self._target.failing.add(one.pair)  # what the request wears is not why
        granted = one.value.expected is Expected.GRANTED
        return Answered(Asked(one.pair, PLAIN), tries[-1], tuple(tries)) if granted else Answered(one, tries[-1])

    def _is_removed_plainly(self, pair: Pair) -> bool:
        """The control."""
        return self._target.solo(pair, "a removal", {}).status == 204

    def _another_is_removed(self, pair: Pair) -> bool:
        """Which association it is may be what is peculiar: then another is the control, the less alike the better."""
        standing = [one for one, stands in self._target.known().listed.items() if stands]
        sound = [one for one in standing if one not in self._target.failing and one != pair]
        sound.sort(key=lambda one: (one.address == pair.address) + (one.server == pair.server))
        for other in sound[:MOST_OTHERS]:
            succeeds = self._is_removed_plainly(other)
            self._target.establish(other)
            if succeeds:
                return True
        return False

    def _restore(self, asked: Asked) -> None:
        """The association stands, or does not, as the others of the group take it to."""
        (self._target.establish if asked.standing else self._target.clear)(asked.pair)
