"""Typed stash keys: where the plugin keeps its state, never in globals."""

from __future__ import annotations

import pytest

from conformance.plugin.docket import Docket
from conformance.plugin.outcome import Outcome
from conformance.plugin.process import Process
from conformance.plugin.session import Session

SESSION = pytest.StashKey[Session]()
"""On the config of the controller, or of the only process."""

PROCESS = pytest.StashKey[Process]()
"""On the config of every process that runs tests."""

DOCKET = pytest.StashKey[Docket]()
"""On an item: what its test has judged."""

OUTCOME = pytest.StashKey[Outcome]()
"""On an item: how its test ended."""

SENT = pytest.StashKey[int]()
"""On an item: how many requests the process had sent when the test began."""
