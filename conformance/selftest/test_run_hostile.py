"""Runs on targets that answer with too much, or without end: bounded in time and memory, judged as far as may be.

The memory is that of the run's own process, as the kernel counted it when the process ended.
"""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cleanup_runs import Commands, Tenant, tenant
from client_raw import Behaviour, Peer, RawServer

pytestmark = pytest.mark.slow

MOST_MEMORY_KB = 300 * 1024
HUNDRED_MB = 100_000_000
TIMEOUT_SECONDS = 1.0
SOME = "answers_204 or 405"
LONGEST_SECONDS = 180
"""Many times what a run takes that heeds the timeout of its target."""

Hostile = Callable[[Peer], None]


def hundred_megabytes(peer: Peer) -> None:
    """A body of 100 MB."""
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n")
    for _ in range(HUNDRED_MB // 100_000):
        peer.send(b"[" * 100_000)


def endless_body(peer: Peer) -> None:
    """A body in chunks that never end."""
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer.endlessly(b"10000\r\n" + b"x" * 65536 + b"\r\n")


def endless_headers(peer: Peer) -> None:
    """A header section that never ends."""
    peer.send(b"HTTP/1.1 204 No Content\r\n")
    peer.endlessly(b"X-More: " + b"x" * 60_000 + b"\r\n")


HOSTILE = (hundred_megabytes, endless_body, endless_headers)


def always(hostile: Hostile) -> Behaviour:
    """To whatever is asked."""

    def behave(peer: Peer) -> None:
        peer.head()
        hostile(peer)

    return behave


def to_removals(hostile: Hostile, port: int) -> Behaviour:
    """To removals only; everything else goes to the deployment on ``port``, a connection for each request."""

    def behave(peer: Peer) -> None:
        head = peer.head()
        if head.startswith(b"DELETE ") and b"/ip_associations/" in head.partition(b"\r\n")[0]:
            hostile(peer)
            return
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        with socket.create_connection(("127.0.0.1", port)) as deployment:
            deployment.sendall(head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) + peer.body(length))
            while piece := deployment.recv(65536):
                peer.send(piece)

    return behave


@dataclass(frozen=True)
class Ended:
    """How a run ended, and the most memory that one of its processes had, in KB."""

    code: int
    output: str
    memory: int
    seconds: float


def ended(process: "subprocess.Popen[str]") -> Ended:
    """Wait for a run, and ask the kernel what it took."""
    begun = time.monotonic()
    assert process.stdout
    with process.stdout as stream:
        output = stream.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Ended(process.returncode, output, used.ru_maxrss, time.monotonic() - begun)


@pytest.fixture
def others() -> Iterator[Tenant]:
    """A tenant of a deployment behind the hostile front."""
    with tenant() as running:
        yield running


def judged(others: Tenant, folder: Path, behaviour: Behaviour) -> Ended:
    """A run on the front, of one process."""
    with RawServer(behaviour) as front:
        commands = Commands(others, folder, timeout_seconds=TIMEOUT_SECONDS)
        text = commands.target.read_text()
        commands.target.write_text(text.replace(others.reference.url, front.url))
        ran = ended(commands.start("-k", SOME, "-n", "0"))
    assert (folder / "reports" / "report.json").exists(), ran.output
    return ran


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_target_that_answers_everything_so_is_named_within_bounds(
    tmp_path: Path, others: Tenant, hostile: Hostile
) -> None:
    """No verdict on it is a pass, and no memory is lost on it."""
    ran = judged(others, tmp_path, always(hostile))
    assert ran.code == 1, ran.output
    assert "Traceback" not in ran.output
    assert ran.memory < MOST_MEMORY_KB
    assert ran.seconds < LONGEST_SECONDS


@pytest.mark.parametrize("hostile", [hundred_megabytes, endless_headers])
def test_removals_that_are_answered_so_are_judged_within_bounds(
    tmp_path: Path, others: Tenant, hostile: Hostile
) -> None:
    """Set-up works, so the run goes on through its tests; what stands at its end is said."""
    ran = judged(others, tmp_path, to_removals(hostile, int(others.reference.url.rpartition(":")[2])))
    assert ran.code == 1, ran.output
    assert "Traceback" not in ran.output
    assert others.others_are_untouched
    assert ran.memory < MOST_MEMORY_KB
    assert ran.seconds < LONGEST_SECONDS
