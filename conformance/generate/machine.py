"""Whole lives of addresses as a rule-based state machine makes them up, each distinct one sent once.

The machine only plans: its rules write down steps, and know of each address what a conforming target would have
come to. A plan that is complete is handed to whoever can send it (``take``). So Hypothesis may run a machine as
often as it likes; a plan that was met before is not sent again. For the same reason it does not shrink here: its
replays would reach a target whose addresses have lived on. A plan that fails is shortened by leaving steps out, at
most :data:`MOST_ATTEMPTS_TO_SHRINK` further times and for :data:`LONGEST_SHRINK_SECONDS`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import hypothesis
from hypothesis import Phase, Verbosity
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from conformance.judge.lifecycle import Walk

MOST_ATTEMPTS_TO_SHRINK = 25
LONGEST_SHRINK_SECONDS = 20.0

HOWS = ("DELETE", "PUT")


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a plan; ``slot`` and ``server`` count the addresses and servers that the plan is run with.

    ``f`` is an operation of :mod:`conformance.model.sequential`; a step ``allocate`` puts a new address in the place
    of the slot's de-allocated one.
    """

    f: str
    slot: int = 0
    server: int = 0
    by: str = ""


Plan = tuple[Step, ...]
Take = Callable[[Plan], Walk]


@dataclass(frozen=True, slots=True)
class Size:
    """How much is sent: generated plans in which all addresses live on, plans with a de-allocation, steps of each."""

    plans: int
    mortal: int
    steps: int


SIZES = {"quick": Size(1, 0, 6), "standard": Size(7, 2, 10), "deep": Size(40, 8, 20)}


def walks(take: Take, seed: int, size: Size, *, slots: int, servers: int) -> Iterator[Walk]:
    """Walk through the fixed plans and the generated ones; the first that fails is shortened, and ends it."""
    for plan in fixed_plans(slots, servers):
        walk = take(plan)
        yield walk
        if walk.broken:
            yield from shortened(plan, walk, take)
            return
    yield from _generated(take, seed, size, slots, servers)


def fixed_plans(slots: int, servers: int) -> tuple[Plan, ...]:
    """What is tried before anything is made up: a life with every refusal in it, and a death with what follows."""
    return (_closed(_life(min(1, servers - 1)), slots), _closed(_death(slots - 1), slots))


def _life(other: int) -> Plan:
    return (
        Step("associate"),
        Step("associate"),
        Step("remove"),
        Step("list"),
        Step("remove"),
        Step("associate"),
        Step("show"),
        Step("deallocate", by="PUT"),
        Step("associate", server=other),
        Step("deallocate", by="DELETE"),
        Step("remove", server=other),
        Step("remove"),
    )


def _death(neighbour: int) -> Plan:
    return (
        Step("associate", neighbour),
        Step("associate"),
        Step("remove"),
        *([Step("remove", neighbour)] if neighbour == 0 else []),
        Step("deallocate", by="PUT"),
        Step("associate"),
        Step("remove"),
        Step("deallocate", by="DELETE"),
        Step("show_address"),
        Step("list"),
    )


def _closed(plan: Plan, slots: int) -> Plan:
    """The plan and a last look at all that it touched."""
    touched = sorted({step.server for step in plan if step.f in {"associate", "remove"}})
    return (*plan, *(Step("list", server=one) for one in touched), *(Step("show_address", one) for one in range(slots)))


def _generated(take: Take, seed: int, size: Size, slots: int, servers: int) -> Iterator[Walk]:
    for mortal, most in ((False, size.plans), (True, size.mortal)):
        met = _Met(take, slots, most)
        if most:
            _run(met, seed, most, size.steps, servers, mortal=mortal)
        yield from met.walks
        if met.obstacle:
            raise met.obstacle
        if met.walks and met.walks[-1].broken:
            yield from shortened(met.last, met.walks[-1], take)
            return


@dataclass(slots=True)
class _Met:
    """The plans that were sent; once one has failed, or something stood in the way, no more are."""

    take: Take
    slots: int
    most: int
    walks: list[Walk] = field(default_factory=list)
    known: set[Plan] = field(default_factory=set)
    last: Plan = ()
    obstacle: Exception | None = None

    def meet(self, plan: Plan) -> None:
        """Send a complete plan, unless it is known, or comes to nothing, or enough were sent."""
        whole = _closed(plan, self.slots)
        over = self.obstacle or len(self.walks) >= self.most or (self.walks and self.walks[-1].broken)
        if over or whole in self.known or all(step.f != "associate" for step in plan):
            return
        self.known.add(whole)
        self.last = whole
        try:
            self.walks.append(self.take(whole))
        except Exception as error:  # noqa: BLE001  # raised again outside of Hypothesis, which would replay it
            self.obstacle = error


