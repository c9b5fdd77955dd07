"""Rounds of overlapping operations from real parallel connections, recorded and searched for an order.

A barrier releases the callers of a round, each on its own thread and connection; every operation's history entry
runs from its request to its answer by the monotonic clock. What no answer settles stays pending for ever, in later
rounds of the same address too.

When all callers have their answers, the associations and the address are read. Reads may lag behind (spec/README.md,
decision 6), so a read has to show the effects of the round only once they have settled: reads that no order explains
are thrown away and made again until one does, or until patience is over, and the last ones belong to the history.
That is linearizability of the writes, and of reads from the settling time on. Reads under overlap are not made, since
nothing could be held against them. Of a target that is known to lag, refusals get the same time: they are decided on
what is read, too.

A round that cannot be explained is played once more in sequence: what fails there as well is no matter of overlap.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import Any

from conformance import generate
from conformance.driver.named import Topology
from conformance.driver.standing import ALONE, BUDGET, READER, Asked, Did, Standing
from conformance.errors import ProvisioningError, Unjudgeable
from conformance.evidence import Exchange
from conformance.generate import Call, Field, Scene, Step
from conformance.judge.lifecycle import Deviations, in_words
from conformance.judge.order import ACTS, Round
from conformance.model.deviation import Deviation, explaining, relaxed
from conformance.model.explain import Counterexample, explain, timeline
from conformance.model.history import Completion, Operation, timed
from conformance.model.linearize import Model, PartResult, Result, SearchResult, check
from conformance.model.sequential import Choices, address_model

SLOTS = 2
MOST_SERVERS = 4
FIRST_GUESS_SECONDS = 0.008
"""How long an operation is under way, before one was seen."""

WAKING_SECONDS = 0.001
"""Between the barrier and the signal, so that the last caller to wake up is no later than the first."""

BUDGET_TO_EXPLAIN = 20_000
"""The same for a model that may deviate, which is asked a dozen times."""

MOST_UNEXPLAINED = 3
"""Kinds of rounds that no order explains, after which it is known that the target is broken under overlap."""

RENEWALS = {"quick": 1, "standard": 15, "deep": 30}
"""Addresses that may be allocated in the place of de-allocated ones."""


class Overlap:
    """Plays rounds on a topology; every round starts from a state that definite answers have settled.

    Attributes:
        left_out: why no further rounds are played; empty while they are.
    """

    def __init__(self, topology: Topology, *, depth: str, seed: int) -> None:
        self._topology = topology
        self._depth = depth
        self._seed = seed
        self._slots = topology.lease(SLOTS)
        self._servers = list(topology.servers)[:MOST_SERVERS]
        self._callers = [ThreadPoolExecutor(1) for _ in range(generate.MOST_CALLERS)]
        self._warm: set[tuple[int, bool]] = set()
        self._standing = Standing(topology)
        self._lawful = self._standing.model
        self._known: frozenset[Deviation] = frozenset()
        self.left_out = ""
        self.played = 0
        self.overlapped = 0

    def close(self) -> None:
        """Let the callers go, and leave the addresses in a known state."""
        for caller in self._callers:
            caller.shutdown()
        for name in filter(self._topology.alive, self._slots):
            try:
                self._standing.settle(name, {})
            except ProvisioningError:
                self._topology.distrust(name)

    @property
    def tally(self) -> str:
        """How many rounds had real overlap."""
        return f"{self.overlapped} of {self.played} rounds overlapped"

    def rounds(self) -> Iterator[Round]:
        """Every round of the depth; of a kind that no order explains no further one is played."""
        choices = Choices(self._standing.repeated_removal(self._slots[0], self._servers[0]))
        self._lawful = self._standing.model = address_model(choices)
        unexplained: set[str] = set()
        for scene in generate.scenes(self._depth, self._seed, Field(len(self._slots), len(self._servers))):
            if scene.words in unexplained or not self._ready(scene):
                continue
            round_ = self.play(scene)
            self.played += 1
            self.overlapped += round_.overlapped
            if round_.overlapped and round_.explained is not None:
                self._topology.meet_overlap(scene.words)
            yield round_
            if round_.explained is False:
                unexplained |= self._go_on(round_)
                if len(unexplained) > MOST_UNEXPLAINED or not self._recovered(scene):
                    self.left_out = "no order explains those that were played"
                    return

    def _go_on(self, round_: Round) -> set[str]:
        """What explains the round is no disagreement from now on; where nothing does, its kind is played no more."""
        if not round_.deviations:
            return {round_.words}
        self._known |= {Deviation(one) for one in round_.deviations[0]}
        self._standing.model = relaxed(self._lawful, self._known)
        return set()

    def _recovered(self, scene: Scene) -> bool:
        """The addresses of a round that no order explains are in a known state again, so that others can be played."""
        try:
            for slot in scene.slots:
                self._restore(slot, scene)
        except (ProvisioningError, Unjudgeable):
            return False
        return True

    def _ready(self, scene: Scene) -> bool:
        """All addresses in play live: one that is gone is replaced, as long as there are others to be had."""
        try:
            for slot in scene.slots:
                if not self._topology.alive(self._slots[slot]):
                    self._slots[slot] = self._topology.renewed(self._slots[slot])[0]
        except ProvisioningError:
            self._topology.renewals = 0
            return False
        return True

    # -- one round -------------------------------------------------------------------------------------------------

    def play(self, scene: Scene, *, alone: bool = False) -> Round:
        """Set up, let the callers go (or one after the other), read, and search for an order."""
        done = self._set_up(scene)
        met = self._one_by_one(scene) if alone else self._at_once(scene.calls)
        done += met
        done += [self._standing.do(self._asked(step)) for step in scene.then]
        done = self._without_the_late(done)
        result, reads = self._read(scene, done)
        overlapped = _overlap(met)
        if result.verdict is not SearchResult.ILLEGAL:
            self._standing.learn(self._touched(scene), done)
            explained = True if result.verdict is SearchResult.LINEARIZABLE else None
            return Round(scene.words, explained, overlapped)
        in_sequence = not alone and self._fails_alone(scene)
        return self._unexplained(scene.words, result, [*done, *reads], overlapped=overlapped, in_sequence=in_sequence)

    def _set_up(self, scene: Scene) -> list[Did]:
        wanted = {slot: dict.fromkeys(self._servers, False) for slot in scene.slots}
        for slot, server in scene.standing:
            wanted[slot][self._servers[server]] = True
        done: list[Did] = []
        self._standing.arranging.clear()
        for slot, servers in wanted.items():
            self._standing.settle(self._slots[slot], servers)
            done += self._standing.carried(self._slots[slot])
        return done

    def _asked(self, step: Step) -> dict[str, Any]:
        asked: dict[str, Any] = {"f": step.f, "address": self._slots[step.slot]}
        if step.f == "deallocate":
            return {**asked, "by": step.by}
        return {**asked, "server": self._servers[step.server]}

    def _at_once(self, calls: tuple[Call, ...]) -> list[Did]:
        asked = [self._asked(call.step) for call in calls]
        for number, one in enumerate(asked):
            self._topology.intend(one)
            self._warm_up(number, one)
        taken = self._usual_seconds(min(calls, key=lambda call: call.offset).step.f)
        signal: list[float] = []
        barrier = threading.Barrier(len(calls), action=lambda: signal.append(time.monotonic() + WAKING_SECONDS))

        def go(number: int) -> Did:
            barrier.wait()
            time.sleep(max(0.0, signal[0] + calls[number].offset * taken - time.monotonic()))
            return self._standing.do(asked[number], f"caller {number + 1}")

        waiting = [self._callers[number].submit(go, number) for number in range(len(calls))]
        return [one.result() for one in waiting]

    def _usual_seconds(self, f: str) -> float:
        """What an operation of that kind took of late; the median, as a single answer may have been held up."""
        return statistics.median(self._standing.seconds.get(f) or [FIRST_GUESS_SECONDS])

    def _warm_up(self, number: int, asked: Asked) -> None:
        """Open the caller's connection before the signal: opening it would take longer than the windows sought."""
        network = asked["f"] == "deallocate"
        if (number, network) not in self._warm:
            self._warm.add((number, network))
            look = {"f": "show_address", "address": asked["address"]}
            read = look if network else {"f": "list", "server": self._servers[0]}
            self._callers[number].submit(self._topology.perform, read).result()

    def _one_by_one(self, scene: Scene) -> list[Did]:
        return [self._standing.do(self._asked(call.step)) for call in scene.in_order]

    # -- what came of it ----------------------------------------------------------------------------------------------

    def _read(self, scene: Scene, done: list[Did]) -> tuple[Result, list[Did]]:
        """The verdict with the final reads, once these have settled; without them if there is no order already."""
        before = self._searched(done)
        if before.verdict is not SearchResult.LINEARIZABLE:
            return before, []
        looks = list(self._looks(scene))

        def look() -> tuple[Result, list[Did]]:
            reads = [self._standing.read(asked) for asked in looks]
            return self._searched([*done, *reads]), reads

        return self._topology.observer.awaited(look, lambda seen: seen[0].verdict is not SearchResult.ILLEGAL)

    def _without_the_late(self, done: list[Did]) -> list[Did]:
        """What was done, where no order explains it without the refusals that may be late; these are asked again."""
        late = [did for did in done if self._standing.may_be_late(did)]
        if not late or self._explained(done):
            return done
        agreed = [did for did in done if did not in late]
        if not self._explained(agreed):
            return done
        for did in late:
            agreed.append(self._standing.awaited(did.operation.input, lambda later: self._explained([*agreed, later])))
        return agreed

    def _explained(self, done: list[Did]) -> bool:
        return self._searched(done).verdict is not SearchResult.ILLEGAL

    def _touched(self, scene: Scene) -> dict[str, list[str]]:
        return {
            self._slots[slot]: [self._servers[server] for one, server in scene.touched if one == slot]
            for slot in scene.slots
        }

    def _looks(self, scene: Scene) -> Iterator[dict[str, Any]]:
        views = self._topology.observer.views
        if views.listed:
            yield from ({"f": "list", "server": self._servers[one]} for one in sorted({s for _, s in scene.touched}))
        if views.shown:
            for slot, server in scene.touched:
                yield {"f": "show", "address": self._slots[slot], "server": self._servers[server]}
        for slot in sorted({step.slot for step in scene.steps if step.f == "deallocate"}):
            yield {"f": "show_address", "address": self._slots[slot]}

    def _searched(self, done: Iterable[Did], model: Model | None = None, budget: int = BUDGET) -> Result:
        """What the search for an order finds, by what the target is known to do unless another model is given."""
        meant = model or self._standing.model
        operations = [did.operation for did in done]
        result = check(meant, timed(operations), budget)
        lag = self._topology.observer.views.lag_seconds
        if result.verdict is SearchResult.ILLEGAL and lag:
            late = [_decided_late(operation, self._topology.observer.patience) for operation in operations]
            later = check(meant, timed(late), budget)
            return result if later.verdict is SearchResult.ILLEGAL else later
        return result

    def _deviations(self, done: list[Did]) -> Deviations:
        """The sets of deviations with each of which some order explains what was done and read."""

        def accepted(deviations: frozenset[Deviation]) -> bool:
            found = self._searched(done, relaxed(self._lawful, deviations), BUDGET_TO_EXPLAIN)
            return found.verdict is SearchResult.LINEARIZABLE

        return tuple(tuple(sorted(map(str, one))) for one in explaining(accepted))

    # -- a round that no order explains ------------------------------------------------------------------------------

    def _fails_alone(self, scene: Scene) -> bool:
        """The same operations one after the other, from addresses in a known state, cannot be explained either."""
        self._topology.renewals += len(scene.slots)
        try:
            for slot in scene.slots:
                self._restore(slot, scene)
            return self.play(scene, alone=True).explained is False
        except Unjudgeable:
            return False  # then nothing speaks against overlap as the reason

    def _restore(self, slot: int, scene: Scene) -> None:
        """A living address in a known state; one that cannot be brought into it changes places with a spare one.

        Raises:
            ProvisioningError: there is none.
        """
        name = self._slots[slot]
        self._topology.distrust(name)
        if self._topology.alive(name) and not self._topology.cleared(name) and self._topology.alive(name):
            spare = next((one for one in range(len(self._slots)) if one not in scene.slots), None)
            if spare is None or not self._topology.alive(self._slots[spare]):
                raise ProvisioningError(f"{name} cannot be brought into a known state")
            self._slots[slot], self._slots[spare] = self._slots[spare], name
        self._standing.forget(name)
        if not self._topology.alive(self._slots[slot]):
            self._slots[slot] = self._topology.renewed(self._slots[slot])[0]

    def _unexplained(
        self,
        scene: str,
        result: Result,
        done: list[Did],
        *,
        overlapped: bool,
        in_sequence: bool,
    ) -> Round:
        culprit = result.culprit
        assert culprit is not None
        example = _to_show(self._standing.model, culprit, timed(did.operation for did in done))
        cited = {(did.operation.process, did.operation.invoked): did.exchange for did in done}
        found = [cited[one.process, one.invoked_at] for one in example.operations if one.invoked_at is not None]
        answers = [_answer(one, exchange) for one, exchange in zip(example.operations, found, strict=True)]
        words = [in_words(one.input) for one in example.operations]
        story = [
            f"{one.process}: {asked}: {answer}"
            for one, asked, answer in zip(example.operations, words, answers, strict=True)
        ]
        return Round(
            words=scene,
            explained=False,
            overlapped=overlapped,
            in_sequence=in_sequence,
            story=tuple(story),
            stuck=story[example.stuck],
            exchanges=tuple(exchange.id for exchange in sorted(found, key=lambda one: one.started)),
            details={
                "kind": "timeline",
                "timeline": timeline(example).to_json(),
                "words": words,
                "answers": answers,
                "names": self._topology.names,
                ACTS: sorted(
                    {(one.exchange.operation, one.exchange.status or 0) for one in (*done, *self._standing.arranging)}
                ),
            },
            deviations=self._deviations(done),
        )


