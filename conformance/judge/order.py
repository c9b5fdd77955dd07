"""``concurrency.linearizable``: whether some order of overlapping operations explains what was answered and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.judge import lifecycle
from conformance.judge.expect import broken, kept
from conformance.verdict import Ruling

CLAUSE = "concurrency.linearizable"

ACTS = "acts"
"""Among a finding's details: operation and status of all that was done in the round, also of what is not shown."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round of overlapping operations, as it was recorded and searched for an order.

    Attributes:
        words: what met what.
        explained: some order explains it; None when the search was given up (never a pass).
        overlapped: two operations with definite answers were under way at the same time.
        in_sequence: the same operations, one after the other, cannot be explained either.
        story: the smallest counterexample, an operation a line; empty without one.
        stuck: the operation of it that has no place in any order.
        exchanges: identifiers of its exchanges, in order.
        details: what a report draws of it.
        deviations: sets of deviations in words, with each of which the model explains the round.
    """

    words: str
    explained: bool | None
    overlapped: bool
    in_sequence: bool = False
    story: tuple[str, ...] = ()
    stuck: str = ""
    exchanges: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    deviations: lifecycle.Deviations = ()

    @property
    def open(self) -> str:
        """Why nothing follows from it; empty when something does."""
        if self.explained is None:
            return f"{self.words}: the search for an order was given up at its bound"
        if self.explained is False and self.in_sequence:
            return f"{self.words}: the target disagrees with the model in sequence already, without any overlap"
        return "" if self.overlapped else f"{self.words}: the operations did not overlap"


def linearizable(round_: Round) -> Ruling | None:
    """``concurrency.linearizable``: an order explains the round.

    None when nothing overlapped, when the search was given up, or when it is no matter of overlap.
    """
    if round_.explained is False and not round_.in_sequence:
        return _unexplained(
            CLAUSE, round_, f"no order of overlapping operations explains what came of them: {round_.words}"
        )
    return kept(CLAUSE) if round_.explained and round_.overlapped else None


def in_sequence(round_: Round) -> Ruling | None:
    """``lifecycle.model``: the round's operations, one after the other, agree with the model; None if not tried."""
    if round_.explained is False and round_.in_sequence:
        return _unexplained(lifecycle.CLAUSE, round_, f"no model explains a sequence of operations: {round_.words}")
    return None


def _unexplained(clause: str, round_: Round, summary: str) -> Ruling:
    return broken(
        clause,
        lifecycle.told_apart(round_.words, round_.deviations),
        summary=summary,
        expected="an order of the operations, each between its request and its answer, that explains all that was seen",
        observed=f"no place for: {round_.stuck}" if round_.stuck else "no such order",
        exchanges=round_.exchanges,
        details={**round_.details, lifecycle.DEVIATIONS: [list(one) for one in round_.deviations]},
    )
