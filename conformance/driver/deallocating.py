"""Requests that may de-allocate an address, each between two looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from conformance.client import Client, retried
from conformance.driver.leases import Leases
from conformance.driver.ruling_log import RulingLog
from conformance.evidence import Exchange
from conformance.generate.deallocations import Wording
from conformance.judge import Deallocation, Pair, State, deallocation, effect

MOST_LOST = 4
"""Addresses that a search for the guilty wording may cost."""


@dataclass(slots=True)
class Deallocator:
    """Sends what may de-allocate a leased address, and looks at what came of it."""

    client: Client
    leases: Leases

    def try_once(
        self, address: str, wording: Wording, credential: str = "full", *, looked_at: tuple[Pair, ...] | None = None
    ) -> Deallocation:
        """One request, sent once; ``looked_at``: the associations that are read back, unless it is all that stand."""
        known = self.leases.belief
        if known.suspect(address):
            self.leases.recheck(lambda: self.leases.sight.addresses([address]))
        standing = known.standing(address)
        before = known.of(address)
        exchange = self._send(address, wording, credential)
        seen = standing if looked_at is None else looked_at
        after = self._after(address, exchange, before, seen, ours=credential == "full")
        return self._trial(address, wording, exchange, before, after, standing)

    def _trial(
        self,
        address: str,
        wording: Wording,
        exchange: Exchange,
        before: State,
        after: State,
        standing: tuple[Pair, ...],
    ) -> Deallocation:
        count = f"{len(standing)} association{'' if len(standing) == 1 else 's'}"
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
            lingers=self.leases.belief.lingers(address),
        )

    def withstand(self, pairs: Sequence[Pair], wordings: Sequence[Wording], log: RulingLog) -> None:
        """Ask in every wording for the address of these associations; nothing of it may go.

        One look follows all; where it shows a change, each is sent again alone, on another address if need be.

        Raises:
            ProvisioningError: an association cannot be made.
        """
        self.leases.establish(*pairs)
        address = pairs[0].address
        before = self.leases.belief.of(address) | State(tabled=self.leases.belief.tabled_of(address))
        answers = [retried(lambda one=one: self._send(address, one, "full")) for one in wordings]  # type: ignore[misc]
        after = self.leases.sight.settled(lambda: self.look(address, tuple(pairs)), before)
        if not before.differences(after):
            for wording, exchange in zip(wordings, answers, strict=True):
                self._enter(wording, self._trial(address, wording, exchange, before, after, tuple(pairs)), log)
            return
        self.leases.believe(after, subjects=(address, *pairs))
        self._one_by_one(pairs, wordings, log)

    def _one_by_one(self, pairs: Sequence[Pair], wordings: Sequence[Wording], log: RulingLog) -> None:
        lost = 0
        for wording in wordings:
            if lost > MOST_LOST:
                log.leave_out(wording.kind, f"{MOST_LOST} addresses went already")
                continue
            address = self.leases.one().id
            self.leases.establish(*(Pair(address, pair.server) for pair in pairs))
            self._enter(wording, self.try_once(address, wording), log)
            lost += self.leases.belief.ports[address] is None

    def _enter(self, wording: Wording, trial: Deallocation, log: RulingLog) -> None:
        judged = deallocation.refused if wording.judged else deallocation.protected
        ruling = judged(wording.clause, trial)
        reason = "" if ruling else f"{trial.words} was answered {trial.exchange.outcome}"
        rulings = ruling, effect.inert_deallocation(trial)
        log.judge(*rulings, case=trial.words, unjudged=reason, exchange=trial.exchange.id, kind=[wording.kind])

    def _send(self, address: str, wording: Wording, credential: str) -> Exchange:
        spelt = wording.spelt(address)
        return self.client.change_address(spelt, wording.method, credential=credential, **wording.variation)

    def look(self, address: str, pairs: tuple[Pair, ...]) -> State:
        """The address, by its single read and in the list, and the lists for these associations."""
        sight = self.leases.sight
        return sight.addresses([address]) | sight.table([address]) | self.leases.look(pairs)

    def _after(
        self, address: str, exchange: Exchange, before: State, standing: tuple[Pair, ...], *, ours: bool
    ) -> State:
        gone = State(ports={address: None}, tabled={address: None})
        granted = exchange.status is not None and 200 <= exchange.status < 300
        unknown = exchange.status is None or exchange.status >= 500
        lawful = ours and not standing
        acceptable = (gone,) if lawful and granted else (before, gone) if lawful and unknown else (before,)
        after = self.leases.sight.settled(lambda: self.look(address, standing), *acceptable)
        refused = exchange.status is not None and 400 <= exchange.status < 500
        self.leases.believe(after, subjects=() if refused else (address, *self.leases.belief.standing(address)))
        return after


def insisted(deallocator: Deallocator, address: str, wording: Wording) -> Deallocation:
    """The same until the answer is more than a plea for patience."""
    trials: list[Deallocation] = []

    def send() -> Exchange:
        trials.append(deallocator.try_once(address, wording))
        return trials[-1].exchange

    retried(send)
    return trials[-1]
