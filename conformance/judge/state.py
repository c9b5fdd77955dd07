"""What a target shows of the suite's own addresses and associations, as far as it was looked at.

A view that was not read, or whose answer says nothing, is absent from the state: states are compared on what both
hold. Everything that is not the suite's own is left out, since others may change it at any time.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Iterator, Mapping
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


LIST, READ = "the list", "the single read"
"""The views of an association."""

ASSOCIATION, ADDRESS, APPEARS = "an association", "an address", "appears"
ASSOCIATION_APPEARS = f"{ASSOCIATION} {APPEARS}"
"""One of the kinds of what may become of what (:meth:`ObservedState.kinds`)."""

Entry = tuple[str, Pair]
PLAIN_MEMBERS = ("network_id", "subnet_id", "tenant_id", "version", "type")
"""Documented members of an address beside its ID, ports and literal (CONTRACT, section 2; decision 15)."""


class Held(NamedTuple):
    """What belongs to an address, in one spelling, so that two answers of one view can be compared.

    Attributes:
        literal: the address itself; empty where the target does not tell it.
        members: the other documented members that were shown, by name, as text.
    """

    ports: frozenset[str]
    literal: str = ""
    members: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, ports: Iterable[str], literal: str) -> Held:
        """What was asked for."""
        return cls(frozenset(port.lower() for port in ports), _canonical(literal))

    @classmethod
    def shown(cls, document: Mapping[str, Any]) -> Held | None:
        """What an answer shows of an address; None without a list of ports."""
        ports = document.get("port_ids")
        if not isinstance(ports, list):
            return None
        told = ((name, document.get(name)) for name in PLAIN_MEMBERS)
        members = tuple((name, str(value).lower()) for name, value in told if value is not None)
        return cls(
            frozenset(str(port).lower() for port in ports), _canonical(str(document.get("address") or "")), members
        )

    def changes(self, after: Held) -> Iterable[str]:
        """How ``after`` differs, a phrase each; what was not shown before is not compared."""
        if self.ports != after.ports:
            yield f"the ports of address {{}} are {_spelt(after.ports)} instead of {_spelt(self.ports)}"
        if self.literal and self.literal != after.literal:
            yield f"address {{}} is {after.literal or 'shown without its address'} instead of {self.literal}"
        later = dict(after.members)
        for name, value in self.members:
            if later.get(name) != value:
                yield f"{name} of address {{}} is {later.get(name, 'not shown')} instead of {value}"


def _canonical(literal: str) -> str:
    try:
        return str(ipaddress.ip_address(literal))
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True)
class ObservedState:
    """Four views of the same facts.

    Attributes:
        listed: association -> whether the server's list has it.
        shown: association -> whether the single read shows it.
        ports: address -> what its single read shows; None when the address is gone.
        tabled: address -> what the list of addresses shows of it; None when it is not there.
        exchanges: identifiers of the reads that were made for it.
        literals: view and association -> the address that the view shows with it; empty where it shows none.
    """

    listed: Mapping[Pair, bool] = field(default_factory=dict)
    shown: Mapping[Pair, bool] = field(default_factory=dict)
    ports: Mapping[str, Held | None] = field(default_factory=dict)
    tabled: Mapping[str, Held | None] = field(default_factory=dict)
    exchanges: tuple[str, ...] = ()
    literals: Mapping[Entry, str] = field(default_factory=dict)

    def __or__(self, other: ObservedState) -> ObservedState:
        """Both, the other's reading winning where both looked."""
        return ObservedState(
            {**self.listed, **other.listed},
            {**self.shown, **other.shown},
            {**self.ports, **other.ports},
            {**self.tabled, **other.tabled},
            (*self.exchanges, *other.exchanges),
            {**self.literals, **other.literals},
        )

    def without(self, *pairs: Pair) -> ObservedState:
        """The same with these associations removed, and nothing else."""
        gone = dict.fromkeys(pairs, False)
        kept = {entry: literal for entry, literal in self.literals.items() if entry[1] not in gone}
        return replace(self, listed={**self.listed, **gone}, shown={**self.shown, **gone}, exchanges=(), literals=kept)

    def with_addresses_of(self, other: ObservedState) -> ObservedState:
        """The same, its living addresses shown as the other shows them."""

        def shown(own: Mapping[str, Held | None], others: Mapping[str, Held | None]) -> dict[str, Held | None]:
            return {address: held and others.get(address, held) for address, held in own.items()}

        return replace(self, ports=shown(self.ports, other.ports), tabled=shown(self.tabled, other.tabled))

    @property
    def standing(self) -> ObservedState:
        """The same without what does not stand."""
        listed, shown = ({pair: True for pair, there in view.items() if there} for view in (self.listed, self.shown))
        return replace(self, listed=listed, shown=shown)

    def differences(self, seen: ObservedState) -> tuple[str, ...]:
        """What ``seen`` shows otherwise, a phrase each; empty when they agree on what both hold."""
        return tuple(one.words for one in self._changes(seen))

    def scope(self, seen: ObservedState, named: Pair) -> frozenset[str]:
        """The differences as they look from the association that a request named: no ID, view or number."""
        return frozenset(f"{_related(one.subject, named)} {one.effect}" for one in self._changes(seen))

    def kinds(self, seen: ObservedState) -> frozenset[str]:
        """The differences without what they are about: of associations or of addresses, and what became of them."""
        return frozenset(
            f"{ADDRESS if isinstance(one.subject, str) else ASSOCIATION} {one.effect}" for one in self._changes(seen)
        )

    def _changes(self, seen: ObservedState) -> tuple[_Change, ...]:
        return (
            *_of_associations(LIST, self.listed, seen.listed),
            *_of_associations(READ, self.shown, seen.shown),
            *_of_literals(self.literals, seen.literals),
            *_of_addresses("", self.ports, seen.ports),
            *_of_addresses("in the list of addresses ", self.tabled, seen.tabled),
        )

    def comparable(self, seen: ObservedState) -> bool:
        """Both hold something of one view, so that a difference would show."""
        views = ("listed", "shown", "ports", "tabled")
        return any(getattr(self, view).keys() & getattr(seen, view).keys() for view in views)

    @property
    def told(self) -> bool:
        """Some view was read and says something."""
        return bool(self.listed or self.shown or self.ports or self.tabled)


