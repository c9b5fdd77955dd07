"""Commands in processes of their own, and what the operating system says that they used."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import yaml

from conformance.errors import ConformanceError
from conformance.run import embedded

LONGEST_START_SECONDS, LOOK_SECONDS = 120.0, 0.2
NOT_PASSED_ON = ("CONFORMANCE_", "PYTEST_", "GITHUB_STEP_SUMMARY", "PYTHONDONTWRITEBYTECODE")
"""What the caller's shell says to the suite is not said to what is measured."""

BYTE_CODE = "bytecode"
"""Modules are compiled once, as for any user, and into no folder but the bench's own."""

SUITE = (sys.executable, "-m", "conformance")
SCHEMATHESIS = (sys.executable, "-m", "schemathesis.cli")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a command used, its children included: seconds of wall and processor time; and what it wrote."""

    wall: float
    cpu: float
    output: str


@dataclass(frozen=True, slots=True)
class Served:
    """A reference deployment in a process of its own: its description, where it is, and its tokens as variables."""

    description: Path
    url: str
    server: str
    tokens: Mapping[str, str]


@contextlib.contextmanager
def served(
    folder: Path, *arguments: str, limits: Mapping[str, Any] | None = None, policy: Mapping[str, Any] | None = None
) -> Iterator[Served]:
    """Serve a fresh deployment.

    Args:
        arguments: for ``conformance serve``.
        limits, policy: what the description says in place of the deployment's own words.
    """
    description = folder / f"{secrets.token_hex(4)}.yaml"
    with embedded.launch(("--write-target", str(description), *arguments)) as launch:
        running = launch.ready()
        document = yaml.safe_load(description.read_text(encoding="utf-8"))
        document["limits"] |= limits or {}
        document["policy"] |= policy or {}
        description.write_text(yaml.safe_dump(document), encoding="utf-8")
        url = running.target.compute.removesuffix("/v2")
        yield Served(description, url, running.target.servers[0], launch.tokens)
        running.stop()


def measured(
    command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None, *, codes: Sequence[int] = (0,)
) -> Usage:
    """Run a command to its end.

    Raises:
        ConformanceError: it ended with another exit code than those.
    """
    with tempfile.TemporaryFile() as said:
        process, began = _started(command, folder, variables or {}, said)
        usage, code = _ended(process, began, said)
    if code not in codes:
        raise ConformanceError(f"{' '.join(command)} ended with {code}: {usage.output[-1500:].strip()}")
    return usage


def until_connected(
    command: Callable[[str], Sequence[str]], folder: Path, variables: Mapping[str, str] | None = None
) -> Usage:
    """Run a command, given the URL of something that listens, until it connects; then end it.

    Raises:
        ConformanceError: it ended before, or never did.
    """
    with tempfile.TemporaryFile() as said, socket.create_server(("127.0.0.1", 0)) as listener:
        given = command(f"http://127.0.0.1:{listener.getsockname()[1]}")
        process, began = _started(given, folder, variables or {}, said)
        try:
            connected = _connected(process, listener)
        finally:
            os.kill(process.pid, signal.SIGKILL)  # Popen.kill would reap one that has ended, and wait4 find nothing
            usage, _ = _ended(process, began, said)
    if not connected:
        raise ConformanceError(f"{' '.join(given)} ended before it connected: {usage.output[-1500:].strip()}")
    return replace(usage, wall=connected - began)


def _connected(process: subprocess.Popen[bytes], listener: socket.socket) -> float:
    """When the process connected, by the monotonic clock; 0 if it ended before, or took too long."""
    listener.settimeout(LOOK_SECONDS)
    until = time.monotonic() + LONGEST_START_SECONDS
    while time.monotonic() < until:
        try:
            listener.accept()[0].close()
            return time.monotonic()
        except TimeoutError:
            # It is left for wait4, which tells what it used.
            if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                break
    return 0.0


def _started(
    command: Sequence[str], folder: Path, variables: Mapping[str, str], said: IO[bytes]
) -> tuple[subprocess.Popen[bytes], float]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
    inherited["PYTHONPYCACHEPREFIX"] = str(folder / BYTE_CODE)
    began = time.monotonic()
    process = subprocess.Popen(  # noqa: S603  # our own commands
        command,
        cwd=folder,
        env={**inherited, **variables},
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=subprocess.STDOUT,
    )
    return process, began


def _ended(process: subprocess.Popen[bytes], began: float, said: IO[bytes]) -> tuple[Usage, int]:
    """Wait for the end: only so the system tells what this one used, and not all children together."""
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    said.seek(0)
    output = said.read().decode("utf-8", "replace")
    return Usage(wall, used.ru_utime + used.ru_stime, output), process.returncode
