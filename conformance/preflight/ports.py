"""The tenant's ports, and through them its servers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from conformance.client import Client, retried
from conformance.evidence import Exchange
from conformance.provision.listing import rows
from conformance.target import MOST_SERVERS, Target, in_words, is_server


@dataclass(frozen=True, slots=True)
class ServerPort:
    """A server's port on a network."""

    id: str
    server: str
    network: str


def with_servers(target: Target, client: Client) -> Target:
    """The target with servers to work with: a URL alone names none, so the tenant's ports on the network do."""
    if target.servers:
        return target
    listing = retried(client.list_ports)
    client.unusable.update(unusable(listing))
    chosen = dict(list(by_server(ports(listing), target.network_id).items())[:MOST_SERVERS])
    return replace(target, servers=tuple(chosen), ports=chosen)


def unusable(listing: Exchange) -> list[str]:
    """Servers that a list of ports names by an ID that may not stand in a path, in words."""
    named = [row.get("device_id") for row in rows(listing, "ports") or ()]
    return sorted({in_words(one) for one in named if one and not is_server(one)})


def ports(listing: Exchange) -> list[ServerPort]:
    """The ports of servers that a list of ports shows, whatever else it holds."""
    return [
        ServerPort(row["id"], str(row["device_id"]), str(row.get("network_id") or ""))
        for row in rows(listing, "ports") or ()
        if _of_a_server(row)
    ]


def _of_a_server(row: dict[str, Any]) -> bool:
    return is_server(row.get("device_id"))


def by_server(found: Iterable[ServerPort], network: str) -> dict[str, str]:
    """Server -> its port on the network, in the order of the servers' IDs."""
    return dict(sorted((port.server, port.id) for port in found if port.network == network))
