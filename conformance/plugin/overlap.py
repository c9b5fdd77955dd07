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
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal

from conformance import generate
from conformance.client import again_after, passing
from conformance.errors import ProvisioningError, Unjudgeable
from conformance.evidence import Exchange
from conformance.generate import Call, Field, Scene, Step
from conformance.judge.lifecycle import in_words
from conformance.judge.order import Round
from conformance.model.explain import explain, timeline
from conformance.model.history import Operation, Outcome, timed
from conformance.model.linearize import Model, Result, Verdict, check
from conformance.model.sequential import Choices, Kind, address_model, outcome, read_answer
from conformance.plugin.ground import Ground

SLOTS = 2
MOST_SERVERS = 4
TRIES = 6
BUDGET = 200_000
"""Configurations that a search may enter; a round of eight callers needs some hundreds."""

FIRST_GUESS_SECONDS = 0.008
"""How long an operation is under way, before one was seen."""

WAKING_SECONDS = 0.001
"""Between the barrier and the signal, so that the last caller to wake up is no later than the first."""

RENEWALS = {"quick": 1, "standard": 8, "deep": 20}
"""Addresses that may be allocated in the place of de-allocated ones."""

ALONE, READER = "in sequence", "final reads"
Asked = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Did:
    """One operation as it was carried out, and the exchange that did."""

    operation: Operation
    exchange: Exchange

    @property
    def kind(self) -> Kind:
        """What the answer says of the effect."""
        return read_answer(self.operation.answer).kind

    @property
    def definite(self) -> bool:
        """The target decided about it, and said how."""
        return self.kind in {Kind.SUCCESS, Kind.REFUSED}


