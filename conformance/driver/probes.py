"""Requests of the space against a settled scene: sent in groups, judged by one oracle, narrowed down where it changed.

Requests that must change nothing go out one after the other, and one look follows them all. Where that look shows a
change, those that could have made it are sent again alone, each with a look of its own: whatever repeats is guilty, and
what it hid is tried again. Requests that may remove something each have an association of their own.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from conformance import openapi
from conformance.driver.answering import Answering
from conformance.driver.assessing import Assessing, granted
from conformance.driver.folding import folded, unclear
from conformance.driver.grouping import apart, batch, runs
from conformance.driver.probe_target import ProbeTarget, enter
from conformance.driver.probed import Answered, Asked
from conformance.evidence import Exchange
from conformance.generate.dress import HOW_OFTEN, is_harmless
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
from conformance.judge import Attempt, ObservedState, Pair, effect, refusal
from conformance.judge.attempt import SERVER_FAULTS
from conformance.judge.lasting import part
from conformance.judge.oracle import Expected
from conformance.verdict import Ruling

ABSENT_SHARE = 0.25
"""How often what is refused is asked of what does not stand, too; the plainest of each clause always is."""

BLAMELESS = frozenset(HARMLESS) - {Between.STRANGER}
"""What may come before a request and has to change nothing, whoever asks."""

MOST_GUILTY = {"quick": 8, "standard": 24, "deep": 200}
"""So many guilty requests of a test are sought out one by one: where more are, the others would say no more."""

FEWEST = 10
"""Requests for which it is worth arranging another setting."""


class Prober:
    """Sends what it is asked to, and enters what follows.

    Args:
        settings: what the groups that must change nothing meet, in turn; one alone is met by all, undisturbed.
        removals: plain removals of the scene's associations in what is granted, to arrange a setting.
        most_guilty: so many requests that change what they must not are sought out one by one.
    """

    def __init__(
        self,
        target: ProbeTarget,
        scene: Sequence[Pair],
        settings: Sequence[Setting] = (Setting.ALL,),
        removals: Sequence[Asked] = (),
        seed: int = 0,
        most_guilty: int = MOST_GUILTY["standard"],
    ) -> None:
        self._target = target
        self._scene = tuple(scene)
        self._settings = settings
        self._removals = removals
        self._harmless = [*{one.value.words: one.value for one in removals if is_harmless(one.value)}.values()]
        self._draw = random.Random(seed)
        self._may_be_guilty = most_guilty
        self._standing = self._scene
        self._answers = Answering(target)
        self._assessed = Assessing(target)

    def run(self, asked: Sequence[Asked], siblings: Callable[[], Sequence[Asked]] = tuple) -> None:
        """Try every request, each clause's whether or not another one broke it.

        Args:
            siblings: of their dimensions, to be tried where it is not clear otherwise which class makes the difference.

        Raises:
            Unjudgeable: the scene cannot be restored.
        """
        try:
            self._try(asked)
            if open_ways := unclear(self._assessed.judged):
                self._try([one for one in siblings() if (one.value.dimension, one.value.clause) in open_ways])
        finally:
            for judged in folded(self._assessed.judged):
                enter(self._target, judged)

    def _try(self, asked: Sequence[Asked]) -> None:
        asked = [one for one in asked if one.pair not in self._target.failing]
        for setting, group in self._groups([self._dressed(one) for one in asked if one.stays]):
            self._arrange(setting, {one.pair for one in group})
            self._stay(group)
        going = [one if is_harmless(one.value) else self._dressed(one) for one in asked if not one.stays]
        for group in apart(going, self._scene):
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
        yield from ((Setting.ALL if self._varied else self._settings[0], group) for group in runs(full))
        others = len(asked) - len(full)
        shares = dealt(self._scene, min(len(self._settings), 1 + others // FEWEST)) if others else []
        for setting, share in zip(itertools.cycle(self._settings), shares, strict=False):
            for pairs in sharing_nothing(share) if setting is Setting.ALONE else [share]:
                dealt_to = [one for one in asked if one.pair in pairs and one not in full]
                yield from ((setting, group) for group in runs(dealt_to))

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
                answered += [*self._answers.at_once(waiting), *self._preceded(asked)]
                waiting.clear()
            else:
                waiting.append(asked)
        answered += self._answers.at_once(waiting)
        before = self._as_left(before)
        seen = self._target.awaited(self._target.known())
        if not before.differences(seen):
            for one in answered:
                self._judge_as_seen(one, before, before, seen)
            return
        back = self._target.learnt(seen, {})
        self._narrow(answered, before, seen, back)
        self._tell_whose([one.asked for one in answered if one.exchange.status and not granted(one.exchange)])

    def _as_left(self, before: ObservedState) -> ObservedState:
        """What a control could not undo is not the doing of the group."""
        known = self._target.known().listed
        now = {pair: known[pair] for pair in self._answers.unrestored if pair in known}
        self._answers.unrestored.clear()
        return before | ObservedState(listed=now, shown=now)

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
            for run in runs(group):
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
        return [*before, self._answers.answered(replace(asked, after=after))]

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
        return None if self._answers.is_plea(exchange) else Answered(judged[what], exchange)

    def _narrow(
        self, answered: Sequence[Answered], before: ObservedState, seen: ObservedState, back: Mapping[Pair, str]
    ) -> None:
        """Find every request that changes something; those that cannot have are judged by the answer they had."""
        gone = {pair for pair in before.listed if before.listed[pair] and seen.listed.get(pair) is False}
        near = [one for one in answered if one.asked.pair in gone or granted(one.exchange)]
        far = [one for one in answered if one not in near]
        if self._target.lateness.is_beyond_telling:
            self._blame_as_seen(near, answered, before, seen)
        elif not (self._each_again(near, before) or self._each_as_sent(answered, before)):
            if self._each_again(far, before):
                return
            self._target.lateness.suspected = True
            unexplained = self._blame_earlier(back, before, seen)
            self._blame_as_seen(near, answered, unexplained, seen)
            return
        for one in far:
            self._assessed.judge(one, self._assessed.attempt(one, before, before))

    def _tell_whose(self, refused: Sequence[Asked]) -> None:
        """Effects come late: a removal, and what is refused, are each sent once more with nothing else under way."""
        plain = next((one for one in self._removals if one.pair in self._standing), None)
        if not (plain and self._target.lateness.is_to_be_told):
            return
        self._target.lateness.told = True
        removal = self._sent_in_quiet([plain])[0]
        self._target.quiet(partial(effect.taken_later, removal=removal))
        if refused:
            earlier = self._sent_in_quiet(refused)
            self._target.quiet(partial(effect.stayed, earlier=earlier))

    def _sent_in_quiet(self, asked: Sequence[Asked]) -> tuple[str, ...]:
        """Send these to a settled scene, and take note of what they do at once."""
        self._target.establish(*self._standing)
        self._target.quiet()
        self._target.establish(*self._standing)
        answered = [self._answers.answered(one.alone) for one in asked]
        removed = {one.asked.pair: one.exchange for one in answered if one.removes}
        self._target.learnt(self._target.awaited(self._target.known().without(*removed)), removed)
        return tuple(one.exchange.id for one in answered)

    def _each_again(self, answered: Sequence[Answered], before: ObservedState) -> bool:
        """Send each alone; whether any of them changes too much."""
        found = [self._again(one, before) if self._may_be_guilty else self._beyond(one, before) for one in answered]
        return any(found)

    def _beyond(self, one: Answered, before: ObservedState) -> bool:
        """Enough were found guilty: a grant says what it did by itself, and of a refusal nobody knows."""
        if granted(one.exchange):
            after = before.without(one.asked.pair) if one.removes else before
            self._assessed.judge(one, self._assessed.attempt(one, before, after))
        else:
            self._target.leave_out(one.asked.words, "so many that change what they must not were found before")
        return True

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
            self._assessed.judge(one, self._assessed.attempt(one, before, before.without(pair)))
        if explained.differences(seen):
            words = batch("requests", [one.asked.words for one in answered])
            sent = tuple(one.exchange.id for one in answered)
            self._target.enter([effect.stayed(explained, seen, sent, once=True)], sent[-1], words)
            self._target.enter(_once({one.asked.value.clause for one in answered}, words, explained, seen, sent))

    def _again(self, one: Answered, before: ObservedState) -> bool:
        """Send it alone on a restored scene, with all that it could choose instead; whether it changes too much."""
        bare = one.asked.alone
        trial = self._confirmed(bare, before, self._on_a_restored_scene(bare, before))
        persisted = one.persisted if self._answers.is_plea(trial.exchange) else ()
        self._blame(Answered(bare, trial.exchange, persisted), trial)
        guilty = _is_guilty(bare, trial)
        if guilty:
            self._may_be_guilty -= 1
            self._put_aside(bare)
        return guilty

    def _again_as_sent(self, one: Answered, before: ObservedState) -> bool:
        """The same with all that it wore and that came before it, and then with the least of that that it takes."""

        def guilty(again: Answered, trial: Attempt) -> bool:
            return _is_guilty(again.asked, self._confirmed(again.asked, before, trial))

        found = self._least(one.asked, before, guilty)
        if found and not self._came_of_what_came_before(found[0].asked, before):
            self._blame(*found)
            self._put_aside(found[0].asked)
        return found is not None

    def _confirmed(self, asked: Asked, before: ObservedState, trial: Attempt) -> Attempt:
        """The trial, where a request that changed too much does so again when nothing else is under way.

        Else what it did the second time: what changed the first time was done by an earlier one, and late. What is
        granted is believed the first time, where effects are not seen to come late.
        """
        if not _is_guilty(asked, trial) or not (self._target.quiet() or trial.refused):
            return trial
        again = self._on_a_restored_scene(asked, before)
        if _is_guilty(asked, again):
            return trial
        late = effect.stayed(trial.before, trial.after, (trial.exchange.id,), once=True)
        self._target.enter([late], trial.exchange.id, asked.words)
        return again

    def _blame(self, again: Answered, trial: Attempt) -> None:
        """Judge it, unless it is an override, and its method does as much without it."""
        override = trial.changes and again.asked.value.clause == "method.override"
        if not (override and self._without_override(again.asked, trial.before)):
            self._assessed.judge(again, trial)

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

    def _came_of_what_came_before(self, asked: Asked, stood: ObservedState) -> bool:
        """What comes right before it brings back what was removed, without it, too: the removal is to blame then."""
        if not asked.after or not {*asked.after} <= BLAMELESS:
            return False
        self._restore(asked, stood)
        before = self._target.known()
        for what in asked.after:
            self._target.meanwhile(asked.pair, what, asked.variation)
        seen = self._target.awaited(before)
        back = self._target.learnt(seen, {})
        self._blame_earlier(back, before, seen)
        return bool(back)

    def _restore(self, asked: Asked, before: ObservedState) -> None:
        stood = [one for one in self._standing if asked.standing or (before.listed.get(one) and one != asked.pair)]
        self._target.clear(*(pair for pair, stands in before.listed.items() if not stands))
        self._target.establish(*stood)

    def _on_a_restored_scene(self, asked: Asked, before: ObservedState) -> Attempt:
        self._restore(asked, before)
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
        attempt = self._assessed.attempt(one, before, seen)
        if one.asked != one.asked.alone and self._assessed.breaks_its_own(one, attempt):
            least = self._least(one.asked, stood, self._assessed.breaks_its_own)
            if least:
                self._put_aside(least[0].asked)
                if self._is_the_company(least[0].asked, stood):
                    self._again(one, stood)
                    return
            self._assessed.judge(*(least or (one, attempt)))
            return
        self._assessed.judge(one, attempt)

    def _is_the_company(self, asked: Asked, stood: ObservedState) -> bool:
        """A removal that is granted is answered as wrongly in the same dress, or right after the same.

        That is to blame then, and is judged.
        """
        after = tuple(one for one in asked.after if one in HARMLESS)
        ways = [*asked.dress, *(one.value for one in self._removals if one.pair == asked.pair and one.value.plain)]
        if asked.value.expected is Expected.GRANTED or not (asked.dress or after) or not ways:
            return False
        plain = Asked(asked.pair, ways[0], dress=asked.dress[1:], after=after)
        found = self._least(plain, stood, self._assessed.breaks_its_own)
        if found:
            self._assessed.judge(*found)
        return found is not None

    def _without_override(self, asked: Asked, before: ObservedState) -> bool:
        """The method alone changes something, so that no override is to blame; a method that nobody documents is."""
        method = asked.value.variation["method"]
        words, variation = f"the method {method}", {"method": method}
        self._restore(asked, before)
        trial = self._target.solo(asked.pair, f"a removal with {words}", variation, standing=asked.standing)
        if trial.changes and method not in openapi.methods_documented_on_the_path():
            plain = replace(asked.value, kind=f"method {method}", words=words, variation=variation)
            bare = replace(asked, value=replace(plain, clause="method.refused", expected=Expected.NOT_ALLOWED))
            self._assessed.judge(Answered(bare if asked.standing else bare.of_the_absent(), trial.exchange), trial)
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
        self._target.read_singly([one.pair for one in group])
        before = self._target.known()
        answered: list[Answered] = []
        for asked in group:
            answered += self._preceded(asked, HARMLESS) if self._is_preceded() else [self._answers.answered(asked)]
        removed = {one.asked.pair: one.exchange for one in answered if one.removes}
        explained = before.without(*removed)
        seen = self._target.awaited(explained, removed.keys())
        removed_or_not = {**removed, **_perhaps_removed(answered, seen)}
        explained = before.without(*removed_or_not)
        back = self._target.learnt(seen, removed)
        if explained.differences(seen) or any(one.removes and one.asked.stays for one in answered):
            if not (self._each_again(answered, before) or self._each_as_sent(answered, before)):
                self._target.lateness.suspected = True
                self._blame_removals(answered, self._blame_earlier(back, explained, seen), seen)
                self._tell_whose([])
            return
        for one in answered:
            others = [pair for pair, exchange in removed_or_not.items() if exchange is not one.exchange]
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
            words = batch("removals", [one.asked.words for one in answered])
            self._target.enter([effect.taken_along(changes, last, seen)], last, words)


def _once(
    clauses: Collection[str], words: str, before: ObservedState, seen: ObservedState, sent: tuple[str, ...]
) -> Iterator[Ruling]:
    """What no association can restore is changed once only, so that trying again clears nobody of a batch."""
    changes = part(before, (), before.tabled).differences(seen)
    if changes and len(clauses) == 1:
        yield refusal.once(next(iter(clauses)), words, changes, (*sent, *seen.exchanges))


def _perhaps_removed(answered: Sequence[Answered], seen: ObservedState) -> dict[Pair, Exchange]:
    """What is gone, and was named by a removal that may be made, and whose answer leaves open whether it was."""
    may = [one for one in answered if not one.asked.stays and one.asked.value.names]
    told = [one for one in may if one.exchange.status is None or one.exchange.status in SERVER_FAULTS]
    return {one.asked.pair: one.exchange for one in told if seen.listed.get(one.asked.pair) is False}


def standing_pairs(known: ObservedState) -> Iterator[Pair]:
    """What is known to stand."""
    return (pair for pair, stands in known.listed.items() if stands)


def _is_guilty(asked: Asked, trial: Attempt) -> bool:
    """It changed what it must not, or not what it says that it changed."""
    if asked.stays or trial.refused:
        return bool(trial.changes)
    return not trial.removed and (trial.status == 204 or bool(trial.changes))
