"""Runs of several targets, each in a process of its own, so many of them at the same time.

Alone at its time a run has the terminal. Of several at a time each line of progress is shown as it comes, with the
target's name before it, and the rest of what a run says when it has ended, so that it can be read.
"""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from conformance.run import signals
from conformance.run.progress import PREFIX

ENCODING = "utf-8"


@dataclass(frozen=True, slots=True)
class TargetRun:
    """A target's run.

    Attributes:
        network: what members must not use at the same time, since they share its quota; empty: nothing.
        begins: what is said when it does.
    """

    name: str
    network: str
    begins: str
    command: Sequence[str]


@dataclass(slots=True)
class Relay:
    """Hands what would end this process to the runs under way, which then clean up and report as ever.

    Each run is a process group of its own, so that each signal reaches it once, wherever it was sent from.
    """

    running: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    number: int = 0

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Note the signal and pass it on."""
        self.number = self.number or number  # the first decides how the round ends
        for process in list(self.running.values()):
            _send(process, number)

    def start(
        self, at: int, command: Sequence[str], directory: Path, variables: Mapping[str, str], *, heard: bool
    ) -> subprocess.Popen[bytes]:
        """Start a run, whose output is ours to read if it is to be ``heard``."""
        with signals.held_back():  # until the run heeds them
            process = self.running[at] = subprocess.Popen(  # noqa: S603  # our own interpreter, the user's own arguments
                command,
                cwd=directory,
                env=dict(variables),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if heard else None,
                stderr=subprocess.STDOUT if heard else None,
                process_group=0,
            )
            if self.number:  # it came before there was a process
                _send(process, self.number)
        return process


def _send(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


@dataclass(slots=True)
class Fleet:
    """The members and how far they are.

    Attributes:
        say: shows a text on the terminal.
        ended: hears of each member's end, by its place and exit code.
    """

    members: Sequence[TargetRun]
    jobs: int
    relay: Relay
    directory: Path
    variables: Mapping[str, str]
    say: Callable[[str], None]
    ended: Callable[[int, int], None]
    _told: queue.Queue[tuple[int, str | None]] = field(default_factory=queue.Queue)
    _kept: dict[int, list[str]] = field(default_factory=dict)

    def judge(self) -> None:
        """Run all of them; after a signal no further one begins."""
        waiting = list(range(len(self.members)))
        while self.relay.running or (waiting and not self.relay.number):
            for at in self._free(waiting):
                waiting.remove(at)
                self._begin(at)
            self._hear()

    def _free(self, waiting: Sequence[int]) -> list[int]:
        """Those that may begin now."""
        busy = {self.members[at].network for at in self.relay.running} - {""}
        chosen: list[int] = []
        for at in waiting:
            network = self.members[at].network
            if len(self.relay.running) + len(chosen) < self.jobs and network not in busy and not self.relay.number:
                chosen.append(at)
                busy |= {network} - {""}
        return chosen

    def _most(self) -> int:
        """How many can run at the same time at all."""
        apart = {member.network or str(at) for at, member in enumerate(self.members)}
        return min(self.jobs, len(apart))

    def _begin(self, at: int) -> None:
        self.say(self.members[at].begins)
        heard = self._most() > 1
        variables = {**self.variables, **(_as_here() if heard else {})}
        process = self.relay.start(at, self.members[at].command, self.directory, variables, heard=heard)
        threading.Thread(target=self._listen, args=(at, process), daemon=True).start()

    def _listen(self, at: int, process: subprocess.Popen[bytes]) -> None:
        for line in process.stdout or ():
            self._told.put((at, line.decode(ENCODING, "backslashreplace").rstrip("\n")))
        process.wait()
        self._told.put((at, None))

    def _hear(self) -> None:
        at, line = self._told.get()
        if line is None:
            process = self.relay.running.pop(at)
            if said := self._kept.pop(at, []):
                self.say("\n".join(["", f"{self.members[at].name}:", *said]))
            self.ended(at, process.returncode)
        elif line.startswith(PREFIX) and "%" in line[: len(PREFIX) + 4]:
            self.say(f"{PREFIX}{self.members[at].name}: {line.removeprefix(PREFIX).lstrip()}")
        else:
            self._kept.setdefault(at, []).append(line)


def _as_here() -> dict[str, str]:
    """What lets a run write into a pipe as it would here."""
    colors = {"FORCE_COLOR": "1"} if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else {}
    return {"PYTHONIOENCODING": ENCODING, "COLUMNS": str(shutil.get_terminal_size((100, 24)).columns), **colors}


def heeding(relay: Relay) -> dict[int, Any]:
    """Let the relay have the signals that are not ignored; returns whose they were."""
    heeded = [number for number in signals.HEEDED if signal.getsignal(number) is not signal.SIG_IGN]
    return {number: signal.signal(number, relay) for number in heeded}
