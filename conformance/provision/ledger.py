"""The ledger: what a run is about to create, on disk before the request leaves, and what of it is gone again.

One file a run, appended by every process of the run. Whoever finds the file of a dead run can take back what that
run left; a run is dead when nobody holds one of its locks. The ledger holds identifiers only, never a credential.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
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
SHARED = ".shared"
PROBED_SECONDS = 5.0
"""Somebody who looks whether a lock is held holds it himself for a moment."""

HINT = "nothing is created without it; choose a writable place with room with --state-dir"


def state_directory(target: Target, root: Path | None = None) -> Path:
    """Where the ledgers of this target's runs are kept: one place for all working directories of a user."""
    key = hashlib.sha256(f"{target.compute}\n{target.network}".encode()).hexdigest()[:16]
    return state_root(root) / key


def state_root(root: Path | None = None) -> Path:
    """The user's state directory, or what replaces it: ``root``, or the variable CONFORMANCE_STATE_DIR."""
    return root or Path(
        os.environ.get("CONFORMANCE_STATE_DIR") or platformdirs.user_state_path(__package__.split(".")[0])
    )


def allocation_lock(directory: Path) -> FileLock:
    """Held from the look before an allocation until its answer is written down, over all runs of a user on a target.

    So an address that is new, and in no ledger once the lock is had, was not just allocated by another run.
    """
    return FileLock(directory / "allocation.lock")


@dataclass(frozen=True, slots=True)
class Intent:
    """An allocation that was about to be asked for.

    Attributes:
        before: IDs of the addresses that existed already.
        at: wall clock, seconds since the epoch.
    """

    id: str
    before: frozenset[str]
    ports: frozenset[str]
    at: float


@dataclass(slots=True)
class Record:
    """What a ledger says.

    Attributes:
        unanswered: allocations of which nobody knows what came of them, oldest first.
        addresses: those alive, with the servers that each was to be associated with.
        ever: every address that was the run's own, in lower case.
        servers: those whose ports addresses were allocated for.
    """

    unanswered: dict[str, Intent] = field(default_factory=dict)
    addresses: dict[str, set[str]] = field(default_factory=dict)
    ever: set[str] = field(default_factory=set)
    servers: set[str] = field(default_factory=set)

    @property
    def settled(self) -> bool:
        """Nothing of the run is left."""
        return not self.unanswered and not self.addresses

    def apply(self, entry: dict[str, Any]) -> None:
        """Follow one line of the ledger; lines of another shape are passed over."""
        match entry:
            case {"do": "allocating", "intent": str(intent), "before": list(before), "ports": list(ports), **rest}:
                at = float(rest.get("at", 0.0))
                self.unanswered[intent] = Intent(intent, frozenset(before), frozenset(ports), at)
                self.servers.update(rest.get("servers", ()))
            case {"do": "allocated", "intent": str(intent), "address": str(address)}:
                self.unanswered.pop(intent, None)
                self.addresses.setdefault(address, set())
                self.ever.add(address.lower())
            case {"do": "refused", "intent": str(intent)}:
                self.unanswered.pop(intent, None)
            case {"do": "associating", "address": str(address), "server": str(server)}:
                if address in self.addresses:
                    self.addresses[address].add(server)
                self.servers.add(server)
            case {"do": "gone", "address": str(address)}:
                self.addresses.pop(address, None)


class Ledger:
    """The ledger of one run, as one of its processes sees it. While it is open, the run is alive.

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
            self._lock.acquire(timeout=PROBED_SECONDS)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            _sync_directory(path.parent)
        except (OSError, Timeout) as error:
            raise LedgerError(f"the ledger {path} cannot be opened: {_words(error)}", HINT) from error

    @property
    def run(self) -> str:
        """The run's identifier."""
        return self.path.name.removesuffix(SUFFIX)

    @property
    def directory(self) -> Path:
        """The directory of all ledgers of the target."""
        return self.path.parent

    def allocating(self, before: frozenset[str], ports: tuple[str, ...], servers: tuple[str, ...]) -> str:
        """An address is about to be asked for; returns the intent that the answer will name."""
        self._intents += 1
        intent = f"{self.process}-{self._intents}"
        self._write(do="allocating", intent=intent, before=sorted(before), ports=list(ports), servers=list(servers))
        return intent

    def allocated(self, intent: str, address: str) -> None:
        """The address exists and is ours."""
        self._write(do="allocated", intent=intent, address=address)

    def refused(self, intent: str) -> None:
        """The target said that it created nothing, and shows nothing new."""
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
        if self._file < 0:
            return
        os.close(self._file)
        self._file = -1
        self._lock.release()
        Path(self._lock.lock_file).unlink(missing_ok=True)
        if not alive(self.path) and self.read().settled:
            self.path.unlink(missing_ok=True)

    def _write(self, **entry: Any) -> None:
        # The leading newline keeps a line that a killed process tore from swallowing this one.
        line = f"\n{json.dumps({**entry, 'at': round(time.time(), 3)})}\n".encode()
        try:
            written = os.write(self._file, line)
            os.fsync(self._file)
        except OSError as error:
            raise LedgerError(f"the ledger {self.path} cannot be written: {_words(error)}", HINT) from error
        if written != len(line):
            raise LedgerError(f"the ledger {self.path} cannot be written: the disk is full", HINT)


def _words(error: OSError | Timeout) -> str:
    return "another process of the same name holds it" if isinstance(error, Timeout) else error.strerror or str(error)


def _sync_directory(directory: Path) -> None:
    """A file that is not in its directory after a crash of the machine would be of no use."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path) -> Record:
    """What a ledger file says; lines torn by a kill are passed over, since their requests were never sent.

    A file that is not there says that nothing is left.

    Raises:
        LedgerError: the file cannot be read.
    """
    record = Record()
    try:
        for entry in _entries(path):
            record.apply(entry)
    except FileNotFoundError:
        return Record()
    except OSError as error:
        raise LedgerError(f"the ledger {path} cannot be read: {_words(error)}") from error
    return record


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_bytes().split(b"\n"):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry


def ledgers(directory: Path) -> list[Path]:
    """The ledger files of a target's runs, oldest first."""
    return sorted(directory.glob(f"*{SUFFIX}"))


def alive(path: Path, apart_from: str = "") -> bool:
    """Some process of the run, other than ``apart_from``, still holds its lock."""
    return any(_held(lock) for lock in _locks(path) if lock.name.split(".")[-2] != apart_from)


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


def shared_directory(path: Path) -> Path:
    """Where the processes of the run keep what they share and nobody needs after it: slots, the pace, locks."""
    return path.with_name(f"{path.name.removesuffix(SUFFIX)}{SHARED}")


def orphans(directory: Path) -> list[Path]:
    """Shared directories of runs that are dead and have no ledger any more."""
    ledger_of = {shared: shared.with_name(f"{shared.stem}{SUFFIX}") for shared in directory.glob(f"*{SHARED}")}
    return [shared for shared, path in ledger_of.items() if not path.exists() and not alive(path)]


def forget(path: Path) -> None:
    """Remove a dead run's ledger and locks, and what its processes shared."""
    shutil.rmtree(shared_directory(path), ignore_errors=True)
    for lock in _locks(path):
        lock.unlink(missing_ok=True)
    path.unlink(missing_ok=True)
