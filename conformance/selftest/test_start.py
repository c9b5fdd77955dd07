"""What a command imports before it says or sends anything: the wait for the first word is made of imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOLD = """
import sys

def told(event, arguments):
    if event == "socket.connect":
        leave()

def leave():
    sys.stderr.write("\\n" + " ".join(sys.modules))
    sys.stderr.flush()
    import os
    os._exit(0)

sys.addaudithook(told)
from conformance.cli import main
try:
    main()
finally:
    leave()
"""
"""Runs the command until it ends or connects to somewhere, and writes the names of all modules that it has imported."""

GENERATORS = {"hypothesis", "schemathesis"}
RENDERERS = {"rich", "docutils"}
SPEAKERS = {"requests", "urllib3", "yaml", "jsonschema_rs", "jinja2", "pytest", "_pytest"}
REFERENCE = {"cheroot", "conformance.reference"}
ENGINES = {"jinja2", "conformance.report.html", "conformance.report.overview", "conformance.plugin.several"}
TRYING = ("conformance.generate", "conformance.model", "conformance.driver.api", "conformance.driver.rounds")
"""What acts on a target once it was looked at."""


def imported(tmp_path: Path, *arguments: str) -> set[str]:
    """The modules that the command has imported when it ends or first connects to somewhere."""
    ran = subprocess.run(
        [sys.executable, "-c", TOLD, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return set(ran.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("asked", ["--version", "--help", "-h"])
def test_the_version_and_the_help_need_next_to_nothing(asked: str, tmp_path: Path) -> None:
    """No command is imported, and none of what they need."""
    names = imported(tmp_path, asked)
    assert "click" in names
    assert not names & (GENERATORS | RENDERERS | SPEAKERS | REFERENCE | {"conformance.plugin", "conformance.client"})


def test_the_help_of_a_run_needs_no_test_runner(tmp_path: Path) -> None:
    """Nor a client."""
    names = imported(tmp_path, "run", "--help")
    assert "conformance.run.arguments" in names
    unneeded = {"pytest", "requests", "jinja2", "conformance.plugin", "conformance.report.outline"}
    assert not names & (GENERATORS | RENDERERS | REFERENCE | unneeded)


def test_the_first_request_waits_for_no_generator(tmp_path: Path) -> None:
    """What makes cases up, and what shows the end of the run, is imported when it is needed."""
    names = imported(tmp_path, "run", "--depth", "quick", "--state-dir", str(tmp_path))
    assert {"requests", "pytest", "conformance.run.session"} <= names
    assert not names & (GENERATORS | RENDERERS | REFERENCE | ENGINES)
    assert not [name for name in names if name.startswith(TRYING)]
