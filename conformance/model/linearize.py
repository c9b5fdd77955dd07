"""Whether some order of a history's operations explains all that was answered.

Linearizability is Herlihy and Wing's ("Linearizability: a correctness condition for concurrent objects", ACM
TOPLAS 12(3), 1990): every completed operation takes effect at one point between its invocation and its
completion. The search is Wing and Gong's ("Testing and verifying concurrent objects", JPDC 17, 1993) with
Lowe's memory of configurations ("Testing for linearizability", CCPE 29(4), 2017): a pair of (operations
placed, state) that has been entered once is never entered again. Four things make it quick:

* Completed operations are numbered in the order of their returns. All before the first one not yet placed
  (``due``) are placed, so a configuration needs only ``due`` and a small window of bits after it, and the
  operations that may come next are a mask looked up by ``due``: this does the work of the list that Lowe's
  and Porcupine's searches lift entries from, without any list to restore when the search steps back.
* States and steps are met again and again: each state is numbered, and each (operation, state) is stepped
  once.
* An operation that never changes the state (``Model.observes``) is placed as soon as it fits. Any order that
  places it later stays an order if it is moved forward, so no other choice need be tried.
* An operation whose outcome is unknown may take effect at any time or never. A configuration that has spent a
  superset of the unknown operations of another, all else equal, can reach nothing that the other cannot; and
  of several with the same input the first invoked is spent first. Nor is one spent where the next operation
  leads to the same state without it.

The search counts the configurations that it enters. Past the budget the answer is *unknown*: it is never a
pass.
"""

import json
import time
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from conformance.model.history import Operation

DEFAULT_BUDGET: Final = 1_000_000
_CLOCK_EVERY: Final = 1024


class SearchResult(StrEnum):
    """What the search found."""

    LINEARIZABLE = "linearizable"
    ILLEGAL = "illegal"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Partition:
    """Operations that can be judged apart from all others, and the state that they start from."""

    key: str
    operations: tuple[Operation, ...]
    initial: Hashable


@dataclass(frozen=True, slots=True)
class Model:
    """A sequential specification.

    ``step(state, input, output)`` gives every state that may follow, none if that answer is not lawful in
    that state. It is pure, and states are hashable. ``output`` is the history's for an ``ok`` (``UNSAID`` if
    the history does not tell), ``Refused(output)`` for a ``fail``, and ``UNKNOWN`` for an operation of
    unknown outcome: then the states that may follow if it does take effect, among them all that any ``ok``
    could lead to.

    ``partition`` splits a history into parts that are linearizable one by one if and only if the whole is, or
    says why less is claimed. ``observes(input, output)`` promises that such an operation leaves every state
    as it is. ``complaint(operation)`` says what is expected if the model does not know such an operation,
    else "".
    """

    name: str
    initial: Hashable
    step: Callable[[Any, Any, Any], Iterable[Hashable]]
    partition: Callable[[Sequence[Operation]], Iterable[Partition]] | None = None
    observes: Callable[[Any, Any], bool] | None = None
    complaint: Callable[[Operation], str] | None = None

    def parts(self, history: Sequence[Operation]) -> tuple[Partition, ...]:
        """The history in parts: one, if the model does not split it."""
        if self.partition is None:
            return (Partition("", tuple(history), self.initial),)
        return tuple(self.partition(history))

    def changes_nothing(self, operation: Operation) -> bool:
        """Whether the model promises that the operation leaves every state as it is."""
        return self.observes is not None and self.observes(operation.input, operation.answer)


