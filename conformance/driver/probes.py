"""Requests of the space against a settled scene: sent in groups, judged by one oracle, narrowed down where it changed.

Requests that must change nothing go out one after the other, and one look follows them all. Where that look shows a
change, those that could have made it are sent again alone, each with a look of its own: whatever repeats is guilty, and
what it hid is tried again. Requests that may remove something each have an association of their own.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from conformance import openapi
from conformance.client import again_after, halting
from conformance.driver import persistence
from conformance.driver.folding import folded, unclear
from conformance.driver.probed import Answered, Asked, Judged
from conformance.evidence import Exchange
from conformance.generate.settings import BETWEEN, Between, Setting, absent, between, dealt
from conformance.judge import Attempt, ObservedState, Pair, effect, faults, limits, methods, oracle, refusal
from conformance.judge.expect import kept
from conformance.judge.lasting import part
from conformance.judge.oracle import Expected
from conformance.verdict import Ruling

GROUP = 40
"""Requests between two looks: so many share the price of one."""

FEWEST = 10
"""Requests for which it is worth arranging another setting."""


class ProbeTarget(Protocol):
    """What probing needs of the target: arranging, sending, looking, and a place for rulings."""

    content_is_turned_away: bool
    """A 413 to content is no limit here, whatever its Retry-After says."""

    def establish(self, *pairs: Pair) -> None:
        """Let these stand, and be seen to."""

    def clear(self, *pairs: Pair) -> None:
        """Let these be absent."""

    def known(self) -> ObservedState:
        """What is known to stand, and not to."""

    def overview(self) -> ObservedState:
        """A look at all that is leased."""

    def awaited(self, expected: ObservedState) -> ObservedState:
        """What the overview shows once it agrees, or when the patience is over."""

    def sent(self, pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        """One request, sent once."""

    def sent_at_once(self, requests: Sequence[tuple[Pair, Mapping[str, Any]]]) -> list[Exchange]:
        """The same for several, in whichever order they arrive."""

    def meanwhile(self, pair: Pair, what: Between) -> None:
        """Something harmless that comes before a request."""

    def solo(
        self, pair: Pair, words: str, variation: Mapping[str, Any], *, named: bool = True, standing: bool = True
    ) -> Attempt:
        """One request on a restored scene, with a full look after it; ``named``: a DELETE names the association."""

    def learnt(self, seen: ObservedState, removed: Mapping[Pair, Exchange]) -> None:
        """Correct what is known; ``removed`` were answered 204 by these exchanges."""

    def enter(
        self,
        rulings: Iterable[Ruling | None],
        exchange: str = "",
        words: str = "",
        reason: str = "",
        kind: tuple[str, ...] = (),
    ) -> None:
        """Enter what an exchange gives occasion for; ``reason`` says why its own clause is left open."""

    def fault_share(self) -> float:
        """An upper bound of the share of faults among plain requests."""

    def evidence(self, pair: Pair) -> tuple[str, ...]:
        """The exchange that made an association."""


class Prober:
    """Sends what it is asked to, and enters what follows.

    Args:
        settings: what the groups that must change nothing meet, in turn; one alone is met by all, undisturbed.
        removals: plain removals of the scene's associations in what is granted, to arrange a setting.
    """

    def __init__(
        self,
        target: ProbeTarget,
        scene: Sequence[Pair],
        settings: Sequence[Setting] = (Setting.ALL,),
        removals: Sequence[Asked] = (),
        seed: int = 0,
    ) -> None:
        self._target = target
        self._scene = tuple(scene)
        self._settings = settings
        self._removals = removals
        self._draw = random.Random(seed)
        self._standing = self._scene
        self._judged: list[Judged] = []
        self._of_holders: dict[str, Attempt] = {}

    def run(self, asked: Sequence[Asked], siblings: Callable[[], Sequence[Asked]] = tuple) -> None:
        """Try every request, each clause's whether or not another one broke it.

        Args:
            siblings: of their dimensions, to be tried where it is not clear otherwise which class makes the difference.

        Raises:
            Unjudgeable: the scene cannot be restored.
        """
        try:
            self._try(asked)
            if open_ways := unclear(self._judged):
                self._try([one for one in siblings() if (one.value.dimension, one.value.clause) in open_ways])
        finally:
            for judged in folded(self._judged):
                enter(self._target, judged)

    def _try(self, asked: Sequence[Asked]) -> None:
        for setting, group in self._groups([one for one in asked if one.stays]):
            self._arrange(setting, {one.pair for one in group})
            self._stay(group)
        for group in _apart([one for one in asked if not one.stays], self._scene):
            self._go(group)

    # -- requests that must change nothing -----------------------------------------------------------------------------

    def _groups(self, asked: Sequence[Asked]) -> Iterator[tuple[Setting, Sequence[Asked]]]:
        """What goes out together and what it meets; what names other things of ours meets them all."""
        only, several = self._settings[0], len(self._settings) > 1
        full = [one for one in asked if not several or self._refers(one)]
        yield from ((Setting.ALL if several else only, group) for group in _runs(full))
        others = len(asked) - len(full)
        shares = dealt(self._scene, min(len(self._settings), 1 + others // FEWEST)) if others else []
        for setting, share in zip(itertools.cycle(self._settings), shares, strict=False):
            dealt_to = [one for one in asked if one.pair in share and one not in full]
            yield from ((setting, group) for group in _runs(dealt_to))

    def _refers(self, asked: Asked) -> bool:
        """It names an address or a server of the scene besides those in its path."""
        own = {asked.pair.address, asked.pair.server}
        others = {name for pair in self._scene for name in (pair.address, pair.server)} - own
        said = repr(asked.value.variation).lower()
        return any(name.lower() in said for name in others)

    def _arrange(self, setting: Setting, named: set[Pair]) -> None:
        gone = absent(setting, self._scene, named, self._draw)
        if setting is Setting.ANEW:
            self._clear([pair for pair in self._scene if pair in named])
        self._clear(gone)
        self._standing = tuple(pair for pair in self._scene if pair not in gone)
        self._target.establish(*self._standing)

    def _clear(self, pairs: Sequence[Pair]) -> None:
        """Remove what stands of these, each in one of the ways that are granted."""
        if not pairs:
            return
        standing = self._target.known().listed
        ways = {pair: [one for one in self._removals if one.pair == pair] for pair in pairs if standing.get(pair)}
        group = [self._draw.choice(asked) for asked in ways.values() if asked]
        if group:
            self._target.establish(*standing_pairs(self._target.known()))
            self._remove(group)

    def _stay(self, group: Sequence[Asked]) -> None:
        before = self._target.known()
        answered: list[Answered] = []
        waiting: list[Asked] = []
        for asked in group:
            if len(self._settings) > 1 and self._draw.random() < BETWEEN:
                answered += self._at_once(waiting)
                waiting.clear()
                answered += [*self._between(asked.pair), self._answered(asked)]
            else:
                waiting.append(asked)
        answered += self._at_once(waiting)
        seen = self._target.awaited(self._target.known())
        changes = before.differences(seen)
        if not changes:
            for one in answered:
                self._judge(one, self._attempt(one, before, seen))
            return
        self._target.learnt(seen, {})
        self._narrow(answered, before, seen)

    def _between(self, pair: Pair) -> list[Answered]:
        """Something else comes before; a removal of what does not stand is judged, too."""
        what = between(self._draw)
        if what is not Between.REPEAT:
            self._target.meanwhile(pair, what)
            return []
        standing = self._target.known().listed
        ways = [one for one in self._removals if not standing.get(one.pair)]
        if not ways:
            return []
        asked = repetition_of(self._draw.choice(ways))
        exchange = self._target.sent(asked.pair, asked.value.variation)
        return [Answered(asked, exchange)] if not self._is_plea(exchange) else []

    def _narrow(self, answered: Sequence[Answered], before: ObservedState, seen: ObservedState) -> None:
        """Find every request that changes something; those that cannot have are judged by the answer they had."""
        gone = {pair for pair in before.listed if before.listed[pair] and seen.listed.get(pair) is False}
        near = [one for one in answered if one.asked.pair in gone or _granted(one.exchange)]
        found = [self._again(one, before) for one in near]
        if not any(found):
            far = [one for one in answered if one not in near]
            found = [self._again(one, before) for one in far]
            near = list(answered)
        if not any(found):
            words = f"one of {len(answered)} requests, from {answered[0].asked.words} to {answered[-1].asked.words}"
            batch = tuple(one.exchange.id for one in answered)
            self._target.enter([effect.stayed(before, seen, batch)], batch[-1], words)
            self._target.enter(_once({one.asked.value.clause for one in answered}, words, before, seen, batch))
        for one in answered:
            if one not in near:
                self._judge(one, self._attempt(one, before, before))

    def _again(self, one: Answered, before: ObservedState) -> bool:
        """Send it alone on a restored scene, with all that it could choose instead; whether it changes something."""
        value = one.asked.value
        self._target.clear(*(pair for pair, stood in before.listed.items() if not stood))
        standing = value.expected is not Expected.REPEATED
        if standing:
            self._target.establish(*self._standing)
        trial = self._target.solo(
            one.asked.pair, one.asked.words, value.variation, named=value.names, standing=standing
        )
        if trial.changes and value.clause == "method.override" and self._without_override(one.asked):
            return True
        self._judge(Answered(one.asked, trial.exchange), trial)
        return bool(trial.changes)

    def _without_override(self, asked: Asked) -> bool:
        """The method alone changes something, so that no override is to blame; a method that nobody documents is."""
        method = asked.value.variation["method"]
        trial = self._target.solo(asked.pair, f"{method} on the association", {"method": method})
        if trial.changes and method not in openapi.methods_documented_on_the_path():
            bare = replace(asked.value, dimension="method", kind=method, words=method, clause="method.refused")
            judged = replace(asked, value=replace(bare, expected=Expected.NOT_ALLOWED, variation={"method": method}))
            self._judge(Answered(judged, trial.exchange), trial)
        return bool(trial.changes)

    # -- requests that may remove what they name -----------------------------------------------------------------------

    def _go(self, group: Sequence[Asked]) -> None:
        self._standing = self._scene
        self._target.establish(*self._standing)
        self._remove(group)

    def _remove(self, group: Sequence[Asked]) -> None:
        before = self._target.known()
        answered = [self._answered(one) for one in group]
        removed = {one.asked.pair: one.exchange for one in answered if one.removes}
        explained = before.without(*removed)
        seen = self._target.awaited(explained)
        self._target.learnt(seen, removed)
        if explained.differences(seen):
            judged = len(self._judged)
            for one in answered:
                self._again(one, before)
            if not any(ruling and ruling.violation for one in self._judged[judged:] for ruling in one.rulings):
                self._blame_removals(answered, explained, seen)
            return
        for one in answered:
            others = [pair for pair in removed if pair != one.asked.pair]
            self._judge(one, self._attempt(one, before.without(*others), seen))

    def _blame_removals(self, answered: Sequence[Answered], explained: ObservedState, seen: ObservedState) -> None:
        """What none of them does again: named associations that stayed, and what was changed beside them."""
        for one in answered:
            if one.removes:
                stayed = effect.absent(one.asked.pair, seen, one.exchange.id)
                self._target.enter([stayed], one.exchange.id, one.asked.words)
        named = {one.asked.pair for one in answered}
        others = [pair for pair in self._scene if pair not in named]
        changes = part(explained, others, explained.tabled).differences(seen)
        if changes:
            last = answered[-1].exchange.id
            words = f"one of {len(answered)} removals, from {answered[0].asked.words} to {answered[-1].asked.words}"
            self._target.enter([effect.taken_along(changes, last, seen)], last, words)

    # -- answers -------------------------------------------------------------------------------------------------------

    def _at_once(self, asked: Sequence[Asked]) -> list[Answered]:
        """The answers to requests of which none changes what another one meets."""
        sent = self._target.sent_at_once([(one.pair, one.value.variation) for one in asked])
        return [self._final(one, exchange) for one, exchange in zip(asked, sent, strict=True)]

    def _answered(self, one: Asked) -> Answered:
        return self._final(one, self._target.sent(one.pair, one.value.variation))

    def _final(self, one: Asked, exchange: Exchange) -> Answered:
        """The answer; a fault or a plea is tried again alone until it is no more, or is the answer."""
        return self._insist(one, exchange) if self._is_plea(exchange) else Answered(one, exchange)

    def _is_plea(self, exchange: Exchange) -> bool:
        return persistence.is_plea(exchange, content_is_turned_away=self._target.content_is_turned_away)

    def _insist(self, one: Asked, first: Exchange) -> Answered:
        tries, began = [first], time.monotonic()
        fewest = persistence.fewest_tries(self._target.fault_share())
        while len(tries) < fewest or time.monotonic() - began < persistence.SECONDS:
            if len(tries) >= persistence.MOST_TRIES or not self._plain_removal_succeeds(one.pair):
                return Answered(one, tries[-1])
            if persistence.speaks_of_content(tries[-1]):
                self._target.content_is_turned_away = True
                return Answered(one, tries[-1])
            halting.pause(max(persistence.SECONDS / fewest, again_after(tries[-1], 0)))
            tries.append(self._target.sent(one.pair, one.value.variation))
            if not self._is_plea(tries[-1]):
                return Answered(one, tries[-1])
        return Answered(one, tries[-1], tuple(tries))

    def _plain_removal_succeeds(self, pair: Pair) -> bool:
        """The control; what it removed stands again afterwards, as the others of the group take it to."""
        trial = self._target.solo(pair, "a removal", {})
        self._target.establish(pair)
        return trial.status == 204

    # -- rulings -------------------------------------------------------------------------------------------------------

    def _attempt(self, one: Answered, before: ObservedState, after: ObservedState) -> Attempt:
        return Attempt(
            pair=one.asked.pair,
            exchange=one.exchange,
            before=before,
            after=after,
            reached=bool(before.listed.get(one.asked.pair)),
            names=one.asked.value.names and one.exchange.request.method == "DELETE",
            words=one.asked.words,
            setup=self._target.evidence(one.asked.pair),
        )

    def _judge(self, one: Answered, attempt: Attempt) -> None:
        rulings = tuple(self._rulings(one, attempt))
        left_open = rulings[0] is None and not (one.asked.rule.optional and not attempt.outcome_unknown)
        self._judged.append(self._excused(Judged(one, attempt, rulings, left_open)))

    def _excused(self, judged: Judged) -> Judged:
        """The same, less the blame for an answer that everybody gets who wears the same: the credential is not why."""
        attempt, value = judged.attempt, judged.answered.asked.value
        granted = _granted(attempt.exchange)
        if value.worn is None or not judged.breaks_its_own or attempt.status is None or granted or attempt.changes:
            return judged
        holder = self._of_the_holder(judged.answered.asked, value.worn)
        if not (attempt.refused and holder.refused) and attempt.status != holder.status:
            return judged
        return replace(judged, rulings=(kept(value.clause, reached=attempt.exposed), *judged.rulings[1:]))

    def _of_the_holder(self, asked: Asked, worn: Mapping[str, Any]) -> Attempt:
        """What the holder of every right is answered in the same; asked once a kind."""
        kind = asked.value.kind.partition(", ")[2]
        if kind not in self._of_holders:
            self._of_holders[kind] = self._target.solo(asked.pair, asked.words, worn)
        return self._of_holders[kind]

    def _rulings(self, one: Answered, attempt: Attempt) -> Iterator[Ruling | None]:
        mistake = one.asked.value.mistake
        if one.persisted:
            yield from oracle.persistent(one.asked.rule, attempt, one.persisted)
            if mistake:
                yield faults.client_input(one.asked.words, list(one.persisted), confirmed=True)
            return
        yield from oracle.rulings(one.asked.rule, attempt)
        yield limits.over_limit(attempt)
        if one.asked.value.expected is Expected.NOT_ALLOWED:
            yield methods.allow(attempt.exchange)
        if mistake and attempt.status is not None:
            yield faults.client_input(one.asked.words, [attempt.exchange], confirmed=False)


def enter(target: ProbeTarget, judged: Judged, reason: str = "") -> None:
    """Enter each ruling under the classes that tell its findings apart; ``reason`` says why its own is left open."""
    asked, exchange = judged.answered.asked, judged.answered.exchange
    left_open = reason or f"{asked.words} was answered {exchange.outcome}"
    for place, ruling in enumerate(judged.rulings):
        unjudged = left_open if place == 0 and judged.left_open else ""
        target.enter([ruling], exchange.id, asked.words, unjudged, judged.kind(ruling))


def _once(
    clauses: Collection[str], words: str, before: ObservedState, seen: ObservedState, batch: tuple[str, ...]
) -> Iterator[Ruling]:
    """What no association can restore is changed once only, so that trying again clears nobody of a batch."""
    changes = part(before, (), before.tabled).differences(seen)
    if changes and len(clauses) == 1:
        yield refusal.once(next(iter(clauses)), words, changes, (*batch, *seen.exchanges))


def standing_pairs(known: ObservedState) -> Iterator[Pair]:
    """What is known to stand."""
    return (pair for pair, stands in known.listed.items() if stands)


def repetition_of(asked: Asked) -> Asked:
    """The same removal, where the association does not stand."""
    repeated = replace(asked.value, clause="effect.repeat", expected=Expected.REPEATED, mistake=False)
    return replace(asked, value=replace(repeated, words=f"{asked.value.words}, of what does not stand,"))


def _granted(exchange: Exchange) -> bool:
    return exchange.status is not None and 200 <= exchange.status < 300


def _runs(asked: Sequence[Asked]) -> Iterator[Sequence[Asked]]:
    """Groups, each opened by what associates, once an association: later it would repair a loss before the look."""
    others = [one for one in asked if not one.value.associates]
    runs = [others[start : start + GROUP] for start in range(0, len(others), GROUP)]
    openings: list[dict[Pair, Asked]] = []
    for maker in (one for one in asked if one.value.associates):
        free = next((one for one in openings if maker.pair not in one), None)
        if free is None:
            openings.append(free := {})
        free[maker.pair] = maker
    for opening, rest in itertools.zip_longest(openings, runs, fillvalue=()):
        yield [*(opening.values() if opening else ()), *rest]


def _apart(asked: Iterable[Asked], scene: Sequence[Pair]) -> Iterator[list[Asked]]:
    """Groups in which each association is named once, and keeps company on its address and on its server meanwhile.

    What takes the others of the address or of the server along has something to take.
    """
    left = list(asked)
    while left:
        taken: dict[Pair, Asked] = {}
        rest = []
        for one in left:
            named = {*taken, one.pair}
            if one.pair in taken or (taken and not all(_accompanied(pair, scene, named) for pair in named)):
                rest.append(one)
            else:
                taken[one.pair] = one
        yield list(taken.values())
        left = rest


def _accompanied(pair: Pair, scene: Sequence[Pair], named: Collection[Pair]) -> bool:
    """Every kind of neighbour that the association has in the scene has one that is not named."""
    address = [one for one in scene if one.address == pair.address and one != pair]
    server = [one for one in scene if one.server == pair.server and one != pair]
    return all(not near or any(one not in named for one in near) for near in (address, server))
