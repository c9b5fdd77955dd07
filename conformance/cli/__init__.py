"""The console script: makes its surroundings safe, then hands over to the commands; it decides nothing itself."""

from __future__ import annotations

import os
import sys
import traceback

from conformance.cli import streams

NOT_POSIX = "ERROR: conformance runs on POSIX systems only; under Windows, in WSL or a container\n"
INTERNAL_ERROR, USAGE_ERROR = 3, 4


def main() -> None:
    """Run what ``sys.argv`` asks for, and exit; an error that nobody foresaw is told as one, and exits with 3."""
    if os.name != "posix":
        sys.stderr.write(NOT_POSIX)
        sys.exit(USAGE_ERROR)
    streams.prepare()
    _with_words()
    try:
        from conformance.cli.commands import group  # noqa: PLC0415  # what goes wrong with an import is told as well

        group(prog_name="conformance")
    except Exception:  # noqa: BLE001  # whatever it is, it is no verdict
        sys.stderr.write(f"INTERNAL ERROR: a defect of the suite, no verdict on the target\n{traceback.format_exc()}")
        sys.exit(INTERNAL_ERROR)


def _with_words() -> None:
    """Begin again with docstrings, which PYTHONOPTIMIZE=2 takes away: they are the help, and say what a fault is."""
    if os.environ.pop("PYTHONOPTIMIZE", ""):
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  # this very command
