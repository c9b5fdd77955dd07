"""Lists as a target answers them: whatever shape they have, what can be read of them is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from conformance.evidence import Exchange


def rows(exchange: Exchange, name: str) -> list[dict[str, Any]] | None:
    """The objects of the list called ``name`` that have an ID; None when the answer holds no such list."""
    document = exchange.response.json() if exchange.status == 200 and exchange.response else None
    listed = document.get(name) if isinstance(document, dict) else None
    return [row for row in listed if isinstance(row, dict) and named(row)] if isinstance(listed, list) else None


def named(row: dict[str, Any]) -> bool:
    """The object has an ID that a path can carry."""
    return isinstance(row.get("id"), str) and bool(row["id"])


def identifiers(listed: Iterable[dict[str, Any]] | None) -> list[str]:
    """The IDs of the rows, as the target spells them."""
    return [str(row["id"]) for row in listed or ()]


def candidates(listing: Exchange, before: frozenset[str], ports: frozenset[str]) -> list[dict[str, Any]]:
    """Addresses that were not there before (IDs in lower case) and have exactly these ports."""
    wanted = {port.lower() for port in ports}
    return [
        row for row in rows(listing, "ip_addresses") or () if row["id"].lower() not in before and _ports(row) == wanted
    ]


def _ports(row: dict[str, Any]) -> set[str]:
    ports = row.get("port_ids")
    return {str(port).lower() for port in ports} if isinstance(ports, list) else set()
