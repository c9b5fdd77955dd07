"""The bench as a document, a table for a terminal and, with :mod:`conformance.bench.page`, a page."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from conformance.bench import page
from conformance.bench.records import Bench, Figure
from conformance.errors import UsageError

DOCUMENT, PAGE = "bench.json", "bench.html"
HEADINGS = ("", "minimum", "median", "maximum", "")


def machine() -> dict[str, str]:
    """What the figures were measured on, as far as it matters to them."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "processors": str(os.cpu_count() or 1),
    }


def make_room(directory: Path) -> None:
    """Make the directory, before minutes are spent on what goes there.

    Raises:
        UsageError: it cannot be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{directory}: the figures cannot be written there: {error.strerror}") from error


def write(bench: Bench, directory: Path) -> None:
    """Write ``bench.json`` and ``bench.html``.

    Raises:
        UsageError: the directory cannot be written to.
    """
    try:
        (directory / DOCUMENT).write_text(json.dumps(bench.to_json(), indent=1) + "\n", encoding="utf-8")
        (directory / PAGE).write_text(page.render(bench), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{directory}: the figures cannot be written there: {error.strerror}") from error


def table(bench: Bench) -> Iterator[str]:
    """Each part as a table, the ratios last."""
    for part in bench.parts:
        rows = [HEADINGS, *(_row(figure) for figure in part.rows())]
        width = max(len(row[0]) for row in rows)
        yield f"\n{part.title}"
        for name, *spread, unit in rows:
            yield f"  {name:{width}}  {'  '.join(f'{value:>9}' for value in spread)}  {unit}".rstrip()


def _row(figure: Figure) -> tuple[str, ...]:
    spread = (figure.minimum, figure.median, figure.maximum)
    return (figure.name, *map(page.number, spread), figure.unit)
