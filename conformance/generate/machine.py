"""Lives of addresses as a rule-based state machine makes them up.

The machine only plans: its rules write down steps, and know of each address what a conforming target would have
come to. Whoever needs no made-up plan does not import this module, nor Hypothesis with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from conformance.generate import examples
from conformance.generate.plans import HOWS, Plan, Step

Meet = Callable[[Plan], None]


def run(meet: Meet, seed: int, most: int, steps: int, *, slots: int, servers: int, mortal: bool) -> None:
    """Hand ``meet`` a few times more plans than ``most``: some are the same, some come to nothing."""
    named = {"meet": staticmethod(meet), "slots": slots, "servers": servers, "mortal": mortal}
    machine = type("Life", (_Life,), named)
    settings = examples.settings(3 * most, stateful_step_count=steps, phases=(hypothesis.Phase.generate,))
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

    meet: Meet
    slots: int
    servers: int
    mortal: bool

    def __init__(self) -> None:
        super().__init__()
        self.plan: list[Step] = []
        self.planned = [_Planned() for _ in range(self.slots)]
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
        self.meet(tuple(self.plan))


def _chosen(candidates: list[Any], number: int) -> Any:
    return candidates[number % len(candidates)]
