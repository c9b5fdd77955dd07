"""Where to read on after a run, and the command that helps next."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from conformance import report
from conformance.run.options import Options
from conformance.verdict import Run, Verdict

CLEANUP = "conformance cleanup"
"""A note that names the command says that something was left."""

ADOPT = "--adopt"
"""What may be somebody else's is named; which of it is the suite's is for the operator to say, one by one."""


def after(run: Run, options: Options) -> dict[str, str]:
    """Names and words, a line each: the report, and commands to copy."""
    steps = list(_steps(run, options))
    return {"report": _near(options.report_dir / report.FILES["html"]), **({"next": "; ".join(steps)} if steps else {})}


def _steps(run: Run, options: Options) -> Iterator[str]:
    if options.target is None:  # the deployment has ended with the run
        yield "conformance init target.yaml describes a deployment of your own"
        return
    given = shlex.quote(options.target)
    found = [finding for clause in run.clauses for finding in clause.findings if clause.verdict is Verdict.FAIL]
    if found:
        one = f" {found[0].fingerprint}" if len(found) == 1 else ""
        saved = shlex.quote(_near(options.report_dir / report.FILES["json"]))
        yield f"conformance reproduce {saved}{one} --target {given}"
    elif run.verdict is Verdict.INCONCLUSIVE and not any(clause.cases for clause in run.clauses):
        yield f"conformance doctor --target {given}"
    if any(CLEANUP in note for note in run.notes):
        doubtful = any(ADOPT in note for note in run.notes)
        yield f"{CLEANUP} --target {given}{f' [{ADOPT} ID]' if doubtful else ''}"


def _near(path: Path) -> str:
    """As it is named from the working directory, if it lies below."""
    here = Path(os.path.curdir).absolute()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
