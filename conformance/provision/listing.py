"""Lists as a target answers them: whatever shape they have, what can be read of them is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from conformance.client import incomplete
from conformance.evidence import Exchange
from conformance.provision.ownership import Look


def rows(exchange: Exchange, name: str) -> list[dict[str, Any]] | None:
    """The objects of the list called ``name`` that have an ID; None when the answer holds no such list."""
    document = exchange.response.json() if exchange.status == 200 and exchange.response else None
    listed = document.get(name) if isinstance(document, dict) else None
    return [row for row in listed if isinstance(row, dict) and named(row)] if isinstance(listed, list) else None


def named(row: dict[str, Any]) -> bool:
    """The object has an ID."""
    return isinstance(row.get("id"), str) and bool(row["id"])


def identifiers(listed: Iterable[dict[str, Any]] | None) -> list[str]:
    """The IDs of the rows, as the target spells them."""
    return [str(row["id"]) for row in listed or ()]


def look(listing: Exchange) -> Look | None:
    """The tenant's addresses as an answer lists them; None when it lists none."""
    listed = rows(listing, "ip_addresses")
    return None if listed is None else Look(tuple(listed), not incomplete(listing, "ip_addresses"))
