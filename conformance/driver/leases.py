"""The addresses that one test has leased, what is associated with them, and what is believed of both."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Self

from conformance.client import retried
from conformance.driver.context import Process
from conformance.driver.known_state import KnownState
from conformance.driver.observer import Observer
from conformance.driver.ruling_log import RulingLog
from conformance.errors import ProvisioningError, Unjudgeable, Untested
from conformance.evidence import Exchange
from conformance.generate.settings import sharing_nothing
from conformance.judge import Attempt, Held, ObservedState, Pair, codes, effect
from conformance.provision import Address
from conformance.verdict import Absence, Ruling

ANY = Held(frozenset())
FEWEST_PORTS = 2
"""Of a shared address."""
"""Stands for an address that is shown, whatever is shown of it."""

Blame = Callable[[ObservedState, ObservedState], Ruling | None]


def on_nobody(expected: ObservedState, seen: ObservedState) -> Ruling | None:
    """No request was seen to do it."""
    return effect.stayed(expected, seen, once=True)


class Leases:
    """What one test holds of the target.

    Attributes:
        addresses: those leased, by ID.
        known_state: what stands of them.
        set_up: association -> ID of the exchange that made it.
        phantom: why there is no address and the association is a made-up one; empty when there is one.
        sound: nothing went wrong that may have spoilt the addresses for other tests.
    """

    def __init__(self, process: Process, ruling_log: RulingLog) -> None:
        self._process = process
        self._client = process.client
        self._ruling_log = ruling_log
        self._lent = contextlib.ExitStack()
        self.observer = Observer(process.client, process.views)
        self.known_state = KnownState()
        self.addresses: dict[str, Address] = {}
        self.set_up: dict[Pair, str] = {}
        self.phantom = ""
        self.sound = True

    @property
    def servers(self) -> tuple[str, ...]:
        """The servers that addresses may be associated with; two are enough for a quick look."""
        return self._process.target.servers[: 2 if self._quick else None]

    @property
    def _quick(self) -> bool:
        return self._process.depth == "quick"

    @property
    def tenant(self) -> str:
        """The ID of the tenant that the addresses belong to; empty where no address tells it."""
        held = (dict(one.members) for one in self.known_state.ports.values() if one)
        return next((members["tenant_id"] for members in held if "tenant_id" in members), "")

    def lease(self, count: int = 1) -> list[Address]:
        """Up to ``count`` addresses, at least one, until the test ends.

        Raises:
            ProvisioningError: not one address is to be had.
        """
        held = self._lent.enter_context(self._process.provisioner.lease(count))
        return [self._admitted(address) for address in held]

    def _admitted(self, address: Address) -> Address:
        """The address, or another one in its place if an earlier test on a faulty target spoilt it."""
        process = self._process
        process.meet(address)
        doubted = address.id in process.doubted
        known = process.baselines.get(address.id)
        if doubted or known is None:
            process.doubted.discard(address.id)
            shown = self._shown(address, known)
            if shown is None or (known is not None and _differ(address.id, known, shown)):
                address = process.provisioner.replaced(address)
                process.meet(address)
                shown = self._shown(address, None)
            if shown is None:
                self.sound = False
                raise ProvisioningError(f"the allocated address {address.id} is not shown")
            process.baselines[address.id] = shown
        self._take(address)
        return address

    def _shown(self, address: Address, known: Held | None) -> Held | None:
        """The address as the target shows it, which need not be as it was asked for; None if it does not."""
        shown: dict[str, Held | None] = {}

        def look() -> ObservedState:
            shown.update(self.observer.addresses([address.id]).ports)
            held = shown[address.id]
            return ObservedState(ports={address.id: ANY if held and not known else held})

        self.observer.settled(look, ObservedState(ports={address.id: known or ANY}))
        return shown[address.id]

    def _take(self, address: Address) -> None:
        self.addresses[address.id] = address
        self.known_state.ports[address.id] = self._process.baselines[address.id]
        inherited = self._process.provisioner.associated(address)
        if inherited is None:
            pairs = [Pair(address.id, server) for server in self.servers]
            self.known_state.found(self.look(pairs, pairs), pairs)
            return
        for server in self.servers:
            if server not in inherited:
                self._is_absent(Pair(address.id, server))
        for server in inherited:
            self._inherit(Pair(address.id, server))

    def _is_absent(self, pair: Pair) -> None:
        """Never established is absent, not unknown; and what an earlier test removed has to stay so."""
        self.known_state.stands[pair] = False
        removal = self._process.removed.get(pair)
        if removal:
            self._process.recorder.exchanges[removal.id] = removal
            self.known_state.removed_before(pair, removal.id)

    def _inherit(self, pair: Pair) -> None:
        """An association that an earlier test made: the exchange that made it stays evidence."""
        self.known_state.inherited(pair)
        made = self._process.made.get(pair)
        if made:
            self._process.recorder.exchanges[made.id] = made
            self.set_up[pair] = made.id

    def association(self) -> Pair:
        """An association for a request to reach; a made-up one when the target lends no address.

        A request to a made-up one can show that a check is missing, but never that it is there.
        """
        try:
            return Pair(self.lease()[0].id, self.servers[0])
        except ProvisioningError as error:
            return self.made_up(error.message)

    def made_up(self, reason: str) -> Pair:
        """An association that nobody has, where none is to be had for that reason."""
        self.phantom = reason
        server = next(iter(self.servers), str(uuid.UUID(int=self._process.seed + 1, version=4)))
        return Pair(str(uuid.UUID(int=self._process.seed + 2, version=4)), server)

    def neighbourhood(self) -> tuple[Pair, ...]:
        """Associations that could be hit by mistake: of the same address, and of another one on the same servers.

        The first one has a neighbour of either kind, if the target lends two addresses.

        Raises:
            ProvisioningError: not one address is to be had.
        """
        first, *more = self.lease(2)
        own = [Pair(first.id, server) for server in self.servers[:3]]
        shared = self.servers[: 1 if self._quick else 2]
        return (*own, *(Pair(other.id, server) for other in more for server in shared))

    def require_two(self) -> None:
        """See to it that two addresses are leased.

        Raises:
            Untested: the target grants only one, or the description allows only one.
            ProvisioningError: the other one was in use all the time.
        """
        if len(self.addresses) > 1:
            return
        most = self._process.target.limits.max_addresses
        why = self._process.provisioner.shortage or (f"limits.max_addresses is {most}" if most < 2 else "")
        if not why:
            raise ProvisioningError("it takes two addresses: other tests did not give one back in time")
        raise Untested(f"it takes two addresses: {why}", Absence.OCCASION)

    def one(self, place: int = 0) -> Address:
        """One of the leased addresses, counted round; a new one in its place if it is gone.

        Raises:
            ProvisioningError: not one address is to be had.
        """
        held = list(self.addresses.values()) or self.lease()
        return self._living(held[place % len(held)])

    def _living(self, address: Address) -> Address:
        """The address, or a new one in its place if it is gone."""
        gone = self.known_state.ports[address.id] is None
        return self._anew(address, self._process.provisioner.renew) if gone else address

    def without_a_port(self) -> Pair | None:
        """A fresh address, known to compute, and a lent server without a port on it; None where that is not to be had.

        Raises:
            ProvisioningError: no address is to be had, or nothing can be associated with it.
        """
        *others, last = self.servers
        if self._quick or len(others) < FEWEST_PORTS:
            return None
        address = self._anew(self.one(), lambda old: self._process.provisioner.narrowed(old, others))
        known = Pair(address.id, others[0])
        self.establish(known)
        self.remove(known)
        return Pair(address.id, last) if len(address.ports) < len(self.servers) else None

    def learn_anew(self, address: str) -> None:
        """Take what the target shows of the address for what it has to keep: an association may have added to it."""
        shown = self._shown(self.addresses[address], None)
        if shown:
            self._process.baselines[address] = self.known_state.ports[address] = shown

    def replaced(self, spoilt: str) -> Address:
        """Another address in the place of a leased one that is gone, or is not as it was any more.

        Raises:
            ProvisioningError: it cannot be taken back, or none is to be had.
        """
        provisioner = self._process.provisioner
        gone = self.known_state.ports[spoilt] is None
        return self._anew(self.addresses[spoilt], provisioner.renew if gone else provisioner.replaced)

    def _anew(self, old: Address, another: Callable[[Address], Address]) -> Address:
        self._remove_quietly(old)
        self.addresses.pop(old.id)
        self.known_state.forget(old.id)
        return self._admitted(another(old))

    def address(self, pair: Pair) -> Address:
        """The leased address of an association.

        Raises:
            ProvisioningError: it is made up.
        """
        if pair.address not in self.addresses:
            raise ProvisioningError(self.phantom)
        return self.addresses[pair.address]

    def establish(self, *pairs: Pair) -> None:
        """Let these associations stand, and be seen to stand.

        Raises:
            ProvisioningError: the target does not associate, or does not show it.
        """
        unsure = [pair for pair in pairs if self.known_state.suspect(pair)]
        if unsure:
            self.recheck(lambda: self.look(unsure))
        missing = [pair for pair in pairs if not self.known_state.stands.get(pair)]
        if missing and not self.phantom:
            try:
                seen = self._made_to_stand(missing)
            except ProvisioningError:
                with contextlib.suppress(Unjudgeable):
                    self.known_state.found(self.look(missing), missing)  # some of them may stand all the same
                raise
            self.known_state.established(missing, seen)

    def _made_to_stand(self, missing: Sequence[Pair]) -> ObservedState:
        for pairs_apart in sharing_nothing(missing):  # overlap is for its own clause to try
            self._associate(pairs_apart)
        wanted = dict.fromkeys(missing, True)
        calibrated = self._process.views.calibrated
        seen = self.observer.settled(
            lambda: self.look(missing, singly=() if calibrated else missing),
            ObservedState(listed=wanted, shown=wanted),
        )
        self._calibrate(missing, seen)
        return seen

    def _associate(self, pairs: Sequence[Pair]) -> None:
        for pair in pairs:
            self.intend(pair)
        for pair, exchange in zip(pairs, self._client.at_once([partial(self._put, one) for one in pairs]), strict=True):
            self._associated(pair, exchange)

    def _associated(self, pair: Pair, exchange: Exchange) -> None:
        if _refused(exchange) and all(pair.address != made.address for made in self._process.made):
            # An address just allocated may be unknown to compute for a while (decision 14).
            exchange = self.observer.awaited(lambda: self._put(pair), lambda later: not _refused(later))
        if exchange.status is None or not 200 <= exchange.status < 300:
            self.sound = False
            raise ProvisioningError(f"an association could not be made: PUT answered {exchange.outcome}")
        self._made(pair, exchange)

    def _made(self, pair: Pair, exchange: Exchange) -> None:
        self.set_up[pair] = exchange.id
        self._process.made[pair] = exchange
        self._process.removed.pop(pair, None)

    def intend(self, pair: Pair) -> None:
        """An association may come to be from here on, and is the suite's own to remove."""
        self._process.ledger.associating(pair.address, pair.server)

    def associated(self, pair: Pair, exchange: Exchange) -> None:
        """A 2xx said so."""
        self._made(pair, exchange)
        self.known_state.established([pair], ObservedState())

    def introduce(self, address: str) -> None:
        """Give compute the time to learn of an address that nothing was associated with yet (decision 14), once."""
        if address in self._process.introduced or any(address == made.address for made in self._process.made):
            return
        self._process.introduced.add(address)
        self.observer.rest(self._process.target.policy.settle_seconds)

    def _put(self, pair: Pair) -> Exchange:
        return retried(lambda: self._client.associate(pair.server, pair.address))

    def associate_as(self, pair: Pair, variation: Mapping[str, Any]) -> bool:
        """Associate in another wording; whether the target granted it, and shows it."""
        self.intend(pair)
        exchange = retried(lambda: self._client.associate_as(pair.server, pair.address, **variation))
        if exchange.status is None or not 200 <= exchange.status < 300:
            return False
        seen = self.observer.settled(lambda: self.look([pair]), ObservedState(listed={pair: True}, shown={pair: True}))
        if not (seen.listed.get(pair) or seen.shown.get(pair)):
            return False
        self._made(pair, exchange)
        self.known_state.established([pair], seen)
        return True

    def _calibrate(self, pairs: Iterable[Pair], seen: ObservedState) -> None:
        """A view that does not show what the other one shows is blind, and is not asked again."""
        for pair in pairs:
            views = {"listed": seen.listed.get(pair), "shown": seen.shown.get(pair)}
            if True not in views.values():
                self.sound = False
                raise ProvisioningError(f"an association is not shown after PUT: {pair}")
            for name, shows in views.items():
                if shows is False:
                    setattr(self._process.views, name, False)
        self._process.views.calibrated = True

    def look(self, pairs: Iterable[Pair], singly: Iterable[Pair] = ()) -> ObservedState:
        """The list of each pair's server, and the single read of those in ``singly`` (of all if the list is blind)."""
        wanted = list(pairs)
        servers = dict.fromkeys(pair.server for pair in wanted)
        return self.observer.associations(servers, self.addresses, singly if self._process.views.listed else wanted)

    def singly(self, pairs: Iterable[Pair]) -> ObservedState:
        """The single reads of these."""
        return self.observer.associations((), (), pairs)

    def everything(self, pairs: Iterable[Pair], singly: Iterable[Pair] = ()) -> ObservedState:
        """The same, and the leased addresses that are not gone."""
        return self.look(pairs, singly) | self.observer.addresses(self.known_state.alive())

    def overview(self) -> ObservedState:
        """The lists of all servers, and the list of addresses."""
        return self.look(self.known_state.stands) | self.observer.table(self.known_state.alive())

    def scene(self, count: int) -> tuple[Pair, ...]:
        """The associations of up to ``count`` addresses, at least one, with the servers: all but a few that are absent.

        What is absent would be noticed if it appeared: of each address one where there are three servers, else one.

        Raises:
            ProvisioningError: not one address is to be had, or an association cannot be made.
        """
        addresses = [self._living(one) for one in list(self.addresses.values())] or self.lease(count)
        every = [Pair(address.id, server) for address in addresses for server in self.servers]
        pairs = [pair for pair in every if pair not in self._process.failing] or every
        absent = set(self._left_out(addresses))
        for pair in absent:
            self.remove(pair)
        self.establish(*(pair for pair in pairs if pair not in absent))
        self.prepare_table()
        return tuple(pair for pair in pairs if pair not in absent)

    def _left_out(self, addresses: Sequence[Address]) -> Iterator[Pair]:
        """A place on the diagonal for each address, so that every server has company as well."""
        count = len(self.servers)
        if count > 2:
            yield from (Pair(one.id, self.servers[-1 - place % count]) for place, one in enumerate(addresses))
        elif count > 1 and len(addresses) > 1:
            yield Pair(addresses[-1].id, self.servers[-1])

    def bare(self, address: str) -> None:
        """Let nothing be associated with the address."""
        for pair in self.known_state.standing(address):
            self.remove(pair)

    def remove(self, pair: Pair) -> None:
        """Let this association be absent, as part of a set-up: what makes it appear later is to blame for that."""
        if self.known_state.stands.get(pair):
            exchange = retried(lambda: self._client.remove(pair.server, pair.address))
            if exchange.status == 204:
                self.removed(pair, exchange)
            gone = ObservedState(listed={pair: False}, shown={pair: False})
            seen = self.settled(lambda: self.look([pair], [pair]), gone)
            if exchange.status == 204:
                self._ruling_log.note(effect.absent(pair, seen, exchange.id), exchange.id)
            elif _is_told_otherwise(pair, exchange, seen):
                stood = ObservedState(listed={pair: True})
                trial = Attempt(pair=pair, exchange=exchange, before=stood, after=seen, reached=True, words="a removal")
                self._ruling_log.note(codes.success(trial), exchange.id)
            self.believe(seen, subjects=(pair,))

    def halfway(self, pair: Pair, exchange: Exchange, words: str) -> Ruling | None:
        """What follows where an answer leaves open whether a removal was made: half of it is not lawful."""
        views = self._process.views
        if exchange.request.method != "DELETE" or not (views.listed and views.shown) or self.phantom:
            return None
        whole = (ObservedState(listed={pair: stands}, shown={pair: stands}) for stands in (True, False))
        return effect.halfway(pair, exchange, self.settled(lambda: self.look([pair], [pair]), *whole), words)

    def removed(self, pair: Pair, exchange: Exchange) -> None:
        """A 204 said so: it has to stay removed until the end of the run, if it is not made again."""
        self._process.removed[pair] = exchange
        self.known_state.removal(pair, exchange.id)

    def prepare_table(self) -> None:
        """What the list of addresses shows from now on is compared with; where it does not show them it is blind."""
        wanted = ObservedState(tabled=dict.fromkeys(self.addresses, ANY))
        shown: dict[str, Held | None] = {}

        def look() -> ObservedState:
            shown.update(self.observer.table(self.addresses).tabled)
            return ObservedState(tabled={address: held and ANY for address, held in shown.items()})

        self.observer.settled(look, wanted)
        self.known_state.tabled = {address: held for address, held in shown.items() if held}
        if len(self.known_state.tabled) < len(self.addresses):
            self._process.notes.append("the list of addresses does not show existing ones; it was not relied on")

    def quiet(self, blame: Blame = on_nobody) -> bool:
        """Let what is under way have its effect while nothing is sent; whether effects come late here.

        A request is to blame for a change only if it is made again once nothing else is under way.

        Args:
            blame: what is ruled of a change, by what was expected and what was seen.
        """
        lateness = self._process.lateness
        if lateness.is_worth_a_rest and not self.phantom:
            before = self.known_state.expected_everywhere()
            self.observer.rest(self._process.target.policy.settle_seconds)
            seen = self.everything(self.known_state.stands) | self.overview()
            back = self.known_state.returned(seen)
            for pair, removal in back.items():
                self._ruling_log.note(effect.absent(pair, seen, removal, rule=effect.SHOWN_AGAIN))
            shown = dict.fromkeys(back, True)
            expected = before | ObservedState(listed=shown, shown=shown)
            late = bool(before.differences(seen))
            if expected.differences(seen):
                self._ruling_log.note(blame(expected, seen))
            self.believe(seen, subjects=(*self.known_state.stands, *self.known_state.ports))
            lateness.rested(in_vain=not late)
        return lateness.seen

    def recheck_addresses(self) -> None:
        """Make sure of the addresses that were not looked at since the last removal."""
        suspects = [address for address in self.known_state.alive() if self.known_state.suspect(address)]
        self.recheck(lambda: self.observer.addresses(suspects))

    def recheck(self, look: Callable[[], ObservedState]) -> None:
        """Make sure of what is suspect; reads may lag, so what is believed gets its time to show."""
        self.believe(self.settled(look, ObservedState()))

    def settled(self, look: Callable[[], ObservedState], *acceptable: ObservedState) -> ObservedState:
        """What ``look`` shows once it agrees with an acceptable state, and else with all that is believed.

        A look shows more than what it was for, and whatever it shows is believed: so none of it may be only late.
        """
        awaited = self.known_state.awaited()
        return self.observer.settled(look, *(awaited | one for one in acceptable))

    def believe(
        self, seen: ObservedState, just_removed: Pair | None = None, subjects: Iterable[Pair | str] = ()
    ) -> None:
        """Believe what a look shows, and enter what it says against earlier removals; as :meth:`KnownState.seen`."""
        for ruling in self.known_state.seen(seen, just_removed, subjects):
            self._ruling_log.note(ruling)
        self._process.removes_in_vain |= self.known_state.removed_in_vain

    def __enter__(self) -> Self:
        """The leases, until the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """The addresses go back."""
        with self._lent:
            self._give_back()

    def _give_back(self) -> None:
        """Sound addresses are kept warm, with their associations; what a finding may have touched is not reused."""
        for address in self.addresses.values():
            if self.known_state.ports.get(address.id, ANY) is None:
                self._remove_quietly(address)
                self._process.provisioner.dropped(address)
            elif self.sound and not (self._ruling_log.findings or self.known_state.removed_in_vain):
                servers = (pair.server for pair in self.known_state.standing(address.id))
                self._process.provisioner.keep(address, servers)

    def _remove_quietly(self, address: Address) -> None:
        """An address that went before its associations leaves them behind."""
        for pair in self.known_state.standing(address.id):
            retried(lambda pair=pair: self._client.remove(pair.server, pair.address))  # type: ignore[misc]


def _is_told_otherwise(pair: Pair, exchange: Exchange, seen: ObservedState) -> bool:
    """An association that stood for certain was asked for: it is still there, or its removal was granted otherwise."""
    granted = exchange.status is not None and 200 <= exchange.status < 300
    return granted or bool(seen.listed.get(pair))


def _refused(exchange: Exchange) -> bool:
    return exchange.status is not None and 400 <= exchange.status < 500


def _differ(address: str, before: Held, after: Held) -> bool:
    return bool(ObservedState(ports={address: before}).differences(ObservedState(ports={address: after})))
