"""An end that always comes: a target that is gone, a name that is not found, a limit for the run as a whole."""

import json
import math
import os
import random
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cleanup_runs import Commands, ended, tenant
from client_raw import SERVER, Peer, RawServer, client_of, serving

from conformance.client import halting
from conformance.client.breaker import FEWEST, Breaker
from conformance.client.outgoing import Outgoing
from conformance.client.retry import hopeless
from conformance.evidence import Exchange, Request, Response

LIST = b'HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n{"ip_associations":[]}'
READ = Outgoing("list", "GET", "http://x/y", "full")


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing has been said yet, nothing is left said, and nobody pauses."""
    monkeypatch.setattr("conformance.client.breaker.PAUSE_SECONDS", 0.0)
    halting.reset()
    yield
    halting.reset()


def heard(*, answered: bool) -> Exchange:
    """What became of the read."""
    response = Response(200, headers=()) if answered else None
    return Exchange("1", "list", "full", Request("GET", READ.url), 0, 0, 0, response, "" if answered else "lost")


def answering(which: Callable[[int], bool]) -> Callable[[Peer], None]:
    """Answer those requests, counted from 0, and close on the others."""
    counted = iter(range(1000))

    def behave(peer: Peer) -> None:
        while peer.head() and which(next(counted)):
            peer.send(LIST)

    return behave


def test_a_target_that_answers_no_more_stops_the_run(tmp_path: Path) -> None:
    """After three reads in a row, and one more after a pause."""
    with RawServer(answering(lambda number: number < 30)) as server:
        client = client_of(server.url, tmp_path)
        for _ in range(30 + FEWEST - 1):
            client.list_associations(SERVER)
        with pytest.raises(halting.Stopped, match="the target stopped answering"):
            client.list_associations(SERVER)
    assert client.recorder.total == 30 + FEWEST + 1


def test_a_service_that_is_gone_stops_the_run_although_the_other_answers(tmp_path: Path) -> None:
    """Both behind one front: answers of the one say nothing of the other."""

    def behave(peer: Peer) -> None:
        for _ in range(1000):
            if not (head := peer.head()) or (b"/servers/" in head and next(counted) >= 30):
                return
            peer.send(LIST)

    counted = iter(range(1000))
    with RawServer(behave) as server:
        client = client_of(server.url, tmp_path)
        for _ in range(30 + FEWEST - 1):
            client.list_associations(SERVER)
            client.list_addresses()
        with pytest.raises(halting.Stopped, match="the target stopped answering"):
            client.list_associations(SERVER)


def test_a_target_that_answers_again_is_not_stopped(tmp_path: Path) -> None:
    """The read after the pause is answered."""
    with serving(answering(lambda number: number not in {30, 31, 32}), tmp_path) as client:
        for _ in range(40):
            client.list_associations(SERVER)
    assert halting.asked() is None


def test_a_target_that_never_answered_is_not_gone(tmp_path: Path) -> None:
    """The first look at it says what is wrong."""
    with serving(answering(lambda _: False), tmp_path) as client:
        for _ in range(20):
            client.list_associations(SERVER)
    assert halting.asked() is None


@pytest.mark.parametrize("share", [0.02, 0.1, 0.2, 0.3])
def test_a_target_that_loses_answers_is_not_stopped(share: float) -> None:
    """In a hundred runs of a thousand requests: the more it loses, the more in a row are needed."""
    chance = random.Random(share)
    stopped = 0
    for _ in range(100):
        breaker = Breaker()
        breaker.hear(READ, heard(answered=True))
        for _ in range(1000):
            gone = breaker.hear(READ, heard(answered=chance.random() >= share)) is not None
            stopped += gone and chance.random() < share
    assert stopped <= 1


def test_a_target_that_loses_and_goes_is_found_gone_all_the_same() -> None:
    """A few more are needed then."""
    breaker = Breaker()
    for number in range(100):
        breaker.hear(READ, heard(answered=number % 10 > 0))
    row = next(number for number in range(1, 20) if breaker.hear(READ, heard(answered=False)))
    assert FEWEST < row <= 8


def test_a_wait_that_is_longer_than_the_run_is_not_begun() -> None:
    """Retry-After is compared with what is left."""
    asked = Exchange(
        "1", "x", "full", Request("GET", "http://x/"), 0, 0, 0, Response(503, headers=(("Retry-After", "30"),)), ""
    )
    assert not hopeless(asked)
    halting.limit(10)
    assert hopeless(asked)


def test_a_run_has_a_limit() -> None:
    """Once it is over the run stops, and the reason names the key."""
    assert halting.left() == math.inf
    halting.limit(0)
    with pytest.raises(halting.Stopped, match=r"limits\.run_seconds"):
        halting.check()


def test_a_name_that_is_not_found_in_time_is_a_time_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver goes on; whoever asks again meanwhile waits for the same look-up."""
    answer, asked = threading.Event(), []

    def resolve(host: str, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        answer.wait(60)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with RawServer(answering(lambda _: True)) as server:
        client = client_of(f"http://slow.example:{server.port}", tmp_path, timeout=0.3)
        lost = [client.list_associations(SERVER) for _ in range(2)]
        assert {one.failure for one in lost} == {"timed out: the host name was not resolved within 0.3 s"}
        assert asked == ["slow.example"]
        answer.set()
        monkeypatch.undo()


SILENT = """
import socket, threading

known = socket.getaddrinfo

def resolve(host, *more, **named):
    if host == "slow.example":
        threading.Event().wait()
    return known(host, *more, **named)

socket.getaddrinfo = resolve
"""
"""A resolver that never answers, in whatever process of Python finds it."""


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["doctor", "run -n 0", "run -n 2", "cleanup"])
def test_a_resolver_that_never_answers_ends_no_command_late(asked: str, tmp_path: Path) -> None:
    """Each ends of itself and says what it waited for."""
    (tmp_path / "sitecustomize.py").write_text(SILENT, encoding="utf-8")
    with tenant() as others:
        commands = Commands(others, tmp_path, timeout_seconds=0.3)
        commands.environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), *sys.path[1:]])
        description = commands.target.read_text(encoding="utf-8")
        commands.target.write_text(description.replace("127.0.0.1", "slow.example"), encoding="utf-8")
        ran = commands.call(*asked.split())
    output = ran.stdout + ran.stderr
    assert ran.returncode in (1, 2, 3), output
    assert "the host name was not resolved within 0.3 s" in output, output
    assert "Traceback" not in output


