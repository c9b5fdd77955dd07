"""Leased addresses under names of their own, and the sequential model's operations on them.

Sequences and overlapping rounds are played on the same addresses: operations go out as the model words them ("remove s1
from A"), answers come back as the model reads them. Everything that is created is lent by the provisioner, so that
nothing is left whatever happens. Nothing is judged here.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from conformance.client import retried
from conformance.driver import request_classes
from conformance.driver.context import Deallocated, Process
from conformance.driver.observer import Observer
from conformance.errors import ProvisioningError, Unjudgeable
from conformance.evidence import Exchange
from conformance.judge import Pair, deallocation, state
from conformance.model.sequential import AddressState as Modelled
from conformance.model.sequential import Stage
from conformance.provision import Address

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Topology:
    """Addresses A, B and so on, and servers s1, s2 and so on.

    Attributes:
        associated: living address -> the servers that it is known to be associated with.
        renewals: how many addresses may still be allocated in the place of de-allocated ones.
    """

    def __init__(self, process: Process, *, renewals: int) -> None:
        self._process = process
        self._client = process.client
        self._lease = contextlib.ExitStack()
        self._addresses: dict[str, Address] = {}
        self._named: dict[tuple[str, str], str] = {}
        self._held: list[str] = []
        self._shown: dict[str, list[str]] = {}
        self._unsound: set[str] = set()
        self.observer = Observer(process.client, process.views)
        self._born: dict[str, float] = {}
        self._freed: dict[str, float] = {}
        self._deallocated: dict[str, tuple[str, Exchange]] = {}
        self.servers = {f"s{number}": one for number, one in enumerate(process.target.servers, 1)}
        self.associated: dict[str, set[str]] = {}
        self.renewals = renewals

    @property
    def names(self) -> dict[str, str]:
        """Every name -> the ID that it stands for."""
        return {**{name: one.id for name, one in self._addresses.items()}, **self.servers}

    # -- addresses ------------------------------------------------------------------------------------------------

    def lease(self, count: int) -> list[str]:
        """Up to ``count`` addresses, at least one, without associations.

        Raises:
            ProvisioningError: none is to be had, or one is not rid of the associations of an earlier test.
        """
        held = self._lease.enter_context(self._process.provisioner.lease(count))
        known = {one: name for name, one in self.servers.items()}
        for address in held:
            name = self._name(address)
            left = self._process.provisioner.associated(address)
            self.associated[name] = set(self.servers) if left is None else {known[server] for server in left}
            self._held.append(name)
            self._freed[name] = time.monotonic()  # by an earlier test, as far as anybody here knows
            self._look_at(name)
        return [self.bare(name) for name in self._held]

    def _name(self, address: Address) -> str:
        self._process.meet(address)
        name = self._named.setdefault((address.id.lower(), address.allocation), _letters(len(self._named)))
        self._addresses[name] = address
        self._born[name] = time.monotonic()
        return name

    def bare(self, name: str) -> str:
        """The living address, its known associations removed.

        Raises:
            ProvisioningError: they cannot be removed.
        """
        for server in sorted(self.associated[name]):
            answer = retried(lambda server=server: self.perform(_removal(name, server))[0])  # type: ignore[misc]
            if answer.status is None or not self.is_rid_of(name, server, answer):
                raise ProvisioningError(f"an association cannot be removed: DELETE answered {answer.outcome}")
        if self.associated[name]:
            self._look_at(name)  # what a removal of the set-up took is no later request's doing
        self.associated[name] = set()
        return name

    def is_rid_of(self, name: str, server: str, removal: Exchange) -> bool:
        """No view shows the association any more; a 204 is believed as long as none was seen to say so in vain."""
        if removal.status == 204 and not self._process.removes_in_vain:
            return True
        pair = Pair(self._addresses[name].id, self.servers[server])
        gone = state.ObservedState(listed={pair: False}, shown={pair: False})
        seen = self.observer.settled(
            lambda: self.observer.associations([pair.server], [pair.address], [pair]),
            gone,
        )
        return not gone.differences(seen)

    def cleared(self, name: str) -> bool:
        """Whatever happened to the address: it lives and nothing is associated with it, as far as reads show it.

        One that is gone is forgotten.
        """
        for server in self.servers:
            retried(lambda server=server: self.perform(_removal(name, server))[0])  # type: ignore[misc]
        address = self._addresses[name].id
        free = state.ObservedState(listed={Pair(address, server): False for server in self.servers.values()})
        seen = self.observer.settled(
            lambda: (
                self.observer.associations(self.servers.values(), [address], []) | self.observer.addresses([address])
            ),
            free,
        )
        if address in seen.ports and seen.ports[address] is None:
            self.lost(name)
            return False
        self.associated[name] = set()
        held = seen.ports.get(address)
        if held:
            self._shown[name] = sorted(held.ports)  # what it lost is said, and accuses nobody after that
        return not free.differences(seen)

    def lost(self, name: str, *, seen: bool = True) -> None:
        """The address was de-allocated; if it was granted, it has to stay so until the end of the run (decision 16).

        Args:
            seen: it was seen to be gone; what was de-allocated in vain is another clause's, and judged there.
        """
        self.associated.pop(name, None)
        if name in self._deallocated:
            clause, exchange = self._deallocated.pop(name)
            if not seen:
                return
            self._process.deallocated.append(Deallocated(self._addresses[name].id, clause, exchange))

    def alive(self, name: str) -> bool:
        """The address was not de-allocated."""
        return name in self.associated

    def renewed(self, name: str) -> tuple[str, Exchange]:
        """A new address in the place of one that is gone, and the exchange that allocated it.

        Raises:
            ProvisioningError: none is to be had, or enough were allocated.
        """
        if self.renewals < 1 or name not in self._held:
            raise ProvisioningError("as many addresses as a test may allocate were allocated")
        self.renewals -= 1
        try:
            address = self._process.provisioner.renew(self._addresses[name])
        except ProvisioningError:
            self._held.remove(name)
            raise
        exchanges = reversed(self._process.recorder.exchanges.values())
        allocation = next(one for one in exchanges if one.operation == "allocateAddress")
        fresh = self._name(address)
        self._held[self._held.index(name)] = fresh
        self.associated[fresh] = set()
        self._look_at(fresh)
        return fresh, allocation

    def modelled(self, name: str) -> Modelled:
        """The address as the model knows it when nothing is associated with it."""
        return Modelled(Stage.LIVE, frozenset(self._shown[name]) if name in self._shown else None)

    def asked_ports(self, name: str) -> list[str]:
        """The ports that the address was allocated to, as far as the suite asked."""
        return sorted(port.lower() for port in self._addresses[name].ports)

    def shown_ports(self, name: str) -> dict[str, list[str]]:
        """``ports`` as first shown, the measure of what is shown later (decision 15); nothing if none were."""
        return {"ports": self._shown[name]} if name in self._shown else {}

    def _look_at(self, name: str) -> None:
        """Learn what the target shows of an address before anything is done to it."""
        address = self._addresses[name].id

        def held() -> state.Held | None:
            shown = state.from_address(retried(lambda: self._client.show_address(address)), address)
            return shown.ports.get(address)

        shown = self.observer.awaited(held, bool)
        if shown:
            self._shown[name] = sorted(shown.ports)
            self._process.baselines.setdefault(address, shown)

    def meet_overlap(self, words: str) -> None:
        """A round in which operations overlapped was judged; ``words`` say which."""
        self._process.met.note([(request_classes.OVERLAP, words)])

    def distrust(self, name: str) -> None:
        """The next test shall not have this address."""
        self._unsound.add(name)

    def close(self) -> None:
        """Give the addresses back: sound ones with what is associated, gone ones as gone."""
        with self._lease:
            for name in self._held:
                self._process.doubted.add(self._addresses[name].id)
                self._give_back(name)

    def _give_back(self, name: str) -> None:
        if not self.alive(name):
            self._process.provisioner.dropped(self._addresses[name])
        elif name not in self._unsound and self._is_as_told(name):
            servers = (self.servers[server] for server in self.associated[name])
            self._process.provisioner.keep(self._addresses[name], servers)

    def _is_as_told(self, name: str) -> bool:
        """The lists show what answers said to be associated: only what was seen to stand is expected to stay so."""
        address = self._addresses[name].id
        told = {Pair(address, one): server in self.associated[name] for server, one in self.servers.items()}
        due = state.ObservedState(listed=told)
        if not self._process.views.listed:
            return True
        try:
            seen = self.observer.settled(lambda: self.observer.associations(self.servers.values(), [address], []), due)
        except Unjudgeable:
            return False
        return not due.differences(seen)

    # -- operations -----------------------------------------------------------------------------------------------

    def intend(self, asked: Mapping[str, Any]) -> None:
        """Write an association down before its request goes out; the disk would spoil the timing of a round."""
        if asked["f"] == "associate":
            self._process.ledger.associating(self._addresses[asked["address"]].id, self.servers[asked["server"]])

    def perform(self, asked: Mapping[str, Any]) -> tuple[Exchange, Any]:
        """Send one operation of the model; the answer as the model reads it is None if it says nothing."""
        self.intend(asked)
        exchange = self._send(asked)
        granted = exchange.status is not None and 200 <= exchange.status < 300
        if asked["f"] == "remove" and (granted or exchange.status is None or exchange.status >= 500):
            self._freed[asked["address"]] = exchange.finished  # perhaps: a fault may have had its effect
        elif asked["f"] == "deallocate" and granted:
            self._deallocated[asked["address"]] = (deallocation.after(asked["by"]), exchange)
        if granted and asked["f"] in {"remove", "associate"}:
            self._process.changed(Pair(self._addresses[asked["address"]].id, self.servers[asked["server"]]), exchange)
        return exchange, self._told(asked, exchange)

    def may_be_late(self, asked: Mapping[str, Any], exchange: Exchange) -> bool:
        """Whether a refusal may rest on what was true a while ago (decision 14).

        A guard may still count an association that was removed, and compute may not know yet of an address that was
        allocated; for as long as effects may take to settle.
        """
        since = {"deallocate": self._freed, "associate": self._born}.get(asked["f"], {})
        settle = self._process.target.policy.settle_seconds
        return exchange.started <= since.get(asked["address"], -math.inf) + settle

    def _send(self, asked: Mapping[str, Any]) -> Exchange:
        client = self._client
        address = self._addresses[asked["address"]].id if "address" in asked else ""
        server = self.servers[asked["server"]] if "server" in asked else ""
        sends: dict[str, Callable[[], Exchange]] = {
            "associate": lambda: client.associate(server, address),
            "remove": lambda: client.remove(server, address),
            "list": lambda: client.list_associations(server),
            "show": lambda: client.show_association(server, address),
            "show_address": lambda: client.show_address(address),
            "deallocate by DELETE": lambda: client.deallocate_address(address),
            "deallocate by PUT": lambda: client.update_address(address, ()),
        }
        return sends[f"{asked['f']} by {asked['by']}" if "by" in asked else asked["f"]]()

    def _told(self, asked: Mapping[str, Any], exchange: Exchange) -> dict[str, Any] | None:
        if exchange.status is None:
            return None
        if exchange.status != 200 or asked["f"] not in {"list", "show", "show_address"}:
            return {"status": exchange.status}
        content = self._content(asked, exchange)
        return None if content is None else {"status": exchange.status, **content}

    def _content(self, asked: Mapping[str, Any], exchange: Exchange) -> dict[str, Any] | None:
        """What a read says of the own addresses; None if that cannot be made out."""
        if asked["f"] == "list":
            ids = {one.id: name for name, one in self._addresses.items()}
            listed = state.from_list(exchange, self.servers[asked["server"]], ids).listed
            blind = not listed or not self._process.views.listed or exchange.pages > 1
            return None if blind else {"addresses": [ids[pair.address] for pair in listed if listed[pair]]}
        address = self._addresses[asked["address"]].id
        if asked["f"] == "show":
            shown = state.from_show(exchange, Pair(address, self.servers[asked["server"]])).shown
            return {} if True in shown.values() else None
        held = state.from_address(exchange, address).ports.get(address)
        return None if held is None else {"ports": sorted(held.ports)}


def _removal(address: str, server: str) -> dict[str, Any]:
    return {"f": "remove", "server": server, "address": address}


def _letters(number: int) -> str:
    return LETTERS[number % len(LETTERS)] + (str(number // len(LETTERS) + 1) if number >= len(LETTERS) else "")