def _overlap(met: list[Did]) -> bool:
    """Two operations that the target decided about were under way at the same time."""
    spans = sorted((did.exchange.started, did.exchange.finished) for did in met if did.definite)
    return any(later[0] <= earlier[1] for earlier, later in pairwise(spans))


def _to_show(model: Model, culprit: PartResult, everything: Iterable[Operation]) -> Counterexample:
    """The smallest counterexample in which callers overlap: of the address, of all of its round, or of the round.

    What was lost to another caller's write is shown without that write, since it is wrong in any company; but nobody
    would see why it came to be, and nobody could do it again. Of another address, that write has no place in the order.
    """
    smallest = explain(model, culprit, BUDGET)
    if _meet(_callers(smallest.operations)):
        return smallest
    mine = culprit.part.operations
    if _meet(_callers(mine)):
        assert culprit.stuck is not None
        return Counterexample(culprit.part.key, mine, culprit.order, culprit.stuck, 0)
    asked = [one for one in everything if one.process != READER]
    others = {one.input["address"] for one in _callers(asked)} - {one.input.get("address") for one in mine}
    company = [one for one in asked if one.input["address"] in others]
    return replace(smallest, operations=(*smallest.operations, *company))


def _callers(operations: Iterable[Operation]) -> list[Operation]:
    return sorted((one for one in operations if one.process not in {ALONE, READER}), key=lambda one: one.invoked)


def _meet(callers: list[Operation]) -> bool:
    return any(one.returned is None or other.invoked <= one.returned for one, other in pairwise(callers))


def _decided_late(operation: Operation, seconds: float) -> Operation:
    """A refusal may have been decided on what was true up to ``seconds`` before it was asked for."""
    refused = operation.outcome == Completion.FAIL and operation.input["f"] in {"deallocate", "remove"}
    return replace(operation, invoked=operation.invoked - seconds) if refused else operation


def _answer(operation: Operation, exchange: Exchange) -> str:
    """The answer in words, with what a list says of the one address that is in question."""
    output = operation.output
    if not isinstance(output, Mapping) or "listed" not in output:
        return exchange.outcome
    return f"{exchange.outcome}, {'' if output['listed'] else 'not '}listing {operation.input['address']}"
