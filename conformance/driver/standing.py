"""What stands on the topology between rounds of overlapping operations, as far as definite answers tell.

Reads do not tell it, since they may lag. What an answer left open is carried along: it may yet take effect, in a later
round of the same address too. So each round's history begins with the operations that made what stands, and with
those whose outcome is still unknown.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from conformance.client import again_after, halting, passing
from conformance.driver.named import Topology
from conformance.errors import ProvisioningError
from conformance.evidence import Exchange
from conformance.model.history import Operation, timed
from conformance.model.linearize import Model, SearchResult, check
from conformance.model.sequential import EffectKind, address_model, outcome, read_answer

TRIES = 6
BUDGET = 200_000
"""Configurations that a search may enter; a round of eight callers needs some hundreds."""

ALONE, READER = "in sequence", "final reads"
Asked = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Did:
    """One operation as it was carried out, and the exchange that did."""

    operation: Operation
    exchange: Exchange

    @property
    def kind(self) -> EffectKind:
        """What the answer says of the effect."""
        return read_answer(self.operation.answer).kind

    @property
    def definite(self) -> bool:
        """The target decided about it, and said how."""
        return self.kind in {EffectKind.SUCCESS, EffectKind.REFUSED}


class Standing:
    """What stands on a topology.

    Attributes:
        model: what the operations mean; a target that was seen to choose is bound by its choice.
        seconds: operation -> what the last few of its kind took.
        arranging: what was done last to bring addresses into the wanted state.
    """

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self.model: Model = address_model()
        self.seconds: dict[str, deque[float]] = {}
        self.arranging: list[Did] = []
        self._carried: dict[str, list[Did]] = {}
        self._unsettled: dict[str, set[str]] = {}

    def do(self, asked: Asked, process: str = ALONE) -> Did:
        """Carry out one operation, and take its times."""
        exchange, told = self._topology.perform(asked)
        self.seconds.setdefault(asked["f"], deque(maxlen=5)).append(exchange.finished - exchange.started)
        kind = outcome(exchange.status)
        returned = exchange.finished if kind != "unknown" else None
        said = told if told is not None else {"status": None}  # lost, or an answer that cannot be read
        return Did(Operation(process, dict(asked), said, kind, exchange.started, returned), exchange)

    def read(self, asked: Asked) -> Did:
        """A read after the round, asked until it is answered."""
        for attempt in range(TRIES):
            did = self.do(asked, READER)
            if not passing(did.exchange):
                break
            halting.pause(again_after(did.exchange, attempt))
        return did

    def settle(self, name: str, wanted: Mapping[str, bool]) -> None:
        """Bring an address into the wanted state; what an answer left open is settled by another request.

        Raises:
            ProvisioningError: it cannot be done.
        """
        unsettled = self._unsettled.setdefault(name, set())
        for server in sorted(unsettled | wanted.keys()):
            want = wanted.get(server, False)
            stands = server in self._topology.associated[name]
            if server in unsettled or stands is not want:
                self._associate(name, server) if want else self._remove(name, server)
                unsettled.discard(server)

    def _associate(self, name: str, server: str) -> None:
        asked = {"f": "associate", "server": server, "address": name}
        did = self.awaited(asked, lambda did: did.kind is not EffectKind.REFUSED)
        if did.kind is not EffectKind.SUCCESS:
            raise ProvisioningError(f"an association could not be made: PUT answered {did.exchange.outcome}")
        self._topology.associated[name].add(server)
        self.arranging.append(did)
        self._carry(name, did)

    def _remove(self, name: str, server: str) -> None:
        did = self.insist({"f": "remove", "server": server, "address": name})
        stood = server in self._topology.associated[name]
        if not did.definite or (stood and not self._topology.is_rid_of(name, server, did.exchange)):
            raise ProvisioningError(f"an association could not be removed: DELETE answered {did.exchange.outcome}")
        self._topology.associated[name].discard(server)
        self.arranging.append(did)
        self._carried[name] = [one for one in self._carried.get(name, []) if not _establishes(one, server)]

    def carried(self, name: str) -> list[Did]:
        """The operations that made what stands, and those of unknown outcome."""
        return list(self._carried.get(name, []))

    def _carry(self, name: str, did: Did) -> None:
        server = did.operation.input.get("server", "")
        kept = [one for one in self._carried.get(name, []) if not _establishes(one, server)]
        self._carried[name] = [*kept, did]

    def insist(self, asked: Asked) -> Did:
        """Ask until the answer is definite; what earlier answers left open may yet take effect."""
        for attempt in range(TRIES):
            did = self.do(asked)
            if did.definite:
                break
            if did.kind is EffectKind.UNKNOWN:
                self._carried.setdefault(asked["address"], []).append(did)
            halting.pause(again_after(did.exchange, attempt))
        return did

    def awaited(self, asked: Asked, agrees: Callable[[Did], bool]) -> Did:
        """Ask until the answer agrees, or for as long as an effect may take to settle."""
        return self._topology.observer.awaited(lambda: self.insist(asked), agrees)

    def may_be_late(self, did: Did) -> bool:
        """It was refused, and may have been only because the target learns late."""
        refused = did.kind is EffectKind.REFUSED
        return refused and self._topology.may_be_late(did.operation.input, did.exchange)

    def repeated_removal(self, name: str, server: str) -> Literal["204", "refused", "either"]:
        """What the target answers in sequence when it removes a removed association (spec/README.md, decision 10).

        Raises:
            ProvisioningError: nothing can be associated and removed there.
        """
        self.settle(name, {server: True})
        self.settle(name, {server: False})
        repeated = self.insist({"f": "remove", "server": server, "address": name})
        return (
            "204"
            if repeated.kind is EffectKind.SUCCESS
            else "refused"
            if repeated.kind is EffectKind.REFUSED
            else "either"
        )

    def learn(self, touched: Mapping[str, Iterable[str]], done: list[Did]) -> None:
        """What is known now of each address and the servers that it had to do with: what no order contradicts."""
        for name, servers in touched.items():
            if self._gone(name, done):
                self._topology.lost(name, seen=self._is_unknown(name))
                self.forget(name)
                continue
            carried = self._carried.setdefault(name, [])
            mine = (did for did in done if did.operation.input.get("address") == name)
            carried += [did for did in mine if did.kind is EffectKind.UNKNOWN and did not in carried]
            for server in servers:
                self._learn_one(name, server, done)

    def _gone(self, name: str, done: list[Did]) -> bool:
        asked = [did for did in done if did.operation.input["f"] == "deallocate"]
        mine = [did for did in asked if did.operation.input["address"] == name]
        if any(did.kind is EffectKind.UNKNOWN for did in mine):
            self._topology.observer.rest(self._topology.observer.patience)
            return self._is_unknown(name)
        return any(did.kind is EffectKind.SUCCESS for did in mine)

    def _is_unknown(self, name: str) -> bool:
        return self.read({"f": "show_address", "address": name}).kind is EffectKind.REFUSED

    def _learn_one(self, name: str, server: str, done: list[Did]) -> None:
        asked = {"f": "show", "address": name, "server": server}
        may = {stands: self._may_show(asked, stands, done) for stands in (True, False)}
        self._topology.associated[name].discard(server)
        made = [did for did in done if _establishes(did, server) and did.operation.input["address"] == name]
        if may == {True: True, False: False} and made:
            self._topology.associated[name].add(server)
            self._carry(name, made[-1])
            return
        self._carried[name] = [one for one in self._carried.get(name, []) if not _establishes(one, server)]
        if may != {True: False, False: True}:
            self._unsettled.setdefault(name, set()).add(server)

    def _may_show(self, asked: Asked, stands: bool, done: list[Did]) -> bool:  # noqa: FBT001  # a hypothesis
        now = time.monotonic()
        status = 200 if stands else 404
        read = Operation(READER, dict(asked), {"status": status}, outcome(status), now, now)
        return (
            check(self.model, timed([*(did.operation for did in done), read]), BUDGET).verdict != SearchResult.ILLEGAL
        )

    def forget(self, name: str) -> None:
        """The address is gone, or starts anew."""
        self._carried.pop(name, None)
        self._unsettled.pop(name, None)


def _establishes(did: Did, server: str) -> bool:
    asked = did.operation.input
    return asked["f"] == "associate" and asked["server"] == server and did.kind is EffectKind.SUCCESS
