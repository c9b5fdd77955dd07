"""Another client on the same ports, whatever the suite is about: it loses nothing, and no target is blamed for it."""

import json
import os
import random
import re
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from cleanup_runs import Commands, Tenant, Watched, described, ended, kill, tenant

from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.server import Reference
from conformance.reference.store import Association

ROUNDS = int(os.environ.get("CONFORMANCE_ROUNDS", "4"))
"""How many runs another client is at work beside; a thorough proof takes two hundred."""

PAIRS = int(os.environ.get("CONFORMANCE_PAIRS", "2"))
"""How many pairs of runs share a tenant; a thorough proof takes twenty."""

AT_ONCE = 2
ROOMY: dict[str, Any] = {"shared_quota": 200, "port_quota": 200}
ENDS = ("of itself", "killed", "interrupted")
ADOPT = re.compile(r"--adopt ([0-9a-f-]{36})")

pytestmark = pytest.mark.slow


class Neighbour:
    """Another client: at some requests of the suite it allocates and associates, or de-allocates what it has.

    Attributes:
        lost: what of its own it no longer found as it had left it.
    """

    def __init__(self, others: Tenant, chance: random.Random) -> None:
        self.lost: list[str] = []
        self._others = others
        self._chance = chance
        self._lock = threading.Lock()

    def act(self, asked: str, _moment: str) -> None:
        """Do something, or nothing; an allocation may be refused, or done and its answer lost."""
        with self._lock:
            allocation = asked == "POST ip_addresses"
            if self._chance.random() < (0.4 if allocation else 0.02):
                self._others.add(self._chance.choice([4, 6]))
            if self._chance.random() < 0.02:
                self._drop()
            fault = allocation and self._chance.random() < 0.15
        if fault:
            raise Refusal(503, "not now")

    def _drop(self) -> None:
        store, servers = self._others.reference.store, self._others.reference.servers
        one = self._chance.choice(sorted(self._others.others))
        own = {Association(one, server) for server in servers}
        with store.lock:
            if one not in store.state.addresses or not own <= set(store.state.associations):
                self.lost.append(one)
            for association in own:
                store.state = store.state.without_association(association)
            store.state = store.state.without_address(one)
        self._others.others.discard(one)
        if len(self._others.others) < 2:
            self._others.add()


def _beside(seed: int, directory: Path) -> str:
    """One run to one of its ends, and a clean-up; how it ended, and its verdict if it has one."""
    chance = random.Random(seed)
    directory.mkdir()
    with tenant(servers=2, **ROOMY) as others:
        neighbour = Neighbour(others, random.Random(seed))
        commands = Commands(others, directory)
        process, end, last = commands.start(), ENDS[seed % len(ENDS)], chance.randint(1, 500)

        def at(asked: str, moment: str) -> None:
            neighbour.act(asked, moment)
            if end != "of itself" and others.deployment.seen == last and process.poll() is None:
                kill(process) if end == "killed" else process.send_signal(signal.SIGTERM)

        others.deployment.at = at
        _, said = ended(process, 300)
        cleaned = commands.cleanup()
        others.deployment.at = lambda *_: None
        assert not neighbour.lost, (seed, neighbour.lost)
        assert others.others_are_untouched, seed
        named = set(ADOPT.findall(said + cleaned.stdout))
        assert set(others.leftovers) <= named, (seed, others.leftovers, said, cleaned.stdout)
        report = json.loads((directory / "reports" / "report.json").read_text(encoding="utf-8"))
        assert report["verdict"] != "fail", (seed, said)
        return f"{end}: {report['verdict']}, {len(others.leftovers)} left and named"


def test_another_client_loses_nothing_to_runs_kills_and_cleanups(tmp_path: Path) -> None:
    """It allocates and de-allocates on the same ports all the time; what of the suite's is left is named."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        told = list(threads.map(lambda seed: _beside(seed, tmp_path / str(seed)), range(ROUNDS)))
    print("\n".join(told))  # noqa: T201  # figures of the trial


class Attributed(Watched):
    """Knows what was made and what was changed by way of it; 30 % of the allocations are answered 503."""

    def start(self) -> None:
        """Nothing was made yet."""
        super().start()
        self.made: set[str] = set()
        self.changed: set[str] = set()
        self.chance = random.Random()

    def delay(self, request: ReceivedRequest) -> None:
        """Half of those are not done."""
        if request.method != "GET":
            self.changed |= {segment.lower() for segment in request.segments}
        super().delay(request)
        if described(request) == "POST ip_addresses" and self.chance.random() < 0.15:
            raise Refusal(503, "not now")

    def finish(self, request: ReceivedRequest, answer: Answer) -> Answer:
        """And half of those are done, which the answer does not say."""
        answer = super().finish(request, answer)
        if described(request) == "POST ip_addresses" and answer.code == 201 and isinstance(answer.document, dict):
            self.made.add(answer.document["ip_address"]["id"].lower())
            return Answer(503) if self.chance.random() < 0.18 else answer
        return answer


@contextmanager
def _two_ways(seed: int) -> Iterator[tuple[Tenant, Tenant]]:
    """Two ways into one tenant, so that each run's requests can be told from the other's."""
    with tenant(alone=True, deployment=Attributed, latency=0.08, **ROOMY) as one, ExitStack() as stack:
        other = Reference(one.reference.settings)
        other.store = one.reference.store
        other.deployment = Attributed(other.store, other.settings.rules)
        for number, deployment in enumerate((one.deployment, other.deployment)):
            deployment.chance = random.Random(f"{seed} {number}")
        yield one, Tenant(stack.enter_context(other), alone=True)


def _pair(seed: int, directory: Path) -> str:
    """Two runs at once, on machines of their own; their verdicts."""
    with _two_ways(seed) as ways:
        runs = []
        for way, name in zip(ways, "ab", strict=True):
            (directory / f"{seed}{name}").mkdir()
            commands = Commands(way, directory / f"{seed}{name}")
            runs.append((commands, commands.start()))
        said = [ended(process, 500)[1] for _, process in runs]
        paths = [commands.directory / "reports" / "report.json" for commands, _ in runs]
        verdicts = [json.loads(path.read_text(encoding="utf-8"))["verdict"] for path in paths]
        one, other = (way.deployment for way in ways)
        assert not one.changed & other.made, seed
        assert not other.changed & one.made, seed
        assert set(verdicts) <= {"pass", "inconclusive"}, (seed, said)
        left = set(ways[0].leftovers)
        assert left <= set(ADOPT.findall("".join(said))), (seed, left, said)
        return f"{' and '.join(verdicts)}, {len(left)} left and named"


def test_two_runs_of_one_tenant_do_not_touch_each_other(tmp_path: Path) -> None:
    """Neither knows the other's ledger, and answers are lost: no address is mistaken, no conforming target fails."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        told = list(threads.map(lambda seed: _pair(seed, tmp_path), range(PAIRS)))
    print("\n".join(told))  # noqa: T201  # figures of the trial
