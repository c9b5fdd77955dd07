"""Requests that may de-allocate an address, each between two looks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from conformance.client import again_after, halting, passing, retried
from conformance.driver import persistence, request_classes
from conformance.driver.context import Process
from conformance.driver.grouping import batch
from conformance.driver.leases import Leases
from conformance.driver.ruling_log import RulingLog
from conformance.evidence import Exchange
from conformance.generate.deallocations import Wording, wordings
from conformance.judge import Deallocation, ObservedState, Pair, deallocation, effect

TRIES = 5
MOST_LOST = 4
"""Addresses that a search for the guilty wording may cost."""


@dataclass(slots=True)
class Deallocator:
    """Sends what may de-allocate a leased address, and looks at what came of it."""

    process: Process
    leases: Leases

    def try_once(self, address: str, wording: Wording, credential: str = "full") -> Deallocation:
        """One request, sent once, and a look at the address and all that is associated with it."""
        self._make_sure_of(address)
        known = self.leases.known_state
        standing = known.standing(address)
        before = known.of(address) | ObservedState(tabled=known.tabled_of(address))
        exchange = self._send(address, wording, credential)
        after = self._after(address, exchange, before, standing, ours=credential == "full")
        return self._trial(address, wording, exchange, before, after, standing)

    def _make_sure_of(self, address: str) -> None:
        """What an earlier removal took is found before the request, and is not blamed on it."""
        known = self.leases.known_state
        standing = known.standing(address)
        if known.suspect(address) or any(map(known.suspect, standing)):
            self.leases.recheck(lambda: self.look(address, standing))

    def _trial(
        self,
        address: str,
        wording: Wording,
        exchange: Exchange,
        before: ObservedState,
        after: ObservedState,
        standing: tuple[Pair, ...],
    ) -> Deallocation:
        count = f"{len(standing)} association{'' if len(standing) == 1 else 's'}"
        if not passing(exchange):
            self.process.met.note(request_classes.of_a_deallocation(wording.kind, len(standing)))
        return Deallocation(
            exchange=exchange,
            before=before,
            after=after,
            words=f"{wording.kind} of an address with {count}",
            setup=tuple(self.leases.set_up[pair] for pair in standing if pair in self.leases.set_up),
            address=address,
            how=wording.kind,
            method=wording.method,
            standing=standing,
            lingers=self.leases.known_state.lingers(address),
            replaces=wording.replaces,
        )

    def withstand(self, pairs: Sequence[Pair], asked: Sequence[Wording], log: RulingLog) -> bool:
        """Ask in every wording for the address of these associations; nothing of it may go.

        Returns whether the page's own wording was judged. One look follows all; where it shows a change, each is sent
        again alone, on an address that is as it was; what none of them does alone is reported of them together.

        Raises:
            ProvisioningError: an association cannot be made.
        """
        for wording in (one for one in asked if one.replaces):
            pairs = self._apart(pairs, wording, log)
        asked = [one for one in asked if not one.replaces]
        self.leases.establish(*pairs)
        address = pairs[0].address
        self._make_sure_of(address)
        before = self.leases.known_state.of(address) | ObservedState(tabled=self.leases.known_state.tabled_of(address))
        answers = [self._answer(address, one) for one in asked]
        after = self.leases.settled(lambda: self.look(address, tuple(pairs)), before)
        if not before.differences(after):
            judged = False
            for wording, exchange in zip(asked, answers, strict=True):
                trial = self._trial(address, wording, exchange, before, after, tuple(pairs))
                judged |= self._enter(wording, replace(trial, persisted=self._persisted(wording, exchange)), log)
            return judged
        self.leases.believe(after, subjects=(address, *pairs))
        lost: list[str] = []
        try:
            self._one_by_one(pairs, asked, log, lost)
        finally:
            if not lost:
                self._blame_them_together(asked, answers, before, after, log)
        return True

    def _apart(self, pairs: Sequence[Pair], wording: Wording, log: RulingLog) -> Sequence[Pair]:
        """One by itself, since it may lawfully spoil the address; the same associations of what is to be had then."""
        self.leases.establish(*pairs)
        trial = self.try_once(pairs[0].address, wording)
        self._enter(wording, trial, log)
        if not trial.changes:
            return pairs
        address = self._in_order(trial.address)
        return [Pair(address, pair.server) for pair in pairs]

    def _blame_them_together(
        self,
        asked: Sequence[Wording],
        answers: Sequence[Exchange],
        before: ObservedState,
        after: ObservedState,
        log: RulingLog,
    ) -> None:
        words = batch("wordings", [one.kind for one in asked])
        evidence = (*(one.id for one in answers), *after.exchanges)
        log.judge(*deallocation.together(asked[0].clause, words, before, after, evidence), case=words)

    def _answer(self, address: str, wording: Wording) -> Exchange:
        """What it is answered; a fault is asked about once more, and insisted on where the page demands a refusal."""
        if wording.judged and wording.method in self.process.persisting:
            return self._send(address, wording, "full")  # one more of what is known to persist
        exchange = retried(lambda: self._send(address, wording, "full"), TRIES if wording.judged else 2)
        if wording.judged and passing(exchange):
            exchange = self._insist(address, wording, exchange)
        return exchange

    def _persisted(self, wording: Wording, exchange: Exchange) -> tuple[Exchange, ...]:
        return self.process.persisting.get(wording.method, ()) if wording.judged and passing(exchange) else ()

    def _insist(self, address: str, wording: Wording, first: Exchange) -> Exchange:
        """Ask again alone until it is answered, or its fault is the answer (decision 13)."""
        tries, began = [first], time.monotonic()
        fewest = persistence.fewest_tries(persistence.fault_share(self.process.recorder))
        while len(tries) < fewest or time.monotonic() - began < persistence.SECONDS:
            if len(tries) >= persistence.MOST_TRIES or not self._an_idle_address_goes(address):
                return tries[-1]
            halting.pause(max(persistence.SECONDS / fewest, again_after(tries[-1], 0)))
            tries.append(self._send(address, wording, "full"))
            if not passing(tries[-1]):
                return tries[-1]
        self.process.persisting[wording.method] = tuple(tries)
        return tries[-1]

    def _an_idle_address_goes(self, but: str) -> bool:
        """The control: the same of another address, rid of its associations, succeeds. It holds for later ones, too."""
        if not self.process.controls:
            return True
        self.process.controls -= 1
        address = next((one for one in self.leases.addresses if one != but), None) or self.leases.lease()[0].id
        self.leases.bare(address)
        plain = next(one for one in wordings() if one.judged)
        trial = self.try_once(address, plain)
        if trial.changes:
            self._in_order(address)
        return trial.exchange.status in deallocation.SUCCESS[plain.method]

    def _one_by_one(self, pairs: Sequence[Pair], asked: Sequence[Wording], log: RulingLog, lost: list[str]) -> None:
        """Each alone, on an address that is as it was allocated; ``lost`` are those that one of them changed."""
        address = self._in_order(pairs[0].address)
        for wording in asked:
            if len(lost) > MOST_LOST:
                log.leave_out(wording.kind, f"{MOST_LOST} addresses were changed already")
                continue
            self.leases.establish(*(Pair(address, pair.server) for pair in pairs))
            trial = self.try_once(address, wording)
            self._enter(wording, trial, log)
            if trial.changes:
                lost.append(address)
                address = self._in_order(address)

    def _in_order(self, spoilt: str) -> str:
        address = self.leases.replaced(spoilt).id
        self.leases.prepare_table()
        return address

    def _enter(self, wording: Wording, trial: Deallocation, log: RulingLog) -> bool:
        """Enter what follows; whether it is the page's own wording, and was judged."""
        judged = deallocation.refused if wording.judged else deallocation.protected
        ruling = judged(wording.clause, trial)
        reason = "" if ruling else f"{trial.words} was answered {trial.exchange.outcome}"
        rulings = ruling, effect.inert_deallocation(trial)
        kind = [] if wording.judged else [wording.kind]
        log.judge(*rulings, case=trial.words, unjudged=reason, exchange=trial.exchange.id, kind=kind)
        return wording.judged and ruling is not None

    def _send(self, address: str, wording: Wording, credential: str) -> Exchange:
        held = self.leases.known_state.ports.get(address)
        shown = dict(held.members) | ({"address": held.literal} if held.literal else {}) if held else {}
        variation = wording.worded(shown)
        return self.process.client.change_address(
            wording.spelt(address), wording.method, credential=credential, **variation
        )

    def look(self, address: str, pairs: tuple[Pair, ...]) -> ObservedState:
        """The address, by its single read and in the list, and the lists for these associations and for those gone."""
        observer, gone = self.leases.observer, self.leases.known_state.gone(address)
        return observer.addresses([address]) | observer.table([address]) | self.leases.look([*pairs, *gone])

    def _after(
        self, address: str, exchange: Exchange, before: ObservedState, standing: tuple[Pair, ...], *, ours: bool
    ) -> ObservedState:
        gone = ObservedState(ports={address: None}, tabled={address: None})
        granted = exchange.status is not None and 200 <= exchange.status < 300
        unknown = exchange.status is None or exchange.status >= 500
        lawful = ours and not standing
        acceptable = (gone,) if lawful and granted else (before, gone) if lawful and unknown else (before,)
        after = self.leases.settled(lambda: self.look(address, standing), *acceptable)
        self.leases.believe(after, subjects=(address, *self.leases.known_state.standing(address)))
        return after


def insisted(deallocator: Deallocator, address: str, wording: Wording) -> Deallocation:
    """The same until the answer is more than a plea for patience."""
    trials: list[Deallocation] = []

    def send() -> Exchange:
        trials.append(deallocator.try_once(address, wording))
        return trials[-1].exchange

    retried(send)
    return trials[-1]
