"""Why no order explains a history: the smallest part of it that shows the same, ready to be drawn.

Leaving an operation out is not innocent. Whoever reads 3 in a history from which the write of 3 was taken
sees a violation that never was. So a history is only ever *weakened*, in steps that keep every order that
explained it:

* it is cut at the return of the operation that the search stuck at: what was invoked later is left out, what
  had not returned may have taken effect by then or not, and if so with the answer that it got. A prefix of a
  linearizable history is linearizable (Herlihy and Wing 1990);
* an operation that never changes the state (a read, a refusal) is left out: the rest of the order still holds;
* an operation that changes the state is not left out but made *pending*: it may then take effect at any time
  after its invocation, or never, and its answer binds nobody.

Each step is kept if the history is still not linearizable, so what is found is a reason in the full history
too, and since weakening only ever makes more orders possible, one pass over all operations finds a history of
which none can be weakened further (the smallest in that sense; another of fewer operations may exist).

The pending ones that are left may have happened at any time, and it did not help: they are not to blame, and
could all be left out of the picture. But some hold it together: without the association, a removal that
answers 204 is strange for another reason than the one that was found. So they are left out one by one only as
long as the search sticks at the same operation, and those that stay get their own answers back if it sticks
there still.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from conformance.model.history import UNSAID, Completion, Operation
from conformance.model.linearize import DEFAULT_BUDGET, Model, Partition, PartResult, check_part


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A history that no order explains, nor would with any operation weakened.

    ``order`` numbers ``operations`` in the longest order found, ``stuck`` the one that no order can include.
    ``left_out`` counts the operations of the part that are not shown.
    """

    key: str
    operations: tuple[Operation, ...]
    order: tuple[int, ...]
    stuck: int
    left_out: int


@dataclass(frozen=True, slots=True)
class OperationBar:
    """One operation in a drawing.

    ``start`` and ``end`` are positions in the order of events, 0 and up, ``end`` None for a pending
    operation; ``place`` is its place in the longest order that was found, 0 and up, None if it is not in it.
    """

    number: int
    start: int
    end: int | None
    input: Any
    output: Any
    outcome: str
    place: int | None
    stuck: bool
    started_at: float | None
    ended_at: float | None
    line: int | None


