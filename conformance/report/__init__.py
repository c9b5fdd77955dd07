"""Renders a run for its readers, at its end or long after.

A format is a name, a file and a function of the run; a new one is a module and a line in both tables. A file
is written aside and renamed, so that a reader sees the old one or the new one, whole.
"""

import difflib
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from conformance.errors import UsageError
from conformance.report import (
    annotations,
    attestation,
    badge,
    ctrf,
    document,
    history,
    history_page,
    html,
    junit,
    markdown,
    overview,
    sarif,
)
from conformance.report.difference import compared
from conformance.report.document import read
from conformance.report.markdown import SUMMARY_PAGE
from conformance.report.overview import TargetSummary
from conformance.verdict import Run

__all__ = [
    "FILES",
    "RENDERERS",
    "SUMMARY_PAGE",
    "WRITTEN_BY_A_RUN",
    "append_overview",
    "append_summary",
    "compared",
    "formats",
    "read",
    "remove",
    "write",
    "write_history",
    "write_overview",
]

RENDERERS: Mapping[str, Callable[[Run], str]] = {
    "json": document.render,
    "junit": junit.render,
    "html": html.render,
    "sarif": sarif.render,
    "markdown": markdown.render,
    "badge": badge.render,
    "attestation": attestation.render,
    "annotations": annotations.render,
    "ctrf": ctrf.render,
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


def append_summary(run: Run, variables: Mapping[str, str]) -> None:
    """Add the run to the summary page of the CI job, if ``SUMMARY_PAGE`` among the variables names one.

    Raises:
        UsageError: the file cannot be written to.
    """
    _append([markdown.render(run)], variables)


def append_overview(parts: Sequence[TargetSummary], variables: Mapping[str, str], *, interrupted: bool = False) -> None:
    """Add each target's run, in the targets' order, and the overview, as :func:`append_summary` does with a run.

    Raises:
        UsageError: the file cannot be written to.
    """
    told = overview.markdown(parts, interrupted=interrupted)
    _append([*(markdown.render(part.run) for part in parts if part.run), told], variables)


def _append(texts: Iterable[str], variables: Mapping[str, str]) -> None:
    if path := variables.get(SUMMARY_PAGE):
        for text in texts:
            markdown.append(text, Path(path))


def write_overview(parts: Sequence[TargetSummary], directory: Path, *, interrupted: bool = False) -> Path:
    """Write the page that shows several targets into ``directory`` and return it.

    Raises:
        UsageError: the directory cannot be written to.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return _replace(directory / overview.PAGE, overview.page(parts, directory, interrupted=interrupted))
    except OSError as error:
        raise UsageError(f"{directory}: the overview cannot be written there: {error.strerror}") from error


def write_history(told: history.RunHistory, directory: Path) -> Path:
    """Write the page that shows several runs of a target into ``directory`` and return it.

    Raises:
        UsageError: the directory cannot be written to.
    """
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


def write(run: Run, directory: Path, names: Iterable[str] = WRITTEN_BY_A_RUN) -> tuple[Path, ...]:
    """Write the run in each format into ``directory`` and return the files; those of other formats stay.

    Raises:
        UsageError: a format is unknown, or the directory cannot be written to.
    """
    chosen = _known(names)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return tuple(_replace(directory / FILES[name], _rendered(name, run, directory)) for name in chosen)
    except OSError as error:
        raise UsageError(f"{directory}: the reports cannot be written there: {error.strerror}") from error


def _rendered(name: str, run: Run, directory: Path) -> str:
    """The run in a format; the page shows the runs that lie beside it, too."""
    return html.render(run, history.beside(run, directory), directory) if name == "html" else RENDERERS[name](run)


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
