"""Processes that share the tests of a run, where the command line asks for them.

A remote target's answers are waited for at once inside one process; workers would wait for the same addresses.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

ONLY_LOOKING = ("help", "version", "markers", "showfixtures", "show_fixtures_per_test", "collectonly", "setupplan")
"""pytest's options with which no test runs."""


def runs_tests(option: Any) -> bool:
    """The command line asks for more than a look at the suite."""
    return not any(getattr(option, name, None) for name in ONLY_LOOKING)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_by_one(config: pytest.Config) -> None:
    """Let workers get their tests one at a time: they are few, and differ in length."""
    if getattr(config.option, "maxschedchunk", 0) is None:
        config.option.maxschedchunk = 1
