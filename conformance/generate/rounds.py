"""Rounds of overlapping operations: who calls what, and how long after the signal.

Most rounds leave the address alive on a conforming target, since an address is dear: de-allocation meets a removal
while another association stands, or an association that has a head start. The rest (:attr:`Scene.mortal`) costs an
address each. Offsets are biased to overlap: a check-then-act has its window some milliseconds after its request, so
the other caller comes exactly together with it, or a little later.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from conformance.generate.plans import Step

LEAST_LEAD, LONGEST_LEAD = 0.1, 0.7
TOGETHER = 0.25
"""The share of rounds in which nobody has a head start."""

WAYS = ("DELETE", "PUT")
BOTH_WAYS, HALFWAY = 0.7, 0.7
"""How often two de-allocations differ in their way, and how often one comes when a removal is under way."""

MOST_CALLERS = 8
FEWEST_IN_A_MIXTURE = 5


@dataclass(frozen=True, slots=True)
class Call:
    """One caller's operation; ``offset`` is when, after the signal, as a share of what the first operation takes."""

    step: Step
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Scene:
    """One round.

    Attributes:
        words: what meets what; the same words for all rounds of the kind.
        standing: the associations (slot, server) that stand when the signal is given, of the slots in play.
        calls: one a caller.
        then: what is asked in sequence when all have been answered.
        mortal: it costs the address on most conforming targets.
    """

    words: str
    standing: tuple[tuple[int, int], ...]
    calls: tuple[Call, ...]
    then: tuple[Step, ...] = ()
    mortal: bool = False

    @property
    def steps(self) -> tuple[Step, ...]:
        """All operations of the round, in the order in which they are sent."""
        return (*(call.step for call in self.in_order), *self.then)

    @property
    def in_order(self) -> tuple[Call, ...]:
        """The calls, the first one first."""
        return tuple(sorted(self.calls, key=lambda call: call.offset))

    @property
    def slots(self) -> tuple[int, ...]:
        """The slots in play."""
        return tuple(sorted({step.slot for step in self.steps} | {slot for slot, _ in self.standing}))

    @property
    def touched(self) -> tuple[tuple[int, int], ...]:
        """Every association that the round sets up or names."""
        named = {(step.slot, step.server) for step in self.steps if step.f in {"associate", "remove"}}
        return tuple(sorted({*self.standing, *named}))


@dataclass(frozen=True, slots=True)
class Field:
    """How many addresses and servers there are to play with."""

    slots: int
    servers: int

    def pairs(self) -> tuple[tuple[int, int], tuple[int, int] | None]:
        """Two associations, of the same address if there are two servers; None if there is only one."""
        other = (0, 1) if self.servers > 1 else (1, 0) if self.slots > 1 else None
        return (0, 0), other


Make = Callable[[random.Random, Field], Scene | None]


def removals_of_one(dice: random.Random, _field: Field) -> Scene:
    """Two callers, or three, remove the same association."""
    callers = dice.choice((2, 2, 3))
    return Scene("remove x remove", ((0, 0),), _meeting(dice, *[Step("remove")] * callers))


def removals_of_two(dice: random.Random, field: Field) -> Scene | None:
    """Two callers remove different associations, of one address where there are servers for it."""
    (slot, server), other = field.pairs()
    if other is None:
        return None
    steps = Step("remove", slot, server), Step("remove", *other)
    return Scene("remove x remove of another", ((slot, server), other), _meeting(dice, *steps))


def removals_of_one_server(dice: random.Random, field: Field) -> Scene | None:
    """Two callers remove different addresses from one server: a list written back whole loses one."""
    if field.slots < 2:
        return None
    server = dice.randrange(field.servers)
    steps = Step("remove", 0, server), Step("remove", 1, server)
    return Scene("remove x remove of another address", ((0, server), (1, server)), _meeting(dice, *steps))


def removals_apart(dice: random.Random, field: Field) -> Scene | None:
    """Two callers remove associations that share neither address nor server."""
    if field.slots < 2 or field.servers < 2:
        return None
    steps = Step("remove", 0, 0), Step("remove", 1, 1)
    return Scene("remove x remove, nothing shared", ((0, 0), (1, 1)), _meeting(dice, *steps))