class Overlap:
    """Plays rounds on a ground; every round starts from a state that definite answers have settled."""

    def __init__(self, ground: Ground, *, depth: str, seed: int) -> None:
        self._ground = ground
        self._depth = depth
        self._seed = seed
        self._slots = ground.lease(SLOTS)
        self._servers = list(ground.servers)[:MOST_SERVERS]
        self._callers = [ThreadPoolExecutor(1) for _ in range(generate.MOST_CALLERS)]
        self._warm: set[tuple[int, bool]] = set()
        self._carried: dict[str, list[Did]] = {}
        self._unsettled: dict[str, set[str]] = {}
        self._seconds: dict[str, deque[float]] = {}
        self._model: Model = address_model()
        self.played = 0
        self.overlapped = 0

    def close(self) -> None:
        """Let the callers go, and leave the addresses in a known state."""
        for caller in self._callers:
            caller.shutdown()
        for name in filter(self._ground.alive, self._slots):
            try:
                self._settle(name, {})
            except ProvisioningError:
                self._ground.distrust(name)

    @property
    def tally(self) -> str:
        """How many rounds had real overlap."""
        return f"{self.overlapped} of {self.played} rounds overlapped"

    def rounds(self) -> Iterator[Round]:
        """Every round of the depth; the first that no order explains is the last."""
        self._model = address_model(Choices(self._repeated_removal()))
        for scene in generate.scenes(self._depth, self._seed, Field(len(self._slots), len(self._servers))):
            if not self._ready(scene):
                continue
            round_ = self.play(scene)
            self.played += 1
            self.overlapped += round_.overlapped
            yield round_
            if round_.explained is False:
                return

    def _ready(self, scene: Scene) -> bool:
        """All addresses in play live: one that is gone is replaced, as long as there are others to be had."""
        try:
            for slot in scene.slots:
                if not self._ground.alive(self._slots[slot]):
                    self._slots[slot] = self._ground.renewed(self._slots[slot])[0]
        except ProvisioningError:
            self._ground.renewals = 0
            return False
        return True

    def _repeated_removal(self) -> Literal["204", "refused", "either"]:
        """What the target answers in sequence when it removes a removed association: it is bound to that."""
        name, server = self._slots[0], self._servers[0]
        self._settle(name, {server: True})
        self._settle(name, {server: False})
        repeated = self._insist({"f": "remove", "server": server, "address": name})
        return "204" if repeated.kind is Kind.SUCCESS else "refused" if repeated.kind is Kind.REFUSED else "either"

    # -- one round -------------------------------------------------------------------------------------------------

    def play(self, scene: Scene, *, alone: bool = False) -> Round:
        """Set up, let the callers go (or one after the other), read, and search for an order."""
        done = self._set_up(scene)
        met = self._one_by_one(scene) if alone else self._at_once(scene.calls)
        done += met
        done += [self._do(self._asked(step)) for step in scene.then]
        result, reads = self._read(scene, done)
        self._learn(scene, done)
        overlapped = _overlap(met)
        if result.verdict is not Verdict.ILLEGAL:
            explained = True if result.verdict is Verdict.LINEARIZABLE else None
            return Round(scene.words, explained, overlapped)
        in_sequence = not alone and self._fails_alone(scene)
        return self._unexplained(scene.words, result, [*done, *reads], overlapped, in_sequence=in_sequence)

    def _set_up(self, scene: Scene) -> list[Did]:
        wanted = {slot: dict.fromkeys(self._servers, False) for slot in scene.slots}
        for slot, server in scene.standing:
            wanted[slot][self._servers[server]] = True
        done: list[Did] = []
        for slot, servers in wanted.items():
            self._settle(self._slots[slot], servers)
            done += self._carried.get(self._slots[slot], [])
        return done

    def _settle(self, name: str, wanted: Mapping[str, bool]) -> None:
        """Bring an address into the wanted state; what an answer left open is settled by another request.

        Raises:
            ProvisioningError: it cannot be done.
        """
        unsettled = self._unsettled.setdefault(name, set())
        for server in sorted(unsettled | wanted.keys()):
            want = wanted.get(server, False)
            stands = server in self._ground.associated[name]
            if server in unsettled or stands is not want:
                self._associate(name, server) if want else self._remove(name, server)
                unsettled.discard(server)

    def _associate(self, name: str, server: str) -> None:
        did = self._insist({"f": "associate", "server": server, "address": name})
        if did.kind is not Kind.SUCCESS:
            raise ProvisioningError(f"an association could not be made: PUT answered {did.exchange.outcome}")
        self._ground.associated[name].add(server)
        self._carry(name, did)

    def _remove(self, name: str, server: str) -> None:
        did = self._insist({"f": "remove", "server": server, "address": name})
        if not did.definite:
            raise ProvisioningError(f"an association could not be removed: DELETE answered {did.exchange.outcome}")
        self._ground.associated[name].discard(server)
        self._carried[name] = [one for one in self._carried.get(name, []) if not _establishes(one, server)]

    def _carry(self, name: str, did: Did) -> None:
        server = did.operation.input.get("server", "")
        kept = [one for one in self._carried.get(name, []) if not _establishes(one, server)]
        self._carried[name] = [*kept, did]

    def _insist(self, asked: Asked) -> Did:
        """Ask until the answer is definite; what the earlier answers left open may yet take effect."""
        for attempt in range(TRIES):
            did = self._do(asked)
            if did.definite:
                break
            if did.kind is Kind.UNKNOWN:
                self._carried.setdefault(asked["address"], []).append(did)
            time.sleep(again_after(did.exchange, attempt))
        return did

    def _do(self, asked: Asked, process: str = ALONE) -> Did:
        exchange, told = self._ground.perform(asked)
        self._seconds.setdefault(asked["f"], deque(maxlen=5)).append(exchange.finished - exchange.started)
        kind = outcome(exchange.status)
        returned = exchange.finished if kind != "unknown" else None
        said = told if told is not None else {"status": None}  # lost, or an answer that cannot be read
        return Did(Operation(process, dict(asked), said, kind, exchange.started, returned), exchange)

    def _asked(self, step: Step) -> dict[str, Any]:
        asked: dict[str, Any] = {"f": step.f, "address": self._slots[step.slot]}
        if step.f == "deallocate":
            return {**asked, "by": step.by}
        return {**asked, "server": self._servers[step.server]}

    def _at_once(self, calls: tuple[Call, ...]) -> list[Did]:
        asked = [self._asked(call.step) for call in calls]
        for number, one in enumerate(asked):
            self._ground.intend(one)
            self._warm_up(number, one)
        taken = self._usual_seconds(min(calls, key=lambda call: call.offset).step.f)
        signal: list[float] = []
        barrier = threading.Barrier(len(calls), action=lambda: signal.append(time.monotonic() + WAKING_SECONDS))

        def go(number: int) -> Did:
            barrier.wait()
            time.sleep(max(0.0, signal[0] + calls[number].offset * taken - time.monotonic()))
            return self._do(asked[number], f"caller {number + 1}")

        waiting = [self._callers[number].submit(go, number) for number in range(len(calls))]
        return [one.result() for one in waiting]

    def _usual_seconds(self, f: str) -> float:
        """What an operation of that kind took of late; the median, as a single answer may have been held up."""
        return statistics.median(self._seconds.get(f) or [FIRST_GUESS_SECONDS])

    def _warm_up(self, number: int, asked: Asked) -> None:
        """Open the caller's connection before the signal: opening it would take longer than the windows sought."""
        network = asked["f"] == "deallocate"
        if (number, network) not in self._warm:
            self._warm.add((number, network))
            look = {"f": "show_address", "address": asked["address"]}
            read = look if network else {"f": "list", "server": self._servers[0]}
            self._callers[number].submit(self._ground.perform, read).result()

    def _one_by_one(self, scene: Scene) -> list[Did]:
        return [self._do(self._asked(call.step)) for call in scene.in_order]

    # -- what came of it ----------------------------------------------------------------------------------------------

    def _read(self, scene: Scene, done: list[Did]) -> tuple[Result, list[Did]]:
        """The verdict with the final reads, once these have settled; without them if there is no order already."""
        before = self._searched(done)
        if before.verdict is not Verdict.LINEARIZABLE:
            return before, []
        looks = list(self._looks(scene))

        def look() -> tuple[Result, list[Did]]:
            reads = [self._do_read(asked) for asked in looks]
            return self._searched([*done, *reads]), reads

        return self._ground.sight.awaited(look, lambda seen: seen[0].verdict is not Verdict.ILLEGAL)

    def _looks(self, scene: Scene) -> Iterator[dict[str, Any]]:
        views = self._ground.sight.views
        if views.listed:
            yield from ({"f": "list", "server": self._servers[one]} for one in sorted({s for _, s in scene.touched}))
        elif views.shown:
            for slot, server in scene.touched:
                yield {"f": "show", "address": self._slots[slot], "server": self._servers[server]}
        for slot in sorted({step.slot for step in scene.steps if step.f == "deallocate"}):
            yield {"f": "show_address", "address": self._slots[slot]}

    def _do_read(self, asked: Asked) -> Did:
        for attempt in range(TRIES):
            did = self._do(asked, READER)
            if not passing(did.exchange):
                break
            time.sleep(again_after(did.exchange, attempt))
        return did

    def _searched(self, done: Iterable[Did]) -> Result:
        operations = [did.operation for did in done]
        result = check(self._model, timed(operations), BUDGET)
        lag = self._ground.sight.views.lag_seconds
        if result.verdict is Verdict.ILLEGAL and lag:
            late = [_decided_late(operation, self._ground.sight.patience) for operation in operations]
            relaxed = check(self._model, timed(late), BUDGET)
            return result if relaxed.verdict is Verdict.ILLEGAL else relaxed
        return result

    def _learn(self, scene: Scene, done: list[Did]) -> None:
        """What is known of the addresses now: what only one answer of a read could agree with."""
        for slot in scene.slots:
            name = self._slots[slot]
            if self._gone(name, done):
                self._ground.lost(name)
                self._forget(name)
                continue
            carried = self._carried.setdefault(name, [])
            mine = (did for did in done if did.operation.input.get("address") == name)
            carried += [did for did in mine if did.kind is Kind.UNKNOWN and did not in carried]
            for server in [self._servers[server] for one, server in scene.touched if one == slot]:
                self._learn_one(name, server, done)

    def _gone(self, name: str, done: list[Did]) -> bool:
        asked = [did for did in done if did.operation.input["f"] == "deallocate"]
        mine = [did for did in asked if did.operation.input["address"] == name]
        if any(did.kind is Kind.UNKNOWN for did in mine):
            time.sleep(self._ground.sight.patience)
            return self._do_read({"f": "show_address", "address": name}).kind is Kind.REFUSED
        return any(did.kind is Kind.SUCCESS for did in mine)

    def _learn_one(self, name: str, server: str, done: list[Did]) -> None:
        asked = {"f": "show", "address": name, "server": server}
        may = {stands: self._may_show(asked, stands, done) for stands in (True, False)}
        self._ground.associated[name].discard(server)
        made = [did for did in done if _establishes(did, server) and did.operation.input["address"] == name]
        if may == {True: True, False: False} and made:
            self._ground.associated[name].add(server)
            self._carry(name, made[-1])
            return
        self._carried[name] = [one for one in self._carried.get(name, []) if not _establishes(one, server)]
        if may != {True: False, False: True}:
            self._unsettled.setdefault(name, set()).add(server)

    def _may_show(self, asked: Asked, stands: bool, done: list[Did]) -> bool:  # noqa: FBT001  # a hypothesis
        now = time.monotonic()
        status = 200 if stands else 404
        read = Operation(READER, dict(asked), {"status": status}, outcome(status), now, now)
        return check(self._model, timed([*(did.operation for did in done), read]), BUDGET).verdict != Verdict.ILLEGAL

    # -- a round that no order explains ---------------------------------------------------------------------------------

    def _fails_alone(self, scene: Scene) -> bool:
        """The same operations one after the other, from addresses in a known state, cannot be explained either."""
        self._ground.renewals += len(scene.slots)
        for slot in scene.slots:
            name = self._slots[slot]
            self._ground.distrust(name)
            try:
                if self._ground.alive(name) and not self._ground.cleared(name) and self._ground.alive(name):
                    return False
                self._forget(name)
                if not self._ground.alive(name):
                    self._slots[slot] = self._ground.renewed(name)[0]
            except Unjudgeable:
                return False  # then nothing speaks against overlap as the reason
        try:
            return self.play(scene, alone=True).explained is False
        except Unjudgeable:
            return False

    def _forget(self, name: str) -> None:
        self._carried.pop(name, None)
        self._unsettled.pop(name, None)

    def _unexplained(
        self, scene: str, result: Result, done: list[Did], overlapped: bool, *, in_sequence: bool  # noqa: FBT001
    ) -> Round:
        culprit = result.culprit
        assert culprit is not None
        example = explain(self._model, culprit, BUDGET)
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
            exchanges=tuple(exchange.id for exchange in found),
            details={
                "kind": "timeline",
                "timeline": timeline(example).to_json(),
                "words": words,
                "answers": answers,
                "names": self._ground.names,
            },
        )


def _overlap(met: list[Did]) -> bool:
    """Two operations that the target decided about were under way at the same time."""
    spans = sorted((did.exchange.started, did.exchange.finished) for did in met if did.definite)
    return any(later[0] <= earlier[1] for earlier, later in zip(spans, spans[1:], strict=False))


def _establishes(did: Did, server: str) -> bool:
    asked = did.operation.input
    return asked["f"] == "associate" and asked["server"] == server and did.kind is Kind.SUCCESS


def _decided_late(operation: Operation, seconds: float) -> Operation:
    """A refusal may have been decided on what was true up to ``seconds`` before it was asked for."""
    refused = operation.outcome == Outcome.FAIL and operation.input["f"] in {"deallocate", "remove"}
    return replace(operation, invoked=operation.invoked - seconds) if refused else operation


def _answer(operation: Operation, exchange: Exchange) -> str:
    """The answer in words, with what a list says of the one address that is in question."""
    output = operation.output
    if not isinstance(output, Mapping) or "listed" not in output:
        return exchange.outcome
    return f"{exchange.outcome}, {'' if output['listed'] else 'not '}listing {operation.input['address']}"
