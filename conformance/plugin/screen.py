"""Where a run shows how far it is and what came out: pytest's terminal, or one of the command's own."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any, Protocol

import pytest

LOG_WIDTH = 100
"""Where nobody looks at a terminal, as in the log of a CI job."""


class Screen(Protocol):
    """Somewhere to write to."""

    verbosity: int
    terse: bool
    """Nothing but the verdict is wanted."""

    @property
    def width(self) -> int:
        """Columns."""

    @property
    def color(self) -> bool:
        """It shows colours."""

    def descriptor(self) -> int:
        """A copy of its descriptor, since pytest takes the other one away from tests.

        Raises:
            OSError, ValueError, AttributeError: it has none.
        """

    def write(self, text: str) -> None:
        """Write, with an escape for what its encoding lacks."""

    def hush(self) -> None:
        """Show no dots."""


class Own:
    """The standard output of the command."""

    def __init__(self, verbosity: int, wanted: str) -> None:
        self.verbosity, self.terse = verbosity, verbosity < 0
        self._stream = sys.stdout
        self._wanted = wanted

    @property
    def width(self) -> int:
        """As wide as the terminal, or as COLUMNS says."""
        return shutil.get_terminal_size((LOG_WIDTH, 24)).columns

    @property
    def color(self) -> bool:
        """As ``--color`` says; else a terminal shows them, unless NO_COLOR forbids or FORCE_COLOR asks."""
        if self._wanted in {"yes", "no"}:
            return self._wanted == "yes"
        if os.environ.get("NO_COLOR"):
            return False
        return bool(os.environ.get("FORCE_COLOR")) or (self._stream.isatty() and os.environ.get("TERM") != "dumb")

    def descriptor(self) -> int:
        """As :meth:`Screen.descriptor`."""
        return os.dup(self._stream.fileno())

    def write(self, text: str) -> None:
        """As :meth:`Screen.write`."""
        self._stream.write(_encodable(text, self._stream.encoding))
        self._stream.flush()

    def hush(self) -> None:
        """There are none."""


class Pytests:
    """The terminal reporter's."""

    def __init__(self, reporter: Any) -> None:
        self.verbosity, self.terse = int(reporter.verbosity), False
        self._reporter = reporter
        self._writer = reporter._tw  # noqa: SLF001  # pytest offers its width and colour nowhere else

    @property
    def width(self) -> int:
        """As pytest takes it."""
        return int(self._writer.fullwidth)

    @property
    def color(self) -> bool:
        """As pytest takes it."""
        return bool(self._writer.hasmarkup)

    def descriptor(self) -> int:
        """As :meth:`Screen.descriptor`."""
        return os.dup(self._writer._file.fileno())  # noqa: SLF001  # pytest offers it nowhere else

    def write(self, text: str) -> None:
        """As :meth:`Screen.write`; pytest would write all of it as one escaped line."""
        self._writer.write(_encodable(text, getattr(sys.stdout, "encoding", None)))

    def hush(self) -> None:
        """As :meth:`Screen.hush`."""
        self._reporter.showfspath = False
        self._reporter._show_progress_info = False  # noqa: SLF001  # the same


SCREEN = pytest.StashKey[Own]()
"""On the config of ``conformance run``."""


def of(config: pytest.Config) -> Screen | None:
    """The run's screen; None if nobody looks."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    return Pytests(reporter) if reporter else config.stash.get(SCREEN, None)


def _encodable(text: str, encoding: str | None) -> str:
    known = encoding or "utf-8"
    return text.encode(known, "backslashreplace").decode(known)
