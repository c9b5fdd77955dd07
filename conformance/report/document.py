"""The run document as a file: ``report.json``, from which every other view can be rendered again later.

It neither judges nor repairs: any other file is refused with the place and what is expected there.
"""

import json
from pathlib import Path
from typing import Any, NoReturn

from conformance.errors import UsageError
from conformance.report.shape import mistake
from conformance.report.visible import one_line
from conformance.verdict import FORMAT, Run

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
        return json.loads(path.read_bytes(), parse_constant=_no_number)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}", HINT) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: expected a JSON document: {one_line(str(error))}", HINT) from error


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
