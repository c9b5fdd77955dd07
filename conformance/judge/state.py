"""What a target shows of the suite's own addresses and associations, as far as it was looked at.

A view that was not read, or whose answer says nothing, is absent from the state: states are compared on what both
hold. Everything that is not the suite's own is left out, since others may change it at any time.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from conformance.evidence import Exchange

NOT_AN_ANSWER = frozenset({401, 413, 429})
"""4xx that speak of the caller or the moment, not of what was asked for."""


class Pair(NamedTuple):
    """An association: the address's ID and the server's."""

    address: str
    server: str

    def __str__(self) -> str:
        return f"address {self.address} with server {self.server}"


class Held(NamedTuple):
    """What belongs to an address: its ports, and the address itself; empty where the target does not tell it."""

    ports: frozenset[str]
    literal: str = ""

    @classmethod
    def of(cls, ports: Iterable[str], literal: str) -> Held:
        """Both in one spelling, so that two answers can be compared."""
        return cls(frozenset(port.lower() for port in ports), _canonical(literal))


def _canonical(literal: str) -> str:
    try:
        return str(ipaddress.ip_address(literal))
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True)
class State:
    """Three views of the same facts.

    Attributes:
        listed: association -> whether the server's list has it.
        shown: association -> whether the single read shows it.
        ports: address -> its ports and literal; None when the address is gone.
        exchanges: identifiers of the reads that were made for it.
    """

    listed: Mapping[Pair, bool] = field(default_factory=dict)
    shown: Mapping[Pair, bool] = field(default_factory=dict)
    ports: Mapping[str, Held | None] = field(default_factory=dict)
    exchanges: tuple[str, ...] = ()

    def __or__(self, other: State) -> State:
        """Both, the other's reading winning where both looked."""
        return State(
            {**self.listed, **other.listed},
            {**self.shown, **other.shown},
            {**self.ports, **other.ports},
            (*self.exchanges, *other.exchanges),
        )

    def without(self, *pairs: Pair) -> State:
        """The same with these associations removed, and nothing else."""
        gone = dict.fromkeys(pairs, False)
        return replace(self, listed={**self.listed, **gone}, shown={**self.shown, **gone}, exchanges=())

    def differences(self, seen: State) -> tuple[str, ...]:
        """What ``seen`` shows otherwise, a phrase each; empty when they agree on what both hold."""
        return (
            *_changes("the list", self.listed, seen.listed),
            *_changes("the single read", self.shown, seen.shown),
            *_port_changes(self.ports, seen.ports),
        )

    def describe(self) -> str:
        """The state as a reader of a finding wants it."""
        pairs = sorted({*self.listed, *self.shown})
        standing = [str(pair) for pair in pairs if self.listed.get(pair) or self.shown.get(pair)]
        return f"associated: {'; '.join(standing) or 'nothing'}"


def _changes(view: str, expected: Mapping[Pair, bool], seen: Mapping[Pair, bool]) -> Iterable[str]:
    for pair in sorted(expected.keys() & seen.keys()):
        if expected[pair] != seen[pair]:
            yield f"{view} {'shows' if seen[pair] else 'does not show'} {pair}"


def _port_changes(expected: Mapping[str, Held | None], seen: Mapping[str, Held | None]) -> Iterable[str]:
    for address in sorted(expected.keys() & seen.keys()):
        before, after = expected[address], seen[address]
        if before is None or after is None:
            if before is not after:
                yield f"address {address} {'is gone' if after is None else 'still exists'}"
            continue
        if before.ports != after.ports:
            yield f"the ports of address {address} are {_spelt(after.ports)} instead of {_spelt(before.ports)}"
        if before.literal and after.literal and before.literal != after.literal:
            yield f"address {address} is {after.literal} instead of {before.literal}"


def _spelt(ports: frozenset[str]) -> str:
    return ", ".join(sorted(ports)) or "none"


def from_list(exchange: Exchange, server: str, addresses: Iterable[str]) -> State:
    """What the list of a server's associations says of ``addresses``."""
    rows = _rows(exchange, "ip_associations")
    if rows is None:
        return State(exchanges=(exchange.id,))
    present = {str(row["id"]).lower() for row in rows if isinstance(row.get("id"), str)}
    listed = {Pair(address, server): address.lower() in present for address in addresses}
    if _continued(exchange, "ip_associations"):  # what a page that could not be read holds is not known
        listed = {pair: True for pair, there in listed.items() if there}
    return State(listed=listed, exchanges=(exchange.id,))


def from_show(exchange: Exchange, pair: Pair) -> State:
    """What the single read says of an association: a 200 that names it, or a refusal."""
    shown: bool | None = None
    if exchange.status == 200 and exchange.response:
        inner = _inner(exchange.response.json(), "ip_association")
        shown = str(inner.get("id", "")).lower() == pair.address.lower() if inner is not None else None
    elif _refused(exchange):
        shown = False
    return State(shown={} if shown is None else {pair: shown}, exchanges=(exchange.id,))


def from_address(exchange: Exchange, address: str) -> State:
    """What the read of an address says: its ports, or that it is gone."""
    if _refused(exchange):
        return State(ports={address: None}, exchanges=(exchange.id,))
    document = exchange.response.json() if exchange.status == 200 and exchange.response else None
    inner = _inner(document, "ip_address")
    ports = inner.get("port_ids") if inner else None
    if not isinstance(ports, list):
        return State(exchanges=(exchange.id,))
    held = Held.of(map(str, ports), str(inner.get("address") or "") if inner else "")
    return State(ports={address: held}, exchanges=(exchange.id,))


def _refused(exchange: Exchange) -> bool:
    return exchange.status is not None and 400 <= exchange.status < 500 and exchange.status not in NOT_AN_ANSWER


def _rows(exchange: Exchange, name: str) -> list[dict[str, Any]] | None:
    document = exchange.response.json() if exchange.status == 200 and exchange.response else None
    rows = document.get(name) if isinstance(document, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else None


def _continued(exchange: Exchange, name: str) -> bool:
    document = exchange.response.json() if exchange.response else None
    links = document.get(f"{name}_links") if isinstance(document, dict) else None
    return isinstance(links, list) and any(isinstance(one, dict) and one.get("rel") == "next" for one in links)


def _inner(document: Any, name: str) -> dict[str, Any] | None:
    inner = document.get(name) if isinstance(document, dict) else None
    return inner if isinstance(inner, dict) else None
