"""Taking an address back: its associations first, then the address, then a look that it is gone."""

from __future__ import annotations

import time
from collections.abc import Iterable

from conformance.client import Client, retried
from conformance.provision.ledger import Ledger

ROUNDS = 4
FIRST_PAUSE_SECONDS = 0.1


def discard(client: Client, ledger: Ledger | None, address: str, servers: Iterable[str]) -> list[str]:
    """Remove the address's associations with ``servers``, then de-allocate it; both may take several rounds.

    Returns what the operator must know: nothing when it is gone, else a sentence that says what stands.
    """
    for attempt in range(ROUNDS):
        for server in servers:
            retried(lambda server=server: client.remove(server, address))  # type: ignore[misc]
        answer = retried(lambda: client.deallocate_address(address))
        if _gone(client, address):
            if ledger:
                ledger.gone(address)
            return []
        if attempt == ROUNDS // 2:
            retried(lambda: client.update_address(address, ()))
        time.sleep(FIRST_PAUSE_SECONDS * 4**attempt)
    return [f"address {address} could not be removed: DELETE answered {answer.outcome}"]


def _gone(client: Client, address: str) -> bool:
    """The address is not shown any more, whatever DELETE answered; any 4xx of a read that was authorised says so."""
    shown = retried(lambda: client.show_address(address))
    return shown.status is not None and 400 <= shown.status < 500 and shown.status not in {401, 413, 429}
