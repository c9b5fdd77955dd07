"""Which requests of the space go out together, before one look."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence

from conformance.driver.probed import Asked
from conformance.judge import Pair

GROUP = 40
"""Requests between two looks: so many share the price of one."""


def batch(noun: str, words: Sequence[str]) -> str:
    """What went out together, in words; ``noun`` is what several are called."""
    return words[0] if len(words) == 1 else f"one of {len(words)} {noun}, from {words[0]} to {words[-1]}"


def runs(asked: Sequence[Asked]) -> Iterator[Sequence[Asked]]:
    """Groups, each opened by what associates, once an association: later it would repair a loss before the look."""
    others = [one for one in asked if not one.value.associates]
    runs = [others[start : start + GROUP] for start in range(0, len(others), GROUP)]
    openings: list[dict[Pair, Asked]] = []
    for maker in (one for one in asked if one.value.associates):
        free = next((one for one in openings if maker.pair not in one), None)
        if free is None:
            openings.append(free := {})
        free[maker.pair] = maker
    for opening, rest in itertools.zip_longest(openings, runs, fillvalue=()):
        yield [*(opening.values() if opening else ()), *rest]


def apart(asked: Iterable[Asked], scene: Sequence[Pair]) -> Iterator[list[Asked]]:
    """Groups in which each association is named once, and keeps company on its address and on its server meanwhile.

    What takes the others of the address or of the server along has something to take.
    """
    left = list(asked)
    while left:
        taken: dict[Pair, Asked] = {}
        rest = []
        for one in left:
            named = {*taken, one.pair}
            if one.pair in taken or (taken and not all(_accompanied(pair, scene, named) for pair in named)):
                rest.append(one)
            else:
                taken[one.pair] = one
        yield list(taken.values())
        left = rest


def _accompanied(pair: Pair, scene: Sequence[Pair], named: Collection[Pair]) -> bool:
    """Every kind of neighbour that the association has in the scene has one that is not named."""
    address = [one for one in scene if one.address == pair.address and one != pair]
    server = [one for one in scene if one.server == pair.server and one != pair]
    return all(not near or any(one not in named for one in near) for near in (address, server))
