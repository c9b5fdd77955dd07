"""Addresses for cases: allocated when first needed, lent to one test at a time, kept warm between tests.

The number alive at once is bounded over all processes of a run. A slot is a file whose lock its holder keeps: when a
worker dies, the lock is free again and the slot's address is replaced, since nobody knows what state it is in.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from conformance.client import Client, retried
from conformance.errors import ProvisioningError
from conformance.evidence import Exchange
from conformance.provision.ledger import Ledger
from conformance.provision.removal import discard

POLL_SECONDS = 0.02
LONGEST_WAIT_FOR_A_SLOT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Address:
    """A shared address of the suite's own: its ID as the target spells it, and the address itself."""

    id: str
    literal: str
    version: int
    ports: tuple[str, ...]


@dataclass(slots=True)
class Slot:
    """Room for one living address."""

    index: int
    lock: FileLock
    note: Path
    address: Address | None = None
    associated: tuple[str, ...] = ()
    dirty: bool = False
    closed: bool = False

    def read(self) -> None:
        """Take over what the last holder left."""
        if self.note.exists():
            said = json.loads(self.note.read_text())
            held = said["address"]
            self.address = Address(**{**held, "ports": tuple(held["ports"])}) if held else None
            self.associated = tuple(said["associated"])
            self.dirty, self.closed = said["dirty"], said["closed"]

    def write(self, *, dirty: bool = False) -> None:
        """Leave word for the next holder."""
        self.dirty = dirty
        held = asdict(self.address) if self.address else None
        said = {"address": held, "associated": self.associated, "dirty": dirty, "closed": self.closed}
        self.note.write_text(json.dumps(said))


