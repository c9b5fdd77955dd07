"""What was sent and answered, counted and kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from conformance.evidence.exchange import Exchange
from conformance.evidence.statistics import Tally


def allocated(exchange: Exchange) -> str:
    """The ID that an allocation was answered with; empty if it cannot be told."""
    document = exchange.response.json() if exchange.response else None
    address = document.get("ip_address") if isinstance(document, Mapping) else None
    identifier = address.get("id") if isinstance(address, Mapping) else None
    return identifier if isinstance(identifier, str) else ""


@dataclass(slots=True)
class Recorder:
    """Keeps the exchanges of the current test, their bodies cut, and counts those of the whole process.

    ``prefix`` makes identifiers unique among workers. Listeners see every exchange as it is recorded. ``origins`` holds
    the exchange that allocated an address, by its ID: who repeats a finding later needs an address of their own.
    """

    prefix: str = ""
    total: int = 0
    by_code: Counter[str] = field(default_factory=Counter)
    by_operation: Counter[str] = field(default_factory=Counter)
    removals_by_code: Counter[str] = field(default_factory=Counter)
    tally: Tally = field(default_factory=Tally)
    origins: dict[str, Exchange] = field(default_factory=dict)
    exchanges: dict[str, Exchange] = field(default_factory=dict)
    listeners: list[Callable[[Exchange], None]] = field(default_factory=list)

    def next_id(self) -> str:
        """The identifier of the exchange that is about to begin."""
        self.total += 1
        return f"{self.prefix}{self.total}"

    def record(self, exchange: Exchange, *, removal: bool) -> None:
        """Keep and count an exchange; ``removal`` says that it was a request to the operation under test."""
        self.exchanges[exchange.id] = exchange.kept()
        self.by_code[exchange.code] += 1
        self.by_operation[exchange.operation] += 1
        if removal:
            self.removals_by_code[exchange.code] += 1
        self._tell(exchange, removal=removal)
        for listener in self.listeners:
            listener(exchange)

    def _tell(self, exchange: Exchange, *, removal: bool) -> None:
        request, granted = exchange.request, exchange.status is not None and 200 <= exchange.status < 300
        if exchange.response:
            self.tally.answered(exchange.operation, exchange.finished - exchange.started)
        if removal:
            self.tally.removal(request.url, exchange.credential, request.framing, exchange.code)
        elif exchange.operation == "associate" and granted:
            self.tally.associated(request.url)
        elif exchange.operation == "allocateAddress" and granted and (identifier := allocated(exchange)):
            self.origins[identifier] = exchange.kept()

    def forget(self) -> None:
        """Drop the kept exchanges: their test has ended and its findings hold copies."""
        self.exchanges.clear()
