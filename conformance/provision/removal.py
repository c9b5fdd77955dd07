"""Taking an address back: its associations first, then the address, then a look that it is gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from conformance.client import Client, halting, retried
from conformance.evidence import Exchange
from conformance.provision.listing import look

ROUNDS = 4
FIRST_PAUSE_SECONDS = 0.1
UNKNOWN = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Removal:
    """What came of taking an address back.

    Attributes:
        gone: the target shows it no more.
        granted: the target granted the removal, rather than never having known the address.
        unknown: DELETE knows none of its ID, although it is shown.
        unlisted: the list of addresses shows none of it either, only its own read does.
        answer: how the target answered the last DELETE.
    """

    address: str
    gone: bool
    granted: bool
    answer: str
    unknown: bool = False
    unlisted: bool = False

    @property
    def complaint(self) -> str:
        """What the operator must know of an address that is not gone."""
        return f"address {self.address} could not be removed: DELETE answered {self.answer}"


def discard(client: Client, address: str, servers: Iterable[str], rounds: int = ROUNDS) -> Removal:
    """Remove the address's associations with ``servers``, then de-allocate it; both may take several rounds."""
    among = sorted(servers)
    granted, answer = False, ""
    for attempt in range(rounds):
        if attempt:
            halting.pause(FIRST_PAUSE_SECONDS * 4.0 ** (attempt - 1))
        for server in among if attempt % 2 == 0 else reversed(among):  # a target may refuse every second one
            retried(lambda server=server: client.remove(server, address))  # type: ignore[misc]
        deleted = retried(lambda: client.deallocate_address(address))
        granted, answer = granted or _success(deleted), deleted.outcome
        if _gone(client, address):
            return Removal(address, True, granted, answer)
        emptied = retried(lambda: client.update_address(address, ()))
        granted = granted or _success(emptied)
    gone = _gone(client, address)
    unknown = not gone and deleted.status in UNKNOWN  # a refusal for any other reason says that it is there
    return Removal(address, gone, granted, answer, unknown, unknown and _is_unlisted(client, address))


def _is_unlisted(client: Client, address: str) -> bool:
    """A list that comes in parts may show nobody's."""
    shown = look(retried(client.list_addresses))
    return shown is not None and shown.whole and address.lower() not in shown.ids


def _success(exchange: Exchange) -> bool:
    return exchange.status is not None and 200 <= exchange.status < 300


def _gone(client: Client, address: str) -> bool:
    """The address is not shown any more, whatever DELETE answered; any 4xx of a read that was authorised says so."""
    shown = retried(lambda: client.show_address(address))
    return shown.status is not None and 400 <= shown.status < 500 and shown.status not in {401, 413, 429}
