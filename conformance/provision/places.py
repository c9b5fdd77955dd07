"""Directories of the user's own, and what replaces them where the user has no home."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs

from conformance.errors import LedgerError

NAME = "conformance"


def state() -> Path:
    """Where ledgers are kept unless somebody says otherwise.

    Raises:
        LedgerError: it is the makeshift, and another user has made it.
    """
    return _or_makeshift(platformdirs.user_state_path)


def cache() -> Path:
    """Where nothing lies that would be missed."""
    return _or_makeshift(platformdirs.user_cache_path)


def makeshift() -> Path:
    """One directory for a user without a home; it lasts as long as temporary files do."""
    return Path(tempfile.gettempdir(), f"{NAME}-{os.getuid()}")


def _or_makeshift(usual: Callable[[str], Path]) -> Path:
    with contextlib.suppress(RuntimeError):  # newer releases raise it where nobody knows a home
        wanted = usual(NAME)
        if wanted.is_absolute() and _can_be_made(wanted):
            return wanted
    found = makeshift()
    try:
        found.mkdir(mode=0o700, exist_ok=True)
        kept = found.lstat()
    except OSError as error:
        raise LedgerError(f"{found} cannot be made: {error.strerror}", "name a directory with --state-dir") from error
    if kept.st_uid != os.getuid() or found.is_symlink():
        raise LedgerError(f"{found} belongs to somebody else", "name a directory with --state-dir")
    return found


def _can_be_made(directory: Path) -> bool:
    """It exists, or the nearest folder that does may be written to."""
    existing = next((one for one in (directory, *directory.parents) if os.path.lexists(one)), directory)
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
