import errno
import http
import json
import math
import os
import shutil
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import in_process
import pytest
from cleanup_runs import Tenant, Watched, tenant
from filelock import FileLock

from conformance.client import Client, Pacer
from conformance.errors import LedgerError, ProvisioningError
from conformance.evidence import Exchange, Recorder, Request, Response
from conformance.provision import (
    Address,
    Ledger,
    Provisioner,
    Sweep,
    adopt,
    ledger,
    state_directory,
    sweep_dead_runs,
    sweep_run,
)
from conformance.provision.removal import discard
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.store import Association
from conformance.target import Limits, Policy, Secret, Target, in_words

pytestmark = pytest.mark.once


@pytest.fixture
def others() -> Iterator[Tenant]:
    """A tenant with two addresses of others, which has room for three more."""
    with tenant(servers=2) as running:
        yield running


class Run:
    """One run's provisioning on a tenant: a ledger, a client, a lender."""

    def __init__(self, others: Tenant, directory: Path, name: str = "run", most: int = 2, use: str = "shared") -> None:
        reference = others.reference
        target = Target(
            name="reference",
            compute=f"{reference.compute}/v2",
            network=f"{reference.network}/v2.0",
            tokens={"full": Secret(reference.tokens.full), "foreign": Secret(reference.tokens.foreign)},
            servers=reference.servers,
            limits=Limits(max_addresses=most, timeout_seconds=1.0),
            policy=Policy(settle_seconds=1.0, tenant=use),
        )
        self.others = others
        self.shared = directory / name
        self.shared.mkdir(exist_ok=True)
        self.client = Client(target, Recorder(), Pacer(self.shared / "pace"))
        self.path = directory / "state" / f"{name}{ledger.SUFFIX}"
        self.ledger = Ledger(self.path)
        self.provisioner = self.joined("main")

    def asked(self) -> str:
        """An allocation that is written down, and nothing else yet; returns the intent."""
        ports = tuple(self.others.reference.ports.values())
        return self.ledger.allocating(self.provisioner._before().ids, ports, self.others.reference.servers)

    def joined(self, process: str) -> Provisioner:
        """The lender of one of the run's processes."""
        own = self.ledger if process == "main" else Ledger(self.path, process)
        return Provisioner(self.client, own, self.shared)

    def swept(self) -> Sweep:
        """What is left when the run has ended, taken back."""
        done = Sweep()
        sweep_run(self.client, self.path, done, self.ledger.written)
        self.ledger.close()
        return done


@pytest.fixture
def run(others: Tenant, tmp_path: Path) -> Run:
    """A run on that tenant."""
    return Run(others, tmp_path)


def on(others: Tenant, described: str, moment: str, act: Callable[[], object], times: int = 1) -> None:
    """Act when so many requests of a kind come, or are done."""
    left = iter(range(times))

    def at(seen: str, when: str) -> None:
        if (seen, when) == (described, moment) and next(left, None) is not None:
            act()

    others.deployment.at = at


def refusing(code: int) -> Callable[[], None]:
    """Refuse."""

    def act() -> None:
        raise Refusal(code, "not now")

    return act


def held_on_to(run: Run, monkeypatch: pytest.MonkeyPatch) -> Address:
    """An address that the target does not let go, whichever way it is asked."""
    monkeypatch.setattr("conformance.provision.removal.FIRST_PAUSE_SECONDS", 0.0)
    with run.provisioner.lease(1) as (address,):
        run.provisioner.keep(address)
    on(run.others, "DELETE ip_addresses", "came", refusing(403), times=100)
    monkeypatch.setattr(run.others.deployment, "replace_ports", lambda _: (_ for _ in ()).throw(Refusal(403, "no")))
    return address


class Altered(Watched):
    """Answers an allocation as ``altered`` says, whatever was done."""

    altered: Callable[[Answer], Answer] = staticmethod(lambda answer: answer)

    def finish(self, request: ReceivedRequest, answer: Answer) -> Answer:
        """Have the last word."""
        allocation = request.method == "POST" and request.path.resource == "addresses"
        return self.altered(super().finish(request, answer)) if allocation else super().finish(request, answer)


@pytest.fixture
def altered(monkeypatch: pytest.MonkeyPatch) -> type[Altered]:
    """Deployments that alter the answers to allocations."""
    monkeypatch.setattr("cleanup_runs.Watched", Altered)
    return Altered


def test_an_address_is_lent_and_kept_warm(run: Run) -> None:
    """The next test gets the same one, associated as the last one left it."""
    with run.provisioner.lease(1) as (address,):
        run.provisioner.keep(address, ["a", "b"])
    with run.provisioner.lease(1) as (again,):
        assert again == address
        assert run.provisioner.associated(again) == ("a", "b")
    assert len(run.others.leftovers) == 1
    assert run.swept().removed == [address.id]
    assert run.others.untouched
    assert not run.path.exists()


