"""Faults that only several processes on one file have: what each of them does alone is right.

They are no part of the catalogue, whose deployments have one process.
"""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest
from conformance.reference.registry import Registry
from conformance.reference.store import Association, DeploymentState, StoredAddress

WINDOW_SECONDS = 0.03
CACHED_SECONDS = 20.0

registry = Registry()


@registry.breaks("concurrency.linearizable")
class TheLockIsOfTheProcess(Deployment):
    """A change is guarded by a lock of its process and is no transaction: another process's change is overwritten."""

    def start(self) -> None:
        self.own = threading.RLock()

    def exclusive(self, _what: str) -> AbstractContextManager[Any]:
        return self.own

    def update(self, change: Callable[[DeploymentState], DeploymentState]) -> None:
        with self.own:
            state = self.store.state
            time.sleep(WINDOW_SECONDS)
            self.store.state = change(state)


@registry.breaks("effect.removed")
class ReadsAreCached(Deployment):
    """An association that a process has read stays in its reads for twenty seconds, whoever else removes it.

    Each answer ends its connection, so that the next request may be the other process's.
    """

    def finish(self, _request: ReceivedRequest, answer: Answer) -> Answer:
        return replace(answer, headers=(*answer.headers, ("Connection", "close")))

    def start(self) -> None:
        self.cached: dict[Association, float] = {}

    def view(self, _request: ReceivedRequest) -> DeploymentState:
        state, now = self.store.state, time.monotonic()
        stale = [each for each, ends in list(self.cached.items()) if ends > now and each not in state.associations]
        self.cached.update(dict.fromkeys(state.associations, now + CACHED_SECONDS))
        return replace(state, associations=(*state.associations, *stale))

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        self.cached.pop(association, None)


@registry.breaks("concurrency.linearizable")
class TheGuardIsOutsideTheTransaction(Deployment):
    """Whether an address is free is asked before the transaction that de-allocates it begins."""

    def deallocate(self, request: ReceivedRequest) -> StoredAddress:
        address = self.find_address(request, self.store.state)
        self.check_free(request, address, self.store.state)
        time.sleep(WINDOW_SECONDS)
        with self.exclusive("deallocate"):
            self.release(request, address)
        return address
