"""Renders a run for its readers, at its end or long after.

A format is a name, a file and a function of the run; a new one is a module and a line in both tables. A file
is written aside and renamed, so that a reader sees the old one or the new one, whole.
"""

import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from conformance.errors import UsageError
from conformance.report import attestation, badge, document, html, junit, markdown, sarif
from conformance.report.document import read
from conformance.verdict import Run

__all__ = ["FILES", "RENDERERS", "WRITTEN_BY_A_RUN", "append_summary", "read", "write"]

RENDERERS: Mapping[str, Callable[[Run], str]] = {
    "json": document.render,
    "junit": junit.render,
    "html": html.render,
    "sarif": sarif.render,
    "markdown": markdown.render,
    "badge": badge.render,
    "attestation": attestation.render,
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
}

WRITTEN_BY_A_RUN = ("json", "junit", "html")
"""The others are rendered from the first when somebody asks for them."""


def append_summary(run: Run, variables: Mapping[str, str]) -> None:
    """Add the run to the summary page of the CI job, if ``GITHUB_STEP_SUMMARY`` among the variables names one.

    Raises:
        UsageError: the file cannot be written to.
    """
    if path := variables.get("GITHUB_STEP_SUMMARY"):
        markdown.append(run, Path(path))


def write(run: Run, directory: Path, formats: Iterable[str] = WRITTEN_BY_A_RUN) -> tuple[Path, ...]:
    """Write the run in each format into ``directory`` and return the files; those of other formats stay.

    Raises:
        UsageError: a format is unknown, or the directory cannot be written to.
    """
    chosen = list(formats)
    if unknown := [name for name in chosen if name not in RENDERERS]:
        raise UsageError(f"unknown report format {', '.join(unknown)}: expected one of {', '.join(RENDERERS)}")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return tuple(_replace(directory / FILES[name], RENDERERS[name](run)) for name in chosen)
    except OSError as error:
        raise UsageError(f"{directory}: the reports cannot be written there: {error.strerror}") from error


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
