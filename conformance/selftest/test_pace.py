"""The ceiling on requests a second, and where a process's time goes. Clocks are the tests' own: nothing sleeps."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from conformance.client import Pacer, Stopwatch, Wait, halting, pace, stopwatch


class Clock:
    """A clock that goes on when somebody sleeps, or when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0
        self.computed = 10.0

    def monotonic(self) -> float:
        """The time."""
        return self.now

    def process_time(self) -> float:
        """Processor time."""
        return self.computed

    def sleep(self, seconds: float) -> None:
        """The time passes at once."""
        assert seconds > 0
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """The clock that pacers, stopwatches and whatever waits read."""
    clock = Clock()
    named = SimpleNamespace(monotonic=clock.monotonic, sleep=clock.sleep, process_time=clock.process_time)
    for module in (pace, stopwatch, halting):
        monkeypatch.setattr(module, "time", named)
    return clock  # type: ignore[return-value]  # the fixture's value


def most_in_a_second(times: list[float]) -> int:
    """Of any second that begins with one of them."""
    return max(sum(begin <= one < begin + 1 for one in times) for begin in times)


@pytest.mark.parametrize("per_second", [1, 1.5, 3, 20])
@pytest.mark.parametrize("took", [0.0, 0.004, 0.1, 3.0])
def test_no_second_sees_more_than_the_ceiling_wherever_requests_are_held_up(
    tmp_path: Path, clock: Clock, per_second: float, took: float
) -> None:
    """One pacer after the other, as of several processes; each request arrives as late as it can."""
    arrived = []
    for _ in range(int(3 * per_second) + 3):
        with Pacer(tmp_path / "pace", per_second).turn():
            clock.now += took
            arrived.append(clock.now)
    assert most_in_a_second(arrived) <= per_second


def test_a_request_under_way_counts_until_a_second_after_its_answer(tmp_path: Path, clock: Clock) -> None:
    """It may arrive as late as its answer, so its turn is not anybody else's before."""
    pacer = Pacer(tmp_path / "pace", 2)
    with pacer.turn(), ExitStack() as slow:
        slow.enter_context(Pacer(tmp_path / "pace", 2).turn())
        clock.now += 10.0
        assert pacer._asked("third", 2) > 0
        slow.close()
        answered = clock.now
        assert pacer._asked("third", 2) == pytest.approx(pace.WINDOW_SECONDS)
        with pacer.turn():
            assert clock.now >= answered + 1.0


def test_turns_come_evenly(tmp_path: Path, clock: Clock) -> None:
    """Not all in the first moment of a second."""
    begun = []
    for _ in range(5):
        with Pacer(tmp_path / "pace", 10).turn():
            begun.append(clock.now)
    assert begun[-1] - begun[0] == pytest.approx(4 * 1.08 / 10)


def test_less_than_one_a_second_is_a_ceiling_too(tmp_path: Path, clock: Clock) -> None:
    """Every four seconds."""
    begun = []
    for _ in range(3):
        with Pacer(tmp_path / "pace", 0.25).turn():
            begun.append(clock.now)
    assert begun[-1] - begun[0] >= 8


def test_a_killed_process_does_not_hold_up_the_others_for_ever(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its request counts for as long as one could be on the way."""
    monkeypatch.setattr(pace, "FORGOTTEN_SECONDS", 3.0)
    pacer = Pacer(tmp_path / "pace", 1)
    assert pacer._asked("killed", 1) == 0
    begun = clock.now
    with pacer.turn():
        assert clock.now == pytest.approx(begun + 3.0, abs=0.1)


@pytest.mark.parametrize("torn", ["", "{", "[1"])
def test_a_torn_note_begins_anew(tmp_path: Path, clock: Clock, torn: str) -> None:
    """A pace that cannot be read is no reason to stop."""
    (tmp_path / "pace").write_text(torn)
    with Pacer(tmp_path / "pace", 5).turn():
        pass
    assert json.loads((tmp_path / "pace").read_text())["next"] > clock.now


def test_no_ceiling_leaves_no_note(tmp_path: Path) -> None:
    """Nothing is shared where nothing is limited."""
    with Pacer(tmp_path / "pace").turn():
        pass
    assert list(tmp_path.iterdir()) == []


def test_threads_that_wait_at_once_wait_once(clock: Clock) -> None:
    """The time on the wall, however many callers there are; the kinds apart."""
    watch = Stopwatch()
    with watch.on(Wait.TARGET):
        clock.now += 1
        with watch.on(Wait.TARGET):
            clock.now += 2
        with watch.on(Wait.PACING):
            clock.now += 4
    watch.pause(Wait.SETTLING, 8)
    assert watch.seconds == {Wait.TARGET: 7, Wait.PACING: 4, Wait.SETTLING: 8, Wait.LEASES: 0}


def test_what_is_computed_while_waiting_is_told_apart(clock: Clock) -> None:
    """Sending and reading take the processor too, and belong to the wait."""
    watch = Stopwatch()
    clock.computed += 5
    with watch.on(Wait.TARGET):
        clock.computed += 0.5
        with watch.on(Wait.PACING):
            clock.computed += 0.25
    clock.computed += 5
    assert watch.busy == 0.75


def test_threads_share_a_stopwatch() -> None:
    """None of the begun waits is left over."""
    watch = Stopwatch()

    def wait() -> None:
        for _ in range(200):
            with watch.on(Wait.TARGET):
                pass

    threads = [threading.Thread(target=wait) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert watch._waiting.total() == 0
