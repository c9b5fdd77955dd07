"""A request with what stood before and what stands after it: what most clauses judge."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.evidence import Exchange
from conformance.judge.state import ObservedState, Pair

SERVER_FAULTS = frozenset({500, 502, 503, 504})
"""Codes that leave open what was done; of these the page documents 500 and 503."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One request between two looks at the state.

    Attributes:
        before: what stood when it was sent.
        after: what stands once effects have had their time to settle.
        words: what was odd about the request, for the summary of a finding.
        setup: identifiers of the exchanges that brought about what stood before.
    """

    exchange: Exchange
    before: ObservedState
    after: ObservedState
    words: str = "the request"
    setup: tuple[str, ...] = ()

    @property
    def status(self) -> int | None:
        """The code that was answered; None when the answer was lost."""
        return self.exchange.status

    @property
    def refused(self) -> bool:
        """It was answered with a 4xx."""
        return self.status is not None and 400 <= self.status < 500

    @property
    def outcome_unknown(self) -> bool:
        """A server fault or a lost answer: it may have been carried out or not (spec/README.md, decision 3).

        Other 5xx, such as 501 and 505, are answers to what was asked.
        """
        return self.status is None or self.status in SERVER_FAULTS

    @property
    def changes(self) -> tuple[str, ...]:
        """How the state differs from what stood before."""
        return self.before.differences(self.after)

    @property
    def told(self) -> bool:
        """Something was seen before and after, so that a change would have shown."""
        return self.before.comparable(self.after)

    @property
    def evidence(self) -> tuple[str, ...]:
        """What set it up, the exchange and the reads after it."""
        return (*self.setup, self.exchange.id, *self.after.exchanges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt(Trial):
    """A request that might remove ``pair``.

    Attributes:
        reached: the association existed when it was sent, so a lost check had something to remove.
        names: it is a DELETE whose path names the association: a 204 says that it was removed.
    """

    pair: Pair
    reached: bool
    names: bool = True

    @property
    def exposed(self) -> bool:
        """The association existed, and whether it still does was seen: a lost check would have shown."""
        return self.reached and self.told

    @property
    def removed(self) -> bool:
        """The association is gone, and nothing else changed."""
        return not self.before.without(self.pair).differences(self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deallocation(Trial):
    """A request that may de-allocate ``address`` while ``standing`` associations exist.

    Attributes:
        how: its wording, by class.
        method: of the request.
        lingers: a view still shows an association whose removal was answered 204.
        persisted: every try, where a fault turned out to be the answer (decision 13).
        replaces: it names ports, and if it is granted they may be the address's from then on (decision 9).
    """

    address: str
    how: str
    method: str
    standing: tuple[Pair, ...]
    lingers: bool = False
    persisted: tuple[Exchange, ...] = ()
    replaces: bool = False

    @property
    def losses(self) -> tuple[str, ...]:
        """What stood and does not any more, or otherwise; not what was removed and is back."""
        moved = self.replaces and not (self.refused or self.outcome_unknown)
        after = self.after.with_addresses_of(self.before) if moved else self.after
        return self.before.standing.differences(after)

    @property
    def exposed(self) -> bool:
        """An association stood, and what belongs to the address was seen afterwards: a lost check would have shown."""
        return bool(self.standing) and self.told
