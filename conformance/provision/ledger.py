"""The ledger: what a run is about to create, on disk before the request leaves, and what of it is gone again.

One file a run, appended by every process of the run. Whoever finds the file of a dead run can take back what that
run left; a run is dead when nobody holds one of its locks. The ledger holds identifiers only, never a credential.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs
from filelock import FileLock, Timeout

from conformance.errors import LedgerError
from conformance.target import Target

SUFFIX = ".ledger.jsonl"


def state_directory(target: Target, root: Path | None = None) -> Path:
    """Where the ledgers of this target's runs are kept: one place for all working directories of a user.

    ``root`` or the variable CONFORMANCE_STATE_DIR replaces the user's state directory.
    """
    chosen = root or Path(
        os.environ.get("CONFORMANCE_STATE_DIR") or platformdirs.user_state_path(__package__.split(".")[0])
    )
    key = hashlib.sha256(f"{target.compute}\n{target.network}".encode()).hexdigest()[:16]
    return chosen / key


@dataclass(slots=True)
class Intent:
    """An allocation that was about to be asked for; ``before`` are the addresses that existed already."""

    id: str
    before: frozenset[str]
    network_id: str
    ports: frozenset[str]


@dataclass(slots=True)
class Record:
    """What a ledger says: open allocations, and living addresses with the servers they were associated with."""

    unanswered: dict[str, Intent] = field(default_factory=dict)
    addresses: dict[str, set[str]] = field(default_factory=dict)
    ever: set[str] = field(default_factory=set)

    @property
    def settled(self) -> bool:
        """Nothing of the run is left."""
        return not self.unanswered and not self.addresses

    def apply(self, entry: dict[str, Any]) -> None:
        """Follow one line of the ledger."""
        match entry:
            case {"do": "allocating", "intent": intent}:
                self.unanswered[intent] = Intent(
                    intent, frozenset(entry["before"]), entry["network_id"], frozenset(entry["ports"])
                )
            case {"do": "allocated", "intent": intent, "address": address}:
                self.unanswered.pop(intent, None)
                self.addresses.setdefault(address, set())
                self.ever.add(address)
            case {"do": "refused", "intent": intent}:
                self.unanswered.pop(intent, None)
            case {"do": "associating", "address": address, "server": server}:
                self.addresses.setdefault(address, set()).add(server)
            case {"do": "gone", "address": address}:
                self.addresses.pop(address, None)


class Ledger:
    """The ledger of one run, as one of its processes sees it.

    Raises:
        LedgerError: it cannot be written; then nothing may be created.
    """

    def __init__(self, path: Path, process: str = "main") -> None:
        self.path = path
        self.process = process
        self._lock = FileLock(path.with_name(f"{self.run}.{process}.lock"))
        self._intents = 0
        self._paired: set[tuple[str, str]] = set()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except (OSError, Timeout) as error:
            raise LedgerError(
                f"the ledger {path} cannot be opened: {error}",
                "nothing is created without it; choose a writable place with --state-dir",
            ) from error

    @property
    def run(self) -> str:
        """The run's identifier."""
        return self.path.name.removesuffix(SUFFIX)

    def allocating(self, before: frozenset[str], network_id: str, ports: tuple[str, ...]) -> str:
        """An address is about to be asked for; returns the intent that the answer will name."""
        self._intents += 1
        intent = f"{self.process}-{self._intents}"
        self._write(do="allocating", intent=intent, before=sorted(before), network_id=network_id, ports=list(ports))
        return intent

    def allocated(self, intent: str, address: str) -> None:
        """The address exists and is ours."""
        self._write(do="allocated", intent=intent, address=address)

    def refused(self, intent: str) -> None:
        """The target said that it created nothing."""
        self._write(do="refused", intent=intent)

    def associating(self, address: str, server: str) -> None:
        """An association is about to be asked for; said once a pair."""
        if (address, server) not in self._paired:
            self._write(do="associating", address=address, server=server)
            self._paired.add((address, server))

    def gone(self, address: str) -> None:
        """The address was seen to be gone."""
        self._write(do="gone", address=address)

    def read(self) -> Record:
        """What all processes of the run have written so far."""
        return read(self.path)

    def close(self) -> None:
        """Give the lock back; the last process of a settled run leaves no file."""
        os.close(self._file)
        self._lock.release()
        forget_lock(Path(self._lock.lock_file))
        if not alive(self.path) and self.read().settled:
            self.path.unlink(missing_ok=True)

    def _write(self, **entry: Any) -> None:
        # The leading newline keeps a line that a killed process tore from swallowing this one.
        line = "\n" + json.dumps({**entry, "at": round(time.time(), 3)}) + "\n"
        try:
            written = os.write(self._file, line.encode())
            os.fsync(self._file)
        except OSError as error:
            raise LedgerError(f"the ledger {self.path} cannot be written: {error}") from error
        if written != len(line):
            raise LedgerError(f"the ledger {self.path} cannot be written: the disk is full")


def read(path: Path) -> Record:
    """What a ledger file says; lines torn by a kill are passed over, since their requests were never sent.

    Raises:
        LedgerError: the file cannot be read.
    """
    record = Record()
    try:
        for entry in _entries(path):
            record.apply(entry)
    except OSError as error:
        raise LedgerError(f"the ledger {path} cannot be read: {error}") from error
    return record


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry


def ledgers(directory: Path) -> list[Path]:
    """The ledger files of a target's runs, oldest first."""
    return sorted(directory.glob(f"*{SUFFIX}"))


def alive(path: Path) -> bool:
    """Some process of the run still holds its lock."""
    return any(_held(lock) for lock in _locks(path))


def _locks(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name.removesuffix(SUFFIX)}.*.lock"))


def _held(lock: Path) -> bool:
    probe = FileLock(lock)
    try:
        probe.acquire(timeout=0)
    except Timeout:
        return True
    probe.release()
    return False


def forget_lock(lock: Path) -> None:
    """Remove a lock file that nobody holds."""
    lock.unlink(missing_ok=True)


def forget(path: Path) -> None:
    """Remove a dead run's ledger and locks."""
    for lock in _locks(path):
        forget_lock(lock)
    path.unlink(missing_ok=True)
