"""The bench measures all that it names; whether a figure is good is nobody's verdict here."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from run_processes import environment

from conformance import SPEC
from conformance.bench import document, kill_curve, latency, memory, page, search
from conformance.bench.processes import measured, until_connected
from conformance.bench.records import Bench, Figure, Line, Part, Plot, Ratio
from conformance.bench.runs import Traffic
from conformance.errors import ConformanceError
from conformance.reference.faults import catalogue

pytestmark = pytest.mark.once

LONGEST_BENCH_SECONDS = 300
SCHEMA = json.loads((SPEC / "bench.schema.json").read_text(encoding="utf-8"))


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, its reports in ``folder``."""
    return subprocess.run(
        [sys.executable, "-m", "conformance", "bench", "--report-dir", str(folder), *arguments],
        env=environment(),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LONGEST_BENCH_SECONDS,
        check=False,
    )


def saved(folder: Path) -> dict[str, Any]:
    """The document that a bench wrote, which has the documented shape."""
    made: dict[str, Any] = json.loads((folder / "bench.json").read_text(encoding="utf-8"))
    jsonschema_rs.validate(SCHEMA, made)
    return made


@pytest.mark.slow
def test_the_short_bench_measures_all_that_it_names(tmp_path: Path) -> None:
    """Every figure has a value for each repetition, above zero, and every ratio is that of its parts."""
    ended = command(tmp_path, "--short")
    assert ended.returncode == 0, ended.stderr[-3000:]
    made = saved(tmp_path)
    assert [part["name"] for part in made["parts"]] == ["requests", "start"]
    for part in made["parts"]:
        figures = {one["name"]: one for one in part["figures"]}
        assert len(figures) == len(part["figures"])
        for one in (*part["figures"], *part["ratios"]):
            assert 0 < one["minimum"] <= one["median"] <= one["maximum"], one
            assert len(one["values"]) == made["repetitions"], one
            assert one["name"] in ended.stdout
        for ratio in part["ratios"]:
            parts = zip(figures[ratio["of"]]["values"], figures[ratio["to"]]["values"], strict=True)
            assert ratio["values"] == pytest.approx([of / to for of, to in parts], rel=1e-4), ratio
    names = {one["name"] for part in made["parts"] for one in part["figures"]}
    assert names >= {
        *(f"{tool}: CPU per request" for tool in ("bare loop", "schemathesis", "suite, quick")),
        *(f"{what}: CPU" for what in ("--version", "run --help", "collection", "first request of a run")),
        *(f"report, {name}: CPU" for name in ("json", "html", "sarif")),
        "memory, 1,000 exchanges of one test",
    }
    shown = (tmp_path / "bench.html").read_text(encoding="utf-8")
    assert "<polyline" in shown
    assert not re.search(r"<script|https?://(?!www\.w3\.org)", shown)


def test_a_latency_is_told_with_its_limit_and_its_speed_up() -> None:
    """A hundred requests at 20 ms take two seconds, over eight connections a quarter of one."""
    grid = {(0.02, most): [Traffic(100, 1.0 if most == 8 else 4.0, 0.1)] for most in latency.CONNECTIONS}
    made = latency.told(grid)
    by_name = {figure.name: figure for figure in made.rows()}
    assert by_name["20 ms, 1 connection: limit"].values == (2.0,)
    assert by_name["20 ms, 8 connections: limit"].values == (0.25,)
    assert by_name["20 ms, 8 connections: speed-up"].values == (4.0,)
    assert by_name["20 ms, 8 connections: times the limit"].values == (4.0,)


def test_a_ratio_is_taken_repetition_by_repetition() -> None:
    """What slowed both for a while is in neither."""
    made = Ratio("of both", Figure("a", "s", (1.0, 4.0, 3.0)), Figure("b", "s", (2.0, 8.0, 3.0))).figure
    assert (made.minimum, made.median, made.maximum) == (0.5, 0.5, 1.0)


@pytest.mark.parametrize(("first", "requests"), [({}, 40.0), ({"first_requests": 7, "first_seconds": 0.5}, 7.0)])
def test_the_kill_curve_of_a_proof_counts_until_the_first_finding(
    first: dict[str, float], requests: float, tmp_path: Path
) -> None:
    """Of a proof that does not say when that was, until the end of the run; survivors are never found."""
    subject = {"kind": "fault", "name": "a", "verdict": "fail", "certain": True}
    killed = {"subject": subject, "survived": False, "found": {"body.refused": 1}, "requests": 40, "seconds": 2.0}
    survived = {**killed, "subject": subject | {"name": "b"}, "survived": True, "found": {}}
    lawful = {**killed, "subject": subject | {"name": "c", "kind": "variant"}}
    path = tmp_path / "proof.json"
    path.write_text(json.dumps({"format": kill_curve.PROOF, "trials": [killed | first, survived, lawful]}))
    assert [(one.fault, one.requests) for one in kill_curve.proven(path)] == [("a", requests), ("b", None)]
    ended = command(tmp_path, "--only", "kill-curve", "--proof", str(path))
    assert ended.returncode == 0, ended.stderr
    figures = {one["name"]: one["median"] for one in saved(tmp_path)["parts"][0]["figures"]}
    assert (figures["suite: faults"], figures["suite: faults found"]) == (2, 1)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "something else"}', json.dumps({"format": kill_curve.PROOF})])
