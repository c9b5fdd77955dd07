"""What the lines of a ledger say, put together: what is asked for, ours, gone, and seen of others. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

BEGINNING = b'{"do": "'
LATEST = 1e15
"""No clock shows it, in seconds since the epoch; a larger number, or none, is no moment."""


@dataclass(frozen=True, slots=True)
class Intent:
    """An allocation that was about to be asked for.

    Attributes:
        before: IDs of the addresses that existed already, in lower case.
        whole: that list was complete, as far as is known.
        at: wall clock, seconds since the epoch.
        suspects: once it has been looked for in vain, all that it may have made; None until then.
    """

    id: str
    before: frozenset[str]
    ports: frozenset[str]
    at: float
    whole: bool = True
    suspects: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """An address of the run's own, as the target showed it when it was allocated.

    Attributes:
        id: as the target spells it.
        intent: the allocation that was asked for; None if the ledger does not tell of it.
        literal: the address itself; empty if it was not shown.
    """

    id: str
    intent: Intent | None
    literal: str = ""


@dataclass(slots=True)
class LedgerRecord:
    """What a ledger says; IDs in lower case where not stated otherwise.

    Attributes:
        asked: every allocation.
        unanswered: allocations of which nobody knows what came of them, oldest first.
        unseen: allocations that were answered with an address which the target has not shown yet.
        addresses: those alive, as the target spells them, with the servers that each was to be associated with.
        made: every address that is or was the run's own.
        released: de-allocated ones, until that is certain.
        past: those that are the run's own no longer.
        again: those that the target gave to another address after they had been de-allocated.
        servers: those whose ports addresses were allocated for.
        shared: addresses of others with several ports that were seen at any time, with their ports.
        damaged: numbers of the lines that cannot be read.
    """

    asked: dict[str, Intent] = field(default_factory=dict)
    unanswered: dict[str, Intent] = field(default_factory=dict)
    unseen: dict[str, Intent] = field(default_factory=dict)
    addresses: dict[str, set[str]] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)
    past: set[str] = field(default_factory=set)
    again: set[str] = field(default_factory=set)
    servers: set[str] = field(default_factory=set)
    shared: dict[str, frozenset[str]] = field(default_factory=dict)
    damaged: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, entries: Iterable[Mapping[str, Any]]) -> LedgerRecord:
        """What these entries say."""
        record = cls()
        for entry in entries:
            record.apply(entry)
        return record

    @property
    def settled(self) -> bool:
        """Nothing of the run is left."""
        return not self.unanswered and not self.unseen and not self.addresses

    @property
    def ever(self) -> set[str]:
        """Every address that was the run's own."""
        return set(self.made)

    @property
    def own(self) -> frozenset[str]:
        """The addresses that are the run's own."""
        return frozenset(address.lower() for address in self.addresses) | self.released

    def others_on(self, ports: Iterable[str]) -> list[str]:
        """Addresses of others that were seen on these ports."""
        wanted = {port.lower() for port in ports}
        return [one for one, held in self.shared.items() if held & wanted and one not in self.made]

    def apply(self, entry: Mapping[str, Any]) -> bool:
        """Follow one line of the ledger; False if it has another shape."""
        return self._of_an_allocation(entry) or self._of_an_address(entry)

    def _of_an_allocation(self, entry: Mapping[str, Any]) -> bool:
        match entry:
            case {"do": "allocating", "intent": str(intent), "before": before, "ports": ports, "at": int() | float()}:
                servers = entry.get("servers", [])
                if not (_texts(before) and _texts(ports) and _texts(servers) and abs(entry["at"]) < LATEST):
                    return False
                whole = bool(entry.get("whole", True))
                self._asked(Intent(intent, _lower(before), _lower(ports), float(entry["at"]), whole), servers)
            case {"do": "allocated", "intent": str(intent), "address": str(address)}:
                self._allocated(intent, address, str(entry.get("literal") or ""))
            case {"do": "shown", "intent": str(intent), "address": str(address), "literal": str(literal)}:
                self._shown(intent, address, literal)
            case {"do": "suspected", "intent": str(intent), "addresses": list(addresses)} if _texts(addresses):
                self._suspected(intent, _lower(addresses))
            case {"do": "refused", "intent": str(intent)}:
                self.unanswered.pop(intent, None)
                self.unseen.pop(intent, None)
            case _:
                return False
        return True

    def _of_an_address(self, entry: Mapping[str, Any]) -> bool:
        match entry:
            case {"do": "associating", "address": str(address), "server": str(server)}:
                if address in self.addresses:
                    self.addresses[address].add(server)
                self.servers.add(server)
            case {"do": "gone", "address": str(address)}:
                if self.addresses.pop(address, None) is not None:
                    self.released.add(address.lower())
            case {"do": "forgotten", "address": str(address)}:
                self.released.discard(address.lower())
                self.past.add(address.lower())
            case {"do": "seen", "shared": list(shared)} if all(_texts(one) and one for one in shared):
                self.shared |= {one[0].lower(): _lower(one[1:]) for one in shared}
            case _:
                return False
        return True

    def _asked(self, intent: Intent, servers: Iterable[str]) -> None:
        if intent.id not in self.asked:
            self.asked[intent.id] = self.unanswered[intent.id] = intent
        self.servers.update(servers)

    def _allocated(self, intent: str, address: str, literal: str) -> None:
        asked = self.unanswered.pop(intent, None) or self.asked.get(intent)
        if asked:
            self.unseen[intent] = asked
        self.addresses.setdefault(address, set())
        if address.lower() in self.released | self.past:
            self.again.add(address.lower())
        self.made[address.lower()] = Made(address, asked, literal)
        self.released.discard(address.lower())
        self.past.discard(address.lower())

    def _shown(self, intent: str, address: str, literal: str) -> None:
        self.unseen.pop(intent, None)
        known = self.made.get(address.lower())
        if known and literal and not known.literal:
            self.made[address.lower()] = replace(known, literal=literal)

    def _suspected(self, intent: str, addresses: frozenset[str]) -> None:
        for among in (self.unanswered, self.unseen):
            if intent in among:
                among[intent] = replace(among[intent], suspects=addresses)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _lower(among: Iterable[str]) -> frozenset[str]:
    return frozenset(one.lower() for one in among)


def entries(content: bytes) -> tuple[list[dict[str, Any]], list[int]]:
    """The entries that a ledger holds, and the numbers of the lines that are none.

    A line that a killed process tore is neither: its request was never sent, or its answer is found by comparing.
    """
    found: list[dict[str, Any]] = []
    damaged: list[int] = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line or _torn(line):
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            entry = None
        if isinstance(entry, dict) and LedgerRecord().apply(entry):
            found.append(entry)
        else:
            damaged.append(number)
    return found, damaged


def _torn(line: bytes) -> bool:
    """The beginning of an entry without its end; no entry holds a mapping, so a brace is the end."""
    begun = line.startswith(BEGINNING) or BEGINNING.startswith(line)
    return begun and not line.endswith(b"}")
