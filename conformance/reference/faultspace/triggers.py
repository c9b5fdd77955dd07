"""When a deployment misbehaves: predicates over request, state, history, time, order and overlap.

Half are features that somebody could think of (the last association, IPv6, what came before). The others are a space's
own: bytes, counts, times and hashes that hold for a share of a class and that no list of cases can name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from conformance.reference.faultspace.occasion import Occasion, Role, digest

Predicate = Callable[[Occasion], bool]
SHARES = (0.02, 0.03, 0.05, 0.1, 0.2, 0.35, 0.5)
"""How much of its class a hash holds for: what is rarer than the first is no fault of a class but an accident."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """A predicate in words.

    Attributes:
        own: it is a predicate of the space's own.
        stable: the same request meets it each time.
        window: seconds that every request of the role waits before it is processed, so that others can overlap: what
            a service on a network takes at least, and a deployment in memory never does.
    """

    name: str
    family: str
    holds: Predicate
    own: bool = False
    stable: bool = False
    window: float = 0.0


@dataclass(frozen=True, slots=True)
class TriggerKind:
    """A sort of trigger: it is made of numbers that are drawn, for requests of some roles."""

    family: str
    make: Callable[[Random], tuple[str, Predicate]]
    roles: frozenset[Role] = frozenset(Role)
    own: bool = False
    stable: bool = False

    def draw(self, draw: Random) -> Trigger:
        """Draw a trigger of this kind."""
        name, holds = self.make(draw)
        window = draw.choice((0.02, 0.05)) if self.family == "overlap" else 0.0
        words = f"{name}, each waiting {window} s" if window else name
        return Trigger(words, self.family, holds, self.own, self.stable, window)


Value = Callable[[Occasion], str]
Measure = Callable[[Occasion], float]


def hashed(what: str, value: Value, shares: tuple[float, ...] = SHARES) -> Callable[[Random], tuple[str, Predicate]]:
    """Make predicates that hold for a share of the values, whichever these are."""

    def make(draw: Random) -> tuple[str, Predicate]:
        share, salt = draw.choice(shares), str(draw.getrandbits(32))
        return f"{what} is one of {share:.0%}", lambda seen: digest(salt, value(seen)) % 1000 < share * 1000

    return make


def remainder(what: str, measure: Measure, most: int) -> Callable[[Random], tuple[str, Predicate]]:
    """Make predicates that hold where a number leaves a remainder."""

    def make(draw: Random) -> tuple[str, Predicate]:
        divisor = draw.randint(2, most)
        left = draw.randrange(divisor)
        return f"{what} modulo {divisor} is {left}", lambda seen: int(measure(seen)) % divisor == left

    return make


def beyond(what: str, measure: Measure, *bounds: float) -> Callable[[Random], tuple[str, Predicate]]:
    """Make predicates that hold on one side of a bound."""

    def make(draw: Random) -> tuple[str, Predicate]:
        bound = draw.choice(bounds)
        if draw.random() < 0.5:
            return f"{what} is over {bound}", lambda seen: measure(seen) > bound
        return f"{what} is at most {bound}", lambda seen: measure(seen) <= bound

    return make


def over(what: str, measure: Measure, *bounds: float) -> Callable[[Random], tuple[str, Predicate]]:
    """Make predicates that hold above a bound."""

    def make(draw: Random) -> tuple[str, Predicate]:
        bound = draw.choice(bounds)
        return f"{what} is over {bound}", lambda seen: measure(seen) > bound

    return make


def among(
    condition: Predicate, kind: Callable[[Random], tuple[str, Predicate]]
) -> Callable[[Random], tuple[str, Predicate]]:
    """Make the predicates of another kind, which hold only where a condition does."""

    def make(draw: Random) -> tuple[str, Predicate]:
        name, holds = kind(draw)
        return name, lambda seen: condition(seen) and holds(seen)

    return make


def one_of(predicates: Mapping[str, Predicate]) -> Callable[[Random], tuple[str, Predicate]]:
    """Make one of these predicates."""

    def make(draw: Random) -> tuple[str, Predicate]:
        name = draw.choice(sorted(predicates))
        return name, predicates[name]

    return make
