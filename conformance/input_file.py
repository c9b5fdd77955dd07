"""Files that users name: regular ones of a sane size, so that no device and no pipe is read for ever."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MOST_BYTES = 64 * 1024 * 1024


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


def depth_of(document: object, most: int) -> int:
    """How deeply lists and mappings of a document stand in each other, or more than ``most``."""
    level, depth = [document], 0
    while level and depth <= most:
        inner = [one for one in level if isinstance(one, (dict, list))]
        level = [value for one in inner for value in (one.values() if isinstance(one, dict) else one)]
        depth += bool(inner)
    return depth
