"""Whether a client could tell a fault: played with full knowledge of it and without a moment of waiting.

A random client who knows every step plays until the fault happens. A lawful deployment in the state that the request
met gets the same request; then both are looked at, in every view, once everything has had its time. What differs then
is a witness; where none is found, the fault is nothing that a client could notice.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from conformance.reference.app import COMPUTE, NETWORK, Deployment, Rules
from conformance.reference.exchange import Answer
from conformance.reference.faultspace.compose import Composition
from conformance.reference.faultspace.deployment import Composed
from conformance.reference.faultspace.occasion import Role, known_as
from conformance.reference.faultspace.wishes import Wish, Wishes
from conformance.reference.store import DeploymentState, Store, Tokens

SIDES = frozenset({COMPUTE, NETWORK})
PAUSES = (0.0005, 0.004, 0.02, 0.1, 0.5, 2.5)
LOOKS = (2.0, 4.0)  # seconds after one another: longer than effects may take, then later than anything comes
SETTLED = 1.6  # seconds: a refusal of a de-allocation sooner after a removal may be a guard that learns late
STEPS, TRIES = 400, 12


@dataclass(frozen=True, slots=True)
class Witness:
    """How a client can tell: after so many steps, by this request, in this respect."""

    steps: int
    request: str
    shown: str


class Play:
    """One random client and one deployment with a fault, on a clock of their own."""

    def __init__(self, composition: Composition, number: int) -> None:
        self.draw = Random(f"{composition.name}/{number}")
        self.now, self.nested = self.draw.uniform(0, 1000), False
        self.role = composition.misbehaviour.role
        self.deployment = self._played(composition)
        self.wishes = Wishes(self.deployment, self.draw)

    def _played(self, composition: Composition) -> Composed:
        names = (self.draw.randbytes(16).hex() for _ in range(3))
        deployment = composition.hook()(Store(Tokens(*names)), Rules())
        assert isinstance(deployment, Composed)
        deployment.clock, deployment.sleep = lambda: self.now, self._meanwhile
        deployment.remember(self.now)
        return deployment

    def _meanwhile(self, seconds: float) -> None:
        """Other requests come and end while one waits."""
        if self.nested:
            return
        self.nested = True
        try:
            for _ in range(self.draw.randrange(4)):
                self._send(self.wishes.anything())
            self.now += seconds
        finally:
            self.nested = False

    def _send(self, wish: Wish | None) -> Answer | None:
        return self.deployment.answer(wish.request(), SIDES) if wish else None

    def run(self) -> Iterator[tuple[int, Wish, Answer]]:
        """Play; give every step at which the fault happened."""
        wish: Wish | None = None
        for step in range(STEPS):
            self.now += self.draw.choice(PAUSES) * self.draw.uniform(0.5, 1.5)
            wish = self._next(wish)
            before = self.deployment.fired
            answer = self._send(wish)
            if wish and answer and self.deployment.fired > before:
                yield step, wish, answer

    def _next(self, last: Wish | None) -> Wish | None:
        """Choose what comes: often what the fault is about, now and then the same once more."""
        chance = self.draw.random()
        if chance < 0.1:
            return last
        return self.wishes.of_role(self.role) if chance < 0.45 else self.wishes.anything()

    def judged(self, wish: Wish, answer: Answer) -> str:
        """Tell in which respect the fault shows, empty if in none."""
        if self.role is Role.FREEING and answer.code >= 400 and self._guard_may_be_late(wish):
            return ""
        twin = lawful_twin(self.deployment, self.deployment.met)
        due = twin.answer(wish.request(), SIDES)
        if told(answer) != told(due):
            return f"answered {told(answer)} instead of {told(due)}"
        for seconds in LOOKS:
            self.now += seconds
            seen, rightly = look(self.deployment, self.wishes), look(twin, self.wishes)
            wrong = [path for path, shown in seen.items() if shown != rightly[path]]
            if wrong:
                return f"{wrong[0]} shows {seen[wrong[0]]} instead of {rightly[wrong[0]]}"
        return ""

    def _guard_may_be_late(self, wish: Wish) -> bool:
        address = known_as(self.deployment.store, wish.path.rpartition("/")[2])
        removed = self.deployment.history.removed.items()
        return any(
            address is not None and pair.address == address.id and self.now - when < SETTLED for pair, when in removed
        )


def lawful_twin(deployment: Deployment, state: DeploymentState) -> Deployment:
    """Give a deployment without fault that knows the same and is in this state."""
    store = copy.copy(deployment.store)
    store.state = state
    return Deployment(store, deployment.rules)


def told(answer: Answer) -> tuple[int, bool, bool]:
    """Give what of an answer the contract speaks of: code, content, and whether methods are named."""
    return answer.code, answer.code == 204 and bool(answer.payload), any(name == "Allow" for name, _ in answer.headers)


def look(deployment: Deployment, wishes: Wishes) -> dict[str, Any]:
    """Read every view of the tenant's things."""
    token, recent = wishes.token(), list(deployment.store.known)[-8:]
    paths = ["/v2.0/ip_addresses", *(f"/v2.0/ip_addresses/{each}" for each in recent)]
    paths += [wishes.path(server, each) for server in wishes.servers for each in recent]
    paths += [f"/v2/servers/{server}/ip_associations" for server in wishes.servers]
    return {path: _shown(deployment.answer(Wish("GET", path, token).request(), SIDES)) for path in paths}


def _shown(answer: Answer) -> Any:
    if answer.code != 200:
        return "nothing"
    entries = next(iter(answer.document.values()))
    return sorted(map(repr, entries)) if isinstance(entries, list) else repr(entries)


def witness(composition: Composition, tries: int = TRIES) -> Witness | None:
    """Look for a way to tell the fault; ``None`` if so many plays show none."""
    for number in range(tries):
        play = Play(composition, number)
        for step, wish, answer in play.run():
            shown = play.judged(wish, answer)
            if shown:
                return Witness(step, f"{wish.method} {wish.path}", shown)
    return None
