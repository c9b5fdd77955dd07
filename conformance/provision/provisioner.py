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

from conformance.client import Client, Wait, again_after, passing, retried
from conformance.errors import ProvisioningError
from conformance.evidence import Exchange
from conformance.provision.ledger import Ledger, allocation_lock
from conformance.provision.listing import candidates, identifiers, named, rows
from conformance.provision.removal import discard

POLL_SECONDS = 0.02
LONGEST_WAIT_FOR_A_SLOT_SECONDS = 600.0
ATTEMPTS_TO_ALLOCATE = 3
ROUNDS_IN_PASSING = 2
"""Between tests an address is not worth a long wait: the end of the run tries harder."""


@dataclass(frozen=True, slots=True)
class Address:
    """A shared address of the suite's own: its ID as the target spells it, and the address itself."""

    id: str
    literal: str
    version: int
    ports: tuple[str, ...]


@dataclass(slots=True)
class Slot:
    """Room for one living address; ``closed`` says why the target grants none, and is empty while it may."""

    index: int
    lock: FileLock
    note: Path
    address: Address | None = None
    associated: tuple[str, ...] = ()
    dirty: bool = False
    closed: str = ""

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
        aside = self.note.with_suffix(".new")
        aside.write_text(json.dumps(said))
        aside.replace(self.note)  # a holder that is killed meanwhile leaves the last word whole


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
        ours = [one for one in rows(exchange, "ports") or () if one.get("device_id", server) == server]
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
        with self._client.stopwatch.on(Wait.LEASES):
            slots = self._acquire(count)
        try:
            for slot in slots:
                self._fill(slot)
            held = [slot.address for slot in slots if slot.address]
            if not held:
                raise ProvisioningError(self.shortage or "not one address could be allocated")
            yield held
        finally:
            for slot in slots:
                self._held.remove(slot)
                slot.lock.release()

    @property
    def shortage(self) -> str:
        """Why the target grants fewer addresses than were asked for, by whichever process; empty if it does not."""
        return next((slot.closed for slot in self._slots() if slot.closed), "")

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
            raise ProvisioningError(slot.closed)
        return slot.address

    def replaced(self, spoilt: Address) -> Address:
        """Another address in the place of one in disorder, which is taken back first.

        Raises:
            ProvisioningError: it cannot be taken back, or none is to be had.
        """
        slot = self._slot_of(spoilt)
        slot.dirty = True
        self._fill(slot)
        if slot.address is None or slot.address.id == spoilt.id:
            raise ProvisioningError(f"address {spoilt.id} is in disorder, and another one is not to be had")
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
        taken: list[Slot] = []
        with FileLock(self._shared / "gate.lock"):
            while time.monotonic() < give_up:
                own = {slot.index for slot in (*self._held, *taken)}
                others = [slot for slot in self._slots() if slot.index not in own and not slot.closed]
                wanted = min(count, len(taken) + len(others))
                for slot in others:
                    if len(taken) < wanted and _try(slot.lock):
                        slot.read()
                        taken.append(slot)
                if len(taken) >= wanted:
                    break
                time.sleep(POLL_SECONDS)
        self._held += taken
        return taken

    def _slots(self) -> list[Slot]:
        slots = []
        for index in range(self._client.target.limits.max_addresses):
            slot = Slot(index, FileLock(self._shared / f"slot{index}.lock"), self._shared / f"slot{index}.json")
            slot.read()
            slots.append(slot)
        return slots

    def _fill(self, slot: Slot) -> None:
        if slot.address and slot.dirty:
            removal = discard(self._client, slot.address.id, self._client.target.servers, ROUNDS_IN_PASSING)
            if removal.gone:
                self._ledger.gone(slot.address.id)
                slot.address = None
            else:  # it must serve on: another beside it would be one too many
                self.notes.append(removal.complaint)
            slot.associated = ()
        slot.address = slot.address or self._allocate(prefer=6 if slot.index % 2 else 4)
        slot.closed = "" if slot.address else self.notes[-1]
        slot.write(dirty=True)

    def _allocate(self, prefer: int) -> Address | None:
        """A new address, or None when the target grants no more."""
        ports = tuple(self.port(server) for server in self._client.target.servers)
        answers = {}
        for version in sorted((4, 6), key=lambda one: one != prefer):
            address, exchange = self._ask_patiently(version, ports)
            if address:
                return address
            answers[version] = f"{exchange.outcome} for version {version}"
        self.notes.append(
            f"the target grants fewer than {self._client.target.limits.max_addresses} addresses at once: "
            f"POST /ip_addresses answered {', '.join(answers[version] for version in sorted(answers))}"
        )
        return None

    def _ask_patiently(self, version: int, ports: tuple[str, ...]) -> tuple[Address | None, Exchange]:
        """Ask again while the answer asks for patience; the list says each time whether it was granted all the same."""
        for attempt in range(ATTEMPTS_TO_ALLOCATE):
            address, exchange = self._ask(version, ports)
            if address or not passing(exchange) or exchange.failure.startswith("timed out"):
                break
            time.sleep(again_after(exchange, attempt))
        return address, exchange

    def _ask(self, version: int, ports: tuple[str, ...]) -> tuple[Address | None, Exchange]:
        with allocation_lock(self._ledger.directory):
            before = self._addresses()
            intent = self._ledger.allocating(before, ports, self._client.target.servers)
            exchange = self._client.allocate_address(version, ports)
            address = _answered(exchange, version, ports)
            if address and address.id.lower() in before:
                self.notes.append(f"POST /ip_addresses answered with address {address.id}, which existed before")
                address = None
            address = address or self._find(before, version, ports)
            if address:
                self._ledger.allocated(intent, address.id)
            elif _refused(exchange):
                self._ledger.refused(intent)
            return address, exchange

    def _addresses(self) -> frozenset[str]:
        exchange = retried(self._client.list_addresses)
        listed = rows(exchange, "ip_addresses")
        if listed is None:
            raise ProvisioningError(f"the tenant's addresses cannot be listed: {exchange.outcome}")
        return frozenset(identifier.lower() for identifier in identifiers(listed))

    def _find(self, before: frozenset[str], version: int, ports: tuple[str, ...]) -> Address | None:
        """The address that an allocation made whatever it answered: new in the list, and for exactly our ports.

        None when there is none yet, or several: the intent then stays open, and the sweep looks again.
        """
        found = candidates(retried(self._client.list_addresses), before, frozenset(ports))
        return _from_document(found[0], version, ports) if len(found) == 1 else None


def _refused(exchange: Exchange) -> bool:
    return exchange.status is not None and 400 <= exchange.status < 500


def _answered(exchange: Exchange, version: int, ports: tuple[str, ...]) -> Address | None:
    if not exchange.response or exchange.response.status not in {200, 201, 202}:
        return None
    document = exchange.response.json()
    inner = document.get("ip_address") if isinstance(document, dict) else None
    return _from_document(inner, version, ports) if isinstance(inner, dict) and named(inner) else None


def _from_document(document: dict[str, Any], version: int, ports: tuple[str, ...]) -> Address:
    literal = str(document.get("address") or "")
    spoken = 6 if ":" in literal else 4 if "." in literal else version
    return Address(str(document["id"]), literal, spoken, ports)


def _try(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True