def repetition_beside_removal(dice: random.Random, field: Field) -> Scene | None:
    """What does not stand is removed while another address is removed from the same server."""
    if field.slots < 2:
        return None
    server = dice.randrange(field.servers)
    calls = _meeting(dice, Step("remove", 0, server), Step("remove", 1, server))
    return Scene("remove what is absent x remove of another address", ((1, server),), _swapped(dice, calls))


def association_meets_removal_of_one_server(dice: random.Random, field: Field) -> Scene | None:
    """One address is associated with a server while another is removed from it."""
    if field.slots < 2:
        return None
    server = dice.randrange(field.servers)
    steps = Step("associate", 1, server), Step("remove", 0, server)
    words = "associate x remove of another address"
    return Scene(words, ((0, server),), _swapped(dice, _meeting(dice, *steps)))


def associations_of_one_server(dice: random.Random, field: Field) -> Scene | None:
    """Two addresses are associated with one server at once; both stand afterwards."""
    if field.slots < 2:
        return None
    server = dice.randrange(field.servers)
    return Scene(
        "associate x associate of another address",
        (),
        _meeting(dice, Step("associate", 0, server), Step("associate", 1, server)),
    )


def deallocation_beside_removal(dice: random.Random, field: Field) -> Scene | None:
    """One address is de-allocated, in vain, while another is removed from the same server."""
    if field.slots < 2:
        return None
    calls = _meeting(dice, Step("remove", 1, 0), _deallocation(dice, 0))
    return Scene("remove x de-allocate of another address", ((0, 0), (1, 0)), _swapped(dice, calls))


def deallocation_beside_others(dice: random.Random, field: Field) -> Scene | None:
    """One address is de-allocated while another, on the same server, comes or goes: each has its own effect."""
    if field.slots < 2:
        return None
    step = dice.choice((Step("remove", 1, 0), Step("associate", 1, 0)))
    calls = _swapped(dice, _meeting(dice, _deallocation(dice, 0), step))
    standing = ((1, 0),) if step.f == "remove" else ()
    return Scene(f"de-allocate x {step.f} of another address", standing, calls, mortal=True)


def associations_of_one(dice: random.Random, _field: Field) -> Scene:
    """Two callers make the same association; one removal then removes it."""
    step = Step("associate")
    return Scene("associate x associate, then remove", (), _meeting(dice, step, step), (Step("remove"),))


def association_meets_removal(dice: random.Random, field: Field) -> Scene | None:
    """One association is made while another is removed."""
    removed, made = field.pairs()
    if made is None:
        return None
    steps = Step("associate", *made), Step("remove", *removed)
    return Scene("associate x remove of another", (removed,), _meeting(dice, *steps))


def removal_under_another(dice: random.Random, field: Field) -> Scene | None:
    """De-allocation meets the removal of one of two associations: it is refused in any order."""
    if field.servers < 2:
        return None
    calls = _meeting(dice, Step("remove"), _deallocation(dice))
    return Scene("remove x de-allocate, another stands", ((0, 0), (0, 1)), _swapped(dice, calls))


def association_before_deallocation(dice: random.Random, _field: Field) -> Scene:
    """An association has a head start before a de-allocation, which is then refused."""
    calls = _leading(dice, Step("associate"), _deallocation(dice))
    return Scene("associate x de-allocate", (), calls)


def deallocation_before_association(dice: random.Random, field: Field) -> Scene:
    """A de-allocation has a head start before an association."""
    slot = dice.randrange(field.slots)
    calls = _leading(dice, _deallocation(dice, slot), Step("associate", slot))
    return Scene("de-allocate x associate", (), calls, mortal=True)


def removal_of_the_last(dice: random.Random, field: Field) -> Scene:
    """De-allocation meets the removal of the only association, most often when that is under way."""
    slot = dice.randrange(field.slots)
    steps = Step("remove", slot), _deallocation(dice, slot)
    calls = _leading(dice, *steps) if dice.random() < HALFWAY else _swapped(dice, _meeting(dice, *steps))
    return Scene("remove the last x de-allocate", ((slot, 0),), calls, mortal=True)


def two_deallocations(dice: random.Random, field: Field) -> Scene:
    """Two de-allocations of one address, by both ways more often than by the same."""
    slot = dice.randrange(field.slots)
    ways = dice.sample(WAYS, 2) if dice.random() < BOTH_WAYS else [dice.choice(WAYS)] * 2
    calls = _meeting(dice, *(Step("deallocate", slot, by=way) for way in ways))
    return Scene("de-allocate x de-allocate", (), calls, mortal=True)


