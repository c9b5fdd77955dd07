"""Addresses for cases: allocated when first needed, lent to one test at a time, kept warm between tests.

The number alive at once is bounded over all processes of a run. A slot is a file whose lock its holder keeps: when a
worker dies, the lock is free again and the slot's address is replaced, since nobody knows what state it is in.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from conformance.client import Client, Wait, again_after, halting, passing, retried
from conformance.errors import ProvisioningError
from conformance.evidence import Exchange
from conformance.provision import ledger as ledgers
from conformance.provision import ownership
from conformance.provision.ledger import Ledger, allocation_lock
from conformance.provision.listing import identifiers, look, rows
from conformance.provision.locks import exclusive
from conformance.provision.ownership import AllocationAnswer, Known, Look
from conformance.provision.record import Intent, LedgerRecord
from conformance.provision.removal import discard
from conformance.target import in_words, is_uuid

POLL_SECONDS = 0.02
LONGEST_WAIT_FOR_A_SLOT_SECONDS = 600.0
ATTEMPTS_TO_ALLOCATE = 3
SECONDS_BETWEEN_ALLOCATIONS = 0.5

RELEASE_SECONDS = 5.0
"""So long a quota may count what was given back, also where effects settle sooner: a refusal is final."""

LOOKS_FOR_OTHERS, BETWEEN_LOOKS_SECONDS = 4, 0.5
"""Before an address that no answer named is used: whoever made it for himself does something with it by then."""

ROUNDS_IN_PASSING = 2
"""Between tests an address is not worth a long wait: the end of the run tries harder."""


@dataclass(frozen=True, slots=True)
class Address:
    """A shared address of the suite's own: its ID as the target spells it, and the address itself.

    Attributes:
        allocation: the intent, in the ledger, that it came of; it tells the address from an earlier one of its ID.
    """

    id: str
    literal: str
    version: int
    ports: tuple[str, ...]
    allocation: str = ""


@dataclass(slots=True)
class Slot:
    """Room for one living address.

    Attributes:
        associated: the servers that the last holder left the address associated with; None where nobody knows.
        closed: why the target grants none; empty while it may.
        apart: its holder does not give it back before the end of the run.
    """

    index: int
    lock: FileLock
    note: Path
    address: Address | None = None
    associated: tuple[str, ...] | None = ()
    dirty: bool = False
    closed: str = ""
    apart: bool = False

    def read(self) -> None:
        """Take over what the last holder left."""
        if self.note.exists():
            said = json.loads(self.note.read_text())
            held = said["address"]
            self.address = Address(**{**held, "ports": tuple(held["ports"])}) if held else None
            self.associated = None if said["associated"] is None else tuple(said["associated"])
            self.dirty, self.closed, self.apart = said["dirty"], said["closed"], said["apart"]

    def write(self, *, dirty: bool = False) -> None:
        """Leave word for the next holder."""
        self.dirty = dirty
        held = asdict(self.address) if self.address else None
        said = {
            "address": held,
            "associated": self.associated,
            "dirty": dirty,
            "closed": self.closed,
            "apart": self.apart,
        }
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
        self._most = 0
        self._given_back = -math.inf
        self.notes: list[str] = []
        self.doubts: list[str] = []
        """Why the run cannot be a pass, whatever was judged."""

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
                if slot.apart:
                    slot.apart = False
                    slot.write(dirty=slot.dirty)
                slot.lock.release()

    def set_apart(self, address: Address) -> None:
        """The holder keeps the address until the end of the run: nobody waits for it."""
        slot = self._slot_of(address)
        slot.apart = True
        slot.write(dirty=slot.dirty)

    @property
    def shortage(self) -> str:
        """Why the target grants fewer addresses than were asked for, by whichever process; empty if it does not."""
        return next((slot.closed for slot in self._slots() if slot.closed), "")

    def associated(self, address: Address) -> tuple[str, ...] | None:
        """The servers that the last holder left the address associated with; None where nobody knows."""
        return self._slot_of(address).associated

    def keep(self, address: Address, associated: Iterable[str] = ()) -> None:
        """The address is sound, and associated with these servers: the next test may have it."""
        slot = self._slot_of(address)
        slot.associated = tuple(associated)
        slot.write(dirty=len(address.ports) < len(self._client.target.servers))

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
        if slot.address is None or slot.address == spoilt:
            raise ProvisioningError(f"address {spoilt.id} is in disorder, and another one is not to be had")
        return slot.address

    def narrowed(self, address: Address, servers: Sequence[str]) -> Address:
        """Another address in the place of this one, on the ports of these servers alone if such a one is granted.

        The next holder gets another one again.

        Raises:
            ProvisioningError: it cannot be taken back, or none is to be had.
        """
        slot = self._slot_of(address)
        slot.dirty = True
        self._empty(slot)
        if slot.address is None:
            slot.address, _ = self._ask_patiently(address.version, tuple(map(self.port, servers)))
            slot.write(dirty=True)
        if slot.address is None:
            self._fill(slot)
        if slot.address is None or slot.address == address:
            raise ProvisioningError(f"address {address.id} cannot be replaced, or another one is not to be had")
        return slot.address

    def dropped(self, address: Address) -> None:
        """The address is gone, as the test meant it to be."""
        self._gone(address.id)
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
        with exclusive(self._shared / "gate.lock"):
            while time.monotonic() < give_up:
                own = {slot.index for slot in (*self._held, *taken)}
                others = [slot for slot in self._slots() if slot.index not in own and not slot.closed]
                wanted = min(count, len(taken) + sum(not slot.apart for slot in others))
                for slot in others:
                    if len(taken) < wanted and _try(slot.lock):
                        slot.read()
                        taken.append(slot)
                if len(taken) >= wanted:
                    break
                halting.pause(POLL_SECONDS)
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
        self._empty(slot)
        slot.address = slot.address or self._allocate(prefer=6 if slot.index % 2 else 4)
        slot.closed = "" if slot.address else self.notes[-1]
        slot.write(dirty=True)

    def _empty(self, slot: Slot) -> None:
        """Take back an address in disorder, if it can be."""
        if slot.address and slot.dirty:
            removal = discard(self._client, slot.address.id, self._client.target.servers, ROUNDS_IN_PASSING)
            if removal.gone:
                self._gone(slot.address.id)
                slot.address, slot.associated = None, ()
            elif removal.unlisted or (removal.unknown and not self._is_of_use(slot.address)):
                # It is for the clean-up to try again, and to name.
                self.notes.append(removal.complaint)
                slot.address, slot.associated = None, ()
            else:  # it must serve on: another beside it would be one too many
                self.notes.append(removal.complaint)
                slot.associated = None

    def _is_of_use(self, address: Address) -> bool:
        """It can be associated: what DELETE says not to know may be a ghost, or be there for all other purposes."""
        server = self._client.target.servers[0]
        self._ledger.associating(address.id, server)
        answer = retried(lambda: self._client.associate(server, address.id))
        return answer.status is None or not 400 <= answer.status < 500

    def _allocate(self, prefer: int) -> Address | None:
        """A new address, or None when the target grants no more."""
        address, answers = self._ask_for_either(prefer)
        while address is None and self._may_count_the_released():
            halting.pause(SECONDS_BETWEEN_ALLOCATIONS)
            address, answers = self._ask_for_either(prefer)
        if address:
            self._most = max(self._most, len(self._ledger.read().addresses))
            return address
        self.notes.append(
            f"the target grants fewer than {self._client.target.limits.max_addresses} addresses at once: "
            f"POST /ip_addresses answered {', '.join(answers[version] for version in sorted(answers))}"
        )
        return None

    def _ask_for_either(self, prefer: int) -> tuple[Address | None, Mapping[int, str]]:
        """An address of the version that is preferred, or of the other one; else what was answered for each."""
        ports = tuple(self.port(server) for server in self._client.target.servers)
        answers = {}
        for version in sorted((4, 6), key=lambda one: one != prefer):
            address, exchange = self._ask_patiently(version, ports)
            if address:
                return address, {}
            answers[version] = f"{exchange.outcome} for version {version}"
        return None, answers

    def _may_count_the_released(self) -> bool:
        """The target granted more at once before, and may count for a while what was given back (decision 6)."""
        patience = max(self._client.target.policy.settle_seconds, RELEASE_SECONDS)
        lately = time.monotonic() < self._given_back + patience
        return lately and len(self._ledger.read().addresses) < self._most

    def _gone(self, address: str) -> None:
        self._ledger.gone(address)
        self._given_back = time.monotonic()

    def _ask_patiently(self, version: int, ports: tuple[str, ...]) -> tuple[Address | None, Exchange]:
        """Ask again while the answer asks for patience; the list says each time whether it was granted all the same."""
        for attempt in range(ATTEMPTS_TO_ALLOCATE):
            address, exchange = self._ask(version, ports)
            if address or not passing(exchange) or exchange.failure.startswith("timed out"):
                break
            halting.pause(again_after(exchange, attempt))
        return address, exchange

    def _ask(self, version: int, ports: tuple[str, ...]) -> tuple[Address | None, Exchange]:
        with allocation_lock(self._ledger.directory):
            before = self._before()
            halting.check()
            intent = self._ledger.allocating(before.ids, ports, self._client.target.servers, whole=before.whole)
            exchange = self._client.allocate_address(version, ports)
            document = _document(exchange)
            record = self._ledger.read()
            known = self._known(record)
            ours = ownership.answered(record.asked[intent], document.get("id"), known)
            if ours:
                self._ledger.allocated(intent, ours, _literal(document))
            elif "id" in document:
                self._disown(document["id"])
            first = look(self._client.list_addresses())
            if ours:
                document = self._confirmed(record.asked[intent], ours, first, known) or document
            elif first:
                document = self._claimed(record.asked[intent], exchange, first, known)
                ours = str(document.get("id") or "")
            return (_from_document({**document, "id": ours}, version, ports, intent) if ours else None), exchange

    def _before(self) -> Look:
        """The tenant's addresses before an allocation; what others have on our ports is written down."""
        exchange = retried(self._client.list_addresses)
        seen = look(exchange)
        if seen is None:
            raise ProvisioningError(f"the tenant's addresses cannot be listed: {exchange.outcome}")
        record = self._ledger.read()
        if seen.whole:
            for address in record.released - seen.ids:
                self._ledger.forgotten(address)
        self._see(seen, record, record.own)
        return seen

    def _see(self, seen: Look, record: LedgerRecord, apart: frozenset[str]) -> bool:
        """Write down what others have; true if there is something new."""
        new = [one for one in ownership.strangers(seen, apart) if record.shared.get(one[0].lower()) != one[1]]
        if new:
            self._ledger.seen(new)
        return bool(new)

    def _known(self, record: LedgerRecord) -> Known:
        elsewhere = ledgers.readable(self._ledger.directory)
        elsewhere.pop(self._ledger.path, None)
        return Known(
            own=record.own.union(*(one.own for one in elsewhere.values())),
            released=frozenset(record.released | record.past),
            others=bool(record.others_on(self._port_ids())),
            exclusive=self._client.target.policy.tenant == "exclusive",
        )

    def _port_ids(self) -> list[str]:
        return [self.port(server) for server in self._client.target.servers]

    def _confirmed(self, intent: Intent, ours: str, first: Look | None, known: Known) -> dict[str, Any]:
        """The named address as the list shows it; where it does not, what appeared in its stead is written down."""
        row = first.row(ours) if first else None
        if row is not None:
            self._ledger.shown(intent.id, ours, _literal(row))
            return dict(row)
        claim = ownership.found(intent, AllocationAnswer.OPEN, first, known) if first else None
        others = [one for one in claim.reported if one.lower() != ours.lower()] if claim else []
        if others:
            self._ledger.suspected(intent.id, others)
        return {}

    def _claimed(self, intent: Intent, exchange: Exchange, first: Look, known: Known) -> dict[str, Any]:
        """The address that an allocation made although no answer names it, if it is known to be ours; else nothing."""
        record = self._ledger.read()
        among = {str(row["id"]).lower() for row in ownership.candidates(intent, first, known.own)}
        if self._see(first, record, record.own | among):
            known = self._known(self._ledger.read())
        answer = _answer(exchange)
        elsewhere = ledgers.readable(self._ledger.directory)
        elsewhere.pop(self._ledger.path, None)
        known = replace(known, rivals=ownership.rivals(first, ledgers.pending(elsewhere)))
        claim = ownership.found(intent, answer, first, known)
        if claim.ours and not known.exclusive and self._others_at_work(claim.ours, first):
            claim = ownership.Claim(reported=(claim.ours,))
        row = first.row(claim.ours) if claim.ours else None
        if row:
            self._ledger.allocated(intent.id, claim.ours, _literal(row))
            self._ledger.shown(intent.id, claim.ours, _literal(row))
            return dict(row)
        if answer is AllocationAnswer.REFUSED and not claim.reported:
            self._ledger.refused(intent.id)
        elif answer is AllocationAnswer.REFUSED:
            self._ledger.suspected(intent.id, claim.reported)
        for one in claim.reported:
            self._doubt(one)
        self._unused(claim.reported)
        return {}

    def _others_at_work(self, address: str, first: Look) -> bool:
        """Somebody uses the address, or another one on its ports, although this run does not; written down if so."""
        for _ in range(LOOKS_FOR_OTHERS):
            halting.pause(BETWEEN_LOOKS_SECONDS)
            seen = look(retried(self._client.list_addresses))
            record = self._ledger.read()
            used = self._is_associated(address) or seen is None or seen.row(address) != first.row(address)
            if self._see(seen or first, record, record.own | ({address.lower()} if not used else frozenset())) or used:
                return True
        return False

    def _is_associated(self, address: str) -> bool:
        """Some lent server's list shows the address, or cannot be read: who could tell then?"""
        for server in self._client.target.servers:
            listed = rows(retried(lambda server=server: self._client.list_associations(server)), "ip_associations")  # type: ignore[misc]
            if listed is None or address.lower() in map(str.lower, identifiers(listed)):
                return True
        return False

    def _unused(self, reported: Iterable[str]) -> None:
        if named := ", ".join(in_words(one) for one in reported if is_uuid(one)):
            self.notes.append(f"an allocation without a usable answer may have made {named}, which is not used")

    def _disown(self, identifier: object) -> None:
        if is_uuid(identifier):
            self.notes.append(f"POST /ip_addresses answered with address {identifier}, which existed before")
        self._doubt(identifier)

    def _doubt(self, identifier: object) -> None:
        """An ID that may not stand in a path is named, and is left."""
        if not is_uuid(identifier):
            self.doubts.append(
                f"the target handed out the address ID {in_words(identifier)}, which is no UUID: what it stands for is "
                "left, and neither used nor removed"
            )


def _answer(exchange: Exchange) -> AllocationAnswer:
    if exchange.status is None or exchange.status >= 500:
        return AllocationAnswer.LOST
    return AllocationAnswer.REFUSED if 400 <= exchange.status < 500 else AllocationAnswer.GRANTED


def _document(exchange: Exchange) -> dict[str, Any]:
    """What a 2xx says of the address that it granted; empty if it says nothing."""
    if not exchange.response or not 200 <= exchange.response.status < 300:
        return {}
    document = exchange.response.json()
    inner = document.get("ip_address") if isinstance(document, dict) else None
    return inner if isinstance(inner, dict) else {}


def _literal(document: Mapping[str, Any]) -> str:
    return str(document.get("address") or "")


def _from_document(document: dict[str, Any], version: int, ports: tuple[str, ...], allocation: str) -> Address:
    literal = str(document.get("address") or "")
    spoken = 6 if ":" in literal else 4 if "." in literal else version
    return Address(str(document["id"]), literal, spoken, ports, allocation)


def _try(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True
