"""Another client on the same ports, lists in pages, ledgers that vanish: whose an address is stays known."""

import itertools
import json
import os
import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cleanup_runs import Commands, Paged, Tenant, ended, tenant
from test_provision import Run, on, refusing

from conformance.client import incomplete
from conformance.errors import ProvisioningError
from conformance.provision import adopt, sweep_dead_runs
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.store import Association

pytestmark = pytest.mark.once


class Losing(Paged):
    """Pages of one, and every second allocation is done and answered 503."""

    def finish(self, request: ReceivedRequest, answer: Answer) -> Answer:
        """Have the last word."""
        answer = super().finish(request, answer)
        allocated = request.method == "POST" and answer.code == 201
        return Answer(503) if allocated and self.every(2, "allocations") else answer


class TestPages:
    """Lists in pages of one."""

    @pytest.mark.parametrize("others", [0, 1, 4])
    def test_all_pages_are_read(self, tmp_path: Path, others: int) -> None:
        """As if it were one list."""
        with tenant(alone=True, deployment=Paged, servers=2) as running:
            known = {running.add() for _ in range(others)}
            run = Run(running, tmp_path)
            listing = run.client.list_addresses()
            assert listing.response
            assert {row["id"] for row in listing.response.json()["ip_addresses"]} == known
            assert listing.pages == max(1, others)
            assert not incomplete(listing, "ip_addresses")
            assert not run.client.incomplete

    @pytest.mark.parametrize(
        "link",
        [
            "http://127.0.0.1:1/v2.0/ip_addresses?marker=1",
            "https://cloud.example/v2.0/ip_addresses?marker=1",
            "//cloud.example/",
            "/v2.0/ip_addresses",
            "/v2.0/ip_addresses?x=\r\nX-Y: z",
            "/v2.0/ip_addresses?x=\ud800",
            "/v2.0/nowhere",
            "http://[",
            "",
        ],
    )
    def test_a_link_that_leads_elsewhere_is_not_followed(self, tmp_path: Path, link: str) -> None:
        """The list is then known to be incomplete, which is said."""
        with tenant(deployment=Paged, servers=2) as running:
            running.deployment.leads = lambda _request, _query: link
            run = Run(running, tmp_path)
            assert incomplete(run.client.list_addresses(), "ip_addresses")
            assert run.client.incomplete

    def test_a_lost_answer_is_not_ours_by_an_incomplete_list(self, tmp_path: Path) -> None:
        """What the other pages hold is not known."""
        with tenant(alone=True, deployment=Paged, servers=2) as running:
            store = running.reference.store
            other = store.fresh_address(store.tenant, 4, ("some", "ports"))
            with store.lock:
                store.state = store.state.with_address(other)
            run = Run(running, tmp_path)
            running.deployment.leads = lambda _request, _query: "https://cloud.example/"
            stop = threading.Event()
            on(running, "POST ip_addresses", "done", lambda: stop.wait(1.5))
            with run.provisioner.lease(1):
                pass
            assert "incomplete" in " ".join(run.swept().left)


def churn(running: Tenant, chance: random.Random) -> Callable[[], object]:
    """What may happen while an allocation is under way: another client allocates, and the answer may be a fault."""

    def act() -> None:
        if chance.random() < 0.5:
            running.add()
        if chance.random() < 0.6:
            raise Refusal(chance.choice([400, 409, 500, 503]), "not now")

    return act


