"""What the checker costs, against length and overlap: ``python bench_linearize.py REPORT.html``.

Prints a table and writes the same with plots. Every figure is the slowest of several seeds, by the process's CPU clock
(so other work on the machine hardly counts), of ``check`` alone; making the histories is not included. Wrong histories
have one answer changed near the end, so that all before it is searched; "different writes" is the worst there is.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from random import Random

from model_histories import Deployment, Register, Writer, other_status, other_value, overlapping

from conformance.model.history import Completion, Operation
from conformance.model.linearize import Model, check
from conformance.model.register import REGISTER
from conformance.model.sequential import Choices, address_model

SEEDS = range(5)


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement: the slowest of all seeds."""

    series: str
    operations: int
    callers: int
    addresses: int
    seconds: float
    explored: int
    verdicts: str


def measured(series: str, *, operations: int, callers: int, addresses: int = 1, lost: float = 0.0) -> Row:
    """Make, check, and time one history a seed."""
    seconds, explored, verdicts = 0.0, 0, set()
    for seed in SEEDS:
        model, history = _history(
            series, Random(seed), operations=operations, callers=callers, addresses=addresses, lost=lost
        )
        began = time.process_time()
        result = check(model, history)
        seconds = max(seconds, time.process_time() - began)
        explored = max(explored, result.explored)
        verdicts.add(str(result.verdict))
    return Row(series, operations, callers, addresses, seconds, explored, " / ".join(sorted(verdicts)))


def _history(
    series: str, random: Random, *, operations: int, callers: int, addresses: int, lost: float
) -> tuple[Model, list[Operation]]:
    if series.startswith("register"):
        subject: Register | Deployment = Register()
        model, redo = REGISTER, other_value(random)
    else:
        # De-allocation is rare, or the rest of the history would be refusals.
        subject = Deployment(ids=addresses, repeats=404, life=0.2 * addresses / operations)
        model, redo = address_model(Choices("refused")), other_status(random)
    history = overlapping(subject, random, operations=operations, callers=callers, lost=lost)
    if "wrong" in series:
        late = [number for number, operation in enumerate(history) if not operation.pending][-callers:]
        history[late[0]] = redo(history[late[0]])
    return model, history


def hardest(operations: int, callers: int) -> Row:
    """Writes of different values only, and at the end a read of what nobody wrote: all configurations are entered."""
    seconds, explored, verdicts = 0.0, 0, set()
    for seed in SEEDS:
        history = overlapping(Writer(), Random(seed), operations=operations, callers=callers)
        history.append(Operation(0, {"f": "read"}, -1, Completion.OK, 10**9, 10**9 + 1))
        began = time.process_time()
        result = check(REGISTER, history)
        seconds = max(seconds, time.process_time() - began)
        explored = max(explored, result.explored)
        verdicts.add(str(result.verdict))
    name = "different writes, wrong by overlap"
    return Row(name, operations, callers, 1, seconds, explored, " / ".join(sorted(verdicts)))


def rows() -> Iterator[Row]:
    """The two required figures, then cost against length, against overlap, and with lost answers."""
    for series in ("address", "address, wrong"):
        yield measured(series, operations=1000, callers=8, addresses=20)
        yield measured(series, operations=200, callers=8)
    for series in ("address", "address, wrong", "register", "register, wrong"):
        for operations in (50, 100, 200, 400, 800):
            yield measured(f"{series} by length", operations=operations, callers=8)
        for callers in (2, 4, 6, 8, 10, 12):
            yield measured(f"{series} by overlap", operations=200, callers=callers)
    for callers in (2, 4, 6, 8, 10):
        yield hardest(200, callers)
    for series in ("address", "address, wrong", "register", "register, wrong"):
        yield measured(f"{series}, 10% lost", operations=200, callers=8, lost=0.1)


HEADINGS = ("history", "operations", "callers", "addresses", "CPU seconds", "configurations", "verdicts")


def cells(row: Row) -> tuple[str, ...]:
    """The row as text."""
    counts = (str(row.operations), str(row.callers), str(row.addresses))
    return (row.series, *counts, f"{row.seconds:.3f}", str(row.explored), row.verdicts)


def plot(made: Sequence[Row], what: str, across: str) -> str:
    """Seconds against one column, both from zero; a line each series."""
    chosen = [row for row in made if row.series.endswith(f"by {what}")]
    right = max(getattr(row, across) for row in chosen)
    top = max(row.seconds for row in chosen) or 1.0
    names = list(dict.fromkeys(row.series for row in chosen))
    dashes = ("", "6 3", "2 3", "8 3 2 3")
    parts = [
        f'<svg viewBox="0 0 640 330" role="img" aria-label="CPU seconds against {across}" width="640">',
        '<path d="M60 20V280H620" fill="none" stroke="currentColor"/>',
        f'<text x="54" y="26" text-anchor="end">{top:.2f} s</text><text x="54" y="284" text-anchor="end">0</text>',
        f'<text x="620" y="300" text-anchor="end">{right} {across}</text>',
    ]
    for number, name in enumerate(names):
        points = [row for row in chosen if row.series == name]
        line = " ".join(
            f"{60 + 540 * getattr(r, across) / right:.1f},{280 - 250 * r.seconds / top:.1f}" for r in points
        )
        style = f'fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="{dashes[number % 4]}"'
        y = 30 + 18 * number
        parts.append(f'<polyline points="{line}" {style}/><path d="M80 {y - 4}h40" {style}/>')
        parts.append(f'<text x="126" y="{y}">{escape(name.removesuffix(f" by {what}"))}</text>')
    return "".join(parts) + "</svg>"


def page(made: Sequence[Row]) -> str:
    """The report, one file without anything from elsewhere."""
    head = "".join(f"<th>{heading}</th>" for heading in HEADINGS)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells(row)) + "</tr>" for row in made)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Cost of the linearizability check</title>'
        "<style>body{font:16px sans-serif;max-width:60em;margin:2em auto;padding:0 1em}svg{max-width:100%}"
        "td,th{padding:.2em .8em;text-align:left;border-bottom:1px solid #bbb}text{font:13px sans-serif}</style>"
        f"<h1>Cost of the linearizability check</h1><p>{escape((__doc__ or '').split(chr(10), 2)[2].strip())}</p>"
        f"<h2>Against length, 8 callers on one address</h2>{plot(made, 'length', 'operations')}"
        f"<h2>Against overlap, 200 operations on one address</h2>{plot(made, 'overlap', 'callers')}"
        f"<h2>Figures</h2><table><tr>{head}</tr>{body}</table></html>"
    )


def main() -> None:
    """Measure, print, write."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: bench_linearize.py REPORT.html")
    made: list[Row] = []
    for row in rows():
        made.append(row)
        sys.stdout.write(
            "  ".join(f"{cell:<{width}}" for cell, width in zip(cells(row), (36, 5, 3, 3, 8, 8, 0), strict=True)) + "\n"
        )
        sys.stdout.flush()
    Path(sys.argv[1]).write_text(page(made), encoding="utf-8")


if __name__ == "__main__":
    main()
