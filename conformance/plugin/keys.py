"""Typed stash keys: where the plugin keeps its state, never in globals."""

from __future__ import annotations

import contextlib

import pytest

from conformance.driver.context import Process, Readings
from conformance.driver.ruling_log import RulingLog
from conformance.plugin.outcome import ItemOutcome
from conformance.run.item_record import ItemRecord
from conformance.run.progress import Beat, Display
from conformance.run.session import RunSession
from conformance.run.signals import Handlers

SESSION = pytest.StashKey[RunSession]()
"""On the config of the controller, or of the only process."""

PROCESS = pytest.StashKey[Process]()
"""On the config of every process that runs tests."""

RULING_LOG = pytest.StashKey[RulingLog]()
"""On an item: what its test has ruled."""

OUTCOME = pytest.StashKey[ItemOutcome]()
"""On an item: how its test ended."""

BEGUN = pytest.StashKey[Readings]()
"""On an item: what the process had sent and how it had spent its time when the test began."""

BEAT = pytest.StashKey[Beat]()
"""On the config of every process that runs tests: where it notes how far it is."""

DISPLAY = pytest.StashKey[Display]()
"""On the config of the controller, or of the only process: what shows how far the run is."""

STARTED_AT = pytest.StashKey[float]()
"""On an item: when its test began, wall clock, seconds since the epoch."""

CLOSING = pytest.StashKey[ItemRecord]()
"""On the config of every process that runs tests: the record of its look at the end."""

HANDLERS = pytest.StashKey[Handlers]()
"""On the config of every process that runs tests, and of the controller: what heeds signals."""

STARTING = pytest.StashKey[contextlib.ExitStack]()
"""On the config of the controller: signals are held back while its workers start."""
