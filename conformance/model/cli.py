"""The command ``conformance check-history``: is this recorded history linearizable?

It reads a file (:mod:`conformance.model.history` has the format) and talks to nobody. Exit codes: 0
linearizable, 1 not, 2 unknown because the budget was spent, 4 the file cannot be judged (unreadable,
malformed, or empty: a history without operations shows nothing, so it does not pass).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import click

from conformance.model.explain import Lane, OperationBar, Timeline, explain, timeline
from conformance.model.history import Completion, HistoryError, Operation, load
from conformance.model.linearize import DEFAULT_BUDGET, Model, Result, SearchResult, check
from conformance.model.register import REGISTER
from conformance.model.sequential import Choices, address_model

_EXIT: Final = {SearchResult.LINEARIZABLE: 0, SearchResult.ILLEGAL: 1, SearchResult.UNKNOWN: 2}
_MALFORMED: Final = 4
_COLUMN: Final = 4


@click.command("check-history")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--model",
    "model_name",
    type=click.Choice(["address", "register"]),
    default="address",
    show_default=True,
    help="What the operations mean: this API, or a compare-and-set register.",
)
@click.option(
    "--budget",
    type=click.IntRange(min=1),
    default=DEFAULT_BUDGET,
    show_default=True,
    help="How many configurations the search may enter before the answer is unknown.",
)
@click.option(
    "--repeated-removal",
    type=click.Choice(["204", "refused", "either"]),
    default="either",
    show_default=True,
    help="Address model: what the target answers in sequence when it removes a removed association.",
)
def check_history(
    file: Path, model_name: str, budget: int, repeated_removal: Literal["204", "refused", "either"]
) -> None:
    """Say whether some order of the operations in FILE, one JSON object a line, explains all answers."""
    model = REGISTER if model_name == "register" else address_model(Choices(repeated_removal))
    try:
        history = _loaded(file, model)
    except (HistoryError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        click.echo(f"{file}: {reason}", err=True)
        raise SystemExit(_MALFORMED) from None
    result = check(model, history, budget)
    for line in _answer(model, history, result, budget):
        click.echo(line)
    raise SystemExit(_EXIT[result.verdict])


def _loaded(file: Path, model: Model) -> tuple[Operation, ...]:
    history = load(file)
    if not history:
        raise HistoryError(None, "no operation", "at least one, or there is nothing to judge")
    for operation in history:
        expected = model.complaint(operation) if model.complaint else ""
        if expected:
            asked = f"{json.dumps(operation.input)} is no operation of the {model.name} model"
            raise HistoryError(operation.line, asked, expected)
    return history


def _answer(model: Model, history: tuple[Operation, ...], result: Result, budget: int) -> Iterator[str]:
    culprit = result.culprit
    counts = f"{_counted(len(history), 'operation')}, {_counted(result.explored, 'configuration')} explored"
    if culprit is not None:
        yield f"not linearizable{_of(culprit.part.key)} ({counts})"
        yield ""
        yield from _pictured(timeline(explain(model, culprit, budget)))
    elif result.verdict == SearchResult.UNKNOWN:
        yield f"unknown: the budget of {_counted(budget, 'configuration')} was spent ({counts})"
        for part in result.parts:
            size = f"{len(part.order)} of {len(part.part.operations)} operations placed at best"
            yield f"  {part.verdict}{_of(part.part.key)}: {size}, {part.explored} explored"
    else:
        yield f"linearizable ({counts})"


def _of(key: str) -> str:
    return f", address {key}" if key else ""


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _pictured(drawing: Timeline) -> Iterator[str]:
    """Lanes of bars that bear the numbers of the list below them; time runs to the right, without scale."""
    bars = sorted((bar for lane in drawing.lanes for bar in lane.bars), key=lambda bar: (bar.start, bar.number))
    label = {bar.number: str(position) for position, bar in enumerate(bars, start=1)}
    yield f"smallest counterexample: {_counted(len(bars), 'operation')}, {drawing.left_out} left out"
    yield ""
    names = [f"process {lane.process}" for lane in drawing.lanes]
    margin = max(len(name) for name in names)
    for name, lane in zip(names, drawing.lanes, strict=True):
        yield f"  {name:<{margin}}  {_row(lane, label, drawing.width)}"
    yield ""
    for bar in bars:
        yield f"  {label[bar.number]:>2}  {_described(bar)}"
    yield ""
    placed = [label[number] for number in drawing.order]
    yield f"longest order found: {' then '.join(placed) or 'none'}"
    if drawing.stuck is not None:
        yield f"no order can include operation {label[drawing.stuck]}"


def _row(lane: Lane, label: dict[int, str], width: int) -> str:
    """``[--1--]``, and ``[--1--..`` to the end for an operation whose outcome is unknown."""
    cells = [" "] * (width * _COLUMN)
    for bar in lane.bars:
        start = bar.start * _COLUMN
        end = len(cells) - 1 if bar.end is None else bar.end * _COLUMN + _COLUMN - 2
        cells[start : end + 1] = ["-"] * (end + 1 - start)
        cells[start] = "["
        cells[end] = "." if bar.end is None else "]"
        text = label[bar.number]
        middle = (start + end + 1 - len(text)) // 2
        cells[middle : middle + len(text)] = list(text)
    return "".join(cells).rstrip()


def _described(bar: OperationBar) -> str:
    parts = [json.dumps(bar.input, ensure_ascii=False)]
    parts.append("->" if bar.outcome == Completion.OK else f"-> {bar.outcome}")
    parts += [json.dumps(bar.output, ensure_ascii=False)] if _says_something(bar) else []
    parts += [f"(line {bar.line})"] if bar.line is not None else []
    parts += ["<- cannot be placed"] if bar.stuck else []
    return " ".join(parts)


def _says_something(bar: OperationBar) -> bool:
    output: Any = bar.output
    return output is not None or bar.outcome == Completion.OK
