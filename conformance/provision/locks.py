"""Locks between the runs of a user: whoever waits learns who holds one, and waits for no holder that stands still."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from conformance.client import halting
from conformance.errors import LedgerError

QUIET_SECONDS = 30.0
"""A holder that shows no sign of life for so long is waited for no longer."""

BEAT_SECONDS = 5.0
POLL_SECONDS = 0.1


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock ``path``, and show signs of life meanwhile in a file beside it.

    Raises:
        LedgerError: its holder stands still, and the message names the process; or there is no place for a lock.
        Stopped: the run is to stop.
    """
    beacon = path.with_name(f"{path.name}.holder")
    with _acquired(FileLock(path), beacon):
        released = threading.Event()
        beating = threading.Thread(target=_beat, args=(beacon, released), daemon=True)
        _write(beacon)
        beating.start()
        try:
            yield
        finally:
            released.set()
            beating.join()


def _acquired(lock: FileLock, beacon: Path) -> contextlib.AbstractContextManager[object]:
    seen, since = _sign(beacon), time.monotonic()
    while True:
        try:
            return lock.acquire(timeout=0)
        except Timeout:
            halting.pause(POLL_SECONDS)
        except OSError as error:
            raise LedgerError(f"{lock.lock_file} cannot be locked: {error.strerror}") from error
        if (now := _sign(beacon)) != seen:
            seen, since = now, time.monotonic()
        elif time.monotonic() - since >= QUIET_SECONDS:
            raise LedgerError(
                f"{lock.lock_file} is held by {_holder(beacon)}, which has shown no sign of life for "
                f"{QUIET_SECONDS:g} s",
                "is it stopped? end it or let it go on",
            )


def _beat(beacon: Path, released: threading.Event) -> None:
    while not released.wait(BEAT_SECONDS):
        with contextlib.suppress(OSError):
            os.utime(beacon)


def _write(beacon: Path) -> None:
    with contextlib.suppress(OSError), open(beacon, "w", encoding="ascii", opener=_without_waiting) as file:
        file.write(f"{os.getpid()}")  # where that fails the lock is had all the same


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK, 0o600)


def _sign(beacon: Path) -> int:
    try:
        return beacon.stat().st_mtime_ns
    except OSError:
        return 0


def _holder(beacon: Path) -> str:
    try:
        with open(beacon, "rb", opener=_without_waiting) as file:
            return f"process {int(file.read(20))}"
    except (OSError, ValueError):
        return "another process"
