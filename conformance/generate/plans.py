"""Plans: lives of addresses, step by step, and those that are tried before anything is made up."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Size:
    """How much is sent: generated plans in which all addresses live on, plans with a de-allocation, steps of each."""

    plans: int
    mortal: int
    steps: int


SIZES = {"quick": Size(1, 0, 6), "standard": Size(16, 2, 14), "deep": Size(40, 8, 20)}


def fixed_plans(slots: int, servers: int) -> tuple[Plan, ...]:
    """What is tried before anything is made up: a life with every refusal in it, and a death with what follows."""
    return (closed(_life(min(1, servers - 1)), slots), closed(_death(slots - 1), slots))


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


def closed(plan: Plan, slots: int) -> Plan:
    """The plan and a last look at all that it touched."""
    touched = sorted({step.server for step in plan if step.f in {"associate", "remove"}})
    return (*plan, *(Step("list", server=one) for one in touched), *(Step("show_address", one) for one in range(slots)))
