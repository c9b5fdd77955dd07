"""Whenever a signal ends a run: there is a report that is no pass, nothing is left, and the exit code names it."""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cleanup_runs import Commands, Tenant, tenant

from conformance.run import unfinished

SIGNALS = int(os.environ.get("CONFORMANCE_SIGNALS", "3"))
"""At how many instants a run of each shape is ended; a thorough proof takes a hundred and fifty."""

REQUESTS = 750
"""About as many as a run of the quick depth sends."""

LATE = 4
"""One signal in so many comes when the last report is written, and the verdict line is about to be."""

AT_ONCE = 3
HEEDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SHAPES = {"alone": ("-n", "0"), "two workers": ("-n", "2"), "two targets": ("-n", "0")}
VERDICT = re.compile(r"^conformance: [A-Z]+ \(", re.MULTILINE)

pytestmark = pytest.mark.slow


class Output:
    """What a process has said so far, read as it comes."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._pipe = process.stdout
        self.text = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._pipe
        with self._pipe:
            for line in self._pipe:
                self.text += line

    def whole(self) -> str:
        """All of it, once the process has ended."""
        self._reader.join(60)
        return self.text


def _second_target(commands: Commands) -> Path:
    """The same deployment under another name."""
    document = commands.target.read_text(encoding="utf-8")
    path = commands.directory / "second.yaml"
    path.write_text(document.replace("name: ", "name: second "), encoding="utf-8")
    return path


def _at_request(others: Tenant, number: int) -> threading.Event:
    """Set once the target has seen so many requests."""
    there = threading.Event()
    others.deployment.at = lambda _described, _moment: there.set() if others.deployment.seen >= number else None
    return there


def _moment(commands: Commands, others: Tenant, chance: random.Random, runs: int) -> Callable[[], bool]:
    """Tells whether the instant that ``chance`` draws has come: a request, or the writing of the last report."""
    if chance.randrange(LATE):
        return _at_request(others, chance.randint(1, REQUESTS * runs)).is_set
    return lambda: sum(map(_finished, (commands.directory / "reports").rglob("report.json"))) == runs


def _finished(report: Path) -> bool:
    return bool(json.loads(report.read_text(encoding="utf-8"))["reason"] != unfinished.REASON)


def _signalled(commands: Commands, others: Tenant, shape: str, seed: int) -> dict[str, Any]:
    """Run, send one signal at an instant that ``seed`` draws, and say what became of it."""
    chance = random.Random(f"{shape} {seed}")
    number = HEEDED[seed % len(HEEDED)]
    second = ("--target", str(_second_target(commands))) if shape == "two targets" else ()
    there = _moment(commands, others, chance, 2 if second else 1)
    process = commands.start(*second, *SHAPES[shape])
    output = Output(process)
    while process.poll() is None and not there():
        time.sleep(0.01)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(chance.uniform(0.0, 0.3))
    sent = _send(process, number, group=chance.random() < 0.5, output=output)
    process.wait(120)
    return {"sent": sent, "signal": number, "code": process.returncode, "said": output.whole()}


def _send(process: "subprocess.Popen[str]", number: int, *, group: bool, output: Output) -> bool:
    """Whether the signal was sent before the verdict line: the process stands still while that is looked up."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGSTOP)
        how = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if how is None or how.si_code != os.CLD_STOPPED:
            return False
        _drained(output)
        before = len(VERDICT.findall(output.text)) < (3 if "target 1 of 2" in output.text else 1)
        (os.killpg if group else os.kill)(process.pid, number)
        process.send_signal(signal.SIGCONT)
        return before
    return False


def _drained(output: Output) -> None:
    """Wait until nothing has come from the process that stands still."""
    length = -1
    while length != len(output.text):
        length = len(output.text)
        time.sleep(0.05)


def _ended_well(others: Tenant, commands: Commands, shape: str, told: dict[str, Any]) -> None:
    number, said = told["signal"], told["said"]
    assert told["code"] == (2 if number == signal.SIGINT else 128 + number), (number, told["code"], said)
    assert "INTERRUPTED" in said.rstrip().rpartition("\n")[2], said
    assert "PASS" not in said.rstrip().rpartition("\n")[2], said
    assert "Traceback" not in said, said
    assert others.untouched, (others.leftovers, said)
    assert commands.ledgers == [], said
    if shape != "two targets":
        report = json.loads((commands.directory / "reports" / "report.json").read_text(encoding="utf-8"))
        assert report["interrupted"]
        assert report["verdict"] != "pass"


@pytest.mark.parametrize("shape", SHAPES)
def test_whenever_a_signal_comes_the_run_ends_as_it_should(shape: str, tmp_path: Path) -> None:
    """From the first request to the verdict line, sent to the run alone or to all its processes."""

    def one(seed: int) -> bool:
        directory = tmp_path / str(seed)
        directory.mkdir()
        with tenant() as others:
            commands = Commands(others, directory)
            told = _signalled(commands, others, shape, seed)
            if told["sent"]:
                _ended_well(others, commands, shape, told)
            return bool(told["sent"])

    with ThreadPoolExecutor(AT_ONCE) as threads:
        sent = sum(threads.map(one, range(SIGNALS)))
    print(f"{sent} of {SIGNALS} signals came before the verdict line")  # noqa: T201  # a figure of the trial
    assert sent


STARTING = """
import os, signal

def pytest_configure_node(node):
    if node.gateway.id == "gw1":
        os.killpg(0, signal.SIGTERM)
"""


def test_a_signal_to_workers_that_start_is_heard_once_they_can_hear(tmp_path: Path) -> None:
    """The terminal, or whoever stops a container, sends it to all processes: none of them ends where it stands."""
    (tmp_path / "starting.py").write_text(STARTING)
    with tenant() as others:
        commands = Commands(others, tmp_path)
        process = commands.start("-n", "2", "-p", "starting")
        output = Output(process)
        process.wait(120)
        told = {"signal": signal.SIGTERM, "code": process.returncode, "said": output.whole()}
        _ended_well(others, commands, "two workers", told)


FIRST_OF_ITS_OWN = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child")
"""Starts a command as process 1 of a namespace, as a container's runtime does."""


def _has_namespaces() -> bool:
    try:
        return subprocess.run([*FIRST_OF_ITS_OWN, "true"], capture_output=True, check=False, timeout=20).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", HEEDED, ids=lambda number: number.name)
@pytest.mark.parametrize("workers", ["0", "2"])
def test_process_one_of_a_container_hears_a_signal_too(workers: str, number: signal.Signals, tmp_path: Path) -> None:
    """Nothing that a process 1 has not asked for ends it: what the suite leaves to the system would be lost."""
    if not _has_namespaces():
        pytest.skip("no namespace is to be had here")
    with tenant() as others:
        commands = Commands(others, tmp_path)
        there = _at_request(others, 200)
        process = commands.start("-n", workers, within=FIRST_OF_ITS_OWN)
        output = Output(process)
        assert there.wait(60), output.text
        (first,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8").split()
        os.kill(int(first), number)
        process.wait(120)
        told = {"signal": number, "code": process.returncode, "said": output.whole()}
        _ended_well(others, commands, "alone", told)
