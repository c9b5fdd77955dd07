"""What the engine has to know of an operation to try it: how to arrange for it, send it, and read its answers.

One object an operation: the engine establishes what a request is to meet, sends it, and awaits a state that its answer
explains, whichever operation that is. The removal's stands here; a supporting contract brings its own
(:mod:`conformance.contracts`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from conformance.client import Client
from conformance.driver.known_state import KnownState
from conformance.driver.leases import Leases
from conformance.evidence import Exchange
from conformance.judge import Attempt, ObservedState, Pair, codes, effect, limits
from conformance.verdict import Ruling


class JudgedOperation(Protocol):
    """An operation on one association, as the engine tries it.

    Attributes:
        words: a plain request to it.
        method: what it is asked for with.
    """

    words: str
    method: str

    def arrange(self, leases: Leases, pair: Pair) -> None:
        """Let the association be as it has to be for a request to have its effect."""

    def before(self, known: KnownState, pair: Pair, *, arranged: bool) -> ObservedState:
        """What is known for sure when the request goes out."""

    def reached(self, before: ObservedState, pair: Pair) -> bool:
        """The request meets what it could have its effect on."""

    def send(self, client: Client, pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        """One request, sent once."""

    def names(self, exchange: Exchange, pair: Pair) -> bool:
        """It is a request to the operation, and its path names the association."""

    def explained(
        self, exchange: Exchange, pair: Pair, untouched: ObservedState, *, named: bool
    ) -> tuple[ObservedState, ...]:
        """The states that the answer explains: the model's step."""

    def learn(self, leases: Leases, pair: Pair, exchange: Exchange) -> bool:
        """Take note of an answer that says that it is done; whether it says so."""

    def besides(self, trial: Attempt, *, mistake: bool) -> Iterator[Ruling | None]:
        """Rulings that every request gives occasion for, whatever its test is about."""


class RemovalOperation:
    """``DELETE /v2/servers/{serverID}/ip_associations/{IPAddressID}``."""

    words = "a removal"
    method = "DELETE"

    def arrange(self, leases: Leases, pair: Pair) -> None:
        """It has to stand."""
        leases.establish(pair)

    def before(self, known: KnownState, pair: Pair, *, arranged: bool) -> ObservedState:
        """What was removed already has to stay so."""
        return known.expected() if arranged else known.expected_again(pair)

    def reached(self, before: ObservedState, pair: Pair) -> bool:
        """It stands."""
        return bool(before.listed.get(pair))

    def send(self, client: Client, pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        """One request, sent once."""
        return client.remove(**{"server": pair.server, "address": pair.address, **variation})

    def names(self, exchange: Exchange, pair: Pair) -> bool:
        """It is a DELETE whose path names the association."""
        return exchange.request.method == self.method and in_the_path(exchange, pair)

    def explained(
        self, exchange: Exchange, pair: Pair, untouched: ObservedState, *, named: bool
    ) -> tuple[ObservedState, ...]:
        """A 204 to a request that names it says that it is gone; a refusal that nothing changed."""
        gone = untouched.without(pair)
        refused = exchange.status is not None and 400 <= exchange.status < 500
        if refused or exchange.request.method != self.method:
            return (untouched,)
        return (gone,) if exchange.status == 204 and named else (untouched, gone)

    def learn(self, leases: Leases, pair: Pair, exchange: Exchange) -> bool:
        """A 204 says so."""
        done = exchange.status == 204 and self.names(exchange, pair)
        if done:
            leases.removed(pair, exchange)
        return done

    def besides(self, trial: Attempt, *, mistake: bool) -> Iterator[Ruling | None]:
        """A refusal is inert, a limit does nothing; what stood, and was asked for plainly, goes with a 204."""
        yield effect.inert(trial)
        yield limits.over_limit(trial)
        if not mistake:
            yield codes.success(trial)
            yield effect.removed(trial)


REMOVAL = RemovalOperation()


def in_the_path(exchange: Exchange, pair: Pair) -> bool:
    """The path names the association; hex digits have no case (RFC 9562, section 4)."""
    path, _, address = exchange.request.url.partition("?")[0].rpartition("/")
    named = f"/servers/{quote(pair.server, safe='')}/ip_associations"
    return address.lower() == quote(pair.address, safe="").lower() and path.endswith(named)
