"""A deployment that misbehaves on the occasions of a trigger, at once, later, or in what it shows."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import ClassVar

from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.faultspace.misbehaviours import Misbehaviour
from conformance.reference.faultspace.occasion import Occasion, PastRequest, RequestHistory, Role, role_of
from conformance.reference.faultspace.triggers import Trigger
from conformance.reference.store import Association, DeploymentState, StoredAddress

Change = Callable[[DeploymentState], DeploymentState]


class Composed(Deployment):
    """Processes a request as the contract says unless its trigger holds; then its misbehaviour does.

    ``clock`` and ``sleep`` are replaced where time is only played.
    """

    trigger: ClassVar[Trigger]
    misbehaviour: ClassVar[Misbehaviour]

    def start(self) -> None:
        super().start()
        self.clock: Callable[[], float] = time.monotonic
        self.sleep: Callable[[float], None] = time.sleep
        self.remember(self.clock())

    def remember(self, now: float) -> None:
        """Begin to keep things in mind."""
        self.history, self.fired, self.met = RequestHistory(now, self.store.callers), 0, self.store.state
        self.views: list[tuple[Association, frozenset[str], Change]] = []
        self._due: list[tuple[float, int, Change]] = []
        self._numbers, self._booking = itertools.count(), threading.Lock()

    def process(self, request: ReceivedRequest) -> Answer:
        self.catch_up()
        before, found = self.store.state, role_of(self, request)
        with self.history.during(request) as overlapping:
            code = 500
            try:
                answer = self._processed(request, overlapping)
                code = answer.code
            except Refusal as refusal:
                code = refusal.code
                raise
            finally:
                self._note(request, found[0] if found else None, code, before)
        return answer

    def _processed(self, request: ReceivedRequest, overlapping: list[ReceivedRequest]) -> Answer:
        if self.trigger.family == "overlap" and self._role(request):
            self.sleep(self.trigger.window)
        address = self._role(request)
        if address is None:
            return self.lawful(request)
        with self._booking:
            self.history.numbers[self.misbehaviour.role] += 1
            occasion = self._occasion(request, address, overlapping)
        if not self.trigger.holds(occasion):
            return self.lawful(request)
        self.fired += 1
        self.met = occasion.state
        return self.misbehaviour.act(self, occasion)

    def _role(self, request: ReceivedRequest) -> StoredAddress | None:
        """Give the address that a request is about if it has the role of the misbehaviour."""
        found = role_of(self, request)
        return found[1] if found and found[0] is self.misbehaviour.role else None

    def _occasion(
        self, request: ReceivedRequest, address: StoredAddress, overlapping: list[ReceivedRequest]
    ) -> Occasion:
        role = self.misbehaviour.role
        number, server = self.history.numbers[role], request.path.server
        now, others = self.clock(), tuple(overlapping)
        return Occasion(request, role, self.store.state, address, server, now, number, self.history, others)

    def lawful(self, request: ReceivedRequest) -> Answer:
        """Process a request as the contract says."""
        return super().process(request)

    def _note(self, request: ReceivedRequest, role: Role | None, code: int, before: DeploymentState) -> None:
        path = request.path
        caller = self.store.callers.get(request.token or "")
        event = PastRequest(self.clock(), role, request.method, path.resource, path.address, path.server, caller, code)
        with self._booking:
            self.history.note(event, before, self.store.state)

    # What misbehaviours use.

    def later(self, seconds: float, change: Change) -> None:
        """Make a change with the first request that comes after this time."""
        heapq.heappush(self._due, (self.clock() + seconds, next(self._numbers), change))

    def catch_up(self) -> None:
        """Make the changes that are due."""
        with self.store.lock:
            while self._due and self._due[0][0] <= self.clock():
                self.update(heapq.heappop(self._due)[2])

    def show(self, association: Association, resources: frozenset[str], change: Change) -> None:
        """Show these resources otherwise from now on, until the pair is associated anew."""
        self.views.append((association, resources, change))

    def view(self, request: ReceivedRequest) -> DeploymentState:
        state = super().view(request)
        for _, resources, change in self.views:
            if request.path.resource in resources:
                state = change(state)
        return state

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        super().connect(request, association)
        self.views = [view for view in self.views if view[0] != association]