@pytest.mark.slow
def test_a_run_whose_target_is_gone_reports_and_names_what_is_left(tmp_path: Path) -> None:
    """In the middle of the tests; few requests more are sent."""
    back = threading.Event()
    with tenant() as others:
        commands = Commands(others, tmp_path, timeout_seconds=0.5)
        others.deployment.at = lambda _d, moment: moment == "came" and others.deployment.seen > 150 and back.wait(60)
        code, output = ended(commands.start("-n", "2"), 150)
        sent = others.deployment.seen - 150
        back.set()
        run = json.loads((commands.directory / "reports" / "report.json").read_text(encoding="utf-8"))
        assert (code, run["verdict"]) == (1, "inconclusive"), output
        assert run["reason"].startswith("the target stopped answering"), run["reason"]
        assert "Traceback" not in output
        assert all(one in output for one in others.leftovers)
        assert sent < 60
        others.deployment.at = lambda *_: None
        assert commands.cleanup().returncode == 0
        assert others.untouched


@pytest.mark.slow
def test_a_run_that_takes_too_long_ends_with_a_report(tmp_path: Path) -> None:
    """And leaves nothing."""
    with tenant() as others:
        commands = Commands(others, tmp_path, run_seconds=3)
        code, output = ended(commands.start("-n", "0"), 150)
        run = json.loads((commands.directory / "reports" / "report.json").read_text(encoding="utf-8"))
        assert (code, run["verdict"]) == (1, "inconclusive"), output
        assert "limits.run_seconds" in run["reason"]
        assert others.untouched
