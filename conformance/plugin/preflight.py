"""Before the first case: can the target be talked to, and with what?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from conformance.client import Client, passing, retried
from conformance.errors import Unreachable
from conformance.evidence import Exchange
from conformance.target import MOST_SERVERS, Target

ATTEMPTS = 4


def check(client: Client) -> None:
    """One read on each service.

    A wrong but living answer is no reason to stop: the clauses will judge it.

    Raises:
        Unreachable: no connection, no TLS, nothing but server faults, or the token is refused.
    """
    target = client.target
    reads: list[tuple[str, str, Callable[[], Exchange]]] = [("network", target.network, client.list_addresses)]
    if target.servers:
        reads.append(("compute", target.compute, partial(client.list_associations, target.servers[0])))
    for service, url, read in reads:
        exchange = retried(read, ATTEMPTS)
        if exchange.status == 401:
            raise Unreachable(
                f"{service} at {url} refuses the token: {exchange.outcome}", "is it current, and of this cloud?"
            )
        if passing(exchange):
            raise Unreachable(f"{service} at {url} cannot be judged: {exchange.outcome}", _advice(exchange))


def _advice(exchange: Exchange) -> str:
    if exchange.response:
        return f"answered so {ATTEMPTS} times in a row"
    if exchange.failure.startswith("TLS"):
        return "is the certificate valid for this host, and its authority known here?"
    return "is the URL right, and the service up?"


def with_servers(target: Target, client: Client) -> Target:
    """The target with servers to work with: a URL alone names none, so the tenant's ports on the network do."""
    if target.servers:
        return target
    exchange = retried(client.list_ports)
    document = exchange.response.json() if exchange.status == 200 and exchange.response else None
    found = _ports(document, target.network_id) if isinstance(document, dict) else {}
    chosen = dict(sorted(found.items())[:MOST_SERVERS])
    return replace(target, servers=tuple(chosen), ports=chosen)


def _ports(document: dict[str, Any], network_id: str) -> dict[str, str]:
    rows = document.get("ports")
    return {
        str(row["device_id"]): str(row["id"])
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and row.get("device_id") and row.get("id") and row.get("network_id") == network_id
    }
