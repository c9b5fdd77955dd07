"""Histories of overlapping operations: what was asked, what was answered, and when.

A history file is JSON lines in UTF-8, one event a line, in the order in which the events were seen:

``{"process": 0, "type": "invoke", "input": {"f": "write", "value": 3}, "time": 17}``
``{"process": 0, "type": "ok", "output": null, "time": 42}``

* ``process``: a number or a string. A process has at most one open operation.
* ``type``: ``invoke``, or how the operation completed: ``ok`` (it took effect between the two events),
  ``fail`` (it was refused, and had none), ``unknown`` (it may take effect at any time after its invocation,
  or never). ``info`` is another word for ``unknown``. An operation that never completes is unknown too.
* ``input``: any JSON value, required in an invocation. A completion may repeat it, but not change it.
* ``output``: any JSON value, in completions only. Leaving it out says that the content of the answer is not
  known; ``null`` says that the answer was null.
* ``time``: a number, in any unit, in all lines or in none. Events are ordered by time, equal times by their
  place in the file; without times the place in the file is the order.

What inputs and outputs mean is the model's business (:mod:`conformance.model.register`,
:mod:`conformance.model.sequential`), also what a refusal says. This module judges nothing and mends nothing:
the first line that breaks the format is refused with its number.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, Final

from conformance import input_file

INVOKE: Final = "invoke"
_ALIASES: Final = {"info": "unknown"}
_MEMBERS: Final = ("process", "type", "input", "output", "time")


class Completion(StrEnum):
    """How an operation completed, as far as its caller can tell."""

    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Silence(Enum):
    """What a model is given where no output can be given."""

    UNKNOWN = "unknown"
    """The outcome is unknown: no answer, or one that does not tell whether the operation took effect."""
    UNSAID = "unsaid"
    """The operation succeeded, and the history does not say what the answer contained."""


UNKNOWN: Final = Silence.UNKNOWN
UNSAID: Final = Silence.UNSAID


@dataclass(frozen=True, slots=True)
class Refused:
    """What a model is given for a ``fail``: there was no effect; ``output`` is what the refusal said."""

    output: Any = UNSAID


class HistoryError(ValueError):
    """The history breaks the format, or asks for what the model does not know; ``line`` is counted from 1."""

    def __init__(self, line: int | None, found: str, expected: str) -> None:
        where = "" if line is None else f"line {line}: "
        super().__init__(f"{where}{found}; expected {expected}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its invocation and, unless its outcome is unknown, its completion.

    ``invoked`` and ``returned`` are points of one order, positions in the file or clock readings: an
    operation precedes another if it returned strictly before the other was invoked. ``invoked_at`` and
    ``returned_at`` are the times given, for drawing only; ``line`` is the line of the invocation.
    """

    process: int | str
    input: Any
    output: Any
    outcome: Completion
    invoked: float
    returned: float | None
    invoked_at: float | None = None
    returned_at: float | None = None
    line: int | None = field(default=None, compare=False)

    @property
    def pending(self) -> bool:
        """Whether it may take effect at any time after its invocation, or never.

        Of unknown outcome, or not returned by the end of the history: then, if it took effect, it was with its
        answer.
        """
        return self.outcome == Completion.UNKNOWN or self.returned is None

    @property
    def answer(self) -> Any:
        """What the model's ``step`` is given as output."""
        if self.outcome == Completion.UNKNOWN:
            return UNKNOWN
        return Refused(self.output) if self.outcome == Completion.FAIL else self.output


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One line of a history file."""

    process: int | str
    kind: str
    input: Any = UNSAID
    output: Any = UNSAID
    time: float | None = None
    line: int | None = field(default=None, compare=False)


def load(path: Path) -> tuple[Operation, ...]:
    """Read a history file.

    Raises:
        HistoryError: the file is no UTF-8, or a line breaks the format.
        OSError: the file cannot be read.
    """
    try:
        text = input_file.text(path)
    except UnicodeDecodeError as error:
        raise HistoryError(None, f"byte {error.start} is no UTF-8", "JSON lines in UTF-8") from None
    return parse(text)


def parse(text: str) -> tuple[Operation, ...]:
    """Operations of a history given as text, in the order of their invocations; blank lines are skipped.

    Raises:
        HistoryError: a line breaks the format.
    """
    # Not splitlines(): JSON strings may hold U+2028 and its kin as they are.
    lines = enumerate(text.split("\n"), start=1)
    return pair(_ordered([_event(number, line) for number, line in lines if line.strip()]))


def pair(events: Iterable[HistoryLine]) -> tuple[Operation, ...]:
    """Join each invocation with its completion; the order of ``events`` is the order in which they happened.

    Raises: HistoryError: a process completes what it did not invoke, or invokes while an operation of its own
    is open.
    """
    open_: dict[int | str, int] = {}
    found: list[Operation] = []
    for position, event in enumerate(events):
        if event.kind == INVOKE:
            _refuse_second(event, found, open_)
            open_[event.process] = len(found)
            found.append(_invoked(event, position))
        elif event.process not in open_:
            raise HistoryError(
                event.line,
                f"process {event.process!r} completes nothing",
                "an invocation of that process before",
            )
        else:
            index = open_.pop(event.process)
            found[index] = _completed(found[index], event, position)
    return tuple(found)


def timed(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """Operations given with clock readings, put in order, the readings kept for drawing.

    Equal readings count as overlap, as the clock cannot tell which came first.
    """
    made = sorted(operations, key=lambda operation: operation.invoked)
    readings = {operation.invoked for operation in made} | {
        operation.returned for operation in made if operation.returned is not None
    }
    rank = {reading: position for position, reading in enumerate(sorted(readings))}
    return tuple(
        Operation(
            process=operation.process,
            input=operation.input,
            output=operation.output,
            outcome=operation.outcome,
            invoked=rank[operation.invoked],
            returned=None if operation.returned is None else rank[operation.returned],
            invoked_at=operation.invoked,
            returned_at=operation.returned,
        )
        for operation in made
    )


def dump(operations: Iterable[Operation]) -> str:
    """The history as JSON lines; ``parse`` gives the same operations back, positions renumbered."""
    return "".join(json.dumps(document, ensure_ascii=False) + "\n" for document in _documents(operations))


def _event(number: int, line: str) -> HistoryLine:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        raise HistoryError(number, "no JSON document", "one JSON object a line") from None
    if not isinstance(document, dict):
        raise HistoryError(number, f"a JSON {type(document).__name__}", "one JSON object a line")
    surplus = sorted(set(document) - set(_MEMBERS))
    if surplus:
        raise HistoryError(number, f"unknown member {surplus[0]!r}", "only " + ", ".join(_MEMBERS))
    kind = _kind(number, document)
    return HistoryLine(
        process=_process(number, document),
        kind=kind,
        input=document.get("input", UNSAID),
        output=_output(number, kind, document),
        time=_time(number, document),
        line=number,
    )


def _kind(number: int, document: Mapping[str, Any]) -> str:
    known = (INVOKE, *Completion, *_ALIASES)
    kind = document.get("type")
    if kind not in known:
        raise HistoryError(number, f"type is {json.dumps(kind)}", "one of " + ", ".join(known))
    if kind == INVOKE and "input" not in document:
        raise HistoryError(number, "an invocation without input", '"input"')
    return _ALIASES.get(str(kind), str(kind))


def _process(number: int, document: Mapping[str, Any]) -> int | str:
    process = document.get("process")
    if isinstance(process, bool) or not isinstance(process, int | str):
        raise HistoryError(number, f"process is {json.dumps(process)}", "a whole number or a string")
    return process


def _output(number: int, kind: str, document: Mapping[str, Any]) -> Any:
    if kind == INVOKE and "output" in document:
        raise HistoryError(number, "an invocation with output", '"output" in completions only')
    return document.get("output", UNSAID)


def _time(number: int, document: Mapping[str, Any]) -> float | None:
    if "time" not in document:
        return None
    time = document["time"]
    if isinstance(time, bool) or not isinstance(time, int | float) or not math.isfinite(time):
        raise HistoryError(number, f"time is {json.dumps(time)}", "a finite number")
    return time


def _ordered(events: list[HistoryLine]) -> list[HistoryLine]:
    stamped = [event for event in events if event.time is not None]
    if not stamped:
        return events
    for event in events:
        if event.time is None:
            raise HistoryError(event.line, "no time", "a time in all lines or in none")
    return sorted(stamped, key=lambda event: event.time or 0)


def _refuse_second(event: HistoryLine, found: list[Operation], open_: Mapping[int | str, int]) -> None:
    if event.process in open_:
        first = found[open_[event.process]]
        raise HistoryError(
            event.line,
            f"process {event.process!r} invokes while its operation of line {first.line} is open",
            "ok, fail or unknown of that operation before",
        )


def _invoked(event: HistoryLine, position: int) -> Operation:
    return Operation(
        process=event.process,
        input=event.input,
        output=UNSAID,
        outcome=Completion.UNKNOWN,
        invoked=position,
        returned=None,
        invoked_at=event.time,
        line=event.line,
    )


def _completed(begun: Operation, event: HistoryLine, position: int) -> Operation:
    if event.input is not UNSAID and event.input != begun.input:
        raise HistoryError(
            event.line,
            "another input than its invocation",
            f"that of line {begun.line}, {json.dumps(begun.input)}, or none",
        )
    outcome = Completion(event.kind)
    return Operation(
        process=begun.process,
        input=begun.input,
        output=event.output,
        outcome=outcome,
        invoked=begun.invoked,
        returned=None if outcome == Completion.UNKNOWN else position,
        invoked_at=begun.invoked_at,
        returned_at=event.time,
        line=begun.line,
    )


def _documents(operations: Iterable[Operation]) -> Iterator[dict[str, Any]]:
    made = list(operations)
    # Invocations first where points are equal, as equal points mean overlap.
    points = [(operation.invoked, 0, index) for index, operation in enumerate(made)]
    points += [(o.returned, 1, index) for index, o in enumerate(made) if o.returned is not None]
    stamped = all(o.invoked_at is not None and (o.pending or o.returned_at is not None) for o in made)
    lost: dict[int | str, Operation] = {}
    for _, completes, index in sorted(points):
        operation = made[index]
        time = operation.returned_at if completes else operation.invoked_at
        if not completes and operation.process in lost:
            yield _completion(lost.pop(operation.process), time if stamped else None)
        if not completes and operation.pending:
            lost[operation.process] = operation
        yield (
            _completion(operation, time if stamped else None)
            if completes
            else _invocation(operation, time if stamped else None)
        )
    for operation in lost.values():
        if operation.outcome != Completion.UNKNOWN or operation.output is not UNSAID:
            yield _completion(operation, max(o.returned_at or o.invoked_at or 0 for o in made) if stamped else None)


def _invocation(operation: Operation, time: float | None) -> dict[str, Any]:
    document = {"process": operation.process, "type": INVOKE, "input": operation.input}
    return document if time is None else document | {"time": time}


def _completion(operation: Operation, time: float | None) -> dict[str, Any]:
    document: dict[str, Any] = {"process": operation.process, "type": str(operation.outcome)}
    if operation.output is not UNSAID:
        document["output"] = operation.output
    return document if time is None else document | {"time": time}
