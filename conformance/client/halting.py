"""Whether the run is to stop: one word of all its processes, read between exchanges and by every wait.

A signal cannot end a run where it stands, since what it made must be taken back first; and an exception out of a
handler is lost where a library swallows it. So a handler asks here, and whoever is about to send or to wait finds out.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from conformance.errors import Stopped as Stopped  # noqa: PLC0414  # raised here, caught by whoever asked

SLICE_SECONDS = 0.1
"""How long a wait may last before somebody looks again."""

FILE = "stop"
"""In the directory that the processes of a run share: the word, once somebody has said it."""

OVER = "the time for the run is over (limits.run_seconds)"


@dataclass(frozen=True, slots=True)
class Halt:
    """Why the run is to stop: the signal that asked for it, 0 for none, and the words of a report."""

    reason: str
    signal: int = 0


@dataclass(slots=True)
class _Here:
    """What this process knows. It is one for the process, as its signals are."""

    word: Path | None = None
    """The file of the word; its name is made once, for it is looked for at every exchange."""
    halt: Halt | None = None
    since: float = 0.0
    deadline: float | None = None
    clearing: bool = False
    give_up: float | None = None


_here = _Here()


def share(directory: Path) -> None:
    """Say it to the other processes of the run, and hear it from them."""
    _here.word = directory / FILE
    if _here.halt:
        _tell(_here.word, _here.halt)


def limit(seconds: float) -> None:
    """The run may take so long from now on, at most."""
    _here.deadline = time.monotonic() + seconds


def left() -> float:
    """Seconds that the run may still take, or what follows it."""
    until = _here.give_up if _here.clearing else _here.deadline
    return max(0.0, until - time.monotonic()) if until is not None else math.inf


def reset() -> None:
    """The run is over; the next one in this process begins with nothing said."""
    global _here  # noqa: PLW0603  # the state of the process
    _here = _Here()


def ask(reason: str, signal: int = 0) -> None:
    """Ask the run to stop; who asked first is heard, but a signal is heard above what the run says itself."""
    _listen()
    if _here.halt is None or (signal and not _here.halt.signal):
        _note(Halt(reason, signal))
        if _here.word:
            _tell(_here.word, Halt(reason, signal))


def asked() -> Halt | None:
    """Why the run is to stop; None while it is not."""
    _listen()
    if _here.halt is None and not _here.clearing and left() <= 0:
        ask(OVER)
    return _here.halt


def clear_away(seconds: float | None = None) -> None:
    """From now on what is sent takes back what the run made: no word stops that, but the time does if there is one."""
    _here.clearing = True
    _here.give_up = time.monotonic() + seconds if seconds is not None else None


def check(patience: float = 0.0) -> None:
    """Return if the run goes on.

    Args:
        patience: seconds that the caller may go on after the run was asked to stop.

    Raises:
        Stopped: it does not.
    """
    if _here.clearing:
        if left() <= 0:
            raise Stopped("the time for taking back what the run made is over")
    elif (halt := asked()) and time.monotonic() >= _here.since + patience:
        raise Stopped(halt.reason)


def pause(seconds: float) -> None:
    """Wait.

    Raises:
        Stopped: the run is to stop.
    """
    until = time.monotonic() + seconds
    check()
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, SLICE_SECONDS))
        check()


def _listen() -> None:
    open_to = _here.halt is None or not _here.halt.signal
    if open_to and _here.word and _here.word.exists() and (said := _said(_here.word)):
        _note(said)


def _note(halt: Halt) -> None:
    if _here.halt is None:
        _here.since = time.monotonic()
    _here.halt = halt


def _tell(file: Path, halt: Halt) -> None:
    aside = file.with_name(f"{FILE}.{os.getpid()}")
    with contextlib.suppress(OSError):  # nobody is there any more
        aside.write_text(json.dumps(asdict(halt)), encoding="utf-8")
        if halt.signal and (said := _said(file)) and not said.signal:
            aside.replace(file)
            return
        with contextlib.suppress(FileExistsError):  # somebody was first
            os.link(aside, file)
        aside.unlink()


def _said(file: Path) -> Halt | None:
    try:
        return Halt(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
