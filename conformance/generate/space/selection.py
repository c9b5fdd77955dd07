"""Which values a run tries: all kinds at standard, values within a kind in turn, so that seeds differ.

A quick look tries what stands first for each clause in each dimension, and of the other kinds a share in turn.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from conformance.generate.space import addresses, bodies, credentials, fields, methods, queries, servers
from conformance.generate.space.value import Subject, Value
from conformance.judge.oracle import Expected

DEPTHS = ("quick", "standard", "deep")
QUICK_SHARE = 8
MOST_AT_STANDARD = 800
MOST_SUBJECTS = 64
"""Each test asks for those of every association of the scene, which most tests share."""


@lru_cache(MOST_SUBJECTS)
def values(subject: Subject, depth: str, seed: int) -> tuple[Value, ...]:
    """The values of all dimensions that are tried at a depth."""
    found = [
        *addresses.every(subject),
        *servers.every(subject),
        *methods.every(subject),
        *credentials.every(subject),
        *fields.every(subject),
        *queries.every(subject),
        *bodies.every(subject, deep=depth == "deep"),
    ]
    if depth == "deep":
        return tuple(found)
    kinds = _by_kind(found)
    if depth == "quick":
        first = _first_of_each(found)
        kinds = [kind for place, kind in enumerate(kinds) if (place + seed) % QUICK_SHARE == 0 or kind[0] in first]
    return tuple(_chosen(kinds, depth, seed))


@lru_cache(1)
def kinds() -> dict[str, tuple[str, ...]]:
    """Dimension -> every class that a run may try, whatever its depth and seed, of a target that lends all there is."""
    one, *others = (str(UUID(int=number, version=4)) for number in range(1, 12))
    lent = {
        name: (others.pop(),) for name in ("others", "ports", "networks", "idle", "strangers", "foreign", "servers")
    }
    found: dict[str, dict[str, None]] = {}
    for literal in ("192.0.2.1", "2001:db8::1"):
        subject = Subject(one, literal, lent["servers"][0], tenant=others[0], token="0" * 24, **lent)
        for value in values(subject, "deep", 0):
            found.setdefault(value.dimension, {})[value.kind] = None
    return {dimension: tuple(names) for dimension, names in found.items()}


def _first_of_each(found: list[Value]) -> list[Value]:
    """The plainest mistake of a dimension against each clause: the tables have it at their head."""
    first: dict[tuple[str, str], Value] = {}
    for value in found:
        first.setdefault((value.dimension, value.clause), value)
    return list(first.values())


def _by_kind(found: list[Value]) -> list[list[Value]]:
    key = attrgetter("dimension", "kind")
    return [list(group) for _, group in groupby(sorted(found, key=key), key)]


def _chosen(kinds: list[list[Value]], depth: str, seed: int) -> list[Value]:
    """One value of each kind, and at standard second and third ones while there is room, in turn.

    What may remove takes an association of its own, and has no second one.
    """
    chosen = [kind[seed % len(kind)] for kind in kinds]
    room = max(0, MOST_AT_STANDARD - len(chosen)) if depth == "standard" else 0
    several = [kind for kind in kinds if kind[0].expected is not Expected.EITHER]
    most = max(map(len, several))
    further = [[kind[(seed + more) % len(kind)] for kind in several if len(kind) > more] for more in range(1, most)]
    return chosen + [value for values in further for value in _turned(values, seed)][:room]


def _turned(values: list[Value], seed: int) -> list[Value]:
    turn = seed % len(values)
    return values[turn:] + values[:turn]
