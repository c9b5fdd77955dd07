"""The run document as a file: ``report.json``, from which every other view can be rendered again later.

It neither judges nor repairs: any other file is refused with the place and what is expected there.
"""

import json
import math
from pathlib import Path
from typing import Any, NoReturn

from conformance import input_file
from conformance.errors import UsageError
from conformance.report.shape import mistake
from conformance.report.visible import one_line
from conformance.verdict import FORMAT, Run

DEEPEST, MOST_DIGITS = 100, 30
"""No run document of this suite comes near."""

HINT = "give the report.json of a run of this suite"


def render(run: Run) -> str:
    """The document as JSON in ASCII: nothing that a target said can act on a terminal that shows it."""
    return json.dumps(run.to_json(), indent=1, allow_nan=False) + "\n"


def read(path: Path) -> Run:
    """The run that was saved in the file ``path``.

    Raises:
        UsageError: it cannot be read or is no run document; file, place and what is expected are named.
    """
    document = _loaded(path)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        found = document.get("format") if isinstance(document, dict) else document
        raise UsageError(f"{path}: format: expected {FORMAT!r}, found {one_line(repr(found)[:60])}", HINT)
    if words := mistake(document, Run):
        raise UsageError(f"{path}: {one_line(words)}", HINT)
    return Run.from_json(document)


def _loaded(path: Path) -> Any:
    try:
        return _sane(
            json.loads(input_file.content(path), parse_constant=_no_number, parse_int=_whole, parse_float=_finite)
        )
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}", HINT) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: expected a JSON document: {one_line(str(error))}", HINT) from error


def _sane(document: Any) -> Any:
    if input_file.depth_of(document, DEEPEST) > DEEPEST:
        raise ValueError(f"it is nested more than {DEEPEST} deep")
    return document


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _finite(digits: str) -> float:
    if math.isinf(found := float(digits)):
        raise ValueError("a number beyond all that is counted")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