@dataclass(frozen=True, slots=True)
class PartResult:
    """What the search found in one part.

    ``order`` numbers operations of ``part`` in the order of a linearization: a whole one if the part is
    linearizable, else the longest that was found before the search stuck. ``stuck`` is then the first
    operation, in the order of returns, that no order can include; everything that returned before it can be
    explained.
    """

    part: Partition
    verdict: SearchResult
    explored: int
    order: tuple[int, ...]
    stuck: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The verdict over all parts that were searched; ``explored`` counts configurations."""

    verdict: SearchResult
    explored: int
    parts: tuple[PartResult, ...]

    @property
    def culprit(self) -> PartResult | None:
        """The part that no order explains, if the verdict is illegal."""
        return next((part for part in self.parts if part.verdict == SearchResult.ILLEGAL), None)


def check(
    model: Model,
    history: Sequence[Operation],
    budget: int = DEFAULT_BUDGET,
    *,
    seconds: float | None = None,
) -> Result:
    """Search for an order of the operations that the model allows.

    The smallest parts come first, and the first that is illegal ends the search.

    Args:
        model: what the operations mean.
        history: the operations, in any sequence.
        budget: how many configurations may be entered, over all parts; the verdict depends on nothing else.
        seconds: give up after so much time too, which makes the verdict depend on the machine.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    done: list[PartResult] = []
    explored = 0
    for part in sorted(model.parts(history), key=lambda part: len(part.operations)):
        done.append(check_part(model, part, budget - explored, deadline=deadline))
        explored += done[-1].explored
        if done[-1].verdict == SearchResult.ILLEGAL:
            break
    return Result(_worst(part.verdict for part in done), explored, tuple(done))


def check_part(model: Model, part: Partition, budget: int, *, deadline: float | None = None) -> PartResult:
    """Search one part; ``deadline`` is a reading of the monotonic clock."""
    return _Search(model, part).run(budget, deadline)


def _worst(verdicts: Iterable[SearchResult]) -> SearchResult:
    found = set(verdicts)
    if SearchResult.ILLEGAL in found:
        return SearchResult.ILLEGAL
    return SearchResult.UNKNOWN if SearchResult.UNKNOWN in found else SearchResult.LINEARIZABLE


# A configuration that the search may enter: the operation that leads to it, then due, window, spent, state.
_Move = tuple[int, int, int, int, int]


class _Search:
    """One depth-first search.

    Operations are numbered: completed ones in the order of their returns, then unknown ones in that of their
    invocations. Unknown ones that would change nothing are left out.
    """

    def __init__(self, model: Model, part: Partition) -> None:
        self.model, self.part = model, part
        numbered = list(enumerate(part.operations))
        completed = sorted((p for p in numbered if not p[1].pending), key=lambda p: _end(p[1]))
        unknown = sorted(
            (p for p in numbered if p[1].pending and not model.changes_nothing(p[1])),
            key=lambda p: p[1].invoked,
        )
        self.completed = len(completed)
        self.index = [index for index, _ in completed + unknown]
        self.operations = [operation for _, operation in completed + unknown]
        self.open, self.observing = _windows([operation for _, operation in completed], model)
        self.available = _available([o for _, o in completed], [o for _, o in unknown])
        self.twin = _twins([operation for _, operation in unknown])
        self.states: list[Hashable] = [part.initial]
        self.number: dict[Hashable, int] = {part.initial: 0}
        self.steps: list[dict[int, tuple[int, ...]]] = [{} for _ in self.operations]
        self.entered: dict[tuple[int, int, int], list[int]] = {}

    def run(self, budget: int, deadline: float | None) -> PartResult:
        """Enter configurations until all completed operations are placed, none is left, or the budget is."""
        path: list[int] = []
        furthest: tuple[int, list[int]] = (0, [])
        explored = 0
        if self.completed == 0:
            return self._result(SearchResult.LINEARIZABLE, 0, furthest)
        states = [0]
        trail = [self._moves(0, 0, 0, 0, None)]
        while trail:
            if not trail[-1]:
                trail.pop()
                states.pop()
                if path:
                    path.pop()
                continue
            operation, due, window, spent, state = trail[-1].pop()
            before = states[-1] if operation >= self.completed else None
            if not self._new(due, window, spent, state):
                continue
            states.append(state)
            explored += 1
            path.append(operation)
            if (due, len(path)) > (furthest[0], len(furthest[1])):
                furthest = (due, path.copy())
            if due == self.completed:
                return self._result(SearchResult.LINEARIZABLE, explored, furthest)
            if explored >= budget or (explored % _CLOCK_EVERY == 0 and _late(deadline)):
                return self._result(SearchResult.UNKNOWN, explored, furthest)
            trail.append(self._moves(due, window, spent, state, before))
        return self._result(SearchResult.ILLEGAL, explored, furthest)

    def _result(self, verdict: SearchResult, explored: int, furthest: tuple[int, list[int]]) -> PartResult:
        due, path = furthest
        order = tuple(self.index[operation] for operation in path)
        stuck = self.index[due] if verdict == SearchResult.ILLEGAL else None
        return PartResult(self.part, verdict, explored, order, stuck)

    def _new(self, due: int, window: int, spent: int, state: int) -> bool:
        """Enter a configuration, unless one that can reach all that it can was entered before."""
        known = self.entered.get((due, window, state))
        if known is None:
            self.entered[(due, window, state)] = [spent]
            return True
        for other in known:
            if other & spent == other:
                return False
        known.append(spent)
        return True

    def _moves(self, due: int, window: int, spent: int, state: int, before: int | None) -> list[_Move]:
        """What may be placed next, the best last: the earliest return first, and unknown ones at the end.

        If an unknown operation led here, ``before`` is the state it was placed in. A move that leads to the same
        state from there has no need of that operation, and is made from there.
        """
        free = self.open[due] & ~window
        for bit in _bits(free & self.observing[due]):
            if self._step(due + bit, state):
                return [(due + bit, *_placed(due, window, bit), spent, state)]
        moves: list[_Move] = []
        for bit in _bits(free & ~self.observing[due]):
            placed = _placed(due, window, bit)
            moves += [(due + bit, *placed, spent, target) for target in self._gained(due + bit, state, before)]
        for bit in _bits(self.available[due] & ~spent):
            if self.twin[bit] & ~spent:
                continue
            unknown = self.completed + bit
            moves += [
                (unknown, due, window, spent | 1 << bit, target) for target in self._gained(unknown, state, before)
            ]
        moves.reverse()
        return moves

    def _gained(self, operation: int, state: int, before: int | None) -> tuple[int, ...]:
        """The states that follow, without those that would have followed before the last unknown operation."""
        targets = self._step(operation, state)
        if before is None or not targets:
            return targets
        anyway = self._step(operation, before)
        return tuple(target for target in targets if target not in anyway) if anyway else targets

    def _step(self, operation: int, state: int) -> tuple[int, ...]:
        known = self.steps[operation].get(state)
        if known is None:
            asked = self.operations[operation]
            following = self.model.step(self.states[state], asked.input, asked.answer)
            known = tuple(self._numbered(target) for target in following)
            self.steps[operation][state] = known
        return known

    def _numbered(self, state: Hashable) -> int:
        number = self.number.setdefault(state, len(self.states))
        if number == len(self.states):
            self.states.append(state)
        return number


