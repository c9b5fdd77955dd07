"""Histories made by simulation: overlapping callers of an object that is correct, or wrong in one way.

Each operation takes effect at one point between its two events, so what a correct object answers is linearizable by
construction. Nothing here knows the checker.
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from conformance.model.history import UNSAID, Completion, Operation

SERVERS = ("s1", "s2", "s3")
Answered = tuple[Completion, Any]


class Register:
    """A register that keeps its word."""

    def __init__(self) -> None:
        self.value: Any = None

    def ask(self, random: Random) -> dict[str, Any]:
        """A random request."""
        f = random.choice(("read", "write", "cas"))
        if f == "read":
            return {"f": f}
        return {"f": f, "value": random.randrange(3) if f == "write" else [random.randrange(3), random.randrange(3)]}

    def apply(self, asked: dict[str, Any]) -> Answered:
        """Take effect, and answer."""
        if asked["f"] == "read":
            return Completion.OK, self.value
        if asked["f"] == "write":
            self.value = asked["value"]
            return Completion.OK, UNSAID
        old, new = asked["value"]
        if self.value != old:
            return Completion.FAIL, UNSAID
        self.value = new
        return Completion.OK, UNSAID


class Writer(Register):
    """A register that is only written to, each time another value."""

    def ask(self, random: Random) -> dict[str, Any]:
        """A write that is unlike all others."""
        return {"f": "write", "value": random.getrandbits(48)}


class SimulatedDeployment:
    """The API, refusing a repeated removal or answering 204 to it."""

    def __init__(self, *, ids: int = 1, repeats: int = 204, life: float = 0.05) -> None:
        self.servers: dict[str, set[str]] = {f"a{number}": set() for number in range(ids)}
        self.ids, self.repeats, self.life = list(self.servers), repeats, life

    def ask(self, random: Random) -> dict[str, Any]:
        """A random request; ``life`` is how often an address is to be de-allocated."""
        id_, server = random.choice(self.ids), random.choice(SERVERS)
        if random.random() < self.life:
            return {"f": "deallocate", "address": id_, "by": random.choice(("DELETE", "PUT"))}
        f = random.choice(("associate", "remove", "remove", "show", "list", "show_address"))
        asked = {"f": f, "server": server, "address": id_}
        if f == "list":
            del asked["address"]
        if f == "show_address":
            del asked["server"]
        return asked

    def apply(self, asked: dict[str, Any]) -> Answered:
        """Take effect, and answer."""
        status, body = self._applied(asked)
        return Completion.OK if status < 300 else Completion.FAIL, {"status": status} | body

    def _applied(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if asked["f"] == "list":
            return 200, {"addresses": [id_ for id_, held in self.servers.items() if asked["server"] in held]}
        held = self.servers.get(asked["address"])
        if held is None:
            return 404, {}
        if asked["f"] == "deallocate":
            if held:
                return 409, {}
            del self.servers[asked["address"]]
            return 204, {}
        return self._on_live(asked["f"], held, asked.get("server", "")), {}

    def _on_live(self, f: str, held: set[str], server: str) -> int:
        if f == "associate":
            held.add(server)
            return 201
        if f == "remove":
            status = 204 if server in held else self.repeats
            held.discard(server)
            return status
        return 200 if f == "show_address" or server in held else 404


def overlapping(
    subject: Register | SimulatedDeployment,
    random: Random,
    *,
    operations: int,
    callers: int,
    lost: float = 0.0,
    idle: float = 0.0,
) -> list[Operation]:
    """A history of that many operations; ``lost`` is the share without an answer, ``idle`` how often callers rest.

    A round gives every caller that is not at rest one step: ask, take effect, or answer. Without rest all callers
    have an operation open nearly all the time.
    """
    made: list[Operation] = []
    open_: dict[int, tuple[int, Answered | None]] = {}
    clock = 0
    while len(made) < operations or open_:
        caller = random.randrange(callers)
        clock += 1
        if caller not in open_:
            if len(made) < operations and random.random() >= idle:
                made.append(Operation(caller, subject.ask(random), UNSAID, Completion.UNKNOWN, clock, None))
                open_[caller] = (len(made) - 1, None)
            continue
        number, answered = open_[caller]
        if answered is None and (random.random() >= lost / 2 or lost == 0):
            open_[caller] = (number, subject.apply(made[number].input))
            continue
        del open_[caller]
        if answered is not None and random.random() >= lost / 2:
            outcome, output = answered
            made[number] = replace(made[number], outcome=outcome, output=output, returned=clock)
    return made


def disturbed(history: list[Operation], random: Random, redo: Callable[[Operation], Operation]) -> list[Operation]:
    """The history with one answer changed: often, but not always, no order explains it any more."""
    changed = list(history)
    answered = [number for number, operation in enumerate(history) if not operation.pending]
    if answered:
        number = random.choice(answered)
        changed[number] = redo(history[number])
    return changed


def other_value(random: Random) -> Callable[[Operation], Operation]:
    """Changes what a register answered."""

    def redo(operation: Operation) -> Operation:
        if operation.input["f"] == "read":
            return replace(operation, output=random.choice((None, 0, 1, 2)))
        return replace(operation, outcome=Completion.FAIL if operation.outcome == Completion.OK else Completion.OK)

    return redo


def other_status(random: Random) -> Callable[[Operation], Operation]:
    """Changes what a deployment answered."""

    def redo(operation: Operation) -> Operation:
        if operation.input["f"] == "list":
            return replace(operation, output={"status": 200, "addresses": random.choice(([], ["a0"]))})
        if operation.outcome == Completion.OK:
            return replace(operation, outcome=Completion.FAIL, output={"status": 409})
        return replace(operation, outcome=Completion.OK, output={"status": 200})

    return redo
