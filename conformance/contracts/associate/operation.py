"""``PUT`` on an association: it makes what the removal removes, and once more it changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from conformance.client import Client
from conformance.driver.known_state import KnownState
from conformance.driver.leases import Leases
from conformance.driver.operation import in_the_path
from conformance.evidence import Exchange
from conformance.judge import Attempt, ObservedState, Pair
from conformance.verdict import Ruling

SUCCESS = frozenset({200, 201})


class AssociateOperation:
    """``PUT /v2/servers/{serverID}/ip_associations/{IPAddressID}``."""

    words = "an association"
    method = "PUT"

    def arrange(self, leases: Leases, pair: Pair) -> None:
        """It must not stand, and the target must know the address."""
        leases.introduce(pair.address)
        leases.remove(pair)
        leases.intend(pair)

    def before(self, known: KnownState, pair: Pair, *, arranged: bool) -> ObservedState:
        """What was removed, and seen to be gone, has to stay so."""
        return with_association(known.expected_everywhere(), pair, stands=False) if arranged else known.expected()

    def reached(self, before: ObservedState, pair: Pair) -> bool:
        """Whether it stands is known."""
        return pair in before.listed

    def send(self, client: Client, pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        """One request, sent once."""
        content = client.association_content
        fields = {**content.get("headers", {}), **variation.get("headers", {})}
        named = {"server": pair.server, "address": pair.address, "method": self.method, "operation": "associate"}
        return client.remove(**{**named, **content, **variation, "headers": fields})

    def names(self, exchange: Exchange, pair: Pair) -> bool:
        """It is a PUT whose path names the association."""
        return exchange.request.method == self.method and in_the_path(exchange, pair)

    def explained(
        self, exchange: Exchange, pair: Pair, untouched: ObservedState, *, named: bool
    ) -> tuple[ObservedState, ...]:
        """A 2xx to a request that names it says that it stands; a refusal that nothing changed."""
        made = with_association(untouched, pair, stands=True)
        if exchange.status is not None and 400 <= exchange.status < 500:
            return (untouched,)
        return (made,) if exchange.status in SUCCESS and named else (untouched, made)

    def learn(self, leases: Leases, pair: Pair, exchange: Exchange) -> bool:
        """What a 2xx made is the suite's own, and is removed again."""
        if exchange.status in SUCCESS and self.names(exchange, pair):
            leases.associated(pair, exchange)
        return False

    def besides(self, trial: Attempt, *, mistake: bool) -> Iterator[Ruling | None]:
        """Its clauses speak of nothing that other tests occasion."""
        del trial, mistake
        yield from ()


OPERATION = AssociateOperation()


def with_association(state: ObservedState, pair: Pair, *, stands: bool) -> ObservedState:
    """The same, with the association there or not."""
    literals = {entry: literal for entry, literal in state.literals.items() if entry[1] != pair}
    here = {pair: stands}
    return replace(state, listed={**state.listed, **here}, shown={**state.shown, **here}, literals=literals)
