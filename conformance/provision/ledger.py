"""The ledger: what a run is about to create, on disk before the request leaves, and what of it is gone again.

One file a run, appended by every process of the run. Whoever finds the file of a dead run can take back what that
run left; a run is dead when nobody holds one of its locks. The ledger holds identifiers only, never a credential.
Each process remembers what it wrote, so that a file which vanished or shrank is noticed and written again.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import shutil
import stat
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from conformance.errors import LedgerError
from conformance.provision import places
from conformance.provision.locks import exclusive
from conformance.provision.record import Intent, LedgerRecord, Made, entries
from conformance.target import Target

__all__ = ["Intent", "Ledger", "LedgerRecord", "Made"]

SUFFIX = ".ledger.jsonl"
ASIDE = ".aside"
SHARED = ".shared"
PROBED_SECONDS = 5.0
"""Somebody who looks whether a lock is held holds it himself for a moment."""

LARGEST_BYTES = 64 * 1024 * 1024
PRIVATE = 0o700

HINT = "nothing is created without it; choose a writable place with room with --state-dir"


def state_directory(target: Target, root: Path | None = None) -> Path:
    """Where the ledgers of this target's runs are kept: one place for all working directories of a user."""
    key = hashlib.sha256(f"{target.compute}\n{target.network}".encode()).hexdigest()[:16]
    return state_root(root) / key


def state_root(root: Path | None = None) -> Path:
    """The user's state directory, or what replaces it: ``root``, or the variable CONFORMANCE_STATE_DIR."""
    named = os.environ.get("CONFORMANCE_STATE_DIR")
    return root or (Path(named) if named else places.state())


def allocation_lock(directory: Path) -> contextlib.AbstractContextManager[None]:
    """Held from the look before an allocation until its answer is written down, over all runs of a user on a target.

    So an address that is new, and in no ledger once the lock is had, was not just allocated by another run.
    """
    return exclusive(directory / "allocation.lock")


