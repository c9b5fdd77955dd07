"""Requests go out at once where a target takes its time, and one after the other where it does not."""

import threading
from collections.abc import Callable

import pytest

from conformance.client.callers import Callers

LATENCY, TIMEOUT, MOST = 0.1, 30.0, 8


def meeting(parties: int) -> list[Callable[[], int]]:
    """Calls that end only if all are under way at once."""
    barrier = threading.Barrier(parties)

    def call(number: int) -> int:
        barrier.wait(20)
        return number

    return [lambda number=number: call(number) for number in range(parties)]  # type: ignore[misc]


def test_answers_come_in_the_order_of_the_calls() -> None:
    """Whichever is answered first."""
    callers = Callers(lambda: LATENCY, None, TIMEOUT, MOST)
    assert callers.each(meeting(MOST)) == list(range(MOST))
    assert callers.each([]) == []


@pytest.mark.parametrize(("latency", "per_second"), [(0.001, None), (LATENCY, 10.0), (4.0, None)])
def test_a_target_that_is_fast_or_limited_or_very_slow_is_asked_one_by_one(
    latency: float, per_second: float | None
) -> None:
    """Threads would get into each other's way, wait for their turn, or lose the answers that come last."""
    threads: set[int] = set()
    Callers(lambda: latency, per_second, TIMEOUT, MOST).each([lambda: threads.add(threading.get_ident())] * 20)
    assert threads == {threading.get_ident()}


def test_a_target_that_takes_one_connection_is_asked_one_by_one() -> None:
    """However long it takes: the description says how many."""
    threads: set[int] = set()
    Callers(lambda: LATENCY, None, TIMEOUT, 1).each([lambda: threads.add(threading.get_ident())] * 20)
    assert threads == {threading.get_ident()}


def test_an_error_is_raised_when_all_that_have_begun_are_done() -> None:
    """What is under way is not left behind, and what has not begun is not sent."""
    done: list[int] = []
    begun, failed = threading.Event(), threading.Event()

    def failing() -> None:
        begun.wait(20)
        failed.set()
        raise ValueError("of the suite's own")

    def slow() -> None:
        begun.set()
        failed.wait(20)
        done.append(1)

    with pytest.raises(ValueError, match="of the suite's own"):
        Callers(lambda: LATENCY, None, TIMEOUT, MOST).each([failing, slow])
    assert done == [1]
