"""Locks between runs: nobody waits for a holder that stands still."""

import os
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from conformance.client import halting
from conformance.errors import LedgerError
from conformance.provision import locks


def test_a_holder_that_stands_still_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its process and what to do."""
    monkeypatch.setattr(locks, "QUIET_SECONDS", 0.3)
    path = tmp_path / "sweep.lock"
    (tmp_path / "sweep.lock.holder").write_text("4711")
    with (
        FileLock(path),
        pytest.raises(LedgerError, match=r"held by process 4711, .*end it or let it go on"),
        locks.exclusive(path),
    ):
        pass


def test_an_odd_beacon_hinders_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is had, and waited for no longer, where its holder's sign of life is a pipe."""
    monkeypatch.setattr(locks, "QUIET_SECONDS", 0.3)
    path = tmp_path / "sweep.lock"
    os.mkfifo(tmp_path / "sweep.lock.holder")
    with locks.exclusive(path), pytest.raises(LedgerError, match="held by another process"), locks.exclusive(path):
        pass


def test_a_holder_that_lives_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than a holder that stands still: its signs of life are seen."""
    monkeypatch.setattr(locks, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(locks, "QUIET_SECONDS", 3.0)
    path, held, release = tmp_path / "a.lock", threading.Event(), threading.Event()

    def hold() -> None:
        with locks.exclusive(path):
            held.set()
            release.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(60)
    assert (tmp_path / "a.lock.holder").read_text() == str(os.getpid())
    threading.Timer(4.0, release.set).start()
    with locks.exclusive(path):
        assert release.is_set()
    holder.join()


def test_who_waits_for_a_lock_can_be_stopped(tmp_path: Path) -> None:
    """As everybody who waits."""
    path = tmp_path / "a.lock"
    halting.ask("enough")
    try:
        with FileLock(path), pytest.raises(halting.Stopped), locks.exclusive(path):
            pass
    finally:
        halting.reset()
