import itertools
import json
import os
import random
import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from cleanup_runs import Commands, Tenant, ended, kill, tenant
from click.testing import CliRunner, Result

from conformance.cli import cleanup as cli
from conformance.cli.commands import group

KILLS = int(os.environ.get("CONFORMANCE_KILLS", "8"))
AT_ONCE = 4
KILLS_OF_WORKERS = int(os.environ.get("CONFORMANCE_KILLS_OF_WORKERS", str(max(2, KILLS // 5))))
"""How many points a run is killed at; a thorough proof takes a hundred."""

KINDS = ("any", "POST ip_addresses", "PUT ip_associations", "DELETE ip_associations", "DELETE ip_addresses")

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Point:
    """The ``number``-th request of a kind, when it has come or when all but its answer is done."""

    number: int
    kind: str
    moment: str
    torn: bool

    @classmethod
    def drawn(cls, seed: int) -> "Point":
        """One of the points, evenly over kinds and moments."""
        chance = random.Random(seed)
        kind = chance.choice(KINDS)
        return cls(chance.randint(1, 150 if kind == "any" else 3), kind, chance.choice(["came", "done"]), seed % 3 == 0)

    def __str__(self) -> str:
        return f"{self.kind.replace(' ', '-')}-{self.number}-{self.moment}{'-torn' if self.torn else ''}"


@pytest.fixture
def others() -> Iterator[Tenant]:
    """A tenant with addresses of others, on the ports that the suite will use."""
    with tenant() as running:
        yield running


@pytest.fixture
def commands(others: Tenant, tmp_path: Path) -> Commands:
    """The commands on that tenant, which is said to be the suite's own: nothing is left then."""
    return Commands(others, tmp_path, "exclusive")


def kill_at(others: Tenant, process: "subprocess.Popen[str]", point: Point) -> threading.Event:
    """Kill the process at the point; what the target was doing then, it does to its end."""
    matching = itertools.count(1)
    killed = threading.Event()

    def at(described: str, moment: str) -> None:
        if point.kind in {"any", described} and moment == point.moment and next(matching) == point.number:
            kill(process)
            killed.set()

    others.deployment.at = at
    return killed


def cleaned(commands: Commands) -> Result:
    """The clean-up in this process."""
    return CliRunner(env=commands.environment).invoke(group, ["cleanup", "--target", str(commands.target)])


def tear(commands: Commands) -> None:
    """Leave half a line, as a kill in the middle of a write does: its request was never sent."""
    line = json.dumps({"do": "allocating", "intent": "main-99", "before": [], "ports": [], "at": 1.0})
    for ledger in commands.ledgers:
        with ledger.open("a") as file:
            file.write("\n" + line[: len(line) // 2])


def assert_nothing_is_left(others: Tenant, commands: Commands, result: Result) -> None:
    """The tenant is as it was, the clean-up says so, and no ledger stays."""
    assert result.exit_code == 0, result.output
    assert others.untouched, (others.leftovers, result.output)
    assert commands.ledgers == []


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_killed_run_leaves_nothing_behind_a_cleanup(others: Tenant, commands: Commands, seed: int) -> None:
    """Wherever it is killed: also between a request and its answer, and while it writes the ledger."""
    point = Point.drawn(seed)
    process = commands.start()
    killed = kill_at(others, process, point)
    ended(process)
    assert killed.is_set(), point
    if point.torn:
        tear(commands)
    result = cleaned(commands)
    assert_nothing_is_left(others, commands, result)


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_killed_run_beside_others_names_what_it_cannot_know(others: Tenant, tmp_path: Path, seed: int) -> None:
    """Another client allocates on the same ports after the kill: it loses nothing, and what is left is named."""
    commands = Commands(others, tmp_path)
    point = Point.drawn(seed)
    process = commands.start()
    killed = kill_at(others, process, point)
    ended(process)
    assert killed.is_set(), point
    others.add()
    result = cleaned(commands)
    assert others.others_are_untouched
    left = others.leftovers
    assert all(f"conformance cleanup --adopt {one}" in result.output for one in left), (left, result.output)
    assert result.exit_code == (1 if "--adopt" in result.output else 0)
    if left:
        adopted = commands.cleanup(*[word for one in left for word in ("--adopt", one)])
        assert all(f"removed address {one}" in adopted.stdout for one in left), adopted.stdout
        assert others.untouched


def test_workers_of_a_killed_controller_are_waited_for(tmp_path: Path) -> None:
    """The controller alone is killed; its workers live on for a moment, and the clean-up lets them end."""

    def one(seed: int) -> None:
        directory = tmp_path / str(seed)
        directory.mkdir()
        with tenant() as others:
            commands = Commands(others, directory, "exclusive")
            process = commands.start("-n", "2")
            killed = kill_at(others, process, Point.drawn(seed))
            process.wait(60)
            assert killed.is_set(), Point.drawn(seed)
            result = commands.cleanup()
            assert result.returncode == 0, result.stdout + result.stderr
            assert others.untouched, (seed, others.leftovers)
            assert commands.ledgers == []
            ended(process)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(one, range(1000, 1000 + KILLS_OF_WORKERS)))


def test_a_killed_session_of_workers_leaves_nothing(others: Tenant, commands: Commands) -> None:
    """Controller and workers are killed at once."""
    process = commands.start("-n", "2")
    others.deployment.at = lambda described, moment: (
        os.killpg(process.pid, signal.SIGKILL)
        if (described, moment) == ("PUT ip_associations", "done") and process.poll() is None
        else None
    )
    ended(process)
    assert_nothing_is_left(others, commands, cleaned(commands))


def test_the_console_script_cleans_up(others: Tenant, commands: Commands) -> None:
    """It names what it removed, and the next time there is nothing to do."""
    process = commands.start()
    kill_at(others, process, Point(3, "PUT ip_associations", "done", torn=False))
    ended(process)
    left = others.leftovers
    assert left
    result = commands.cleanup()
    assert result.returncode == 0, result.stdout + result.stderr
    assert all(f"removed address {address}" in result.stdout for address in left)
    assert commands.cleanup().stdout == "conformance cleanup: 0 removed, 0 left\n"
    assert others.untouched


def test_the_next_run_takes_back_what_a_killed_one_left(others: Tenant, commands: Commands) -> None:
    """Before its first case; its report says so."""
    process = commands.start()
    kill_at(others, process, Point(3, "PUT ip_associations", "done", torn=False))
    ended(process)
    number = len(others.leftovers)
    assert number
    _, output = ended(commands.start("-k", "test_response"))
    assert f"left by an earlier run and removed now: {number}" in " ".join(output.split())
    assert others.untouched


def test_an_allocation_that_is_finished_after_the_kill_is_found(others: Tenant, tmp_path: Path) -> None:
    """The target may take as long as the client would have waited; the clean-up waits for that."""
    commands = Commands(others, tmp_path, "exclusive", timeout_seconds=20)
    process = commands.start()
    listed = threading.Event()

    def at(described: str, moment: str) -> None:
        if (described, moment) == ("POST ip_addresses", "came"):
            kill(process)
            listed.wait(20)
        elif (described, moment) == ("GET ip_addresses", "done") and process.poll() is not None:
            listed.set()

    others.deployment.at = at
    code, output = ended(process)
    assert code == -signal.SIGKILL, output
    assert others.leftovers == []
    result = cleaned(commands)
    assert "1 removed" in result.output
    assert_nothing_is_left(others, commands, result)


def test_addresses_that_others_allocate_meanwhile_are_left_alone(others: Tenant, commands: Commands) -> None:
    """Also when they fit: what may be someone else's is reported, and the ledger is kept."""
    process = commands.start()
    kill_at(others, process, Point(1, "POST ip_addresses", "done", torn=False))
    ended(process)
    mine = others.leftovers
    foreign = others.add()
    result = cleaned(commands)
    assert result.exit_code == 1
    assert foreign in result.output
    assert mine[0] in result.output
    assert others.others_are_untouched
    assert others.leftovers == mine
    assert len(commands.ledgers) == 1


@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupted_run_leaves_nothing(others: Tenant, commands: Commands, times: int) -> None:
    """After the second Ctrl-C at the latest a clean-up takes back the rest."""
    process = commands.start()
    sent = iter([signal.SIGINT] * times)

    def at(described: str, moment: str) -> None:
        if described in {"PUT ip_associations", "DELETE ip_addresses"} and moment == "came":
            process.send_signal(next(sent, 0))

    others.deployment.at = at
    code, output = ended(process)
    assert code == 2, output
    if times == 1:
        assert others.untouched
        assert commands.ledgers == []
    assert_nothing_is_left(others, commands, cleaned(commands))


def test_an_interrupted_session_of_workers_leaves_nothing(others: Tenant, commands: Commands) -> None:
    """Ctrl-C on a terminal reaches the controller and its workers."""
    process = commands.start("-n", "2")
    sent = iter([signal.SIGINT])

    def at(described: str, moment: str) -> None:
        if (described, moment) == ("DELETE ip_addresses", "came"):
            os.killpg(process.pid, next(sent, 0))

    others.deployment.at = at
    code, output = ended(process)
    assert code == 2, output
    assert_nothing_is_left(others, commands, cleaned(commands))


def test_a_live_run_is_left_alone(others: Tenant, commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clean-up waits for it, then says that it lives; its addresses stand."""
    monkeypatch.setattr(cli, "WORKERS_MAY_TAKE_SECONDS", 0.2)
    process = commands.start()
    seen: list[Result] = []
    first = threading.Lock()

    def at(described: str, moment: str) -> None:
        if (described, moment) == ("PUT ip_associations", "done") and first.acquire(blocking=False):
            standing = others.leftovers
            seen.append(cleaned(commands))
            assert others.leftovers == standing

    others.deployment.at = at
    code, output = ended(process)
    assert code in {0, 1}, output
    assert seen[0].exit_code == 1
    assert "is still alive; it was left alone" in seen[0].output
    assert others.untouched


NEEDS_TWO_ADDRESSES = {"effect.nothing-else"}
NEEDS_A_LIMIT = {"limits.over-limit", "limits.retry-after"}


@pytest.mark.parametrize(
    ("quota", "arguments", "untested"),
    [(3, (), NEEDS_TWO_ADDRESSES), (4, ("-n", "2"), set())],
    ids=["room for one", "room for two and two workers"],
)
def test_a_small_quota_is_enough(tmp_path: Path, quota: int, arguments: tuple[str, ...], untested: set[str]) -> None:
    """Two servers and two addresses give a full verdict; with one address the rest is untested, and says why."""
    with tenant(shared_quota=quota) as others:
        commands = Commands(others, tmp_path)
        code, output = ended(commands.start(*arguments), 120)
        run = json.loads((commands.directory / "reports" / "report.json").read_text())
        assert (code, run["verdict"]) == (0, "pass"), output
        open_ones = {one["id"]: one["reason"] for one in run["clauses"] if one["verdict"] != "pass"}
        assert open_ones.keys() - NEEDS_A_LIMIT == untested
        shortage = "the target grants fewer than 2 addresses at once: POST /ip_addresses answered 400 Bad Request"
        assert all(f"it takes two addresses: {shortage}" in open_ones[clause] for clause in untested)
        assert any(note.startswith(shortage) for note in run["notes"]) or not untested
        assert others.untouched
        assert commands.ledgers == []


def test_a_quota_that_is_used_up_is_inconclusive(tmp_path: Path) -> None:
    """Not one address is to be had: nothing that needs one passes, and the answer of the target is the reason."""
    with tenant(shared_quota=2) as others:
        commands = Commands(others, tmp_path)
        code, output = ended(commands.start(), 120)
        run = json.loads((commands.directory / "reports" / "report.json").read_text())
        assert (code, run["verdict"]) == (1, "inconclusive"), output
        reasons = {one["id"]: one["reason"] for one in run["clauses"] if one["verdict"] == "inconclusive"}
        assert "answered 400 Bad Request" in reasons["effect.removed"]
        assert others.untouched
        assert commands.ledgers == []


def test_two_runs_at_once_share_the_quota(tmp_path: Path) -> None:
    """Each works with what it gets, neither sweeps the other, and nothing is left."""
    with tenant(shared_quota=5) as others:
        commands = Commands(others, tmp_path, max_addresses=2)
        processes = [
            commands.start("--report-dir", str(tmp_path / name), "-k", "deallocation or effect") for name in "ab"
        ]
        for process in processes:
            _, output = ended(process, 120)
            assert "removed now" not in output
        for name in "ab":
            run = json.loads((tmp_path / name / "report.json").read_text())
            judged = {one["id"]: one["verdict"] for one in run["clauses"]}
            assert judged["deallocation.delete-refused"] == judged["effect.removed"] == "pass"
        assert others.untouched
        assert commands.ledgers == []


def test_another_tenants_token_is_no_proof_that_nothing_is_left(others: Tenant, commands: Commands) -> None:
    """It sees none of the addresses; the ledger is kept for the right one."""
    process = commands.start()
    kill_at(others, process, Point(3, "PUT ip_associations", "done", torn=False))
    ended(process)
    right = commands.environment["CONFORMANCE_TOKEN"]
    commands.environment["CONFORMANCE_TOKEN"] = commands.environment["CONFORMANCE_FOREIGN_TOKEN"]
    result = cleaned(commands)
    assert result.exit_code == 1
    assert "is the token of the same tenant?" in result.output
    commands.environment["CONFORMANCE_TOKEN"] = right
    assert_nothing_is_left(others, commands, cleaned(commands))


def test_a_state_directory_that_is_none_stops_the_run(others: Tenant, commands: Commands) -> None:
    """One clear message, and nothing was created."""
    commands.state.write_text("in the way")
    _, output = ended(commands.start())
    said = " ".join(output.split())
    assert "the ledger" in said
    assert "cannot be opened" in said
    assert "--state-dir" in said
    assert "Traceback" not in output
    assert others.untouched


def test_a_report_directory_that_is_none_is_a_usage_error(others: Tenant, commands: Commands) -> None:
    """Before the first request."""
    (commands.directory / "reports").write_text("in the way")
    code, output = ended(commands.start())
    assert code == 4
    assert "--report-dir" in output
    assert others.deployment.seen == 0


def test_no_token_stands_in_a_ledger(others: Tenant, commands: Commands) -> None:
    """It holds identifiers only."""
    process = commands.start()
    kill_at(others, process, Point(2, "DELETE ip_associations", "done", torn=False))
    ended(process)
    text = "".join(ledger.read_text() for ledger in commands.ledgers)
    assert "allocated" in text
    for name in ("TOKEN", "RESTRICTED_TOKEN", "FOREIGN_TOKEN"):
        assert commands.environment[f"CONFORMANCE_{name}"] not in text