@pytest.mark.parametrize(
    "rounds", [10, pytest.param(200, marks=pytest.mark.slow)], ids=lambda rounds: f"{rounds} rounds"
)
def test_another_client_on_the_same_ports_loses_nothing(
    tmp_path: Path, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever it allocates, and whatever the suite was answered: at work, after a kill, and in a clean-up.

    It has an address on them when a run begins. Without any such sign, one that it allocates between a lost answer and
    the look after it cannot be told from the suite's own (spec/README.md, decision 21).
    """
    monkeypatch.setattr("conformance.client.retry.FIRST_WAIT_SECONDS", 0.0)
    monkeypatch.setattr("conformance.client.retry.ATTEMPTS", 2)
    with tenant(servers=2, shared_quota=10000, port_quota=10000) as running:
        for number in range(rounds):
            chance = random.Random(number)
            run = Run(running, tmp_path, f"run{number}")
            moment = chance.choice(["came", "done"])
            on(running, "POST ip_addresses", moment, churn(running, chance), times=6)
            try:
                with run.provisioner.lease(2):
                    pass
            except ProvisioningError:
                pass
            if chance.random() < 0.5:  # a kill
                run.ledger._lock.release()
                running.add()
            else:
                run.swept()
            on(running, "", "", lambda: None)
            done = sweep_dead_runs(run.client, run.path.parent)
            assert running.others_are_untouched, number
            said = " ".join(done.left)
            assert all(one in said for one in running.leftovers), (number, running.leftovers, said)
            adopt(run.client, run.path.parent, running.leftovers)
            for path in run.path.parent.glob("*.ledger.jsonl"):
                path.unlink()
            assert running.untouched, number
            forget_others(running, chance)


def forget_others(running: Tenant, chance: random.Random) -> None:
    """The other client de-allocates now and then."""
    store = running.reference.store
    for one in sorted(running.others)[2:]:
        if chance.random() < 0.8:
            with store.lock:
                for server in running.reference.servers:
                    store.state = store.state.without_association(Association(one, server))
                store.state = store.state.without_address(one)
            running.others.discard(one)


@pytest.mark.slow
def test_a_target_that_loses_answers_stays_whole(tmp_path: Path) -> None:
    """Every second allocation is done and answered 503, in pages of one, and nobody else is about."""
    with tenant(alone=True, deployment=Losing) as running:
        commands = Commands(running, tmp_path)
        code, output = ended(commands.start(), 200)
        assert code == 0, output
        assert running.untouched
        assert commands.ledgers == []


@pytest.mark.slow
@pytest.mark.parametrize("code", [400, 503])
def test_another_clients_address_is_not_taken_in_a_run(tmp_path: Path, code: int) -> None:
    """It appears while an allocation of the suite is refused; the run is a pass, and it stands."""
    with tenant(shared_quota=20, port_quota=20) as running:
        commands = Commands(running, tmp_path)
        turn = itertools.count()

        def at(described: str, moment: str) -> None:
            if (described, moment) == ("POST ip_addresses", "came") and next(turn) == 2:
                running.add()
                refusing(code)()

        running.deployment.at = at
        ended_with, output = ended(commands.start(), 200)
        assert running.others_are_untouched
        assert running.leftovers == []
        notes = json.loads((tmp_path / "reports" / "report.json").read_text())["notes"]
        assert any(f"--adopt {one}" in note for one in running.others for note in notes)
        assert ended_with == 0, output


def _pipe_instead(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _file_instead(directory: Path) -> None:
    directory.rename(directory.with_name("aside"))
    directory.write_text("")


LOSSES: dict[str, Callable[[Path], object]] = {
    "unlink": Path.unlink,
    "truncate": lambda path: path.write_text(""),
    "pipe": _pipe_instead,
    "directory": lambda path: shutil.rmtree(path.parent),
    "file for the directory": lambda path: _file_instead(path.parent),
}


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("lose", LOSSES)
def test_a_run_whose_ledger_vanished_is_no_pass(tmp_path: Path, lose: str, workers: str) -> None:
    """It says so, cleans up from memory and reports, whatever became of the place; all of it may end the tests."""
    with tenant(alone=True) as running:
        commands = Commands(running, tmp_path)
        turn = itertools.count()

        def at(described: str, moment: str) -> None:
            if (described, moment) == ("PUT ip_associations", "done") and next(turn) == 5:
                for path in commands.ledgers:
                    LOSSES[lose](path)

        running.deployment.at = at
        code, output = ended(commands.start("-n", workers), 200)
        assert code in ({1} if lose in {"unlink", "truncate"} else {1, 3}), output
        assert "Traceback" not in output
        notes = json.loads((tmp_path / "reports" / "report.json").read_text(encoding="utf-8"))["notes"]
        assert any("vanished or shrank" in note for note in notes), notes
        assert running.untouched
