"""What was removed, refused or de-allocated stays so: subjects made early, and one shared wait at the end of the run.

Decision 16: everything is looked at once more, at least the settling time after the last request about it, and one
subject of each kind that was made early and left alone at least twice that. Every view is read so often that one stale
replica in four is met with 99 %.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeGuard

from conformance.client import Wait, retried
from conformance.driver.context import Deallocated, Process
from conformance.driver.deallocating import Deallocator, insisted
from conformance.driver.leases import Leases
from conformance.driver.probed import Asked
from conformance.driver.ruling_log import RulingLog
from conformance.driver.scene import StandingScene, lesser
from conformance.errors import ProvisioningError, Unjudgeable
from conformance.evidence import Exchange
from conformance.generate.deallocations import wordings
from conformance.generate.space import Expected, Value
from conformance.judge import Attempt, ObservedState, Pair, codes, deallocation, effect, lasting
from conformance.judge.oracle import MUST_STAY
from conformance.provision import Address
from conformance.verdict import Ruling

STALE_SHARE, CERTAINTY = 0.25, 0.99
READS = {
    "quick": 4,
    "standard": math.ceil(math.log(1 - CERTAINTY) / math.log(1 - STALE_SHARE)),
    "deep": 2 * math.ceil(math.log(1 - CERTAINTY) / math.log(1 - STALE_SHARE)),
}
"""How often every view is read at the end: one replica in four that is stale for ever is met with 99 % at standard."""

LESSER = {"restricted": "access.forbidden", "foreign": "access.foreign"}
"""Credentials without the right to remove, and the clauses that speak of them."""

LEAST_AGE_SECONDS = 10.0
"""So long what was made early is left alone at least: what a target does to what is old it may do by its own clock."""

ROUNDS_IN_VAIN = 2
"""So often what is refused is asked for; what is granted is left out the second time."""


def in_vain(value: Value) -> bool:
    """It names the association, one way or another, and is refused."""
    return value.expected in MUST_STAY - {Expected.INERT}


def _granted(exchange: Exchange) -> bool:
    return exchange.status is not None and 200 <= exchange.status < 300


@dataclass(slots=True)
class Early:
    """The subjects that were made early: associations of one address, and a bare address.

    Attributes:
        removals: association -> the 204 that removed it; of an address with others, and the last of one.
        refused, standing, anew: associations; None where there were too few servers.
        addresses: theirs, and one that nothing is associated with any more.
        asked_for: of these addresses those whose de-allocation was refused while something was associated with them.
        denials: those de-allocations, and what else was refused about an address with no association left.
        exchanges: what was refused about ``refused``.
    """

    at: float
    removals: dict[Pair, Exchange] = field(default_factory=dict)
    refused: Pair | None = None
    standing: Pair | None = None
    anew: Pair | None = None
    addresses: tuple[str, ...] = ()
    asked_for: set[str] = field(default_factory=set)
    denials: list[Exchange] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def evidence(self) -> list[Exchange]:
        """All that was sent about them."""
        return [*self.removals.values(), *self.exchanges, *self.denials]

    @property
    def guarded(self) -> Pair | None:
        """An association that has stood all the time."""
        return self.standing or self.refused

    @property
    def old(self) -> Pair | None:
        """An association that nothing is left to be learnt of but its removal."""
        return self.anew or self.guarded


class Lasting:
    """Makes the early subjects, and looks at the end."""

    def __init__(self, process: Process, log: RulingLog) -> None:
        self._process = process
        self._client = process.client
        self._log = log
        self._leases = Leases(process, log)
        self._early: Early | None = None
        self._due = False
        self._lent = contextlib.ExitStack()

    # -- the beginning -------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Make the subjects, but for a quick look, as far as the target grants addresses beside those of tests."""
        most = self._process.target.limits.max_addresses
        if self._process.depth == "quick":
            return
        self._due = True
        if most < 3:
            return  # tests need them: the subjects are made when they are done
        try:
            self._lent.enter_context(self._leases)
            alone = self._leases.lease(2 if most > 3 else 1)
            for address in alone:
                self._process.provisioner.set_apart(address)
            self._make(alone)
        except (ProvisioningError, Unjudgeable) as error:
            self._process.notes.append(f"no subjects were left alone from the beginning: {error}")

    def _make(self, addresses: list[Address]) -> None:
        subject, *others = addresses
        pairs = [Pair(subject.id, server) for server in self._leases.servers]
        self._leases.establish(*pairs)
        early = Early(time.monotonic(), addresses=tuple(one.id for one in addresses))
        removed, *kept = pairs
        for role, pair in zip(("refused", "standing", "anew"), kept, strict=False):
            setattr(early, role, pair)
        self._remove_for_good(early, removed)
        for idle in others:
            last = Pair(idle.id, self._leases.servers[0])
            self._leases.establish(last)
            if self._is_refused(early, idle.id):
                self._remove_for_good(early, last)
                self._repeat_in_vain(early, last)
        if early.anew:
            self._removed(early.anew)
            self._leases.establish(early.anew)
        self._leases.recheck_addresses()  # what a removal takes at once is its own doing
        if early.refused:
            self._ask_in_vain(early, early.refused)
        self._leases.prepare_table()
        early.at = time.monotonic()
        self._early = early

    def _is_refused(self, early: Early, address: str) -> bool:
        """Its de-allocation is refused while something is associated with it, and must not come about later."""
        deallocator = Deallocator(self._process, self._leases)
        for wording in (one for one in wordings() if one.judged):
            trial = insisted(deallocator, address, wording)
            for ruling in (deallocation.refused(wording.clause, trial), effect.inert_deallocation(trial)):
                self._log.note(ruling, trial.exchange.id)
            if trial.changes:
                return False
            if trial.refused:
                early.asked_for.add(address)
                early.denials.append(trial.exchange)
        return True

    def _remove_for_good(self, early: Early, pair: Pair) -> None:
        exchange = self._removed(pair)
        if exchange.status == 204:
            early.removals[pair] = exchange

    def _repeat_in_vain(self, early: Early, pair: Pair) -> None:
        """Where it is refused, nothing comes of it later either, though no association is there any more."""
        exchange = self._removed(pair)
        if exchange.status is not None and 400 <= exchange.status < 500:
            early.denials.append(exchange)

    def _removed(self, pair: Pair) -> Exchange:
        exchange = retried(lambda: self._client.remove(pair.server, pair.address))
        self._went(pair, exchange)
        return exchange

    def _went(self, pair: Pair, exchange: Exchange) -> None:
        """Whatever was answered: what stands from here on is what is seen, and only that is left alone."""
        if exchange.status == 204:
            self._leases.removed(pair, exchange)
        self._leases.believe(self._leases.overview(), subjects=(*self._leases.known_state.stands, pair))

    def _ask_in_vain(self, early: Early, pair: Pair) -> None:
        """Ask for all that is refused, of each kind of mistake: none of it may come about later.

        What is granted at once leaves nothing alone: it is for the tests of its own clause to judge.
        """
        scene = StandingScene(self._process, self._leases, self._log)
        asked = [one for one in scene.asked([pair], in_vain, "quick") if one.stays]
        asked += [Asked(pair, lesser(*one)) for one in LESSER.items() if one[0] in self._client.keyring.tokens]
        for _ in range(ROUNDS_IN_VAIN):
            answers = self._answers(pair, asked)
            early.exchanges = [one for one in answers.values() if not _granted(one)]
            asked = [asked[place] for place, answer in answers.items() if not _granted(answer)]
            self._leases.believe(self._leases.overview(), subjects=(*self._leases.known_state.stands, pair))
            if self._leases.known_state.stands[pair]:
                return
            self._leases.establish(pair)
        early.refused = None

    def _answers(self, pair: Pair, asked: Sequence[Asked]) -> dict[int, Exchange]:
        """What is answered, by place; of a dimension whose first is not answered the others are not sent."""

        def sent(places: Sequence[int]) -> dict[int, Exchange]:
            exchanges = self._client.at_once([partial(self._ask, pair, asked[place].variation) for place in places])
            return dict(zip(places, exchanges, strict=True))

        first = {one.value.dimension: place for place, one in reversed([*enumerate(asked)])}
        answers = sent(sorted(first.values()))
        answered = {dimension for dimension, place in first.items() if answers[place].status}
        rest = [place for place, one in enumerate(asked) if place not in answers and one.value.dimension in answered]
        return answers | sent(rest)

    def _ask(self, pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        return self._client.remove(**{"server": pair.server, "address": pair.address, **variation})

    # -- the end -------------------------------------------------------------------------------------------------------

    def end(self) -> str:
        """Wait until everything has had its time, and look so often that no stale view escapes.

        Returns why that could not be done; nothing if it was.
        """
        with self._lent:
            try:
                self._recall()
                self._lease_the_rest()
                self._make_up_leeway()
                self._wait()
                self._look(self._everything() | self._leases.overview(), self._process.deallocated)
                for _ in range(READS[self._process.depth] - 1):
                    self._look(self._glance(), self._process.deallocated[:1])
                if self._early:
                    self._leases.believe(self._everything())  # it is ruled on; what follows is not to blame for it
                    self._guard(self._early)
                    self._remove_what_is_old(self._early)
            except (ProvisioningError, Unjudgeable) as error:
                return f"the look at the end of the run could not be made: {error}"
        return ""

    def _recall(self) -> None:
        """What was sent long ago is evidence again."""
        early = self._early.evidence if self._early else []
        gone = [one.exchange for one in self._process.deallocated]
        for exchange in (*early, *gone, *self._process.removed.values()):
            self._process.recorder.exchanges[exchange.id] = exchange

    def _lease_the_rest(self) -> None:
        """The addresses that tests had, with what they left associated."""
        if not self._early:
            self._lent.enter_context(self._leases)
        with contextlib.suppress(ProvisioningError):
            self._leases.lease(self._process.target.limits.max_addresses)
        self._rely()
        self._leases.prepare_table()

    def _rely(self) -> None:
        """What was left standing is expected to stand, whatever a look shows: what went since then is to be found.

        Only a look that agrees is believed, so that there is more to compare with; what it shows otherwise is ruled on
        when everything has had its time.
        """
        known = self._leases.known_state
        known.rely()
        seen = self._leases.settled(self._everything, ObservedState())
        if not known.expected().differences(seen):
            self._leases.believe(seen)

    def _make_up_leeway(self) -> None:
        """Subjects that could not be made early, for want of addresses that no test needed, are made now."""
        if self._early or not self._due:
            return
        try:
            self._make([*self._leases.addresses.values()][:2] or self._leases.lease())
        except (ProvisioningError, Unjudgeable) as error:
            self._process.notes.append(f"no subjects were left alone for long: {error}")

    def _wait(self) -> None:
        settle = self._process.target.policy.settle_seconds
        due = time.monotonic() + settle
        if self._early:
            due = max(due, self._early.at + max(2 * settle, LEAST_AGE_SECONDS))
        self._client.stopwatch.pause(Wait.SETTLING, due - time.monotonic())

    def _everything(self) -> ObservedState:
        pairs = list(self._leases.known_state.stands)
        return self._leases.everything(pairs, pairs)

    def _glance(self) -> ObservedState:
        """Every view once more: the lists, and the single reads of what was removed and of its address."""
        early = self._early
        removed = list(early.removals) if early else []
        return self._leases.overview() | self._leases.observer.associations((), (), removed) | self._held(removed)

    def _held(self, removed: Sequence[Pair]) -> ObservedState:
        return self._leases.observer.addresses(
            [pair.address for pair in removed] or self._leases.known_state.alive()[:1]
        )

    def _look(self, seen: ObservedState, deallocated: Sequence[Deallocated]) -> None:
        for ruling in self._rulings(seen):
            self._log.note(ruling)
        record = self._process.ledger.read()
        alive = {address.lower() for address in record.addresses}  # another process was given the ID again
        gone = [one for one in deallocated if one.address.lower() not in alive]
        observer, again = self._leases.observer, bool(record.again)
        table = observer.table([one.address for one in gone]) if gone else ObservedState()
        for one in gone:
            tabled = {address: held for address, held in table.tabled.items() if address == one.address}
            shown = observer.addresses([one.address]) | replace(table, tabled=tabled)
            self._log.note(lasting.deallocated(one.clause, one.address, one.exchange.id, shown, again=again))

    def _rulings(self, seen: ObservedState) -> Iterator[Ruling | None]:
        expected, early = self._leases.known_state.expected(), self._early
        absent = {pair for pair, stands in expected.listed.items() if not stands}
        tested = {pair: one for pair, one in self._process.removed.items() if pair in absent}
        removals = {pair: one.id for pair, one in {**tested, **(early.removals if early else {})}.items()}
        yield from lasting.removed(removals, seen)
        refused = [early.refused] if early and early.refused else []
        others = [pair for pair in expected.listed if pair not in removals and pair not in refused]
        own = early.addresses if early else ()
        alone = [pair for pair in others if pair.address in own]
        asked_for = early.asked_for if early else ()
        left = [address for address in own if address not in asked_for]
        yield lasting.stayed("effect.nothing-else", lasting.part(expected, alone, left), seen)
        rest = [pair for pair in others if pair not in alone] + refused
        addresses = [address for address in expected.ports if address not in left]
        earlier = tuple(one.id for one in (*early.exchanges, *early.denials)) if early else ()
        yield lasting.stayed("effect.refusal-is-inert", lasting.part(expected, rest, addresses), seen, earlier)

    def _guard(self, early: Early) -> None:
        """The address that was left alone is still protected by its associations."""
        if not self._still_stands(early.guarded):
            return
        deallocator = Deallocator(self._process, self._leases)
        for wording in (one for one in wordings() if one.judged):
            trial = insisted(deallocator, early.guarded.address, wording)
            self._log.note(deallocation.refused(wording.clause, trial))

    def _still_stands(self, pair: Pair | None) -> TypeGuard[Pair]:
        """Neither it nor its address was lost: that is ruled on, and nothing more can be learnt of it."""
        known = self._leases.known_state
        return pair is not None and known.stands.get(pair, False) and known.ports.get(pair.address) is not None

    def _remove_what_is_old(self, early: Early) -> None:
        """An association that has stood for long goes like any other, and a removal of long ago may be repeated."""
        if self._still_stands(early.old):
            scene = StandingScene(self._process, self._leases, self._log)
            trial = scene.solo(early.old, "a removal of an association that has stood for a while", {})
            for ruling in (codes.success(trial), effect.removed(trial), effect.nothing_else(trial)):
                self._log.note(ruling, trial.exchange.id)
        for removed in early.removals:
            repeated = self._repeated(removed)
            self._log.note(effect.repeated(repeated), repeated.exchange.id)
            self._log.note(effect.inert(repeated), repeated.exchange.id)

    def _repeated(self, pair: Pair) -> Attempt:
        before = self._leases.known_state.expected_again(pair)
        exchange = retried(lambda: self._ask(pair, {}))
        seen = self._leases.settled(self._glance, before)
        words = "a removal repeated after a while"
        return Attempt(exchange=exchange, before=before, after=seen, pair=pair, reached=False, words=words)