class Provisioner:
    """Lends addresses within the limits of the target, over all processes of a run."""

    def __init__(self, client: Client, ledger: Ledger, shared: Path) -> None:
        self._client = client
        self._ledger = ledger
        self._shared = shared
        self._ports: dict[str, str] = dict(client.target.ports)
        self._held: list[Slot] = []
        self.notes: list[str] = []

    def port(self, server: str) -> str:
        """The server's port on the target's network.

        Raises:
            ProvisioningError: none was given and none is to be found.
        """
        if server not in self._ports:
            exchange = retried(lambda: self._client.list_ports(server))
            self._ports[server] = self._port_in(exchange, server)
        return self._ports[server]

    def _port_in(self, exchange: Exchange, server: str) -> str:
        candidates = [one for one in _listed(exchange, "ports") if _text(one, "id")]
        ours = [one for one in candidates if one.get("device_id", server) == server]
        on_the_network = [one for one in ours if one.get("network_id") == self._client.target.network_id]
        if not ours:
            raise ProvisioningError(
                f"no port of server {server} is known: GET /ports answered {exchange.outcome}",
                "state it under resources.ports",
            )
        return str((on_the_network or ours)[0]["id"])

    @contextlib.contextmanager
    def lease(self, count: int) -> Iterator[list[Address]]:
        """Up to ``count`` addresses, at least one, for as long as the context lasts.

        Raises:
            ProvisioningError: not one address is to be had.
        """
        slots = self._acquire(count)
        try:
            for slot in slots:
                self._fill(slot)
            held = [slot.address for slot in slots if slot.address]
            if not held:
                raise ProvisioningError("; ".join(self.notes[-2:]) or "not one address could be allocated")
            yield held
        finally:
            for slot in slots:
                slot.lock.release()

    def associated(self, address: Address) -> tuple[str, ...]:
        """The servers that the last holder left the address associated with."""
        return self._slot_of(address).associated

    def keep(self, address: Address, associated: Iterable[str] = ()) -> None:
        """The address is sound, and associated with these servers: the next test may have it."""
        slot = self._slot_of(address)
        slot.associated = tuple(associated)
        slot.write()

    def renew(self, gone: Address) -> Address:
        """A new address in the place of one that the holder de-allocated.

        Raises:
            ProvisioningError: none is to be had.
        """
        self.dropped(gone)
        slot = next(slot for slot in self._held if slot.address is None)
        self._fill(slot)
        if slot.address is None:
            raise ProvisioningError("; ".join(self.notes[-1:]))
        return slot.address

    def dropped(self, address: Address) -> None:
        """The address is gone, as the test meant it to be."""
        self._ledger.gone(address.id)
        slot = self._slot_of(address)
        slot.address = None
        slot.associated = ()
        slot.write()

    def _slot_of(self, address: Address) -> Slot:
        return next(slot for slot in self._held if slot.address and slot.address.id == address.id)

    def _acquire(self, count: int) -> list[Slot]:
        """All slots at once, or none: two tests that wait for each other's second address would wait for ever."""
        give_up = time.monotonic() + LONGEST_WAIT_FOR_A_SLOT_SECONDS
        with FileLock(self._shared / "gate.lock"):
            self._held = []
            while time.monotonic() < give_up:
                open_slots = [slot for slot in self._slots() if not slot.closed]
                free = [slot for slot in open_slots if slot.index not in {one.index for one in self._held}]
                wanted = min(count, len(open_slots))
                for slot in free:
                    if len(self._held) < wanted and _try(slot.lock):
                        slot.read()
                        self._held.append(slot)
                if len(self._held) >= wanted:
                    break
                time.sleep(POLL_SECONDS)
            return self._held

    def _slots(self) -> list[Slot]:
        slots = []
        for index in range(self._client.target.limits.max_addresses):
            slot = Slot(index, FileLock(self._shared / f"slot{index}.lock"), self._shared / f"slot{index}.json")
            slot.read()
            slots.append(slot)
        return slots

    def _fill(self, slot: Slot) -> None:
        if slot.address and slot.dirty:
            self.notes += discard(self._client, self._ledger, slot.address.id, self._client.target.servers)
            slot.address, slot.associated = None, ()
        slot.address = slot.address or self._allocate(prefer=6 if slot.index % 2 else 4)
        slot.closed = slot.address is None
        slot.write(dirty=True)

    def _allocate(self, prefer: int) -> Address | None:
        """A new address, or None when the target grants no more."""
        ports = tuple(self.port(server) for server in self._client.target.servers)
        answers = []
        for version in sorted((4, 6), key=lambda one: one != prefer):
            address, exchange = self._ask(version, ports)
            if address:
                return address
            answers.append(f"{exchange.outcome} for version {version}")
        self.notes.append(f"an address was not granted: POST /ip_addresses answered {', '.join(answers)}")
        return None

    def _ask(self, version: int, ports: tuple[str, ...]) -> tuple[Address | None, Exchange]:
        with FileLock(self._shared / "allocate.lock"):
            before = self._addresses()
            intent = self._ledger.allocating(before, self._client.target.network_id, ports)
            exchange = self._client.allocate_address(version, ports)
            answered = _address(exchange, version, ports)
            if answered:
                self._ledger.allocated(intent, answered.id)
                return answered, exchange
            if exchange.response and 400 <= exchange.response.status < 500:
                self._ledger.refused(intent)
                return None, exchange
            return self._find(intent, before, version, ports), exchange

    def _addresses(self) -> frozenset[str]:
        exchange = retried(self._client.list_addresses)
        if exchange.status != 200:
            raise ProvisioningError(f"the tenant's addresses cannot be listed: {exchange.outcome}")
        return frozenset(str(one["id"]) for one in _listed(exchange, "ip_addresses") if _text(one, "id"))

    def _find(self, intent: str, before: frozenset[str], version: int, ports: tuple[str, ...]) -> Address | None:
        """The address that an unanswered allocation may have made: new in the list, and for exactly our ports."""
        exchange = retried(self._client.list_addresses)
        found = candidates(exchange, before, frozenset(ports))
        if exchange.status == 200 and not found:
            return None  # the intent stays open: it may yet appear, and the sweep will look again
        if len(found) == 1:
            self._ledger.allocated(intent, str(found[0]["id"]))
            return _from_document(found[0], version, ports)
        return None


def candidates(exchange: Exchange, before: frozenset[str], ports: frozenset[str]) -> list[dict[str, Any]]:
    """Addresses that were not there before and have exactly these ports."""
    return [
        one
        for one in _listed(exchange, "ip_addresses")
        if _text(one, "id") and one["id"] not in before and set(map(str, one.get("port_ids") or ())) == ports
    ]


def _address(exchange: Exchange, version: int, ports: tuple[str, ...]) -> Address | None:
    if not exchange.response or exchange.response.status not in {200, 201, 202}:
        return None
    document = exchange.response.json()
    inner = document.get("ip_address") if isinstance(document, dict) else None
    return _from_document(inner, version, ports) if isinstance(inner, dict) and _text(inner, "id") else None


def _from_document(document: dict[str, Any], version: int, ports: tuple[str, ...]) -> Address:
    literal = str(document.get("address") or "")
    spoken = 6 if ":" in literal else 4 if "." in literal else version
    return Address(str(document["id"]), literal, spoken, ports)


def _listed(exchange: Exchange, name: str) -> list[dict[str, Any]]:
    document = exchange.response.json() if exchange.status == 200 and exchange.response else None
    rows = document.get(name) if isinstance(document, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _text(row: dict[str, Any], key: str) -> bool:
    return isinstance(row.get(key), str) and bool(row[key])


def _try(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True
