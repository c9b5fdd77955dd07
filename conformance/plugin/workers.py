"""How many processes run the tests, unless the command line says it.

Wall time on a remote target is latency times requests, so workers pay where answers are slow. Where they come at once
the suite itself is what takes the time, and starting workers costs more than it saves.
"""

from __future__ import annotations

import math
import os
from typing import Any

import pytest

from conformance.preflight.cost import COMPUTING_SECONDS
from conformance.target import Target

WORTH_IT_SECONDS = 0.02
"""From this latency on several processes are faster than one, at every depth."""

MOST = 4
"""The longest tests take about a quarter of a run; more workers would wait for them."""

LEASED_ON_AVERAGE = 1.5
"""So many addresses a worker has: the long tests take two, the others one. One that cannot have them waits."""

VARIABLE = "PYTEST_XDIST_AUTO_NUM_WORKERS"
"""pytest-xdist's own: it decides where it is set."""

ONLY_LOOKING = ("help", "version", "markers", "showfixtures", "show_fixtures_per_test", "collectonly", "setupplan")
"""pytest's options with which no test runs."""

SINGLE_PROCESS = ("usepdb", "trace", "distload", "tx")
"""pytest's and xdist's options that ask for one process, or say themselves how tests are distributed."""


def by_default(option: Any) -> bool:
    """The command line leaves it open how many workers there are, and tests will run."""
    return (
        getattr(option, "numprocesses", 0) is None
        and option.dist == "no"
        and not any(getattr(option, name, None) for name in (*SINGLE_PROCESS, *ONLY_LOOKING))
    )


def runs_tests(option: Any) -> bool:
    """The command line asks for more than a look at the suite."""
    return not any(getattr(option, name, None) for name in ONLY_LOOKING)


def sensible(target: Target, latency: float, processors: int) -> int:
    """How many workers make the run faster; 0 for none beside this process.

    Args:
        latency: seconds that the target takes for a read.
        processors: how many this process may use.
    """
    if latency < WORTH_IT_SECONDS or not target.servers:
        return 0
    limits = target.limits
    leased = math.ceil(limits.max_addresses / LEASED_ON_AVERAGE)
    computed = int(processors * (latency + COMPUTING_SECONDS) / COMPUTING_SECONDS)
    # A worker sends a request a latency; more than the ceiling lets through would only wait for their turn.
    let_through = math.ceil(limits.requests_per_second * latency) if limits.requests_per_second else MOST
    found = min(MOST, leased, computed, let_through)
    return found if found > 1 else 0


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def decided_elsewhere() -> bool:
    """The environment says how many."""
    return bool(os.environ.get(VARIABLE))


def one_by_one(config: pytest.Config) -> None:
    """Let workers get their tests one at a time: they are few, and differ in length."""
    if getattr(config.option, "maxschedchunk", 0) is None:
        config.option.maxschedchunk = 1