@dataclass(frozen=True, slots=True)
class Lane:
    """Operations of one process, none overlapping; after an unknown outcome its process gets a new lane."""

    process: int | str
    bars: tuple[OperationBar, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """What a drawing needs; ``width`` is the number of positions, ``left_out`` the operations not drawn."""

    key: str
    width: int
    lanes: tuple[Lane, ...]
    order: tuple[int, ...]
    stuck: int | None
    left_out: int

    def to_json(self) -> dict[str, Any]:
        """The timeline as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Timeline":
        """The timeline that ``to_json`` was made of."""
        lanes = tuple(
            Lane(lane["process"], tuple(OperationBar(**bar) for bar in lane["bars"])) for lane in document["lanes"]
        )
        return cls(**{**document, "lanes": lanes, "order": tuple(document["order"])})


def explain(model: Model, found: PartResult, budget: int = DEFAULT_BUDGET) -> Counterexample:
    """The smallest counterexample in a part that was found illegal.

    Each attempt to weaken it may enter ``budget`` configurations; one that is not decided by then is not
    kept.

    Raises:
        ValueError: the part was not found illegal.
    """
    if found.stuck is None:
        raise ValueError(f"the part is {found.verdict}, there is nothing to explain")
    attempt = _Attempt(model, found.part, budget)
    cut = _cut(found.part.operations, found.part.operations[found.stuck])
    weakest = _weaken(attempt, cut)
    operations = tuple(_held_together(attempt, weakest, found.part.operations).values())
    last = attempt.check(operations)
    if last.stuck is None:
        # The budget fell between two verdicts; the part as it was found is still an answer, if a long one.
        operations, last = found.part.operations, found
    assert last.stuck is not None
    left_out = len(found.part.operations) - len(operations)
    return Counterexample(found.part.key, operations, last.order, last.stuck, left_out)


def timeline(example: Counterexample) -> Timeline:
    """The drawing of a counterexample."""
    return _drawn(example.key, example.operations, example.order, example.stuck, example.left_out)


def timeline_of(result: PartResult) -> Timeline:
    """The drawing of a whole part, linearizable or not."""
    return _drawn(result.part.key, result.part.operations, result.order, result.stuck, 0)


# Operations under work, by their number in the part; one that is left out is not in it.
_Kept = dict[int, Operation]


@dataclass(frozen=True, slots=True)
class _Attempt:
    """The question that is asked again and again."""

    model: Model
    part: Partition
    budget: int

    def check(self, operations: Iterable[Operation]) -> PartResult:
        return check_part(self.model, replace(self.part, operations=tuple(operations)), self.budget)

    def stuck(self, kept: _Kept) -> int | None:
        """Where the search sticks; None if the history is linearizable, or was not decided."""
        stuck = self.check(kept.values()).stuck
        return None if stuck is None else list(kept)[stuck]

    def observes(self, operation: Operation) -> bool:
        return self.model.changes_nothing(operation)


def _cut(operations: Sequence[Operation], stuck: Operation) -> _Kept:
    """The history up to the return of ``stuck``."""
    assert stuck.returned is not None
    end = stuck.returned
    begun = ((number, o) for number, o in enumerate(operations) if o.invoked <= end)
    return {
        number: replace(o, returned=None) if o.returned is not None and o.returned > end else o for number, o in begun
    }


def _pending(operation: Operation) -> Operation:
    return replace(operation, outcome=Completion.UNKNOWN, returned=None, returned_at=None, output=UNSAID)


def _weaken(attempt: _Attempt, kept: _Kept) -> _Kept:
    """Weaken all that can be.

    Reads first: an operation that changes the state may become pending while a read still tells of its
    effect, and then that read is needed where the operation itself would have shown more.
    """
    reads = [number for number, operation in kept.items() if attempt.observes(operation)]
    writes = [number for number in kept if number not in set(reads) and not _unknown(kept[number])]
    return _weaken_each(attempt, _weaken_each(attempt, kept, reads), writes)


def _weaken_each(attempt: _Attempt, kept: _Kept, numbers: list[int]) -> _Kept:
    """Halves first: most of a long history falls in a few steps."""
    chunks = [numbers]
    while chunks:
        chunk = chunks.pop()
        tried = _weakened(attempt, kept, set(chunk))
        if not chunk:
            continue
        if attempt.stuck(tried) is not None:
            kept = tried
        elif len(chunk) > 1:
            middle = len(chunk) // 2
            chunks += [chunk[middle:], chunk[:middle]]
    return kept


def _weakened(attempt: _Attempt, kept: _Kept, chosen: set[int]) -> _Kept:
    return {
        number: _pending(operation) if number in chosen else operation
        for number, operation in kept.items()
        if number not in chosen or not attempt.observes(operation)
    }


def _unknown(operation: Operation) -> bool:
    return operation.outcome == Completion.UNKNOWN


def _held_together(attempt: _Attempt, weakest: _Kept, original: Sequence[Operation]) -> _Kept:
    """Without the pending operations that the picture does not need, the others as they were."""
    kept = weakest
    point = attempt.stuck(kept)
    for number in [number for number, operation in weakest.items() if operation.pending]:
        without = {other: operation for other, operation in kept.items() if other != number}
        if _unknown(kept[number]) and attempt.stuck(without) == point:
            kept = without
            continue
        restored = kept | {number: original[number]}
        if attempt.stuck(restored) == point:
            kept = restored
    return kept


def _drawn(
    key: str, operations: Sequence[Operation], order: tuple[int, ...], stuck: int | None, left_out: int
) -> Timeline:
    points = {o.invoked for o in operations} | {o.returned for o in operations if o.returned is not None}
    rank = {point: position for position, point in enumerate(sorted(points))}
    places = {number: place for place, number in enumerate(order)}
    lanes: list[tuple[int | str, list[OperationBar]]] = []
    for number, operation in sorted(enumerate(operations), key=lambda item: item[1].invoked):
        bar = _bar(number, operation, rank.__getitem__, places.get(number), number == stuck)
        _lane(lanes, operation.process, bar.start).append(bar)
    made = [Lane(process, tuple(bars)) for process, bars in lanes]
    return Timeline(key, len(rank), tuple(made), order, stuck, left_out)


def _bar(
    number: int,
    operation: Operation,
    rank: Callable[[float], int],
    place: int | None,
    stuck: bool,  # noqa: FBT001 - private, called once
) -> OperationBar:
    return OperationBar(
        number=number,
        start=rank(operation.invoked),
        end=None if operation.returned is None else rank(operation.returned),
        input=operation.input,
        output=None if operation.output is UNSAID else operation.output,
        outcome=str(operation.outcome),
        place=place,
        stuck=stuck,
        started_at=operation.invoked_at,
        ended_at=operation.returned_at,
        line=operation.line,
    )


def _lane(lanes: list[tuple[int | str, list[OperationBar]]], process: int | str, start: int) -> list[OperationBar]:
    """The lane of that process that is free at ``start``, a new one if none is."""
    for owner, bars in lanes:
        if owner == process and bars[-1].end is not None and bars[-1].end <= start:
            return bars
    lanes.append((process, []))
    return lanes[-1][1]
