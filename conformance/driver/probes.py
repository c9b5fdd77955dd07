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
from conformance.generate.dress import HOW_OFTEN, Wardrobe, is_harmless
from conformance.generate.settings import (
    ALONE_SHARE,
    BETWEEN,
    HARMLESS,
    Between,
    Setting,
    absent,
    between,
    dealt,
    sharing_nothing,
)
from conformance.generate.space.credentials import no_token
from conformance.judge import Attempt, ObservedState, Pair, effect, faults, limits, methods, oracle, refusal
from conformance.judge.expect import kept
from conformance.judge.lasting import part
from conformance.judge.oracle import Expected
from conformance.verdict import Ruling

GROUP = 40
"""Requests between two looks: so many share the price of one."""

ABSENT_SHARE = 0.25
"""How often what is refused is asked of what does not stand, too; the plainest of each clause always is."""

FEWEST = 10
"""Requests for which it is worth arranging another setting."""


class ProbeTarget(Protocol):
    """What probing needs of the target: arranging, sending, looking, and a place for rulings."""

    content_is_turned_away: bool
    """A 413 to content is no limit here, whatever its Retry-After says."""

    @property
    def wardrobe(self) -> Wardrobe:
        """What requests wear besides, whichever test they are sent for."""

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

    def meanwhile(self, pair: Pair, what: Between, variation: Mapping[str, Any]) -> Exchange | None:
        """Something that comes before a request with this ``variation``; None where nothing is sent."""

    def solo(
        self,
        pair: Pair,
        words: str,
        variation: Mapping[str, Any],
        *,
        named: bool = True,
        standing: bool = True,
        run_up: Sequence[Between] = (),
    ) -> Attempt:
        """One request, after what leads up to it, on a restored scene, with a full look after it.

        ``named``: a DELETE names the association.
        """

    def learnt(self, seen: ObservedState, removed: Mapping[Pair, Exchange]) -> Mapping[Pair, str]:
        """Correct what is known; ``removed`` were answered 204 by these exchanges.

        Returns what was gone and shows again, with the exchange that had removed it.
        """

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
        self._harmless = [*{one.value.words: one.value for one in removals if is_harmless(one.value)}.values()]
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
        for setting, group in self._groups([self._dressed(one) for one in asked if one.stays]):
            self._arrange(setting, {one.pair for one in group})
            self._stay(group)
        going = [one if is_harmless(one.value) else self._dressed(one) for one in asked if not one.stays]
        for group in _apart(going, self._scene):
            self._go(group)
        if self._varied:
            self._go_alone(going)
            self._stay_absent([one for one in asked if one.stays])

    @property
    def _varied(self) -> bool:
        """What is met varies: what stands, and what comes right before a request."""
        return len(self._settings) > 1

    def _dressed(self, asked: Asked, how_often: float = HOW_OFTEN) -> Asked:
        """The same in something harmless, now and then; a value that is harmless itself is tried bare first."""
        if not self._varied or asked.value.worn is not None or self._draw.random() >= how_often:
            return asked
        return replace(asked, dress=self._target.wardrobe.dress(asked.value, self._harmless, self._draw))

    # -- requests that must change nothing -----------------------------------------------------------------------------

    def _groups(self, asked: Sequence[Asked]) -> Iterator[tuple[Setting, Sequence[Asked]]]:
        """What goes out together and what it meets; what names other things of ours meets them all."""
        full = [one for one in asked if not self._varied or self._refers(one)]
        yield from ((Setting.ALL if self._varied else self._settings[0], group) for group in _runs(full))
        others = len(asked) - len(full)
        shares = dealt(self._scene, min(len(self._settings), 1 + others // FEWEST)) if others else []
        for setting, share in zip(itertools.cycle(self._settings), shares, strict=False):
            for pairs in sharing_nothing(share) if setting is Setting.ALONE else [share]:
                dealt_to = [one for one in asked if one.pair in pairs and one not in full]
                yield from ((setting, group) for group in _runs(dealt_to))

    def _refers(self, asked: Asked) -> bool:
        """It names an address or a server of the scene besides those in its path."""
        own = {asked.pair.address, asked.pair.server}
        others = {name for pair in self._scene for name in (pair.address, pair.server)} - own
        said = repr(asked.variation).lower()
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
        group = [self._dressed(self._draw.choice(asked), 1.0) for asked in ways.values() if asked]
        if group:
            self._target.establish(*standing_pairs(self._target.known()))
            self._remove(group)

    def _stay(self, group: Sequence[Asked]) -> None:
        before = self._target.known()
        answered: list[Answered] = []
        waiting: list[Asked] = []
        for asked in group:
            if self._is_preceded():
                answered += [*self._at_once(waiting), *self._preceded(asked)]
                waiting.clear()
            else:
                waiting.append(asked)
        answered += self._at_once(waiting)
        seen = self._target.awaited(self._target.known())
        if not before.differences(seen):
            for one in answered:
                self._judge_as_seen(one, before, before, seen)
            return
        back = self._target.learnt(seen, {})
        self._narrow(answered, before, seen, back)

    def _stay_absent(self, asked: Sequence[Asked]) -> None:
        """Some once more where what they name does not stand, and must not come to stand."""
        share = dealt(self._scene, 2)[0]
        there = [self._moved(one, share) for one in asked if one.standing and not one.value.associates]
        there = [one for one in there if one.pair in share]
        firsts = {(one.value.dimension, one.value.clause): one for one in reversed(there)}
        group = [one for one in there if one in firsts.values() or self._draw.random() < ABSENT_SHARE]
        if group:
            self._clear([pair for pair in self._scene if pair in share])
            self._standing = tuple(pair for pair in self._scene if pair not in share)
            self._target.establish(*self._standing)
            for run in _runs(group):
                self._stay([one.of_the_absent() for one in run])

    def _moved(self, asked: Asked, share: Collection[Pair]) -> Asked:
        """The same of an association of the share, where the value does not depend on which it is."""
        bound = {"address", "segment"} & asked.value.variation.keys() or self._refers(asked) or asked.pair in share
        return asked if bound else replace(asked, pair=self._draw.choice(sorted(share)))

    def _is_preceded(self) -> bool:
        return self._varied and self._draw.random() < BETWEEN

    def _preceded(self, asked: Asked, among: Sequence[Between] = tuple(Between)) -> list[Answered]:
        """Something comes right before it; what of that is a removal, too, is judged as well."""
        after = between(self._draw, among)
        before = [one for what in after if (one := self._came_before(asked, what))]
        return [*before, self._answered(replace(asked, after=after))]

    def _came_before(self, asked: Asked, what: Between) -> Answered | None:
        stands = self._target.known().listed
        judged = {Between.AGAIN: asked} if what is Between.AGAIN else {}
        if what is Between.STRANGER and stands.get(asked.pair):
            judged[what] = Asked(asked.pair, no_token())
        ways = [one for one in self._removals if not stands.get(one.pair)] if what is Between.REPEAT else []
        if ways:
            judged[what] = self._draw.choice(ways).repeated()
        if what not in judged:
            self._target.meanwhile(asked.pair, what, asked.variation)
            return None
        exchange = self._target.sent(judged[what].pair, judged[what].variation)
        return None if self._is_plea(exchange) else Answered(judged[what], exchange)

    def _narrow(
        self, answered: Sequence[Answered], before: ObservedState, seen: ObservedState, back: Mapping[Pair, str]
    ) -> None:
        """Find every request that changes something; those that cannot have are judged by the answer they had."""
        gone = {pair for pair in before.listed if before.listed[pair] and seen.listed.get(pair) is False}
        near = [one for one in answered if one.asked.pair in gone or _granted(one.exchange)]
        far = [one for one in answered if one not in near]
        if not (self._each_again(near, before) or self._each_as_sent(answered, before)):
            if self._each_again(far, before):
                return
            unexplained = self._blame_earlier(back, before, seen)
            self._blame_as_seen(near, answered, unexplained, seen)
            return
        for one in far:
            self._judge(one, self._attempt(one, before, before))

    def _each_again(self, answered: Sequence[Answered], before: ObservedState) -> bool:
        """Send each alone; whether any of them changes too much."""
        found = [self._again(one, before) for one in answered]
        return any(found)

    def _each_as_sent(self, answered: Sequence[Answered], before: ObservedState) -> bool:
        """Send each with all that it wore and that came before it; whether any of them changes too much then."""
        found = [self._again_as_sent(one, before) for one in answered if one.asked != one.asked.alone]
        return any(found)

    def _blame_earlier(self, back: Mapping[Pair, str], before: ObservedState, seen: ObservedState) -> ObservedState:
        """What nobody brings back did not stay removed; returns what stood before, with that."""
        for pair, removal in back.items():
            self._target.enter([effect.absent(pair, seen, removal, rule=effect.SHOWN_AGAIN)], removal, "a removal")
        shown = dict.fromkeys(back, True)
        return before | ObservedState(listed=shown, shown=shown)

    def _blame_as_seen(
        self, near: Sequence[Answered], answered: Sequence[Answered], before: ObservedState, seen: ObservedState
    ) -> None:
        """What none does again: what says that it removed what it names did so, and the rest is the batch's doing."""
        once = {one.asked.pair: one for one in near if one.removes and seen.listed.get(one.asked.pair) is False}
        explained = before.without(*once)
        for pair, one in once.items():
            self._judge(one, self._attempt(one, before, before.without(pair)))
        if explained.differences(seen):
            words = f"one of {len(answered)} requests, from {answered[0].asked.words} to {answered[-1].asked.words}"
            batch = tuple(one.exchange.id for one in answered)
            self._target.enter([effect.stayed(explained, seen, batch)], batch[-1], words)
            self._target.enter(_once({one.asked.value.clause for one in answered}, words, explained, seen, batch))

    def _again(self, one: Answered, before: ObservedState) -> bool:
        """Send it alone on a restored scene, with all that it could choose instead; whether it changes too much."""
        bare = one.asked.alone
        trial = self._on_a_restored_scene(bare, before)
        if trial.changes and bare.value.clause == "method.override" and self._without_override(bare):
            return True
        self._judge(Answered(bare, trial.exchange), trial)
        guilty = _is_guilty(bare, trial)
        if guilty:
            self._put_aside(bare)
        return guilty

    def _again_as_sent(self, one: Answered, before: ObservedState) -> bool:
        """The same with all that it wore and that came before it, and then with the least of that that it takes."""
        found = self._least(one.asked, before, lambda again, trial: _is_guilty(again.asked, trial))
        if found:
            self._judge(*found)
            self._put_aside(found[0].asked)
        return found is not None

    def _put_aside(self, asked: Asked) -> None:
        """What it wore made the difference: that is found once, and would only be found again."""
        worn = (asked.value, *asked.dress) if is_harmless(asked.value) else asked.dress
        self._target.wardrobe.aside.update(one.kind for one in worn)

    def _least(
        self, asked: Asked, stood: ObservedState, broken: Callable[[Answered, Attempt], bool]
    ) -> tuple[Answered, Attempt] | None:
        """The least of the request that is still ``broken``: no part of it can be left out; None if it is not again."""
        trial = self._on_a_restored_scene(asked, stood)
        least = Answered(asked, trial.exchange), trial
        if not broken(*least):
            return None
        lesser = iter(asked.lesser)
        while (fewer := next(lesser, None)) is not None:
            trial = self._on_a_restored_scene(fewer, stood)
            again = Answered(fewer, trial.exchange)
            if broken(again, trial):
                least, lesser = (again, trial), iter(fewer.lesser)
        return least

    def _on_a_restored_scene(self, asked: Asked, before: ObservedState) -> Attempt:
        stood = [one for one in self._standing if asked.standing or (before.listed.get(one) and one != asked.pair)]
        self._target.clear(*(pair for pair, stands in before.listed.items() if not stands))
        self._target.establish(*stood)
        return self._target.solo(
            asked.pair,
            asked.words,
            asked.variation,
            named=asked.value.names,
            standing=asked.standing,
            run_up=asked.after,
        )

    def _judge_as_seen(self, one: Answered, stood: ObservedState, before: ObservedState, seen: ObservedState) -> None:
        """By what was seen; what broke its clause in company is tried again for the least that it takes."""
        attempt = self._attempt(one, before, seen)
        if one.asked != one.asked.alone and self._breaks_its_own(one, attempt):
            least = self._least(one.asked, stood, self._breaks_its_own)
            if least:
                self._put_aside(least[0].asked)
                if self._is_the_company(least[0].asked, stood):
                    self._again(one, stood)
                    return
            self._judge(*(least or (one, attempt)))
            return
        self._judge(one, attempt)

    def _is_the_company(self, asked: Asked, stood: ObservedState) -> bool:
        """A removal that is granted is answered as wrongly in the same dress, or right after the same.

        That is to blame then, and is judged.
        """
        after = tuple(one for one in asked.after if one in HARMLESS)
        ways = [*asked.dress, *(one.value for one in self._removals if one.pair == asked.pair and one.value.plain)]
        if asked.value.expected is Expected.GRANTED or not (asked.dress or after) or not ways:
            return False
        plain = Asked(asked.pair, ways[0], dress=asked.dress[1:], after=after)
        found = self._least(plain, stood, self._breaks_its_own)
        if found:
            self._judge(*found)
        return found is not None

    def _breaks_its_own(self, one: Answered, attempt: Attempt) -> bool:
        own = next(iter(self._rulings(one, attempt)))
        return own is not None and own.violation is not None

    def _without_override(self, asked: Asked) -> bool:
        """The method alone changes something, so that no override is to blame; a method that nobody documents is."""
        method = asked.value.variation["method"]
        words, variation = f"the method {method}", {"method": method}
        if not asked.standing:
            self._target.clear(asked.pair)
        trial = self._target.solo(asked.pair, f"a removal with {words}", variation, standing=asked.standing)
        if trial.changes and method not in openapi.methods_documented_on_the_path():
            plain = replace(asked.value, kind=f"method {method}", words=words, variation=variation)
            bare = replace(asked, value=replace(plain, clause="method.refused", expected=Expected.NOT_ALLOWED))
            self._judge(Answered(bare if asked.standing else bare.of_the_absent(), trial.exchange), trial)
        return bool(trial.changes)

    # -- requests that may remove what they name -----------------------------------------------------------------------

    def _go(self, group: Sequence[Asked]) -> None:
        self._standing = self._scene
        self._target.establish(*self._standing)
        self._remove(group)
        again = [one.repeated() for one in group if one.value.expected is Expected.GRANTED]
        if again and self._varied:  # what is gone is not removed once more, whatever the removal wears
            self._stay(again)

    def _go_alone(self, asked: Sequence[Asked]) -> None:
        """Some once more where nothing stands but what they name, so that it is the last of its address and server."""
        chosen = {one.pair: self._dressed(one, 1.0) for one in self._draw.sample(asked, len(asked) // ALONE_SHARE)}
        for pairs in sharing_nothing(chosen):
            self._arrange(Setting.ALONE, set(pairs))
            self._remove([chosen[pair] for pair in pairs])

    def _remove(self, group: Sequence[Asked]) -> None:
        before = self._target.known()
        answered: list[Answered] = []
        for asked in group:
            answered += self._preceded(asked, HARMLESS) if self._is_preceded() else [self._answered(asked)]
        removed = {one.asked.pair: one.exchange for one in answered if one.removes}
        explained = before.without(*removed)
        seen = self._target.awaited(explained)
        back = self._target.learnt(seen, removed)
        if explained.differences(seen) or any(one.removes and one.asked.stays for one in answered):
            if not (self._each_again(answered, before) or self._each_as_sent(answered, before)):
                self._blame_removals(answered, self._blame_earlier(back, explained, seen), seen)
            return
        for one in answered:
            others = [pair for pair, exchange in removed.items() if exchange is not one.exchange]
            self._judge_as_seen(one, before, before.without(*others), seen)

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
        sent = self._target.sent_at_once([(one.pair, one.variation) for one in asked])
        return [self._final(one, exchange) for one, exchange in zip(asked, sent, strict=True)]

    def _answered(self, one: Asked) -> Answered:
        return self._final(one, self._target.sent(one.pair, one.variation))

    def _final(self, one: Asked, exchange: Exchange) -> Answered:
        """The answer; a fault or a plea is tried again alone until it is no more, or is the answer."""
        return self._insist(one, exchange) if self._is_plea(exchange) else Answered(one, exchange)

    def _is_plea(self, exchange: Exchange) -> bool:
        return persistence.is_plea(exchange, content_is_turned_away=self._target.content_is_turned_away)

    def _insist(self, one: Asked, first: Exchange) -> Answered:
        tries, began = [first], time.monotonic()
        fewest = persistence.fewest_tries(self._target.fault_share())
        while len(tries) < fewest or time.monotonic() - began < persistence.SECONDS:
            if len(tries) >= persistence.MOST_TRIES or not self._plain_removal_succeeds(one):
                return Answered(one, tries[-1])
            if persistence.speaks_of_content(tries[-1]):
                self._target.content_is_turned_away = True
                return Answered(one, tries[-1])
            halting.pause(max(persistence.SECONDS / fewest, again_after(tries[-1], 0)))
            tries.append(self._target.sent(one.pair, one.variation))
            if not self._is_plea(tries[-1]):
                return Answered(one, tries[-1])
        return Answered(one, tries[-1], tuple(tries))

    def _plain_removal_succeeds(self, asked: Asked) -> bool:
        """The control; afterwards the association stands, or does not, as the others of the group take it to."""
        trial = self._target.solo(asked.pair, "a removal", {})
        (self._target.establish if asked.standing else self._target.clear)(asked.pair)
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
        if one.asked.value.clause == "method.refused":
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


def _is_guilty(asked: Asked, trial: Attempt) -> bool:
    """It changed what it must not, or not what it says that it changed."""
    if asked.stays or trial.refused:
        return bool(trial.changes)
    return not trial.removed and (trial.status == 204 or bool(trial.changes))


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