class Ledger:
    """The ledger of one run, as one of its processes sees it. While it is open, the run is alive.

    Attributes:
        written: what this process wrote, which it knows better than the file.
        shrank: the file was found without something that it held.

    Raises:
        LedgerError: it cannot be written; then nothing may be created.
    """

    def __init__(self, path: Path, process: str = "main") -> None:
        self.path = path
        self.process = process
        self.written: list[dict[str, Any]] = []
        self.shrank = False
        self._size = 0
        self._intents = 0
        self._paired: set[tuple[str, str]] = set()
        self._lock = FileLock(path.with_name(f"{self.run}.{process}.lock"))
        self._file = -1
        try:
            self._open()
        except (OSError, Timeout) as error:
            raise LedgerError(f"the ledger {path} cannot be opened: {_words(error)}", HINT) from error

    def _open(self) -> None:
        _private(self.path.parent)
        self._lock.acquire(timeout=PROBED_SECONDS)
        self._file = _opened(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        _sync_directory(self.path.parent)

    @property
    def run(self) -> str:
        """The run's identifier."""
        return _run(self.path)

    @property
    def directory(self) -> Path:
        """The directory of all ledgers of the target."""
        return self.path.parent

    def seen(self, shared: Iterable[tuple[str, Iterable[str]]]) -> None:
        """These addresses of others with several ports were seen."""
        self._write(do="seen", shared=[[address, *sorted(ports)] for address, ports in shared])

    def allocating(
        self, before: frozenset[str], ports: tuple[str, ...], servers: tuple[str, ...], *, whole: bool = True
    ) -> str:
        """An address is about to be asked for; returns the intent that the answer will name.

        Args:
            before: IDs of the addresses that exist.
            whole: they are all, as far as is known.
        """
        self._intents += 1
        intent = f"{self.process}-{self._intents}"
        known = sorted(before)
        self._write(do="allocating", intent=intent, before=known, ports=list(ports), servers=list(servers), whole=whole)
        return intent

    def allocated(self, intent: str, address: str, literal: str = "") -> None:
        """The address exists and is ours; the answer shows ``literal`` of it."""
        self._write(do="allocated", intent=intent, address=address, literal=literal)

    def shown(self, intent: str, address: str, literal: str) -> None:
        """The address that the allocation made was seen."""
        self._write(do="shown", intent=intent, address=address, literal=literal)

    def suspected(self, intent: str, addresses: Iterable[str]) -> None:
        """If the allocation made an address, it is one of these."""
        self._write(do="suspected", intent=intent, addresses=sorted(addresses))

    def refused(self, intent: str) -> None:
        """The allocation created nothing."""
        self._write(do="refused", intent=intent)

    def associating(self, address: str, server: str) -> None:
        """An association is about to be asked for; said once a pair."""
        if (address, server) not in self._paired:
            self._write(do="associating", address=address, server=server)
            self._paired.add((address, server))

    def gone(self, address: str) -> None:
        """The address was seen to be gone, by a read of it."""
        self._write(do="gone", address=address)

    def forgotten(self, address: str) -> None:
        """The address is certainly gone: neither a read nor the list of all shows it."""
        self._write(do="forgotten", address=address)

    def read(self) -> LedgerRecord:
        """What all processes of the run have written so far, as far as it is there."""
        try:
            return read(self.path)
        except LedgerError:
            return LedgerRecord.of(self.written)

    def recovered(self, remembered: Iterable[Mapping[str, Any]]) -> bool:
        """Write again what is missing of what the processes of the run remember; True if something was."""
        try:
            there = {_line(entry) for entry in entries(_content(self.path))[0]}
        except (OSError, LedgerError):
            there = set()
        missing = [entry for entry in sorted(remembered, key=_at) if _line(entry) not in there]
        if missing:
            self.shrank = True
            with contextlib.suppress(OSError, Timeout, LedgerError):  # memory serves where the disk does not
                self._again(missing)
        return bool(missing)

    def close(self) -> None:
        """Give the lock back; the last process of a settled run leaves no file."""
        self._let_go()
        # What cannot be read is set aside by whoever comes next, and where no directory is nothing is to be tidied.
        with contextlib.suppress(LedgerError, OSError):
            Path(self._lock.lock_file).unlink(missing_ok=True)
            record = read(self.path)
            if not alive(self.path) and record.settled and not record.damaged:
                self.path.unlink(missing_ok=True)

    def _write(self, **entry: Any) -> None:
        entry["at"] = round(time.time(), 3)
        self.written.append(entry)
        try:
            if self._shrunk():
                self.shrank = True
                self._again(self.written)
            else:
                self._append([entry])
        except (OSError, Timeout) as error:
            raise LedgerError(f"the ledger {self.path} cannot be written: {_words(error)}", HINT) from error

    def _shrunk(self) -> bool:
        """The file is gone, is another one, or is shorter than it was."""
        if self._file < 0:
            return True
        try:
            there, ours = os.lstat(self.path), os.fstat(self._file)
        except (FileNotFoundError, NotADirectoryError):
            return True
        return (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino) or there.st_size < self._size

    def _again(self, missing: Iterable[Mapping[str, Any]]) -> None:
        """Open the file anew and write all of it; the lock too, which may have vanished with the directory."""
        self._let_go()
        self._open()
        self._append(missing)

    def _let_go(self) -> None:
        """Close the file, once: its number may be another file's from then on."""
        descriptor, self._file = self._file, -1
        if descriptor >= 0:
            os.close(descriptor)
        self._lock.release(force=True)

    def _append(self, missing: Iterable[Mapping[str, Any]]) -> None:
        # The leading newline keeps a line that a killed process tore from swallowing this one.
        content = "".join(f"\n{_line(entry)}\n" for entry in missing).encode()
        written = os.write(self._file, content)
        os.fsync(self._file)
        self._size = os.fstat(self._file).st_size
        if written != len(content):
            raise OSError(28, "the disk is full")


def _line(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry)


def _at(entry: Mapping[str, Any]) -> float:
    return float(entry["at"])


def _words(error: OSError | Timeout) -> str:
    return "another process of the same name holds it" if isinstance(error, Timeout) else error.strerror or str(error)


def _private(directory: Path) -> None:
    """A directory for the user alone, made where there is none.

    Raises:
        OSError: it is another user's.
    """
    for missing in reversed([one for one in (directory, *directory.parents) if not one.exists()]):
        missing.mkdir(mode=PRIVATE, exist_ok=True)
    found = directory.stat()
    if found.st_uid != os.getuid():
        raise OSError(1, f"{directory} belongs to another user")
    if stat.S_IMODE(found.st_mode) & ~PRIVATE:
        directory.chmod(PRIVATE)


def _opened(path: Path, flags: int) -> int:
    """A descriptor of a regular file of the user's own.

    Raises:
        OSError: it is something else, or another user's.
    """
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    found = os.fstat(descriptor)
    own = found.st_uid == os.getuid()
    if stat.S_ISREG(found.st_mode) and own and found.st_size <= LARGEST_BYTES:
        return descriptor
    os.close(descriptor)
    raise OSError(1, "it belongs to another user" if not own else "it is no regular file of a sane size")


def _content(path: Path) -> bytes:
    with os.fdopen(_opened(path, os.O_RDONLY), "rb") as file:
        return file.read()


def _sync_directory(directory: Path) -> None:
    """A file that is not in its directory after a crash of the machine would be of no use."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path) -> LedgerRecord:
    """What a ledger file says; lines torn by a kill are passed over, since their requests were never sent.

    A file that is not there says that nothing is left.

    Raises:
        LedgerError: the file cannot be read.
    """
    try:
        found, damaged = entries(_content(path))
    except FileNotFoundError:
        return LedgerRecord()
    except OSError as error:
        raise LedgerError(f"the ledger {path} cannot be read: {_words(error)}") from error
    record = LedgerRecord.of(found)
    record.damaged += damaged
    return record


def append(path: Path, *said: dict[str, Any]) -> None:
    """Add to the ledger of a run that is dead.

    Raises:
        OSError: it cannot be written.
    """
    descriptor = _opened(path, os.O_WRONLY | os.O_APPEND)
    with os.fdopen(descriptor, "ab") as file:
        file.writelines(f"\n{_line(entry | {'at': round(time.time(), 3)})}\n".encode() for entry in said)


def ledgers(directory: Path) -> list[Path]:
    """The ledger files of a target's runs, oldest first."""
    return sorted(directory.glob(f"*{SUFFIX}"))


def readable(directory: Path) -> dict[Path, LedgerRecord]:
    """The ledgers that can be read, and what they say."""
    found = {}
    for path in ledgers(directory):
        with contextlib.suppress(LedgerError):
            found[path] = read(path)
    return found


def pending(records: Mapping[Path, LedgerRecord]) -> list[Intent]:
    """The open allocations of those runs that are alive."""
    return [one for path, record in records.items() if alive(path) for one in record.unanswered.values()]


def set_aside(path: Path) -> Path:
    """Put a ledger out of the way of later runs, where it is found again.

    Raises:
        OSError: it cannot be moved.
    """
    place = next(one for one in _names(path) if not os.path.lexists(one))
    path.rename(place)
    return place


def _names(path: Path) -> Iterable[Path]:
    yield path.with_name(f"{path.name}{ASIDE}")
    number = 1
    while True:
        number += 1
        yield path.with_name(f"{path.name}{ASIDE}{number}")


def put_aside(directory: Path) -> list[Path]:
    """The ledgers that were set aside and that nobody has dealt with since."""
    return sorted(directory.glob(f"*{SUFFIX}{ASIDE}*"))


def alive(path: Path, apart_from: str = "") -> bool:
    """Some process of the run, other than ``apart_from``, still holds its lock."""
    return any(_held(lock) for lock in _locks(path) if lock.name.split(".")[-2] != apart_from)


def _run(path: Path) -> str:
    return path.name.removesuffix(SUFFIX)


def _locks(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{glob.escape(_run(path))}.*.lock"))


def _held(lock: Path) -> bool:
    if not lock.is_file():
        return False
    probe = FileLock(lock)
    try:
        probe.acquire(timeout=0)
    except Timeout:
        return True
    probe.release()
    return False


def shared_directory(path: Path) -> Path:
    """Where the processes of the run keep what they share and nobody needs after it: slots, the pace, locks."""
    return path.with_name(f"{_run(path)}{SHARED}")


def orphans(directory: Path) -> list[Path]:
    """Shared directories of runs that are dead and have no ledger any more."""
    ledger_of = {shared: shared.with_name(f"{shared.stem}{SUFFIX}") for shared in directory.glob(f"*{SHARED}")}
    return [shared for shared, path in ledger_of.items() if not path.exists() and not alive(path)]


def forget(path: Path) -> None:
    """Remove a dead run's ledger and locks, and what its processes shared."""
    tidy(path)
    with contextlib.suppress(NotADirectoryError):  # somebody has put something else in the directory's place
        path.unlink(missing_ok=True)


def tidy(path: Path) -> None:
    """Remove what the processes of a dead run shared, and their locks."""
    shutil.rmtree(shared_directory(path), ignore_errors=True)
    for lock in _locks(path):
        lock.unlink(missing_ok=True)
