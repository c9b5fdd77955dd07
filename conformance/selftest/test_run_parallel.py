"""Runs on a target that answers slowly: workers by themselves, progress, the pace, and what killed runs leave."""

import os
import pty
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cleanup_runs import Commands, ended, tenant
from run_processes import LONGEST_RUN_SECONDS, Ran, Served, command, environment, run, serve

pytestmark = pytest.mark.slow

SLOW = "0.05"
"""Seconds before each answer, enough for workers to be worth it."""

SOME = "codes or identifier or body_does or response"
PROGRESS = re.compile(r"^conformance: +\d+%, \d+/\d+ tests, \d+ cases, \d+ requests", re.MULTILINE)
ELSEWHERE = {
    "codes.documented",
    "response.no-content",
    "effect.removed",
    "effect.refusal-is-inert",
    "faults.client-input",
}
"""Clauses that are judged in passing, whenever an association has to be made or removed to begin with."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A conforming deployment that is far away."""
    with serve(tmp_path_factory.mktemp("slow"), "--latency", SLOW) as served:
        yield served


@pytest.fixture(scope="module")
def runs(served: Served, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """The same run, left to itself and in one process."""
    folder = tmp_path_factory.mktemp("runs")
    given = ("--target", served.description, "-k", SOME)
    return {"by itself": run(folder / "auto", *given), "one process": run(folder / "one", *given, "-n", "0")}


def test_a_slow_target_gets_workers(runs: dict[str, Ran]) -> None:
    """Two, with room for two addresses; none beside the first process if the command line says so."""
    assert [ran.report["time"]["workers"] for ran in runs.values()] == [2, 1]


def test_workers_find_what_one_process_finds(runs: dict[str, Ran]) -> None:
    """The same verdicts, the same generated requests, and as many cases of each clause that has its own tests."""
    by_itself, alone = (ran.report for ran in runs.values())
    assert {ran.code for ran in runs.values()} == {0}, runs["by itself"].output
    assert by_itself["generated"] == alone["generated"]
    assert _results(by_itself) == _results(alone)


def _results(report: dict[str, Any]) -> dict[str, tuple[str, int]]:
    clauses = [clause for clause in report["clauses"] if clause["id"] not in ELSEWHERE]
    return {clause["id"]: (clause["verdict"], clause["cases"]) for clause in clauses}


@pytest.mark.parametrize("name", ["by itself", "one process"])
def test_a_log_shows_progress_in_plain_lines(runs: dict[str, Ran], name: str) -> None:
    """No dots, nothing that moves a cursor, and not a line for every test."""
    lines = PROGRESS.findall(runs[name].output)
    assert 1 <= len(lines) <= 12, runs[name].output
    assert "\x1b" not in runs[name].output
    assert "\r" not in runs[name].output
    assert not re.search(r"^\.+", runs[name].output, re.MULTILINE)


def test_the_report_accounts_for_the_time(runs: dict[str, Ran]) -> None:
    """What the parts took adds up to no more than the run, and a far target is what took it."""
    for ran in runs.values():
        taken = ran.report["time"]
        assert all(seconds > 0 for seconds in taken["phases"].values())
        assert sum(taken["spent"].values()) <= taken["workers"] * sum(taken["phases"].values()) + 1
        assert taken["spent"]["target"] >= (ran.report["requests"]["total"] - 40) * float(SLOW)
        timed = {clause["id"] for clause in ran.report["clauses"] if sum(clause["spent"].values())}
        assert "identifier.uuid" in timed
        assert "body.refused" not in timed


def test_a_terminal_shows_one_line_that_is_rewritten(served: Served, tmp_path: Path) -> None:
    """While tests run; when they have ended it is gone, and the summary stands there alone."""
    output, code = _at_a_terminal(tmp_path, "--target", served.description, "-k", SOME)
    assert code == 0, output
    pieces = output.split("\r\x1b[K")
    drawn = [piece for piece in pieces[1:-1] if piece]
    assert drawn, output
    assert all(re.match(r" *\d+%, \d+/\d+ tests", piece) and "\n" not in piece for piece in drawn)
    assert "tests," not in pieces[-1].partition("clause")[0]
    assert "conformance: PASS" in pieces[-1]


def _at_a_terminal(folder: Path, *arguments: object) -> tuple[str, int]:
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(TERM="xterm", COLUMNS="100"),
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        output = b""
        try:
            while piece := os.read(controller, 65536):
                output += piece
        except OSError:  # how Linux says that the other side is closed
            pass
        code = process.wait(LONGEST_RUN_SECONDS)
    os.close(controller)
    return output.decode(), code


@pytest.mark.parametrize(("latency", "workers"), [(0.0, ("-n", "2")), (0.1, ())], ids=["two workers", "by itself"])
def test_the_target_sees_no_more_than_the_ceiling_in_any_second(
    tmp_path: Path, latency: float, workers: tuple[str, ...]
) -> None:
    """Measured where requests arrive, whoever sends them."""
    arrived: list[float] = []
    with tenant(latency=latency) as others:
        others.deployment.at = lambda _, moment: arrived.append(time.monotonic()) if moment == "came" else None
        commands = Commands(others, tmp_path, requests_per_second=20, timeout_seconds=30)
        code, output = ended(commands.start("-k", "access or method or response or nothing_more", *workers))
        assert code == 0, output
        assert others.untouched
    assert len(arrived) > 60
    assert max(sum(begin <= one < begin + 1 for one in arrived) for begin in arrived) <= 20


def test_a_killed_run_leaves_nothing_once_the_next_one_has_begun(tmp_path: Path) -> None:
    """Neither among the temporary files nor, after the next run on the target, among the ledgers."""
    with tenant(latency=0.05) as others:
        commands = Commands(others, tmp_path)
        (tmp_path / "tmp").mkdir()
        commands.environment["TMPDIR"] = str(tmp_path / "tmp")
        killed = commands.start()
        _until(lambda: any(commands.state.rglob("*.progress.json")))
        os.killpg(killed.pid, signal.SIGKILL)
        killed.communicate()
        assert list((tmp_path / "tmp").glob("conformance*")) == []
        assert list(commands.state.rglob("*.shared"))
        code, output = ended(commands.start("-k", "response"))
        assert code == 0, output
        assert [path for path in commands.state.rglob("*") if path.suffix in {".shared", ".jsonl"}] == []


def _until(reached: Any) -> None:
    give_up = time.monotonic() + LONGEST_RUN_SECONDS
    while not reached():
        assert time.monotonic() < give_up
        threading.Event().wait(0.05)