class _Change(NamedTuple):
    """What a view shows otherwise of an association, or of an address by its ID."""

    subject: Pair | str
    effect: str
    words: str


def _related(subject: Pair | str, named: Pair) -> str:
    if isinstance(subject, str):
        return "its address" if subject == named.address else "another address"
    if subject.address == named.address:
        return "itself" if subject == named else "another of its address"
    return "another of its server" if subject.server == named.server else "another"


def _of_associations(view: str, expected: Mapping[Pair, bool], seen: Mapping[Pair, bool]) -> Iterator[_Change]:
    for pair in sorted(expected.keys() & seen.keys()):
        if expected[pair] != seen[pair]:
            effect = APPEARS if seen[pair] else "goes"
            yield _Change(pair, effect, f"{view} {'shows' if seen[pair] else 'does not show'} {pair}")


def _of_literals(expected: Mapping[Entry, str], seen: Mapping[Entry, str]) -> Iterator[_Change]:
    """What was not shown before is not compared (decision 15)."""
    for view, pair in sorted(expected.keys() & seen.keys()):
        before, after = expected[view, pair], seen[view, pair]
        if before and before != after:
            shown = f"as {after}" if after else "without its address"
            yield _Change(pair, "changes", f"{view} shows {pair} {shown} instead of {before}")


def _of_addresses(view: str, expected: Mapping[str, Held | None], seen: Mapping[str, Held | None]) -> Iterator[_Change]:
    for address in sorted(expected.keys() & seen.keys()):
        before, after = expected[address], seen[address]
        if before is not None and after is not None:
            yield from (_Change(address, "changes", f"{view}{one.format(address)}") for one in before.changes(after))
        elif after is None and before is not None:
            yield _Change(address, "goes", f"{view}address {address} is gone")
        elif before is not after:
            yield _Change(address, APPEARS, f"{view}address {address} still exists")


def _spelt(ports: frozenset[str]) -> str:
    return ", ".join(sorted(ports)) or "none"


def from_list(exchange: Exchange, server: str, addresses: Iterable[str]) -> ObservedState:
    """What the list of a server's associations says of ``addresses``."""
    rows = _rows(exchange, "ip_associations")
    if rows is None:
        return ObservedState(exchanges=(exchange.id,))
    present = {str(row["id"]).lower(): row for row in rows if isinstance(row.get("id"), str)}
    listed = {Pair(address, server): address.lower() in present for address in addresses}
    if _continued(exchange, "ip_associations"):  # what a page that could not be read holds is not known
        listed = {pair: True for pair, there in listed.items() if there}
    there = [pair for pair, stands in listed.items() if stands]
    literals = {(LIST, pair): _literal(present[pair.address.lower()]) for pair in there}
    return ObservedState(listed=listed, exchanges=(exchange.id,), literals=literals)


def from_show(exchange: Exchange, pair: Pair) -> ObservedState:
    """What the single read says of an association: a 200 that names it, or a refusal."""
    if _refused(exchange):
        return ObservedState(shown={pair: False}, exchanges=(exchange.id,))
    document = exchange.response.json() if exchange.status == 200 and exchange.response else None
    inner = _inner(document, "ip_association")
    if inner is None:
        return ObservedState(exchanges=(exchange.id,))
    shown = str(inner.get("id", "")).lower() == pair.address.lower()
    literals = {(READ, pair): _literal(inner)} if shown else {}
    return ObservedState(shown={pair: shown}, exchanges=(exchange.id,), literals=literals)


def _literal(document: Mapping[str, Any]) -> str:
    return _canonical(str(document.get("address") or ""))


def from_address(exchange: Exchange, address: str) -> ObservedState:
    """What the read of an address says: its ports, or that it is gone."""
    if _refused(exchange):
        return ObservedState(ports={address: None}, exchanges=(exchange.id,))
    document = exchange.response.json() if exchange.status == 200 and exchange.response else None
    inner = _inner(document, "ip_address")
    held = Held.shown(inner) if inner else None
    return ObservedState(ports={address: held} if held else {}, exchanges=(exchange.id,))


def from_table(exchange: Exchange, addresses: Collection[str], *, complete: bool = True) -> ObservedState:
    """What the list of addresses says of ``addresses``; one that an incomplete list lacks may be on another page."""
    rows = _rows(exchange, "ip_addresses")
    if rows is None:
        return ObservedState(exchanges=(exchange.id,))
    present = {str(row["id"]).lower(): Held.shown(row) for row in rows if isinstance(row.get("id"), str)}
    known = {one for one, held in present.items() if held} | (
        {*map(str.lower, addresses)} - present.keys() if complete else set()
    )
    wanted = [address for address in addresses if address.lower() in known]
    return ObservedState(tabled={address: present.get(address.lower()) for address in wanted}, exchanges=(exchange.id,))


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
