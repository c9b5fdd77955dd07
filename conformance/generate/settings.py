"""What a group of requests meets: which associations stand, how new they are, and what is sent between the requests.

A check may depend on all that. So the requests that must change nothing are dealt to several settings, and now and then
something harmless comes before one of them.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import StrEnum

from conformance.judge import Pair

BETWEEN = 0.3
"""How often something else comes before a request."""

ALONE_SHARE = 8
"""Of so many removals that may be granted one is sent once more where nothing else stands."""


class Setting(StrEnum):
    """What stands while a group is sent."""

    ALL = "every association stands"
    ANEW = "those that are named were removed and made anew"
    SOME = "those that are named stand, and half of the others"
    ALONE = "only those that are named stand"


class Between(StrEnum):
    """What comes right before a request, by the caller who may do all unless it says otherwise."""

    LIST = "the list of a server"
    SINGLE = "the single read"
    ADDRESSES = "the list of addresses"
    ADDRESS = "the single read of the address"
    ASSOCIATE = "the association once more"
    STRANGER = "the same removal without a token"
    AGAIN = "the same request"
    REPEAT = "a removal of what does not stand"
    PAUSE = "a moment without any request"


HOW_OFTEN = dict.fromkeys(Between, 2) | {Between.REPEAT: 4, Between.PAUSE: 1}
"""A moment takes longer than all the others."""

HARMLESS = tuple(one for one in Between if one not in {Between.REPEAT, Between.AGAIN})
"""What may come before a removal that is granted."""

IN_PAIRS = 0.5
"""How often it is two things that come before: the second one may be what hides the first, or what it takes."""


def between(draw: random.Random, among: Sequence[Between] = tuple(Between)) -> tuple[Between, ...]:
    """What comes before a request, if something does: one thing, or two."""
    count = 2 if draw.random() < IN_PAIRS else 1
    return tuple(draw.choices(among, [HOW_OFTEN[one] for one in among], k=count))


def settings(depth: str, draw: random.Random) -> Sequence[Setting]:
    """Those that the groups of a test take in turn; with all neighbours first, then with fewer."""
    if depth == "quick":
        return (Setting.ALL,)
    crowded, sparse = draw.sample([Setting.ALL, Setting.ANEW], 2), draw.sample([Setting.SOME, Setting.ALONE], 2)
    return (*crowded, *sparse) if depth == "deep" else (crowded[0], sparse[0])


def absent(setting: Setting, scene: Sequence[Pair], named: Collection[Pair], draw: random.Random) -> list[Pair]:
    """Those of the scene that must not stand."""
    others = [pair for pair in scene if pair not in named]
    if setting is Setting.ALONE:
        return others
    return draw.sample(others, len(others) // 2) if setting is Setting.SOME else []


def dealt(scene: Sequence[Pair], most: int = 4) -> list[frozenset[Pair]]:
    """The associations in shares, in each as few of an address and of a server as possible."""
    addresses, servers = (
        list(dict.fromkeys(pair.address for pair in scene)),
        list(dict.fromkeys(pair.server for pair in scene)),
    )
    shares: dict[int, set[Pair]] = {}
    for pair in scene:
        number = (addresses.index(pair.address) + servers.index(pair.server)) % len(servers) % most
        shares.setdefault(number, set()).add(pair)
    return [frozenset(share) for share in shares.values()]


def sharing_nothing(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    """In groups of which no two have an address or a server in common."""
    left = list(pairs)
    while left:
        taken: list[Pair] = []
        for pair in left:
            if all(pair.address != one.address and pair.server != one.server for one in taken):
                taken.append(pair)
        yield taken
        left = [pair for pair in left if pair not in taken]
