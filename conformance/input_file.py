"""Files that users name: regular ones of a sane size, so that no device and no pipe is read for ever."""

from __future__ import annotations

import os
import select
import stat
import time
from pathlib import Path

MOST_BYTES = 64 * 1024 * 1024

PIPE_SECONDS = 10.0
"""So long may whoever writes into a pipe take to say a few words."""


def content(path: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """The bytes of the file.

    Raises:
        OSError: it cannot be read, is no regular file, or is larger than ``most_bytes``; ``strerror`` says so.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(21, "Is a directory", str(path))
        if not stat.S_ISREG(found.st_mode):
            raise OSError(22, "it is no regular file", str(path))
        said = file.read(most_bytes + 1)
    if len(said) > most_bytes:
        raise OSError(27, f"it is larger than {most_bytes:,} bytes", str(path))
    return said


def text(path: Path, most_bytes: int = MOST_BYTES) -> str:
    """The same as text.

    Raises:
        OSError: as :func:`content`.
        UnicodeDecodeError: it is not UTF-8.
    """
    return content(path, most_bytes).decode("utf-8")


def words(path: Path, most_bytes: int) -> str:
    """The text of a short file, at most so many bytes of it; it may be a pipe, which is not waited for without end.

    Raises:
        OSError: it cannot be read, or a pipe says nothing; ``strerror`` says so.
        UnicodeDecodeError: it is not UTF-8.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    give_up, said = time.monotonic() + PIPE_SECONDS, b""
    try:
        ready = select.poll()
        ready.register(descriptor, select.POLLIN)
        while len(said) < most_bytes:
            if not ready.poll(max(0.0, give_up - time.monotonic()) * 1000):
                raise TimeoutError(110, f"nobody wrote its end within {PIPE_SECONDS:g} s", str(path))
            piece = os.read(descriptor, most_bytes - len(said))
            if not piece:
                break
            said += piece
    finally:
        os.close(descriptor)
    return said.decode("utf-8")


def without_waiting(path: str, flags: int) -> int:
    """An opener, as :func:`open` takes one: a pipe that nobody reads is an error at once, and none is waited for."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)


def check_regular(path: Path) -> None:
    """Make sure of a file that a library is going to read.

    Raises:
        OSError: it is not there, or is no regular file of a sane size; ``strerror`` says so.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(22, "it is no regular file", str(path))
    if found.st_size > MOST_BYTES:
        raise OSError(27, f"it is larger than {MOST_BYTES:,} bytes", str(path))


def depth_of(document: object, most: int) -> int:
    """How deeply lists and mappings of a document stand in each other, or more than ``most``."""
    level, depth = [document], 0
    while level and depth <= most:
        inner = [one for one in level if isinstance(one, (dict, list))]
        level = [value for one in inner for value in (one.values() if isinstance(one, dict) else one)]
        depth += bool(inner)
    return depth