def mixture(dice: random.Random, field: Field) -> Scene:
    """Five callers or more on all addresses; where there are servers for it, one association protects each."""
    guarded = field.servers > 1
    free = range(1 if guarded else 0, field.servers)
    pairs = [(slot, server) for slot in range(field.slots) for server in free]
    standing = [(slot, 0) for slot in range(field.slots) if guarded]
    standing += [pair for pair in pairs if dice.random() < 0.5]
    kinds = ["associate", "remove", "remove", "deallocate"] if guarded else ["associate", "remove"]
    calls = []
    for _ in range(dice.randint(FEWEST_IN_A_MIXTURE, MOST_CALLERS)):
        f, (slot, server) = dice.choice(kinds), dice.choice(pairs)
        step = _deallocation(dice, slot) if f == "deallocate" else Step(f, slot, server)
        calls.append(Call(step, dice.uniform(0, LONGEST_LEAD)))
    return Scene("a mixture", tuple(standing), tuple(calls))


PROGRAMMES: Mapping[str, tuple[tuple[Make, int], ...]] = {
    "quick": (
        (removals_of_one, 1),
        (removals_of_two, 1),
        (removals_of_one_server, 2),
        (associations_of_one, 1),
        (association_meets_removal, 1),
        (association_before_deallocation, 1),
        (deallocation_before_association, 1),
    ),
    "standard": (
        (removals_of_one, 4),
        (removals_of_two, 4),
        (removals_of_one_server, 4),
        (removals_apart, 1),
        (repetition_beside_removal, 1),
        (associations_of_one_server, 3),
        (association_meets_removal_of_one_server, 4),
        (deallocation_beside_removal, 2),
        (associations_of_one, 3),
        (association_meets_removal, 5),
        (removal_under_another, 3),
        (association_before_deallocation, 5),
        (mixture, 4),
        (deallocation_before_association, 4),
        (two_deallocations, 5),
        (deallocation_beside_others, 2),
        (removal_of_the_last, 6),
    ),
    "deep": (
        (removals_of_one, 15),
        (removals_of_two, 15),
        (removals_of_one_server, 15),
        (removals_apart, 8),
        (repetition_beside_removal, 8),
        (associations_of_one_server, 12),
        (association_meets_removal_of_one_server, 15),
        (deallocation_beside_removal, 8),
        (associations_of_one, 15),
        (association_meets_removal, 20),
        (removal_under_another, 15),
        (association_before_deallocation, 20),
        (mixture, 30),
        (deallocation_before_association, 8),
        (two_deallocations, 8),
        (deallocation_beside_others, 6),
        (removal_of_the_last, 10),
    ),
}
"""Depth -> kinds of rounds and how many of each, the cheap ones first."""


def scenes(depth: str, seed: int, field: Field) -> Iterator[Scene]:
    """The rounds of a depth; kinds that need more servers than there are, are left out."""
    dice = random.Random(seed)
    for make, count in PROGRAMMES[depth]:
        made = (make(dice, field) for _ in range(count))
        yield from (scene for scene in made if scene is not None)


def _deallocation(dice: random.Random, slot: int = 0) -> Step:
    return Step("deallocate", slot, by=dice.choice(WAYS))


def _meeting(dice: random.Random, *steps: Step) -> tuple[Call, ...]:
    """All at once, or each a little later than the one before."""
    return tuple(Call(step) for step in steps) if dice.random() < TOGETHER else _leading(dice, *steps)


def _leading(dice: random.Random, *steps: Step) -> tuple[Call, ...]:
    """Each a little later than the one before, all within the longest lead."""
    share = max(1, len(steps) - 1)
    lead = dice.uniform(LEAST_LEAD, LONGEST_LEAD) / share
    return tuple(Call(step, number * lead) for number, step in enumerate(steps))


def _swapped(dice: random.Random, calls: tuple[Call, ...]) -> tuple[Call, ...]:
    """The same with the offsets of the first two exchanged, half of the time."""
    if dice.random() < 0.5:
        return calls
    first, second = calls
    return (Call(first.step, second.offset), Call(second.step, first.offset))
