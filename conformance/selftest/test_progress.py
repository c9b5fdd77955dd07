"""How far a run is: the line that says it, when a log needs one, and what is estimated."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from conformance.report import live
from conformance.report.live import Position
from conformance.run import cost, suite
from conformance.run.cost import Effort
from conformance.run.progress import Beat, RunTally

HALF = Position(
    tests=30, done=12, share=0.46, clauses=("body.refused",), cases=214, requests=640, seconds=50.0, left=58
)
LONGEST, SECOND = list(cost.REQUESTS)[:2]


@pytest.mark.parametrize(
    ("position", "said"),
    [
        (HALF, " 46%, 12/30 tests, 214 cases, 640 requests, about 58 s left, body.refused"),
        (replace(HALF, left=None), " 46%, 12/30 tests, 214 cases, 640 requests, body.refused"),
        (replace(HALF, left=0.2), " 46%, 12/30 tests, 214 cases, 640 requests, about 1 s left, body.refused"),
        (replace(HALF, left=150, clauses=()), " 46%, 12/30 tests, 214 cases, 640 requests, about 2 min left"),
        (
            replace(HALF, clauses=("a.a", "b.b", "c.c", "d.d", "e.e")),
            " 46%, 12/30 tests, 214 cases, 640 requests, about 58 s left, a.a b.b c.c and 2 more",
        ),
    ],
)
def test_a_line_says_how_far_the_run_is(position: Position, said: str) -> None:
    """Share, tests, cases, requests, the time left, and what is being judged."""
    assert live.line(position) == said


@pytest.mark.parametrize("width", [0, 1, 3, 20, 40, 79, 200])
def test_a_line_fits_its_terminal(width: int) -> None:
    """A line that wraps could not be rewritten."""
    assert len(live.line(HALF, width)) <= max(width, 3)


@pytest.mark.parametrize(
    ("seconds", "share", "is_due"),
    [(1.9, 0.9, False), (2.0, 0.09, False), (2.0, 0.1, True), (14.9, 0.0, False), (15.0, 0.0, True)],
)
def test_a_log_gets_a_line_for_each_step_or_after_a_while(seconds: float, share: float, *, is_due: bool) -> None:
    """The same at the beginning and after a line; never a flood."""
    now = replace(HALF, seconds=seconds, share=share)
    assert live.due(now, None) is is_due
    assert live.due(replace(now, seconds=now.seconds + 50, share=now.share + 0.0), replace(HALF, share=0.0)) is is_due


def test_an_hour_in_a_log_is_no_flood() -> None:
    """Four lines a minute at most, however it goes."""
    last, lines = None, 0
    for moment in range(4 * 3600):
        now = replace(HALF, seconds=moment / 4, share=moment / (4 * 3600))
        if live.due(now, last):
            last, lines = now, lines + 1
    assert 200 <= lines <= 4 * 60


def test_the_tests_of_the_table_exist() -> None:
    """A test that is renamed takes its effort along."""
    assert {*cost.REQUESTS, *cost.WAITS} <= suite.tests()


@pytest.mark.parametrize("depth", cost.DEPTHS)
@pytest.mark.parametrize("workers", [1, 2, 3, 4])
def test_workers_get_the_longest_tests_first_and_every_test_once(depth: str, workers: int) -> None:
    """Each of the longest begins at once, and none waits behind another."""
    tests = sorted(suite.tests())
    order = cost.spread(tests, depth, workers)
    assert sorted(order) == list(range(len(tests)))
    ranked = sorted((cost.of(test, depth).weight for test in tests), reverse=True)
    weights = [cost.of(tests[index], depth).weight for index in order]
    assert weights[: 2 * workers : 2] == ranked[:workers]
    assert max(weights[1 : 2 * workers : 2]) <= min(ranked[: len(tests) // 2])


def test_few_tests_are_spread_by_length_alone() -> None:
    """Then xdist deals them out one by one."""
    assert cost.spread([SECOND, LONGEST, "test_x.py::test_short"], "standard", 2) == [1, 0, 2]


@pytest.mark.parametrize(
    ("workers", "longest", "seconds"), [(1, Effort(10, 0), 35), (2, Effort(10, 0), 30), (2, Effort(100, 0), 100)]
)
def test_the_time_left_is_judged_by_what_was_done(workers: int, longest: Effort, seconds: float) -> None:
    """Requests at the pace so far, waits at their own, shared by the workers, and no less than the longest test."""
    done, remaining = Effort(100, 1), Effort(50, 2)
    elapsed = 55.0 if workers == 1 else 52.5
    left = cost.left_seconds(done, remaining, longest, elapsed=elapsed, workers=workers, settle=5)
    assert left == pytest.approx(seconds)


def test_the_processes_of_a_run_are_added_up(tmp_path: Path) -> None:
    """What ended, what is under way, and what the controller sent itself."""
    sent = {"gw0": 7, "gw1": 0}
    beats = {name: Beat.of(tmp_path, name, lambda name=name: sent[name]) for name in sent}  # type: ignore[misc]
    tally = RunTally(tmp_path, "standard", settle=5.0, workers=2, own=lambda: 3)
    tally.collected = [LONGEST, SECOND, "test_x.py::test_short"]
    ruling_log = SimpleNamespace(cases=Counter({"a.a": 2, "b.b": 3}))
    beats["gw0"].begin("test_x.py::test_short", ("a.a",), ruling_log)
    beats["gw0"].end()
    tally.ended.append("test_x.py::test_short")
    beats["gw1"].begin(LONGEST, ("b.b", "a.a"), ruling_log)
    sent["gw1"] = cost.of(LONGEST, "standard").requests * 2
    beats["gw1"]._noted = float("-inf")
    beats["gw1"].note()
    (tmp_path / "gw2.progress.json").write_text("{")
    position = tally.position()
    assert (position.tests, position.done, position.cases) == (3, 1, 10)
    assert position.requests == 3 + 7 + sent["gw1"]
    assert position.clauses == ("b.b", "a.a")
    short, longest, second = (cost.of(test, "standard").requests for test in ("x", LONGEST, SECOND))
    assert position.share == pytest.approx((short + longest) / (short + longest + second))
    assert position.left is None
    tally.began = tally.created - 10
    left = tally.position().left
    assert left is not None
    assert left > 0


def test_a_note_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """It is an ornament."""
    Beat.of(tmp_path / "absent", "main", lambda: 1).begin("test", (), SimpleNamespace(cases=Counter()))


def test_a_position_is_plain_data(tmp_path: Path) -> None:
    """What a process notes is one JSON object, whole at any time."""
    beat = Beat.of(tmp_path, "main", lambda: 5)
    beat.begin(LONGEST, ("a.a",), SimpleNamespace(cases=Counter({"a.a": 1})))
    (path,) = tmp_path.iterdir()
    assert json.loads(path.read_text()) == {
        "test": LONGEST,
        "clauses": ["a.a"],
        "cases": 1,
        "requests": 5,
        "in_test": 0,
    }
