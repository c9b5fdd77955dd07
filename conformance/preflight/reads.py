"""The reads that checks go by. What several checks need to know is asked for once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from conformance.client import Client, retried
from conformance.evidence import Exchange
from conformance.provision.listing import rows

ATTEMPTS = 4
"""To reach a service."""

ATTEMPTS_OF_A_DETAIL = 2
"""To learn something of a service that was reached."""


class Reads:
    """The answers of one target, each to a request that creates nothing."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.target = client.target
        self._made: dict[tuple[str, ...], Exchange] = {}

    @property
    def answered(self) -> list[Exchange]:
        """All that was answered so far."""
        return [one for one in self._made.values() if one.response]

    def addresses(self) -> Exchange:
        """The tenant's addresses."""
        return self._read(self.client.list_addresses, ATTEMPTS)

    def associations(self, server: str, credential: str = "full") -> Exchange:
        """The associations of a server, as the holder of a credential sees them."""
        first = (server, credential) == (self.target.servers[0], "full")
        attempts = ATTEMPTS if first else ATTEMPTS_OF_A_DETAIL
        return self._read(self.client.list_associations, attempts, server, credential)

    def ports(self, server: str) -> Exchange:
        """The ports of a server."""
        return self._read(self.client.list_ports, ATTEMPTS_OF_A_DETAIL, server)

    def _read(self, read: Callable[..., Exchange], attempts: int, *arguments: str) -> Exchange:
        key = (read.__name__, *arguments)
        if key not in self._made:
            self._made[key] = retried(partial(read, *arguments), attempts)
        return self._made[key]


def shows_associations(exchange: Exchange) -> bool:
    """The server is answered for."""
    return rows(exchange, "ip_associations") is not None


def in_words(exchange: Exchange) -> str:
    """The answer to a request for a list, when it is not what was asked for."""
    return f"{exchange.outcome}, without a list" if exchange.status == 200 else exchange.outcome