def test_what_is_no_proof_is_refused(text: str, tmp_path: Path) -> None:
    """In one message, before anything is measured."""
    path = tmp_path / "proof.json"
    path.write_text(text)
    ended = command(tmp_path, "--only", "kill-curve", "--proof", str(path))
    assert ended.returncode == 4
    assert "proof.json" in ended.stderr.splitlines()[-1]


def test_a_kill_curve_needs_something_to_be_drawn_from(tmp_path: Path) -> None:
    """Asked for alone, without a proof or faults to try."""
    ended = command(tmp_path, "--only", "kill-curve")
    assert (ended.returncode, "--proof" in ended.stderr) == (4, True)


def test_the_area_is_one_for_faults_that_are_found_at_once_and_less_for_each_that_is_not() -> None:
    """And the curve ends with the share that was found."""
    assert kill_curve.area([0.0, 0.0], 2, 10.0) == 1.0
    assert kill_curve.area([0.0, 5.0], 3, 10.0) == pytest.approx(0.5)
    assert kill_curve.curve([2.0, 5.0], 4, 10.0) == ((0, 0), (2, 0), (2, 0.25), (5, 0.25), (5, 0.5), (10, 0.5))


def test_the_faults_that_schemathesis_is_tried_on_are_spread_over_the_catalogue() -> None:
    """The same ones each time, none twice, and no more than there are."""
    few = kill_curve.chosen(10)
    assert few == kill_curve.chosen(10)
    assert len(set(few)) == 10
    due = [fault.name for fault in catalogue() if fault.verdict == "fail" and fault.certain]
    assert kill_curve.chosen(10_000) == due


def test_the_memory_of_a_test_is_forgotten_with_it() -> None:
    """What is measured is a recorder as a run uses it."""
    assert len(memory.record(250, 250).exchanges) == 250
    cut = memory.record(250, 100)
    assert (cut.total, len(cut.exchanges)) == (250, 50)


def test_every_kind_of_history_has_a_place_in_a_plot() -> None:
    """Those by length and overlap; the long ones are figures only."""
    kinds = search.kinds(short=False)
    plots = search.plots({kind: Figure(kind.name, "ms", (1.0,)) for kind in kinds})
    drawn = sum(len(line.points) for plot in plots for line in plot.lines)
    both = len(search.SERIES)  # the usual length with the usual callers is in both plots
    assert drawn - both == len({kind for kind in kinds if kind.addresses == 1})


@pytest.mark.parametrize(
    ("end", "last"), [(0.07, 0.06), (1.0, 1.0), (8.0, 8.0), (903.0, 800.0), (100_000.0, 100_000.0)]
)
def test_ticks_are_round_numbers_within_the_axis(end: float, last: float) -> None:
    """From zero on, and no more than a reader takes in."""
    made = page.ticks(end)
    assert made[0] == 0
    assert made[-1] == pytest.approx(last)
    assert len(made) <= page.TICKS + 1


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (0.0838, "0.0838"), (1.5, "1.50"), (14.38, "14.4"), (1417.0, "1,417"), (8.0, "8")]
)
def test_a_number_has_the_digits_that_count(value: float, text: str) -> None:
    """Three of them, and those before the point."""
    assert page.number(value) == text


def test_the_page_escapes_what_a_figure_is_called() -> None:
    """Names are text."""
    hostile = Figure("<script>alert(1)</script>", "s", (1.0,))
    plot = Plot("a plot", "s", "s", (Line("<b>", ((0.0, 0.0), (1.0, 2.0))),))
    part = Part("start", "Start", "about", (hostile,), (), (plot,))
    shown = page.render(Bench("2026-01-01T00:00:00+00:00", 1.0, document.machine(), 1, short=True, parts=(part,)))
    assert "&lt;script" in shown
    assert not re.search("<script|<b>", shown)


def test_a_command_that_fails_ends_the_bench_with_what_it_said(tmp_path: Path) -> None:
    """A figure of a command that did not do its work would be worth nothing."""
    broken = [sys.executable, "-c", "import sys; sys.exit('it broke')"]
    with pytest.raises(ConformanceError, match="it broke"):
        measured(broken, tmp_path)
    with pytest.raises(ConformanceError, match="ended before it connected"):
        until_connected(lambda _: broken, tmp_path)


def test_what_a_command_used_is_its_own(tmp_path: Path) -> None:
    """Its processor time and its output; those of other children do not count."""
    busy = "import time\nwhile time.process_time() < 0.5: pass\nprint('done')"
    used = [measured([sys.executable, "-c", program], tmp_path) for program in (busy, "print('done')")]
    assert used[0].cpu >= 0.5 > used[1].cpu > 0
    assert all(one.wall > 0 and one.output == "done\n" for one in used)


def test_the_memory_that_is_measured_is_that_of_the_recorder_alone(tmp_path: Path) -> None:
    """More exchanges need more, however much the process that starts the measuring has."""
    held = bytearray(150 * 2**20)
    program = [sys.executable, "-m", "conformance.bench.memory"]
    few, many = (float(measured([*program, count, count], tmp_path).output) for count in ("10", "20000"))
    assert 0 < few < many < len(held)
