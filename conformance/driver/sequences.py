"""Walks sequences of operations on the target and in the model, side by side (``lifecycle.model``).

The model may be in several states: an answer that was lost or a server fault leaves the outcome open, and both stay
possible. Such an operation is repeated as a step of its own until its answer is definite, and that answer is what
tells the states apart; a read is not used for it, since reads may lag (spec/README.md, decision 6). A read that the
model does not allow is awaited to become one that it does, for as long as effects may take to settle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from conformance import generate
from conformance.client import again_after, halting
from conformance.driver.named import Topology
from conformance.errors import ProvisioningError, Unjudgeable
from conformance.evidence import Exchange
from conformance.generate import Plan, Step
from conformance.judge.lifecycle import PlayedSequence, Taken, in_words
from conformance.model.deviation import Deviation, explaining, possible
from conformance.model.sequential import EffectKind, Stage, State, allowed, read_answer

SLOTS = 2
MOST_SERVERS = 3
RENEWALS = {"quick": 1, "standard": 4, "deep": 12}
"""Addresses that may be allocated in the place of de-allocated ones, shortening included."""

TRIES = 5
READS = frozenset({"list", "show", "show_address"})


class Walker:
    """Runs plans on a topology; every plan starts from bare addresses.

    Attributes:
        left_out: why no further plans are walked; empty while they are.
    """

    def __init__(self, topology: Topology, *, depth: str, seed: int) -> None:
        self._topology = topology
        self._seed = seed
        self._size = generate.SIZES[depth]
        self._renewals = RENEWALS[depth]
        self._slots = topology.lease(SLOTS)
        self._earlier: Counter[str] = Counter()
        self._known: frozenset[Deviation] = frozenset()
        self.left_out = ""

    def walks(self) -> Iterator[PlayedSequence]:
        """Every sequence that the depth asks for, as it was walked; a broken one is shortened."""
        servers = min(MOST_SERVERS, len(self._topology.servers))
        return generate.walks(self, self._seed, self._size, slots=len(self._slots), servers=servers)

    def go_on(self, walk: PlayedSequence) -> bool:
        """What explains the walk is no disagreement from now on; False where nothing does."""
        self._known |= {Deviation(one) for one in next(iter(walk.deviations), ())}
        self._topology.renewals += self._renewals  # what deviates may cost an address a plan
        if not walk.deviations:
            self.left_out = "they would disagree with the model in the same way"
        return bool(walk.deviations)

    def take(self, plan: Plan) -> PlayedSequence:
        """Walk one plan, to its end or to the first step that the model does not allow."""
        try:
            self._slots = [self._living(name) for name in self._slots]
        except ProvisioningError as error:
            return PlayedSequence((), 0, open=error.message)
        earlier = sum(self._earlier[name] for name in self._slots)
        course = _Course(self._topology, list(self._slots), earlier, self._known)
        course.run(plan)
        self._slots = course.slots
        self._earlier.update(dict.fromkeys(self._slots, len(course.taken)))
        return course.walk()

    def _living(self, name: str) -> str:
        return self._topology.bare(name) if self._topology.alive(name) else self._topology.renewed(name)[0]


class _Course:
    """One walk: the states that the model may be in, and the steps taken so far."""

    def __init__(self, topology: Topology, slots: list[str], earlier: int, known: frozenset[Deviation]) -> None:
        self._topology = topology
        self.slots = slots
        self._known = known
        self._told: list[tuple[Mapping[str, Any], Any]] = []
        self._earlier = earlier
        addresses = sorted((name, topology.modelled(name)) for name in slots)
        self._states = self._before = frozenset({State(tuple(addresses))})
        self.taken: list[Taken] = []
        self._steps = 0
        self._open = ""

    def walk(self) -> PlayedSequence:
        """What came of it."""
        names = self._topology.names
        initial = _shown(self._before)
        explained = explaining(self._accepted) if self.taken and not self.taken[-1].agrees else ()
        deviations = tuple(tuple(sorted(map(str, one))) for one in explained)
        return PlayedSequence(tuple(self.taken), self._steps, names, self._earlier, self._open, initial, deviations)

    def _accepted(self, deviations: frozenset[Deviation]) -> bool:
        """Whether the model allows all answers, if the target may deviate in these ways."""
        states = self._before
        for asked, told in self._told:
            states = possible(states, asked, told, deviations)
        return bool(states)

    def run(self, plan: Plan) -> None:
        """Take the steps, and learn what stands on the topology afterwards."""
        for step in plan:
            self._steps += 1
            try:
                self._allocate(step) if step.f == "allocate" else self._step(self._asked(step))
            except ProvisioningError as error:
                self._open = error.message
            if self._open or not self.taken[-1].agrees:
                break
        self._learn()

    def _asked(self, step: Step) -> dict[str, Any]:
        address, server = self.slots[step.slot], list(self._topology.servers)[step.server]
        match step.f:
            case "list":
                return {"f": step.f, "server": server}
            case "show_address":
                return {"f": step.f, "address": address}
            case "deallocate":
                return {"f": step.f, "address": address, "by": step.by}
            case _:
                return {"f": step.f, "server": server, "address": address}

    def _step(self, asked: Mapping[str, Any]) -> None:
        """Ask until the answer is definite; each time it is asked is a step of the sequence."""
        for attempt in range(TRIES):
            exchange, told = self._answered(asked)
            if not self._enter(asked, exchange, told) or _definite(told):
                return
            if asked["f"] in READS and told is None and exchange.status == 200:
                return  # an answer that cannot be read says nothing, and would not say more the next time
            halting.pause(again_after(exchange, attempt))
        self._open = f"{in_words(asked)} was answered {exchange.outcome}, {TRIES} times"

    def _answered(self, asked: Mapping[str, Any]) -> tuple[Exchange, Any]:
        """The answer; one that may only be late is awaited to become one that the model allows."""
        observer = self._topology.observer
        answer = self._topology.perform(asked)
        refused = read_answer(answer[1]).kind is EffectKind.REFUSED
        late = asked["f"] in READS or (
            refused and (observer.views.lag_seconds > 0 or self._topology.may_be_late(asked, answer[0]))
        )
        if self._fits(asked, answer[1]) or not late:
            return answer
        return observer.awaited(lambda: self._topology.perform(asked), lambda seen: self._fits(asked, seen[1]))

    def _fits(self, asked: Mapping[str, Any], told: Any) -> bool:
        return bool(possible(self._states, asked, told, self._known))

    def _enter(self, asked: Mapping[str, Any], exchange: Exchange, told: Any) -> bool:
        """Take the step down; whether the model allows it."""
        self._told.append((asked, told))
        after = possible(self._states, asked, told, self._known)
        words = allowed(self._states, asked)
        said = exchange.outcome + _content(told)
        changed = asked["f"] not in READS and read_answer(told).kind is EffectKind.SUCCESS
        step = self._steps - 1
        if asked["f"] not in READS or self._known:
            self._states = after or self._states
        states = _shown(self._states)
        self.taken.append(
            Taken(
                asked["f"],
                in_words(asked),
                words,
                said,
                bool(after),
                exchange.id,
                step,
                changed,
                states,
                asked.get("address", ""),
                asked.get("by", ""),
            )
        )
        return bool(after)

    def _allocate(self, step: Step) -> None:
        """A new address in the slot of one that is gone; where none is gone there is nothing to do."""
        old = self.slots[step.slot]
        if any(state.address(old).stage is not Stage.GONE for state in self._states):
            return
        self._step({"f": "show_address", "address": old})
        if self._open or not self.taken[-1].agrees:
            return  # it is not gone, and must not be forgotten
        self._topology.lost(old)
        fresh, exchange = self._topology.renewed(old)
        self.slots[step.slot] = fresh
        asked = {"f": "allocate", "ports": self._topology.asked_ports(fresh)}
        told = {"status": exchange.status or 201, "address": fresh, **self._topology.shown_ports(fresh)}
        self._enter(asked, exchange, told)

    def _learn(self) -> None:
        """What stands now: what the model says if all agreed, else what can be seen once all is removed."""
        sound = not self._open and (not self.taken or self.taken[-1].agrees) and len(self._states) == 1
        for name in filter(self._topology.alive, self.slots):
            if sound:
                self._believe(name)
            else:
                self._restore(name)

    def _believe(self, name: str) -> None:
        (state,) = self._states
        if state.address(name).stage is Stage.GONE:
            self._topology.lost(name)
        else:
            self._topology.associated[name] = set(state.address(name).servers)

    def _restore(self, name: str) -> None:
        self._topology.distrust(name)
        try:
            restored = self._topology.cleared(name)
        except Unjudgeable as error:
            self._open = self._open or str(error)
            return
        if not restored and self._topology.alive(name):
            self._open = self._open or f"{name} could not be brought back into a known state"


def _shown(states: frozenset[State]) -> tuple[dict[str, list[str] | None], ...]:
    """The states that the target may be in: address -> its servers; None for one that is de-allocated."""
    return tuple(
        {name: None if one.stage is Stage.GONE else sorted(one.servers) for name, one in state.addresses}
        for state in sorted(states, key=repr)
    )


def _definite(told: Any) -> bool:
    return read_answer(told).kind in {EffectKind.SUCCESS, EffectKind.REFUSED}


def _content(told: Any) -> str:
    """What a read showed, in words; nothing for other answers."""
    if not isinstance(told, Mapping):
        return ""
    if "addresses" in told:
        return f", listing {', '.join(sorted(told['addresses'])) or 'none'} of the known addresses"
    return f", with the ports {', '.join(told['ports'])}" if "ports" in told else ""
