"""What probing needs of the target: arranging, sending, looking, and a place for rulings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from conformance.driver.lateness import Lateness
from conformance.driver.leases import Blame
from conformance.driver.probed import Asked, Judged
from conformance.evidence import Exchange
from conformance.generate.dress import Wardrobe
from conformance.generate.settings import Between
from conformance.judge import Attempt, ObservedState, Pair
from conformance.verdict import Ruling


class ProbeTarget(Protocol):
    """What probing needs of the target: arranging, sending, looking, and a place for rulings."""

    content_is_turned_away: bool
    """A 413 to content is no limit here, whatever its Retry-After says."""

    @property
    def failing(self) -> set[Pair]:
        """Associations of which even a plain removal is answered with a fault, while those of others succeed."""

    @property
    def wardrobe(self) -> Wardrobe:
        """What requests wear besides, whichever test they are sent for."""

    def establish(self, *pairs: Pair) -> None:
        """Let these stand, and be seen to."""

    def clear(self, *pairs: Pair) -> None:
        """Let these be absent."""

    def known(self) -> ObservedState:
        """What is known to stand, and not to."""

    def overview(self) -> ObservedState:
        """A look at all that is leased."""

    def awaited(self, expected: ObservedState, singly: Collection[Pair] = ()) -> ObservedState:
        """What the overview and the single reads of ``singly`` show once it agrees, or when the patience is over."""

    def read_singly(self, pairs: Collection[Pair]) -> None:
        """Read each by itself: what a target keeps of that is to be noticed after a removal."""

    def sent(self, pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        """One request, sent once."""

    def sent_at_once(self, requests: Sequence[tuple[Pair, Mapping[str, Any]]]) -> list[Exchange]:
        """The same for several, in whichever order they arrive."""

    def meanwhile(self, pair: Pair, what: Between, variation: Mapping[str, Any]) -> Exchange | None:
        """Something that comes before a request with this ``variation``; None where nothing is sent."""

    def solo(
        self,
        pair: Pair,
        words: str,
        variation: Mapping[str, Any],
        *,
        named: bool = True,
        standing: bool = True,
        run_up: Sequence[Between] = (),
    ) -> Attempt:
        """One request, after what leads up to it, on a restored scene, with a full look after it.

        ``named``: a DELETE names the association.
        """

    def learnt(self, seen: ObservedState, removed: Mapping[Pair, Exchange]) -> Mapping[Pair, str]:
        """Correct what is known; ``removed`` were answered 204 by these exchanges.

        Returns what was gone and shows again, with the exchange that had removed it.
        """

    def enter(
        self,
        rulings: Iterable[Ruling | None],
        exchange: str = "",
        words: str = "",
        reason: str = "",
        kind: tuple[str, ...] = (),
    ) -> None:
        """Enter what an exchange gives occasion for; ``reason`` says why its own clause is left open."""

    def leave_out(self, case: str, reason: str) -> None:
        """A case is not tried to its end."""

    def met(self, asked: Asked, before: ObservedState) -> None:
        """An answer to this, where that stood, was judged."""

    def halfway(self, asked: Asked, exchange: Exchange) -> None:
        """The answer leaves open whether the removal was made: what is seen then has to be one or the other."""

    def fault_share(self) -> float:
        """An upper bound of the share of faults among plain requests."""

    @property
    def lateness(self) -> Lateness:
        """Whether effects come late here."""

    def quiet(self, blame: Blame = ...) -> bool:
        """Let what is under way have its effect while nothing is sent; whether effects come late here.

        ``blame``: what is ruled of a change, by what was expected and what was seen.
        """

    def evidence(self, pair: Pair) -> tuple[str, ...]:
        """The exchange that made an association."""


def enter(target: ProbeTarget, judged: Judged, reason: str = "") -> None:
    """Enter each ruling under the classes that tell its findings apart; ``reason`` says why its own is left open."""
    asked, exchange = judged.answered.asked, judged.answered.exchange
    left_open = reason or f"{asked.words} was answered {exchange.outcome}"
    for place, ruling in enumerate(judged.rulings):
        unjudged = left_open if place == 0 and judged.left_open else ""
        target.enter([ruling], exchange.id, asked.words, unjudged, judged.kind(ruling))
