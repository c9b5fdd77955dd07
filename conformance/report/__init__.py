"""Renders a run for its readers, at its end or long after.

A format is a name, a file and a module with a function ``render`` of the run; a new one is a module and a line in both
tables. A module is imported when something is rendered by it: a run begins long before. A file is written aside and
renamed, so that a reader sees the old one or the new one, whole.
"""

import difflib
import importlib
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.errors import UsageError

if TYPE_CHECKING:
    from conformance.report.history import RunHistory
    from conformance.report.overview import TargetSummary
    from conformance.verdict import Run

__all__ = [
    "FILES",
    "RENDERERS",
    "SUMMARY_PAGE",
    "WRITTEN_BY_A_RUN",
    "append_overview",
    "append_summary",
    "begin",
    "compared",
    "formats",
    "read",
    "remove",
    "write",
    "write_history",
    "write_overview",
]

SUMMARY_PAGE = "GITHUB_STEP_SUMMARY"
"""The variable that names the file of a CI job's summary page."""


def _renderer(module: str) -> Callable[["Run"], str]:
    def render(run: "Run") -> str:
        rendered: str = importlib.import_module(f"{__name__}.{module}").render(run)
        return rendered

    return render


RENDERERS: Mapping[str, Callable[["Run"], str]] = {
    "json": _renderer("document"),
    "junit": _renderer("junit"),
    "html": _renderer("html"),
    "sarif": _renderer("sarif"),
    "markdown": _renderer("markdown"),
    "badge": _renderer("badge"),
    "attestation": _renderer("attestation"),
    "annotations": _renderer("annotations"),
    "ctrf": _renderer("ctrf"),
}
"""In the order of writing: the document from which the others can be rendered again comes first."""

FILES: Mapping[str, str] = {
    "json": "report.json",
    "junit": "junit.xml",
    "html": "index.html",
    "sarif": "report.sarif",
    "markdown": "summary.md",
    "badge": "badge.svg",
    "attestation": "attestation.json",
    "annotations": "annotations.txt",
    "ctrf": "ctrf-report.json",
}

WRITTEN_BY_A_RUN = ("json", "junit", "html")
"""The others are rendered from the first when somebody asks for them."""


def formats(listed: str) -> tuple[str, ...]:
    """The formats that a list such as ``sarif, badge`` names.

    Raises:
        UsageError: one of them is unknown.
    """
    return _known(name.strip() for name in listed.split(","))


def _known(names: Iterable[str]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(names))
    if unknown := [name for name in chosen if name not in RENDERERS]:
        near = [close for name in unknown for close in difflib.get_close_matches(name, RENDERERS, n=1)]
        raise UsageError(
            f"unknown report format {', '.join(unknown) or 'without a name'}: expected one of {', '.join(RENDERERS)}",
            f"did you mean {' and '.join(near)}?" if near else "",
        )
    return chosen


def read(path: Path) -> "Run":
    """The run that was saved in the file ``path``.

    Raises:
        UsageError: it cannot be read or is no run document; file, place and what is expected are named.
    """
    from conformance.report import document  # noqa: PLC0415

    return document.read(path)


def compared(run: "Run", earlier: "Run") -> "Run":
    """The run with what is better, worse and new since an earlier one."""
    from conformance.report import difference  # noqa: PLC0415

    return difference.compared(run, earlier)


def append_summary(run: "Run", variables: Mapping[str, str]) -> None:
    """Add the run to the summary page of the CI job, if ``SUMMARY_PAGE`` among the variables names one.

    Raises:
        UsageError: the file cannot be written to.
    """
    _append([run], [], variables)


def append_overview(
    parts: Sequence["TargetSummary"], variables: Mapping[str, str], *, interrupted: bool = False
) -> None:
    """Add each target's run, in the targets' order, and the overview, as :func:`append_summary` does with a run.

    Raises:
        UsageError: the file cannot be written to.
    """
    from conformance.report import overview  # noqa: PLC0415

    told = overview.markdown(parts, interrupted=interrupted)
    _append([part.run for part in parts if part.run], [told], variables)


def _append(runs: Iterable["Run"], texts: Iterable[str], variables: Mapping[str, str]) -> None:
    if path := variables.get(SUMMARY_PAGE):
        from conformance.report import markdown  # noqa: PLC0415

        for text in (*map(markdown.render, runs), *texts):
            markdown.append(text, Path(path))


def write_overview(parts: Sequence["TargetSummary"], directory: Path, *, interrupted: bool = False) -> Path:
    """Write the page that shows several targets into ``directory`` and return it.

    Raises:
        UsageError: the directory cannot be written to.
    """
    from conformance.report import overview  # noqa: PLC0415

    try:
        directory.mkdir(parents=True, exist_ok=True)
        return _replace(directory / overview.PAGE, overview.page(parts, directory, interrupted=interrupted))
    except OSError as error:
        raise UsageError(f"{directory}: the overview cannot be written there: {error.strerror}") from error


def write_history(told: "RunHistory", directory: Path) -> Path:
    """Write the page that shows several runs of a target into ``directory`` and return it.

    Raises:
        UsageError: the directory cannot be written to.
    """
    from conformance.report import history_page  # noqa: PLC0415

    try:
        directory.mkdir(parents=True, exist_ok=True)
        return _replace(directory / history_page.PAGE, history_page.page(told, directory))
    except OSError as error:
        raise UsageError(f"{directory}: the history cannot be written there: {error.strerror}") from error


def remove(directory: Path, names: Iterable[str]) -> None:
    """Remove the files of these formats from ``directory``, so that what is found there later is new.

    Raises:
        UsageError: one cannot be removed.
    """
    for path in (directory / FILES[name] for name in names):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise UsageError(f"{path}: cannot be replaced ({error.strerror})") from error


def write(run: "Run", directory: Path, names: Iterable[str] = WRITTEN_BY_A_RUN) -> tuple[Path, ...]:
    """Write the run in each format into ``directory`` and return the files; those of other formats stay.

    Raises:
        UsageError: a format is unknown, or the directory cannot be written to.
    """
    return _write(run, directory, names, lambda: _page(run, directory))


def begin(run: "Run", directory: Path, names: Iterable[str] = WRITTEN_BY_A_RUN) -> tuple[Path, ...]:
    """As :func:`write`, of a run that has only begun: its page says so, and needs no template engine.

    Raises:
        UsageError: as that.
    """
    from conformance.report import stand_in  # noqa: PLC0415

    return _write(run, directory, names, lambda: stand_in.render(run))


def _write(run: "Run", directory: Path, names: Iterable[str], page: Callable[[], str]) -> tuple[Path, ...]:
    chosen = _known(names)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return tuple(
            _replace(directory / FILES[name], page() if name == "html" else RENDERERS[name](run)) for name in chosen
        )
    except OSError as error:
        raise UsageError(f"{directory}: the reports cannot be written there: {error.strerror}") from error


def _page(run: "Run", directory: Path) -> str:
    """The page, which shows the runs that lie beside it, too."""
    from conformance.report import history, html  # noqa: PLC0415

    return html.render(run, history.beside(run, directory), directory)


def _replace(path: Path, text: str) -> Path:
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with aside.open("xb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return path