def _run(met: _Met, seed: int, most: int, steps: int, servers: int, *, mortal: bool) -> None:
    machine = type("Life", (_Life,), {"met": met, "servers": servers, "mortal": mortal})
    settings = hypothesis.settings(
        max_examples=3 * most,  # some are the same, some come to nothing
        stateful_step_count=steps,
        phases=(Phase.generate,),
        database=None,
        deadline=None,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    run_state_machine_as_test(hypothesis.seed(seed)(machine), settings=settings)


@dataclass(slots=True)
class _Planned:
    """What a conforming target has come to with one address."""

    live: bool = True
    servers: set[int] = field(default_factory=set)


_NUMBER = st.integers(0, 11)
"""Chooses among the candidates of a rule; small numbers are divided evenly among up to four of them."""


class _Life(RuleBasedStateMachine):
    """Plans the lives of some addresses; at most one of them ends in a plan, since an address is dear."""

    met: _Met
    servers: int
    mortal: bool

    def __init__(self) -> None:
        super().__init__()
        self.plan: list[Step] = []
        self.planned = [_Planned() for _ in range(self.met.slots)]
        self.dead = False

    def pairs(self, *, standing: bool) -> list[tuple[int, int]]:
        """Live addresses with servers that they are, or are not, associated with."""
        return [
            (slot, server)
            for slot, one in enumerate(self.planned)
            for server in range(self.servers)
            if one.live and (server in one.servers) is standing
        ]

    def held(self) -> list[int]:
        """Live addresses with an association."""
        return [slot for slot, one in enumerate(self.planned) if one.live and one.servers]

    def free(self) -> list[int]:
        """Live addresses without one."""
        return [slot for slot, one in enumerate(self.planned) if one.live and not one.servers]

    def gone(self) -> list[int]:
        """De-allocated addresses."""
        return [slot for slot, one in enumerate(self.planned) if not one.live]

    def write(self, f: str, slot: int, server: int = 0, by: str = "") -> None:
        """Put a step into the plan."""
        self.plan.append(Step(f, slot, server, by))

    @precondition(lambda self: self.pairs(standing=False))
    @rule(number=_NUMBER)
    def associate(self, number: int) -> None:
        slot, server = _chosen(self.pairs(standing=False), number)
        self.planned[slot].servers.add(server)
        self.write("associate", slot, server)

    @precondition(lambda self: self.pairs(standing=True))
    @rule(number=_NUMBER)
    def associate_again(self, number: int) -> None:
        self.write("associate", *_chosen(self.pairs(standing=True), number))

    @precondition(lambda self: self.pairs(standing=True))
    @rule(number=_NUMBER)
    def remove(self, number: int) -> None:
        slot, server = _chosen(self.pairs(standing=True), number)
        self.planned[slot].servers.discard(server)
        self.write("remove", slot, server)

    @precondition(lambda self: self.plan and self.pairs(standing=False))
    @rule(number=_NUMBER)
    def remove_what_is_not_there(self, number: int) -> None:
        self.write("remove", *_chosen(self.pairs(standing=False), number))

    @precondition(lambda self: self.held())
    @rule(number=_NUMBER, by=st.sampled_from(HOWS))
    def deallocate_in_vain(self, number: int, by: str) -> None:
        self.write("deallocate", _chosen(self.held(), number), by=by)

    @precondition(lambda self: self.mortal and self.plan and not self.dead and self.free())
    @rule(number=_NUMBER, by=st.sampled_from(HOWS))
    def deallocate(self, number: int, by: str) -> None:
        slot = _chosen(self.free(), number)
        self.planned[slot].live, self.dead = False, True
        self.write("deallocate", slot, by=by)

    @precondition(lambda self: self.gone())
    @rule(number=_NUMBER, f=st.sampled_from(["associate", "remove", "show_address", "deallocate", "allocate"]))
    def use_after_deallocation(self, number: int, f: str) -> None:
        slot = _chosen(self.gone(), number)
        self.planned[slot].live = f == "allocate"
        self.write(f, slot, number % self.servers, by="DELETE" if f == "deallocate" else "")

    @precondition(lambda self: self.plan)
    @rule(number=_NUMBER, f=st.sampled_from(["list", "show", "show_address"]))
    def look(self, number: int, f: str) -> None:
        self.write(f, number % len(self.planned), number % self.servers)

    def teardown(self) -> None:
        """The plan is complete; one that was to end a life and did not ends one now."""
        if self.mortal and not self.dead:
            for server in sorted(self.planned[0].servers):
                self.write("remove", 0, server)
            self.write("deallocate", 0, by="DELETE")
        self.met.meet(tuple(self.plan))


def _chosen(candidates: list[Any], number: int) -> Any:
    return candidates[number % len(candidates)]


def shortened(plan: Plan, failed: Walk, take: Take) -> Iterator[Walk]:
    """Leave out steps while the plan still fails in the same way; yields each walk that does, the shortest last.

    What changed nothing goes first, all at once; then halves, and ever smaller parts.
    """
    give_up = time.monotonic() + LONGEST_SHRINK_SECONDS
    kept = plan[: failed.steps]
    parts = _parts(failed)
    for _ in range(MOST_ATTEMPTS_TO_SHRINK):
        dropped = next((part for part in parts if part & set(range(len(kept) - 1))), None)
        if dropped is None or time.monotonic() > give_up:
            return
        candidate = tuple(step for number, step in enumerate(kept) if number not in dropped or number == len(kept) - 1)
        walk = take(candidate)
        if walk.broken and walk.rule == failed.rule:
            kept = candidate[: walk.steps]
            parts = _slices(len(kept), min(len(dropped), len(kept) // 2))
            yield walk
        if walk.open:
            return


def _parts(failed: Walk) -> Iterator[frozenset[int]]:
    """What to leave out of a walk, the most promising first."""
    yield frozenset(range(failed.steps - 1)) - failed.effects
    yield from _slices(failed.steps, failed.steps // 2)


def _slices(length: int, size: int) -> Iterator[frozenset[int]]:
    """Parts of all steps but the last, from the end, by halves down to single steps."""
    while size:
        for end in range(length - 1, 0, -size):
            yield frozenset(range(max(0, end - size), end))
        size //= 2
