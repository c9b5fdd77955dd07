"""Exchanges and states in, rulings out: pure functions, one module a family. Nothing here sends or waits."""

from conformance.judge import (
    codes,
    content,
    deallocation,
    effect,
    faults,
    lasting,
    lifecycle,
    limits,
    methods,
    oracle,
    order,
    refusal,
)
from conformance.judge.attempt import Attempt, Deallocation
from conformance.judge.state import Held, ObservedState, Pair

__all__ = [
    "Attempt",
    "Deallocation",
    "Held",
    "ObservedState",
    "Pair",
    "codes",
    "content",
    "deallocation",
    "effect",
    "faults",
    "lasting",
    "lifecycle",
    "limits",
    "methods",
    "oracle",
    "order",
    "refusal",
]
