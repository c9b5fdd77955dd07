"""Whether a run is to stop: one word of all its processes, and the signals that say it."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.client import halting
from conformance.run import signals

SCRIPT = """
import os, signal, sys
from conformance.client import halting
from conformance.run import signals
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests were started with
signal.signal(signal.SIGHUP, signal.SIG_IGN)
handlers = signals.Handlers(lambda: "left: one")
with signals.held_back():
    os.kill(os.getpid(), signal.{first})
    assert halting.asked() is None
    handlers.install()
for number in [{more}]:
    os.kill(os.getpid(), number)
print(signals.exit_code(halting.asked().signal), signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)
handlers.restore()
print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
"""


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """Nothing has been said yet, and nothing is left said."""
    halting.reset()
    yield
    halting.reset()


def test_every_wait_ends_when_the_run_is_to_stop() -> None:
    """A pause of an hour does not go on."""
    threading.Timer(0.01, halting.ask, ["enough"]).start()
    with pytest.raises(halting.Stopped, match="enough"):
        halting.pause(3600)


def test_who_asks_first_is_heard() -> None:
    """By this process and by those that join the run later."""
    halting.ask("first", signal.SIGTERM)
    halting.ask("second")
    assert halting.asked() == halting.Halt("first", signal.SIGTERM)


def test_a_signal_is_heard_above_what_the_run_says_itself(tmp_path: Path) -> None:
    """Also by the processes that share its word; another signal changes nothing."""
    halting.share(tmp_path)
    halting.ask("the target stopped answering")
    halting.reset()
    halting.share(tmp_path)
    assert halting.asked() == halting.Halt("the target stopped answering")
    halting.ask("interrupted", signal.SIGTERM)
    halting.ask("interrupted again", signal.SIGINT)
    halting.reset()
    halting.share(tmp_path)
    assert halting.asked() == halting.Halt("interrupted", signal.SIGTERM)


def test_processes_tell_each_other(tmp_path: Path) -> None:
    """What one says stands in the directory that they share, and the first word stays."""
    halting.share(tmp_path)
    halting.ask("first", signal.SIGHUP)
    halting.reset()
    halting.ask("second")
    halting.share(tmp_path)
    halting.reset()
    halting.share(tmp_path)
    assert halting.asked() == halting.Halt("first", signal.SIGHUP)


def test_an_answer_may_be_awaited_for_a_while() -> None:
    """Who has patience goes on, and nobody else does."""
    halting.ask("enough")
    halting.check(patience=60)
    with pytest.raises(halting.Stopped):
        halting.check()


def test_clearing_away_goes_on_until_its_own_time_is_over() -> None:
    """The word that ended the run does not end that."""
    halting.ask("enough")
    halting.clear_away()
    halting.pause(0)
    halting.clear_away(0)
    with pytest.raises(halting.Stopped, match="the time for taking back"):
        halting.pause(0)


def _signalled(first: str, *more: str) -> "subprocess.CompletedProcess[str]":
    names = ", ".join(f"signal.{one}" for one in more)
    code = SCRIPT.format(first=first, more=names)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (("SIGINT",), 2),
        (("SIGTERM", "SIGTERM"), 143),
        (("SIGINT", "SIGTERM"), 2),
        (("SIGTERM", "SIGINT"), 143),
        (("SIGTERM", "SIGHUP"), 143),
    ],
)
def test_the_first_signal_decides_and_no_other_one_escalates(sent: tuple[str, ...], code: int) -> None:
    """What came while signals were held back counts; what was ignored stays so; handlers are put back."""
    ran = _signalled(*sent)
    assert ran.stdout.split() == [str(code), "True", "True"], ran.stderr


def test_a_second_interrupt_ends_at_once_and_says_what_is_left() -> None:
    """Without a clean-up."""
    ran = _signalled("SIGINT", "SIGTERM", "SIGINT")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "ended at once; left: one" in ran.stderr


def test_a_child_gets_its_signals_once_it_is_ready() -> None:
    """The mask that it inherits is lifted as it heeds them; that of the parent is as it was."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with signals.held_back():
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) >= set(signals.HEEDED)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
