"""Races: correct in sequence, wrong when two callers meet within a window of some milliseconds.

A window of 0 is no pause at all, only an invitation to switch threads; whether such a fault is met is luck.
"""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.registry import breaks
from conformance.reference.store import Association, DeploymentState, StoredAddress

CLAUSE = "concurrency.linearizable"
WIDE_SECONDS = 0.02
CHANCE = "who wins in so short a time is chance"
"""Why a reproduction may not meet a race whose window is no wider than that."""


def race(name: str, words: str, *, window: float, step: str) -> None:
    """Register a check-then-act of one step: what it relies on may change for ``window`` seconds."""

    class Race(Deployment):
        def exclusive(self, what: str) -> AbstractContextManager[Any]:
            return nullcontext() if what == step else super().exclusive(what)

        def pause(self, what: str) -> None:
            if what == step:
                time.sleep(window)

    milliseconds = round(window * 1000)
    Race.__name__ = f"{name}{milliseconds}Ms"
    Race.__doc__ = f"{words}, within {milliseconds} ms."
    breaks(CLAUSE, certain=window > 0, fleeting=CHANCE if window < WIDE_SECONDS else "")(Race)


def lost_update(*, window: float) -> None:
    """Register a read-modify-write of the associations that nothing protects for ``window`` seconds."""

    class LostUpdate(Deployment):
        def exclusive(self, what: str) -> AbstractContextManager[Any]:
            return nullcontext() if what == "remove" else super().exclusive(what)

        def dissociate(self, _request: ReceivedRequest, association: Association) -> None:
            read = self.store.state
            time.sleep(window)
            left = read.without_association(association).associations
            self.update(lambda state: replace(state, associations=left))

    milliseconds = round(window * 1000)
    LostUpdate.__name__ = f"LostUpdate{milliseconds}Ms"
    LostUpdate.__doc__ = f"Of two removals that overlap within {milliseconds} ms one is undone by the other."
    breaks(CLAUSE, certain=window > 0, fleeting=CHANCE if window < WIDE_SECONDS else "")(LostUpdate)


def resurrection(*, window: float) -> None:
    """Register an association that writes back what it read ``window`` seconds before."""

    class Resurrection(Deployment):
        def exclusive(self, what: str) -> AbstractContextManager[Any]:
            return nullcontext() if what == "associate" else super().exclusive(what)

        def connect(self, _request: ReceivedRequest, association: Association) -> None:
            read = self.store.state
            time.sleep(window)
            written = read.with_association(association).associations
            self.update(lambda state: replace(state, associations=written))

    milliseconds = round(window * 1000)
    Resurrection.__name__ = f"Resurrection{milliseconds}Ms"
    Resurrection.__doc__ = f"Associating brings back what is removed meanwhile, within {milliseconds} ms."
    breaks(CLAUSE, certain=window > 0, fleeting=CHANCE if window < WIDE_SECONDS else "")(Resurrection)


for seconds in (0.0, 0.01, 0.03):
    race(
        "DeallocationRace",
        "An address may be associated between the check and the act of its de-allocation",
        window=seconds,
        step="deallocate",
    )
    race(
        "AssociationRace",
        "An address may be de-allocated between the check and the act of its association",
        window=seconds,
        step="associate",
    )
    race("TwoWinners", "Two removals of one association both succeed", window=seconds, step="remove")
    lost_update(window=seconds)
    resurrection(window=seconds)


@breaks(CLAUSE)
class DoubleDeallocation(Deployment):
    """Two de-allocations of one address within 20 ms both succeed."""

    def exclusive(self, what: str) -> AbstractContextManager[Any]:
        return nullcontext() if what == "deallocate" else super().exclusive(what)

    def release(self, request: ReceivedRequest, address: StoredAddress) -> None:
        time.sleep(0.02)
        with self.store.lock:
            self.check_free(request, address, self.store.state)
            super().release(request, address)


@breaks(CLAUSE)
class DuplicateAssociation(Deployment):
    """Two associations of one pair within 20 ms are kept twice, and a removal removes one of them."""

    def exclusive(self, what: str) -> AbstractContextManager[Any]:
        return nullcontext() if what == "associate" else super().exclusive(what)

    def connect(self, _request: ReceivedRequest, association: Association) -> None:
        if association in self.store.state.associations:
            return
        time.sleep(0.02)
        self.update(lambda state: replace(state, associations=(*state.associations, association)))

    def dissociate(self, _request: ReceivedRequest, association: Association) -> None:
        self.update(remove_one(association))


@breaks(CLAUSE)
class LateResurrection(Deployment):
    """Of two overlapping removals of one association, the one that loses makes it again 20 ms later."""

    def start(self) -> None:
        super().start()
        self.going: set[Association] = set()

    def remove(self, request: ReceivedRequest) -> Answer:
        asked = Association(request.path.address.lower(), request.path.server)
        met = asked in self.going
        self.going.add(asked)
        try:
            time.sleep(0.02)
            return super().remove(request)
        except Refusal:
            if met and asked.address in self.store.state.addresses:
                self.update(lambda state: state.with_association(asked))
            raise
        finally:
            self.going.discard(asked)


def remove_one(association: Association) -> Callable[[DeploymentState], DeploymentState]:
    """Give the change that removes an association once, however often it is there."""

    def change(state: DeploymentState) -> DeploymentState:
        left = list(state.associations)
        if association in left:
            left.remove(association)
        return replace(state, associations=tuple(left))

    return change
