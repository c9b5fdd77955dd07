"""The standard streams, such that nothing about them ends a command or changes its exit code.

A stream may be closed, its reader may go away, its disk may be full, and its encoding may lack a character: then what
was to be written is lost or written as an escape, and the command goes on.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any, TextIO

STANDARD = (0, 1, 2)


class Unread(io.FileIO):
    """A descriptor that takes what nobody reads."""

    def write(self, data: Any, /) -> int:
        """Write, or from the first failure on let the descriptor lead nowhere."""
        try:
            return super().write(data)
        except BlockingIOError:
            raise
        except OSError:
            _nowhere(self.fileno())
            return memoryview(data).nbytes


def prepare() -> None:
    """Give this process, and those that it starts, three standard streams that work."""
    for number in STANDARD:
        if not _is_open(number):
            _nowhere(number)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # for as long as the process lives
    sys.stdout = _lasting(1, sys.stdout)
    sys.stderr = _lasting(2, sys.stderr)
    if sys.__stderr__ is None:  # as it is where the descriptor was closed at the start; others look there
        sys.__stderr__ = sys.stderr  # type: ignore[misc,assignment]


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _nowhere(number: int) -> None:
    descriptor = os.open(os.devnull, os.O_RDWR)
    if descriptor != number:
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.set_inheritable(number, True)


def _lasting(number: int, usual: TextIO | None) -> TextIO:
    """The stream in its usual encoding; a line is written when it ends."""
    encoding = (usual and usual.encoding) or "utf-8"
    raw = io.BufferedWriter(Unread(number, "w", closefd=False))
    return io.TextIOWrapper(raw, encoding, errors="backslashreplace", line_buffering=True)
