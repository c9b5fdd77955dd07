"""Associations of addresses that are gone: no ledger would take them back, and a finding may be that there are some."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.client import Client, retried
from conformance.driver.observer import Observer, Views
from conformance.errors import ConformanceError
from conformance.judge import ObservedState, Pair


def left(client: Client, addresses: Iterable[str]) -> list[str]:
    """Remove every association of the addresses; what both views show all the same, in a sentence each."""
    observer, own = Observer(client, Views()), list(addresses)
    try:
        found = _associated(observer, client.target.servers, own) if own else []
        for pair in found:
            retried(lambda pair=pair: client.remove(pair.server, pair.address))  # type: ignore[misc]
        gone = ObservedState(listed=dict.fromkeys(found, False), shown=dict.fromkeys(found, False))
        after = observer.settled(lambda: observer.associations({pair.server for pair in found}, own, found), gone)
    except ConformanceError:
        return []  # the target tells nothing that could be named
    stay = [pair for pair in found if after.listed.get(pair) and after.shown.get(pair)]
    return [f"server {pair.server} shows the association of address {pair.address}, which is gone" for pair in stay]


def _associated(observer: Observer, servers: Iterable[str], addresses: Iterable[str]) -> list[Pair]:
    return [pair for pair, stands in observer.associations(servers, addresses, ()).listed.items() if stands]
