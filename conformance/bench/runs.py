"""The runs that are compared: the suite, Schemathesis with this project's document, and a bare loop."""

from __future__ import annotations

import json
import re
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance import SPEC
from conformance.bench.processes import SCHEMATHESIS, SUITE, Served, Usage, measured, served
from conformance.errors import ConformanceError

COUNTED = re.compile(r"^ +(\d+) generated", re.MULTILINE)
"""The line of Schemathesis's summary that says how many cases it sent, each a request."""

SEED = "1"
WARMING = "test_response or test_lifecycle or test_concurrency"
"""Tests that import what any test does."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a run sent and what it cost: seconds of wall and processor time."""

    requests: int
    wall: float
    cpu: float


def suite_command(served: Served, folder: Path, depth: str, *more: str) -> list[str]:
    """A run of the suite in one process, its reports and ledgers in ``folder``."""
    kept = ("--report-dir", str(folder), "--state-dir", str(folder / "state"), "-n", "0", "-q")
    return [*SUITE, "run", "--target", str(served.description), "--depth", depth, *kept, *more]


def suite(served: Served, folder: Path, depth: str) -> Traffic:
    """Judge a deployment that conforms.

    Raises:
        ConformanceError: the suite does not pass it.
    """
    reports = folder / secrets.token_hex(4)
    usage = measured(suite_command(served, reports, depth), folder, served.tokens)
    document: dict[str, Any] = json.loads((reports / "report.json").read_text(encoding="utf-8"))
    return _traffic(document["requests"]["total"], usage)


def schemathesis_command(url: str, *more: str) -> list[str]:
    """Schemathesis with this project's document, its configuration and all checks."""
    options = ("--url", url, "--checks", "all", "--seed", SEED, "--no-color")
    configured = ("--config-file", str(SPEC / "schemathesis.toml"), "run", str(SPEC / "openapi.yaml"))
    return [*SCHEMATHESIS, *configured, *options, *more]


def schemathesis(served: Served, folder: Path, *more: str) -> tuple[Traffic, bool]:
    """Let Schemathesis judge; whether it found something is told beside what it sent.

    Raises:
        ConformanceError: it does not say how much it sent.
    """
    usage = measured(schemathesis_command(served.url, *more), folder, variables(served), codes=(0, 1))
    counted = COUNTED.search(usage.output)
    if counted is None:
        raise ConformanceError(f"Schemathesis says nothing of its requests: {usage.output[-1500:]}")
    return _traffic(int(counted[1]), usage), "Failures:" in usage.output


def variables(served: Served) -> dict[str, str]:
    """What ``spec/schemathesis.toml`` takes from the environment."""
    return {**served.tokens, "CONFORMANCE_SERVER": served.server}


def warm_up(folder: Path) -> None:
    """Run each tool once, little: what it imports is compiled then, and not in what is measured."""
    with served(folder, policy={"settle_seconds": 0.5}) as deployment:
        measured(suite_command(deployment, folder / "warm-up", "quick", "-k", WARMING), folder, deployment.tokens)
        schemathesis(deployment, folder, "--phases", "coverage")
        bare(deployment, folder, 1)


def bare(served: Served, folder: Path, requests: int) -> Traffic:
    """Send so many requests from a loop around ``requests.Session``; its start is not counted."""
    command = [sys.executable, "-m", "conformance.bench.bare", served.url, served.server, str(requests)]
    told = json.loads(measured(command, folder, served.tokens).output)
    return Traffic(requests, told["wall"], told["cpu"])


def _traffic(requests: int, usage: Usage) -> Traffic:
    return Traffic(requests, usage.wall, usage.cpu)
