"""From then on, and by nothing else: what the looks at the end of a run say (spec/README.md, decision 16)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from conformance.judge import effect
from conformance.judge.expect import broken, kept
from conformance.judge.state import ObservedState, Pair
from conformance.verdict import KINDS, Ruling

CLAUSES = (
    "codes.success",
    "effect.removed",
    "effect.repeat",
    "effect.nothing-else",
    "effect.refusal-is-inert",
    "deallocation.delete-refused",
    "deallocation.put-refused",
    "deallocation.delete-after",
    "deallocation.put-after",
)
"""What the look at the end speaks of."""


def removed(removals: Mapping[Pair, str], seen: ObservedState) -> Iterator[Ruling | None]:
    """``effect.removed``: what was removed (association -> the exchange that did it) is not shown again."""
    for pair, exchange in removals.items():
        yield effect.absent(pair, seen, exchange, rule=effect.SHOWN_AGAIN)


def stayed(clause: str, expected: ObservedState, seen: ObservedState, earlier: tuple[str, ...] = ()) -> Ruling:
    """What was left alone is as it was; ``earlier`` are the requests that may be to blame."""
    changes = expected.differences(seen)
    if not changes:
        return kept(clause, reached=expected.comparable(seen))
    return broken(
        clause,
        effect.LATE,
        summary="something changed that was left alone",
        expected="everything as it was, from then on",
        observed="; ".join(changes),
        exchanges=(*earlier, *seen.exchanges),
        details={KINDS: sorted(expected.kinds(seen))},
    )


def deallocated(clause: str, address: str, exchange: str, seen: ObservedState, *, again: bool = False) -> Ruling | None:
    """``deallocation.*-after``: a de-allocated address is shown by no view; None where none was read.

    Args:
        again: the target was seen to use IDs again, so that what is shown may be another address, of anybody's.
    """
    views = {"its single read": seen.ports, "the list of addresses": seen.tabled}
    told = {view: said[address] for view, said in views.items() if address in said}
    showing = [view for view, held in told.items() if held is not None]
    if not told:
        return None
    if not showing:
        return kept(clause)
    if again:
        return None
    return broken(
        clause,
        "shown again",
        summary=f"a de-allocated address is still shown by {' and '.join(showing)}",
        expected="the address is gone, from then on",
        observed=f"{' and '.join(showing)} shows address {address}",
        exchanges=(exchange, *seen.exchanges),
    )


def part(state: ObservedState, pairs: Collection[Pair] = (), addresses: Collection[str] = ()) -> ObservedState:
    """The state of these associations and addresses alone."""
    return ObservedState(
        {pair: shows for pair, shows in state.listed.items() if pair in pairs},
        {pair: shows for pair, shows in state.shown.items() if pair in pairs},
        {address: held for address, held in state.ports.items() if address in addresses},
        {address: held for address, held in state.tabled.items() if address in addresses},
        state.exchanges,
        {entry: literal for entry, literal in state.literals.items() if entry[1] in pairs},
    )
