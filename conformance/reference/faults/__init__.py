"""The faults of the reference deployment: what can be wrong, one small hook each, by family of clauses."""

from conformance import contract
from conformance.reference.faults import (  # noqa: F401 - importing a module registers its faults
    access,
    body,
    codes,
    combination,
    company,
    concurrency,
    deallocation,
    dress,
    effect,
    geometry,
    identifier,
    lifecycle,
    limits,
    method,
    mistakes,
    persistence,
    response,
    vacuous,
    views,
    wording,
)
from conformance.reference.faultspace import compose
from conformance.reference.registry import Fault, named, registry


def catalogue() -> tuple[Fault, ...]:
    """Give all faults, in the order in which they are written down."""
    return tuple(registry.faults)


def supporting() -> tuple[Fault, ...]:
    """Give the faults that supporting contracts bring; the suite looks for them only where such a one is asked for."""
    return tuple(fault for one in contract.SUPPORTING.values() for fault in one.faults)


def fault_named(name: str) -> Fault:
    """Give the fault of a name, be it written down or a generated one (``generated-SEED-NUMBER``).

    Raises:
        UnknownNameError: There is none; the message names those that come near.
    """
    return compose.fault(name) or named((*catalogue(), *supporting()), name, "fault")