def _placed(due: int, window: int, bit: int) -> tuple[int, int]:
    """``due`` and ``window`` once the operation ``due + bit`` is placed; bit 0 of a window is never set."""
    window |= 1 << bit
    if bit:
        return due, window
    done = (~window & (window + 1)).bit_length() - 1
    return due + done, window >> done


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _end(operation: Operation) -> float:
    assert operation.returned is not None
    return operation.returned


def _windows(completed: Sequence[Operation], model: Model) -> tuple[list[int], list[int]]:
    """For each ``due``: the operations invoked by its return, and which of them only observe.

    Bits are counted from ``due``: it is bit 0.
    """
    ends = [_end(operation) for operation in completed]
    open_, observing = [0] * len(completed), [0] * len(completed)
    for number, operation in enumerate(completed):
        observes = model.changes_nothing(operation)
        for due in range(bisect_left(ends, operation.invoked), number + 1):
            open_[due] |= 1 << number - due
            if observes:
                observing[due] |= 1 << number - due
    return open_, observing


def _available(completed: Sequence[Operation], unknown: Sequence[Operation]) -> list[int]:
    """For each ``due``: the unknown operations invoked by its return."""
    starts = [operation.invoked for operation in unknown]
    masks = []
    for operation in completed:
        end = _end(operation)
        masks.append(sum(1 << bit for bit, start in enumerate(starts) if start <= end))
    return masks


def _twins(unknown: Sequence[Operation]) -> list[int]:
    """For each unknown operation: the bit of the one before it that is the same, 0 if none is."""
    last: dict[str, int] = {}
    masks = []
    for bit, operation in enumerate(unknown):
        text = json.dumps([operation.input, repr(operation.answer)], sort_keys=True, default=repr)
        masks.append(1 << last[text] if text in last else 0)
        last[text] = bit
    return masks


def _late(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() > deadline