def test_an_address_that_nobody_vouches_for_is_replaced(run: Run) -> None:
    """A test that broke off left it in a state that nobody knows."""
    with run.provisioner.lease(1) as (address,):
        pass
    with run.provisioner.lease(1) as (other,):
        assert other != address
    assert run.others.leftovers == [other.id]


def test_nobody_knows_what_is_associated_with_an_address_that_cannot_be_taken_back(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must serve on, since another one beside it would be one too many: but not as one that is free."""
    address = held_on_to(run, monkeypatch)
    with run.provisioner.lease(1) as (again,):
        assert run.provisioner.associated(again) == ()
    with run.provisioner.lease(1) as (once_more,):
        assert once_more == address
        assert run.provisioner.associated(once_more) is None


def test_both_versions_are_lent(run: Run) -> None:
    """So every case that takes two addresses has one of either."""
    with run.provisioner.lease(2) as held:
        assert sorted(address.version for address in held) == [4, 6]
        assert len(run.others.leftovers) == 2


def test_an_intent_is_on_disk_before_the_request(run: Run) -> None:
    """When the request comes, the ledger names it already; when the answer has come, the address."""
    seen: list[ledger.LedgerRecord] = []
    on(run.others, "POST ip_addresses", "came", lambda: seen.append(ledger.read(run.path)))
    with run.provisioner.lease(1) as (address,):
        assert [len(record.unanswered) for record in seen] == [1]
        assert seen[0].addresses == {}
        intent = next(iter(seen[0].unanswered.values()))
        assert intent.before == run.others.others
        assert intent.ports == set(run.others.reference.ports.values())
        assert ledger.read(run.path).addresses == {address.id: set()}


WORDS = {code: http.HTTPStatus(code).phrase for code in (400, 403, 409, 413)}
"""The codes of a quota that is used up."""


@pytest.mark.parametrize("code", WORDS)
def test_a_refused_allocation_shrinks_the_pool(run: Run, code: int) -> None:
    """One address is enough to go on, and a note says why there are no more."""
    with run.provisioner.lease(1) as (first,):
        run.provisioner.keep(first)
    on(run.others, "POST ip_addresses", "came", refusing(code), times=100)
    with run.provisioner.lease(2) as held:
        assert held == [first]
    assert run.provisioner.notes == [
        "the target grants fewer than 2 addresses at once: POST /ip_addresses answered "
        + ", ".join(f"{code} {WORDS[code]} for version {version}" for version in (4, 6))
    ]
    assert run.joined("gw1").shortage == run.provisioner.notes[0]
    assert ledger.read(run.path).unanswered == {}


def test_a_limit_that_passes_does_not_shrink_the_pool(run: Run) -> None:
    """A 413 may mean the rate: it is asked again."""
    on(run.others, "POST ip_addresses", "came", refusing(413), times=2)
    with run.provisioner.lease(2) as held:
        assert len(held) == 2
    assert run.provisioner.notes == []


@pytest.mark.parametrize("code", WORDS)
def test_a_target_that_lends_nothing_says_so(run: Run, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The case is inconclusive, with the answers that were given, in each process; nobody asks in vain again."""
    monkeypatch.setattr("conformance.client.retry.FIRST_WAIT_SECONDS", 0.0)
    on(run.others, "POST ip_addresses", "came", refusing(code), times=100)
    for provisioner in (run.provisioner, run.provisioner, run.joined("gw1")):
        said = f"answered {code} {WORDS[code]} for version 4"
        with pytest.raises(ProvisioningError, match=said), provisioner.lease(2):
            pass
    asked = run.client.recorder.by_operation["allocateAddress"]
    with pytest.raises(ProvisioningError), run.provisioner.lease(2):
        pass
    assert run.client.recorder.by_operation["allocateAddress"] == asked
    assert run.swept().left == []
    assert run.others.untouched


@pytest.fixture
def alone() -> Iterator[Tenant]:
    """A tenant that nobody else uses."""
    with tenant(alone=True, servers=2) as running:
        yield running


LOST = [Answer(500), Answer(503), Answer(502), Answer(504)]
UNCLEAR = [
    Answer(200, {"ip_address": {}}),
    Answer(201),
    Answer(202, {"request": "accepted"}),
    Answer(201, {"ip_address": {"id": 7}}),
    Answer(201, content=b"<html>"),
    Answer(400),
    Answer(404),
    Answer(302),
]


@pytest.mark.parametrize("answer", LOST, ids=lambda answer: f"{answer.code}")
def test_a_server_fault_that_granted_is_ours_where_nobody_else_is_about(
    altered: type[Altered], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Answer
) -> None:
    """The very first look shows one new address with just our ports; another is not asked for."""
    monkeypatch.setattr("conformance.provision.provisioner.BETWEEN_LOOKS_SECONDS", 0.0)
    monkeypatch.setattr(altered, "altered", staticmethod(lambda _: answer))
    with tenant(alone=True, servers=2) as others:
        run = Run(others, tmp_path)
        with run.provisioner.lease(2) as held:
            assert sorted(address.id for address in held) == others.leftovers
            assert ledger.read(run.path).unanswered == {}
        assert run.swept().left == []
        assert others.untouched


@pytest.mark.parametrize("answer", [*LOST, *UNCLEAR], ids=lambda answer: f"{answer.code}")
@pytest.mark.parametrize("alone", [True, False])
def test_what_only_looks_like_ours_is_reported(
    altered: type[Altered], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Answer, *, alone: bool
) -> None:
    """Beside somebody on the same ports, or after any other answer: neither used nor changed, until it is adopted."""
    monkeypatch.setattr("conformance.client.retry.FIRST_WAIT_SECONDS", 0.0)
    if alone and answer in LOST:
        pytest.skip("then it is ours")
    monkeypatch.setattr(altered, "altered", staticmethod(lambda _: answer))
    with tenant(alone=alone, servers=2) as others:
        run = Run(others, tmp_path)
        with pytest.raises(ProvisioningError), run.provisioner.lease(1):
            pass
        left = others.leftovers
        done = run.swept()
        assert left
        assert (done.removed, others.leftovers) == ([], left)
        assert all(any(f"conformance cleanup --adopt {one}" in said for said in done.left) for one in left)
        assert others.others_are_untouched
        assert adopt(run.client, run.path.parent, left).removed == left
        assert sweep_dead_runs(run.client, run.path.parent).left == []
        assert others.untouched
        assert not run.path.exists()


@pytest.mark.parametrize("answer", [*LOST, *UNCLEAR], ids=lambda answer: f"{answer.code}")
def test_in_a_tenant_of_its_own_the_one_candidate_is_ours(
    altered: type[Altered], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Answer
) -> None:
    """Whatever the answer was: the description says that nobody else is there."""
    monkeypatch.setattr(altered, "altered", staticmethod(lambda _: answer))
    with tenant(servers=2) as others:
        run = Run(others, tmp_path, use="exclusive")
        with run.provisioner.lease(1) as (address,):
            assert others.leftovers == [address.id]
        assert run.swept().left == []
        assert others.untouched


def test_a_lost_answer_is_ours_at_once_or_never(alone: Tenant, tmp_path: Path) -> None:
    """What a later look shows may be somebody else's."""
    run = Run(alone, tmp_path)
    on(alone, "POST ip_addresses", "came", refusing(503))
    with run.provisioner.lease(1) as (address,):
        foreign = alone.add()
        assert alone.leftovers == [address.id]
    done = run.swept()
    assert done.removed == [address.id]
    assert f"--adopt {foreign}" in " ".join(done.left)
    assert alone.untouched


def test_an_address_that_somebody_uses_is_not_ours_although_the_first_look_shows_it(
    alone: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run allocated while our own allocation was lost, and nobody had been seen before: it tells by its use."""
    monkeypatch.setattr("conformance.provision.provisioner.BETWEEN_LOOKS_SECONDS", 0.0)
    run, theirs = Run(alone, tmp_path), []

    def theirs_instead() -> None:
        theirs.append(alone.add())
        raise Refusal(503, "not now")

    on(alone, "POST ip_addresses", "came", theirs_instead)
    with run.provisioner.lease(1) as (address,):
        assert [address.id] == alone.leftovers
    done = run.swept()
    assert done.removed == [address.id]
    assert f"--adopt {theirs[0]}" in " ".join(done.left)
    assert alone.untouched


def test_a_sign_of_others_is_kept_in_mind(alone: Tenant, tmp_path: Path) -> None:
    """An address that came and went on the same ports: from then on nothing is ours but what an answer names."""
    run = Run(alone, tmp_path)
    foreign = alone.add()
    run.provisioner._before()
    store = alone.reference.store
    with store.lock:
        for server in alone.reference.servers:
            store.state = store.state.without_association(Association(foreign, server))
        store.state = store.state.without_address(foreign)
    alone.others.clear()
    stop = threading.Event()
    on(alone, "POST ip_addresses", "done", lambda: stop.wait(1.5))
    with run.joined("gw1").lease(1) as (address,):
        (left,) = set(alone.leftovers) - {address.id}
    assert f"--adopt {left}" in " ".join(run.swept().left)


@pytest.mark.parametrize(
    "identifier", ["..", ".", "", "a/b", "\ud800", "x" * 300, "../servers/s", "7\r\nX: y", "%2e%2e"]
)
def test_an_id_that_is_no_uuid_never_goes_into_a_path(
    altered: type[Altered], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, identifier: str
) -> None:
    """It is named, and the run cannot be a pass."""
    answer = Answer(201, {"ip_address": {"id": identifier}})
    monkeypatch.setattr(altered, "altered", staticmethod(lambda _: answer))
    with tenant(alone=True, servers=2) as others:
        run = Run(others, tmp_path)
        with pytest.raises(ProvisioningError), run.provisioner.lease(1):
            pass
        assert in_words(identifier) in run.provisioner.doubts[0]
        run.provisioner.doubts[0].encode()
        run.swept()
        assert set(run.client.recorder.by_operation) <= {
            "allocateAddress",
            "listAddresses",
            "listAssociations",
            "listPorts",
        }


def test_an_answer_that_lies_about_the_id_hides_nothing(
    altered: type[Altered], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The address that appeared in its stead is reported."""
    named = "11111111-2222-4333-8444-555555555555"
    monkeypatch.setattr(altered, "altered", staticmethod(lambda _: Answer(201, {"ip_address": {"id": named}})))
    with tenant(alone=True, servers=2) as others:
        run = Run(others, tmp_path)
        with run.provisioner.lease(1) as (address,):
            assert address.id == named
        (left,) = others.leftovers
        assert f"--adopt {left}" in " ".join(run.swept().left)
        assert others.leftovers == [left]


def test_a_ledger_edited_by_hand_removes_nothing_of_others(run: Run) -> None:
    """What it says is held against what the target shows now."""
    with run.provisioner.lease(1) as (address,):
        run.provisioner.keep(address)
    foreign = min(run.others.others)
    text = run.path.read_text()
    run.path.write_text(text.replace(address.id, foreign))
    run.ledger._lock.release()
    done = sweep_dead_runs(run.client, run.path.parent)
    assert done.removed == []
    assert foreign in " ".join(done.left)
    assert run.others.others_are_untouched
    later = run.others.add()
    run.path.write_text(text.replace(address.id, later))
    done = sweep_dead_runs(run.client, run.path.parent)
    assert done.removed == []
    assert "any more" in " ".join(done.left)
    assert run.others.others_are_untouched
    run.path.write_text(text)
    assert sweep_dead_runs(run.client, run.path.parent).removed == [address.id]


@pytest.mark.parametrize("lose", ["unlink", "truncate", "directory"])
def test_a_ledger_that_vanishes_is_noticed_and_written_again(run: Run, lose: str) -> None:
    """Whatever becomes of the file, the process remembers what it made."""
    with run.provisioner.lease(1) as (address,):
        run.provisioner.keep(address)
    if lose == "unlink":
        run.path.unlink()
    elif lose == "truncate":
        run.path.write_text("")
    else:
        shutil.rmtree(run.path.parent)
    assert run.ledger.recovered(run.ledger.written)
    assert run.ledger.shrank
    assert ledger.read(run.path).addresses.keys() == {address.id}
    assert ledger.alive(run.path)
    assert not run.ledger.recovered(run.ledger.written)
    assert run.swept().removed == [address.id]


ASKED = {"do": "allocating", "intent": "main-1", "before": [], "ports": [], "servers": []}
ODD = (
    *("fifo", "directory", "garbage", "entry", "link", "empty object"),
    *("moment of no clock", "moment without a number"),
)


@pytest.mark.parametrize("instead", ["pipe", "file for the directory"])
def test_what_stands_in_a_ledgers_place_does_not_keep_a_run_from_taking_back(run: Run, instead: str) -> None:
    """Nothing is created any more, memory serves, and no descriptor is closed twice."""
    with run.provisioner.lease(1) as (address,):
        run.provisioner.keep(address)
    if instead == "pipe":
        run.path.unlink()
        os.mkfifo(run.path)
    else:
        shutil.rmtree(run.path.parent)
        run.path.parent.write_text("")
    for _ in range(2):
        with pytest.raises(LedgerError):
            run.ledger.associating(address.id, "another")
    opened = os.open(os.devnull, os.O_RDONLY)
    assert run.swept().removed == [address.id]
    os.close(opened)
    assert run.others.untouched


def test_a_lock_that_is_not_to_be_had_keeps_nothing_standing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run's process stands still with it: what is ours goes, and what may be ours is named."""
    monkeypatch.setattr("conformance.provision.locks.QUIET_SECONDS", 0.1)
    with run.provisioner.lease(1) as (address,):
        run.provisioner.keep(address)
    run.asked()
    foreign = run.others.add()
    with FileLock(run.path.parent / "allocation.lock"):
        done = run.swept()
    assert done.removed == [address.id]
    assert f"--adopt {foreign}" in " ".join(done.left)
    assert run.others.untouched


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_ledger_breaks_nothing_and_is_not_forgotten(run: Run, odd: str) -> None:
    """It is set aside and named, each time anew, until somebody has dealt with it."""
    path = run.path.with_name(f"0-odd{ledger.SUFFIX}")
    make: dict[str, Callable[[], object]] = {
        "fifo": lambda: os.mkfifo(path),
        "directory": path.mkdir,
        "garbage": lambda: path.write_bytes(b"\0" * 4096),
        "entry": lambda: path.write_text('{"do": "allocating", "intent": "x", "before": [1], "ports": 3, "at": "x"}'),
        "link": lambda: path.symlink_to("/etc/passwd"),
        "empty object": lambda: path.write_text("{}"),
        "moment of no clock": lambda: path.write_text(json.dumps(ASKED | {"at": 10**400})),
        "moment without a number": lambda: path.write_text(json.dumps(ASKED | {"at": math.nan})),
    }
    make[odd]()
    for _ in range(2):
        done = sweep_dead_runs(run.client, run.path.parent)
        assert path.name in " ".join(done.left)
        assert "--adopt" in " ".join(done.left)
        assert not os.path.lexists(path)
    with run.provisioner.lease(1):
        pass
    (aside,) = ledger.put_aside(run.path.parent)
    aside.rmdir() if odd == "directory" else aside.unlink()
    assert sweep_dead_runs(run.client, run.path.parent).left == []


def test_adoption_asks_for_reasons(run: Run) -> None:
    """What a live run owns, what is not there and what has other ports is not removed on a word."""
    store = run.others.reference.store
    other = store.fresh_address(store.tenant, 4, ("one", "two"))
    with store.lock:
        store.state = store.state.with_address(other)
    with run.provisioner.lease(1) as (address,):
        unknown = "11111111-2222-4333-8444-555555555555"
        done = adopt(run.client, run.path.parent, [address.id, unknown, other.id])
        assert done.removed == []
        said = zip(("at work", "does not show", "ports"), done.left, strict=True)
        assert all(words in one for words, one in said)
        assert {address.id, other.id} <= store.state.addresses.keys()


def test_the_state_directory_is_private(run: Run) -> None:
    """And the ledger is for the user alone."""
    run.path.parent.chmod(0o755)
    Ledger(run.path, "gw1")
    assert stat.S_IMODE(run.path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(run.path.stat().st_mode) == 0o600


def test_an_answer_that_names_an_older_address_gives_none(
    altered: type[Altered], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It belongs to somebody else, whatever the target says."""
    foreign: list[str] = []
    monkeypatch.setattr(
        altered, "altered", staticmethod(lambda _: Answer(201, {"ip_address": {"id": foreign[0].upper()}}))
    )
    with tenant(servers=2, shared_quota=2) as others:
        foreign.extend(sorted(others.others))
        run = Run(others, tmp_path)
        with pytest.raises(ProvisioningError), run.provisioner.lease(1):
            pass
        assert "which existed before" in run.provisioner.notes[0]
        run.swept()
        assert others.untouched


def test_a_lost_answer_leaves_nothing(alone: Tenant, tmp_path: Path) -> None:
    """The address is found by comparing, at once."""
    run = Run(alone, tmp_path)
    stop = threading.Event()
    on(run.others, "POST ip_addresses", "done", lambda: stop.wait(1.5))
    with run.provisioner.lease(1) as (address,):
        assert run.others.leftovers == [address.id]
    assert run.swept().left == []
    assert run.others.untouched


@pytest.mark.parametrize("associates", [True, False])
def test_an_address_that_delete_does_not_know_serves_on_only_while_it_can(
    run: Run, monkeypatch: pytest.MonkeyPatch, *, associates: bool
) -> None:
    """Reads show it all the same; what is associated like any other is one, and another beside it would be too many."""
    with run.provisioner.lease(1) as (address,):
        pass
    refused = {"DELETE ip_addresses": 404} | ({} if associates else {"PUT ip_associations": 400})

    def at(seen: str, when: str) -> None:
        if when == "came" and seen in refused:
            raise Refusal(refused[seen], "no such address")

    run.others.deployment.at = at
    monkeypatch.setattr(run.others.deployment, "replace_ports", lambda _: (_ for _ in ()).throw(Refusal(404, "no")))
    with run.provisioner.lease(1) as (other,):
        assert (other == address) is associates
    assert run.provisioner.notes == [f"address {address.id} could not be removed: DELETE answered 404 Not Found"]


def test_what_others_allocate_meanwhile_is_not_taken(run: Run) -> None:
    """Two new addresses that fit: it cannot be told which one is ours, so neither is touched."""
    on(run.others, "POST ip_addresses", "done", run.others.add)
    intent = run.asked()
    run.client.allocate_address(4, tuple(run.others.reference.ports.values()))
    mine = run.others.leftovers
    assert ledger.read(run.path).unanswered.keys() == {intent}
    done = run.swept()
    assert done.removed == []
    assert mine[0] in " ".join(done.left)
    assert run.others.leftovers == mine
    assert run.others.others_are_untouched
    assert run.path.exists()


def test_an_address_that_cannot_be_removed_is_reported_and_its_ledger_kept(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next clean-up tries again."""
    address = held_on_to(run, monkeypatch)
    done = run.swept()
    assert done.left == [f"address {address.id} could not be removed: DELETE answered 403 Forbidden"]
    assert run.path.exists()
    run.others.deployment.at = lambda *_: None
    assert sweep_dead_runs(run.client, run.path.parent).removed == [address.id]
    assert not run.path.exists()
    assert run.others.untouched


def test_an_address_that_came_back_is_removed_again(run: Run) -> None:
    """The tenant's list has the last word on what was believed to be gone."""
    with run.provisioner.lease(1) as (address,):
        run.provisioner.dropped(address)
    assert run.ledger.read().settled
    assert run.swept().removed == [address.id]
    assert run.others.untouched


def test_an_association_that_outlived_its_address_is_removed(run: Run) -> None:
    """Only those of our own addresses."""
    reference = run.others.reference
    with run.provisioner.lease(1) as (address,):
        server = reference.servers[0]
        run.ledger.associating(address.id, server)
        assert run.client.associate(server, address.id).status == 201
        with reference.store.lock:
            reference.store.state = reference.store.state.without_address(address.id)
        run.provisioner.dropped(address)
    run.others.deployment.find_association = lambda request, _: type(next(iter(reference.store.state.associations)))(
        request.path.address, request.path.server
    )
    assert run.swept().left == []
    assert run.others.untouched


def test_a_living_run_is_not_swept(run: Run, tmp_path: Path) -> None:
    """Neither is what it holds taken for something of a dead one."""
    with run.provisioner.lease(1) as (address,):
        other = Run(run.others, tmp_path, "other")
        assert sweep_dead_runs(other.client, run.path.parent).removed == []
        done = sweep_dead_runs(other.client, run.path.parent, patience_seconds=0.1)
        assert {"the run run is still alive; it was left alone"} <= set(done.left)
        assert run.others.leftovers == [address.id]


def test_an_unanswered_allocation_does_not_claim_what_a_living_run_owns(run: Run, tmp_path: Path) -> None:
    """Although the address fits: it stands in another ledger."""
    dead = Run(run.others, tmp_path, "dead")
    dead.asked()
    dead.ledger._lock.release()
    with run.provisioner.lease(1) as (address,):
        done = sweep_dead_runs(run.client, run.path.parent)
        assert (done.removed, done.left) == ([], [])
        assert run.others.leftovers == [address.id]
    assert not dead.path.exists()


def test_runs_allocate_one_after_the_other(run: Run, tmp_path: Path) -> None:
    """From the look before to the note after, so that a new address is never another run's."""
    overlapping: list[bool] = []
    lock = FileLock(run.path.parent / "allocation.lock")
    on(run.others, "POST ip_addresses", "came", lambda: overlapping.append(not held(lock)), times=3)
    other = Run(run.others, tmp_path, "other", most=1)
    with run.provisioner.lease(2), other.provisioner.lease(1):
        assert overlapping == [False, False, False]


def held(lock: FileLock) -> bool:
    """Somebody else holds the lock."""
    try:
        with lock.acquire(timeout=0):
            return False
    except TimeoutError:
        return True


def test_processes_share_the_limit(run: Run) -> None:
    """A second one waits for the first one's address, and gets the same."""
    second = Provisioner(run.client, Ledger(run.path, "gw1"), run.shared)
    got: list[str] = []

    def take() -> None:
        with second.lease(2) as held:
            got.extend(address.id for address in held)

    with run.provisioner.lease(2) as held:
        for address in held:
            run.provisioner.keep(address)
        waiting = threading.Thread(target=take)
        waiting.start()
        assert got == []
    waiting.join(20)
    assert sorted(got) == run.others.leftovers == sorted(address.id for address in held)


def test_nobody_waits_for_what_is_set_apart(run: Run) -> None:
    """Its holder keeps it until the end of the run; what is left is lent meanwhile, and all of it afterwards."""
    second = Provisioner(run.client, Ledger(run.path, "gw1"), run.shared)
    got: list[int] = []

    def take() -> None:
        with second.lease(2) as held:
            got.append(len(held))

    with run.provisioner.lease(1) as (alone,):
        run.provisioner.set_apart(alone)
        for _ in range(2):
            taking = threading.Thread(target=take, daemon=True)
            taking.start()
            taking.join(20)
    take()
    assert got == [1, 1, 2]


def test_an_id_that_is_given_again_is_told_from_the_first(run: Run) -> None:
    """The ledger knows that it was, and the addresses are two, by the allocations that they came of."""
    fresh = run.others.deployment.fresh_address
    with run.provisioner.lease(1) as (first,):
        run.others.deployment.fresh_address = lambda *asked: replace(fresh(*asked), id=first.id)
        run.client.deallocate_address(first.id)
        second = run.provisioner.renew(first)
        run.provisioner.keep(second)
    assert second.id == first.id
    assert second.allocation != first.allocation
    assert run.ledger.read().again == {first.id.lower()}


def test_what_was_given_back_may_be_counted_for_longer_than_effects_take() -> None:
    """A target that granted as many before is asked again; one refusal does not end the run's allocations."""
    with (
        in_process.served(variant="the-released-count-for-a-while") as reference,
        in_process.process(reference) as shared,
        shared.provisioner.lease(reference.target()["limits"]["max_addresses"]) as held,
    ):
        assert len(held) == 4
        assert shared.target.policy.settle_seconds < 2
        assert shared.client.deallocate_address(held[0].id).status == 204
        assert shared.provisioner.renew(held[0]).id not in {one.id for one in held}


def test_a_torn_note_of_a_slot_is_never_seen(run: Run) -> None:
    """Notes are replaced as a whole."""
    with run.provisioner.lease(1) as (address,):
        run.provisioner.keep(address)
    assert json.loads((run.shared / "slot0.json").read_text())["address"]["id"] == address.id
    assert not list(run.shared.glob("*.new"))


@pytest.mark.parametrize("body", [b"", b"[]", b'{"ip_addresses": 3}', b"<html>"])
def test_without_a_list_nothing_is_allocated(run: Run, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    """An unanswered request could not be found again."""
    monkeypatch.setattr(run.others.deployment, "list_addresses", lambda _: Answer(200, content=body))
    with pytest.raises(ProvisioningError, match="cannot be listed"), run.provisioner.lease(1):
        pass
    assert run.others.untouched


def no_room(_descriptor: int, _content: bytes) -> int:
    """Write to a disk that is full."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class TestLedger:
    """The file and its locks."""

    def test_torn_and_foreign_lines_are_passed_over(self, tmp_path: Path) -> None:
        """A line that a kill tore does not swallow the next one."""
        path = tmp_path / f"run{ledger.SUFFIX}"
        own = Ledger(path)
        intent = own.allocating(frozenset({"b"}), ("p",), ("s",))
        for torn in (b'{"do": "allocat', b"\xff\xfe\x00", b"[]", b'{"do": 3}', b'{"do": "allocating", "intent": 3}'):
            with path.open("ab") as file:
                file.write(b"\n" + torn)
            own.associating("a", torn.hex())
        own.allocated(intent, "Address")
        own.associating("Address", "s")
        record = own.read()
        assert record.addresses == {"Address": {"s"}}
        assert record.ever == {"address"}
        assert not record.settled
        own.shown(intent, "Address", "")
        own.gone("Address")
        assert own.read().settled
        assert len(record.damaged) == 4
        own.close()
        assert list(tmp_path.glob("*")) == [path]

    def test_every_prefix_of_a_ledger_can_be_read(self, tmp_path: Path) -> None:
        """Wherever the machine stopped; what was whole before is still said."""
        path = tmp_path / f"run{ledger.SUFFIX}"
        own = Ledger(path)
        own.allocated(own.allocating(frozenset(), ("p",), ("s",)), "first")
        own.allocated(own.allocating(frozenset({"first"}), ("p",), ("s",)), "second")
        whole = path.read_bytes()
        own.close()
        seen = []
        for size in range(len(whole) + 1):
            path.write_bytes(whole[:size])
            record = ledger.read(path)
            seen.append((len(record.unanswered), len(record.addresses)))
        assert sorted(set(seen), key=seen.index) == [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2)]

    def test_a_ledger_is_kept_while_something_is_left(self, tmp_path: Path) -> None:
        """And while another process of the run has it open."""
        path = tmp_path / f"run{ledger.SUFFIX}"
        first, second = Ledger(path, "gw0"), Ledger(path, "gw1")
        intent = first.allocating(frozenset(), ("p",), ())
        first.close()
        assert ledger.alive(path)
        assert not ledger.alive(path, apart_from="gw1")
        second.close()
        assert not ledger.alive(path)
        assert ledger.read(path).unanswered.keys() == {intent}

    def test_what_the_processes_of_a_dead_run_shared_is_swept(self, others: Tenant, tmp_path: Path) -> None:
        """With its ledger, or without one when the run was killed at its very end; a live run keeps it."""
        run = Run(others, tmp_path)
        dead = Ledger(run.path.with_name(f"0-dead{ledger.SUFFIX}"))
        shared = [ledger.shared_directory(path) for path in (run.path, dead.path, run.path.with_name("0-gone"))]
        for directory in shared:
            directory.mkdir()
            (directory / "slot0.json").write_text("{}")
        dead._lock.release()
        sweep_dead_runs(run.client, run.path.parent)
        assert [directory.exists() for directory in shared] == [True, False, False]
        run.swept()
        assert not shared[0].exists()

    def test_a_full_disk_is_said_so(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Then nothing may be asked for."""
        path = tmp_path / f"run{ledger.SUFFIX}"
        own = Ledger(path)
        monkeypatch.setattr("conformance.provision.ledger.os.write", no_room)
        with pytest.raises(LedgerError, match="No space left on device") as full:
            own.allocating(frozenset(), (), ())
        assert "--state-dir" in full.value.hint

    def test_a_full_disk_creates_nothing(self, others: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The request does not leave."""
        run = Run(others, tmp_path)
        full = Provisioner(run.client, Ledger(run.path, "gw1"), run.shared)
        monkeypatch.setattr("conformance.provision.ledger.os.write", no_room)
        with pytest.raises(LedgerError), full.lease(1):
            pass
        assert others.untouched
        assert run.client.recorder.by_operation["allocateAddress"] == 0

    def test_a_place_that_cannot_be_written_is_named(self, tmp_path: Path) -> None:
        """With what to do."""
        (tmp_path / "file").write_text("")
        with pytest.raises(LedgerError, match=r"ledger .* cannot be opened"):
            Ledger(tmp_path / "file" / "x" / f"run{ledger.SUFFIX}")
        with pytest.raises(LedgerError, match="cannot be read"):
            ledger.read(tmp_path)

    def test_a_place_for_each_target(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """Two targets never share ledgers, two descriptions of one target do."""
        monkeypatch.setenv("CONFORMANCE_STATE_DIR", str(tmp_path))
        one, same, other = (state_directory(target_at(url, name)) for url, name in (("a", "x"), ("a", "y"), ("b", "x")))
        assert one == same
        assert one != other
        assert one.parent == tmp_path
        assert state_directory(target_at("a", "x"), tmp_path / "own").parent == tmp_path / "own"


def target_at(url: str, name: str) -> Target:
    """A target."""
    return Target(name=name, compute=f"http://{url}/v2", network=f"http://{url}/v2.0", tokens={})


class Shows(SimpleNamespace):
    """A client of a target that shows an address whatever it answers to its de-allocation."""

    ADDRESS = "8e03978e-40d5-43e8-bc93-6894a57f9324"

    def __init__(self, deleted: int, *listed: str) -> None:
        shown = {"ip_addresses": [{"id": one} for one in listed]}
        answers = {
            "deallocate_address": answered(deleted),
            "list_addresses": answered(200, json.dumps(shown).encode()),
            "show_address": answered(200),
        }
        answers |= dict.fromkeys(("remove", "update_address"), answered(400))
        super().__init__(**{name: (lambda *_, answer=answer: answer) for name, answer in answers.items()})


def answered(status: int, body: bytes = b"{}") -> Exchange:
    """Some request, answered so."""
    response = Response(status, "", (("Content-Type", "application/json"),), body)
    return Exchange("1", "", "full", Request("GET", "http://127.0.0.1/"), 0.0, 0.0, 0.0, response)


@pytest.mark.parametrize(
    ("deleted", "listed", "unknown", "unlisted"),
    [
        (404, (), True, True),
        (404, (Shows.ADDRESS.upper(),), True, False),
        (409, (), False, False),
        (403, (), False, False),
        (503, (), False, False),
    ],
)
def test_only_what_the_target_says_to_know_nothing_of_makes_room(
    deleted: int, listed: tuple[str, ...], *, unknown: bool, unlisted: bool
) -> None:
    """A list may show nobody's addresses, and one that is refused otherwise is there: another would be one too many."""
    removal = discard(cast("Client", Shows(deleted, *listed)), Shows.ADDRESS, ["s"], rounds=1)
    assert not removal.gone
    assert (removal.unknown, removal.unlisted) == (unknown, unlisted)
