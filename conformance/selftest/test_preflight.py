import email.utils
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cleanup_runs import Tenant, Watched, tenant
from client_raw import Peer, RawServer, client_of, serving
from client_raw import answering as answers
from run_processes import CHECKOUT
from test_client_tls import SecureServer, answering, certificate

from conformance import catalogue
from conformance.client import Client, Pacer
from conformance.errors import Unreachable
from conformance.evidence import Recorder
from conformance.preflight import Check, Status, examination, opening, ready
from conformance.preflight.cost import COSTS, Cost, Durations, in_words
from conformance.preflight.tenant import NEEDS
from conformance.provision import Ledger, ledger
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.run import suite
from conformance.run.cost import DEPTHS
from conformance.target import Limits, Policy, Secret, Target

pytestmark = pytest.mark.once

PUBLIC = "00000000-0000-0000-0000-000000000000"
MOST_REQUESTS, MOST_REQUESTS_OF_A_RUN = 30, 5


@pytest.fixture
def others() -> Iterator[Tenant]:
    """A tenant with two addresses of others, which has room for three more."""
    with tenant(servers=3) as running:
        yield running


class Look:
    """One look at a tenant, and what it found."""

    def __init__(self, others: Tenant, directory: Path, *, allocate: bool = False, **changes: Any) -> None:
        self.state = directory / "state"
        self.shared = directory / "shared"
        self.shared.mkdir(exist_ok=True)
        self.client = Client(described(others, **changes), Recorder(), Pacer(self.shared / "pace"))
        self.checks = list(examination(self.client, self.state, self.shared, allocate=allocate))

    def of(self, name: str) -> list[Check]:
        """The checks of one name."""
        return [check for check in self.checks if check.name == name]

    def the(self, name: str) -> Check:
        """The one check of a name."""
        (check,) = self.of(name)
        return check


def described(others: Tenant, **changes: Any) -> Target:
    """The target that a tenant is."""
    reference, tokens = others.reference, others.reference.tokens
    target = Target(
        name="reference",
        compute=f"{reference.compute}/v2",
        network=f"{reference.network}/v2.0",
        tokens={
            "full": Secret(tokens.full),
            "restricted": Secret(tokens.restricted),
            "foreign": Secret(tokens.foreign),
        },
        servers=reference.servers,
        limits=Limits(timeout_seconds=2.0),
        policy=Policy(settle_seconds=1.0),
    )
    return replace(target, **changes)


def tokens_of(others: Tenant, **roles: str | None) -> dict[str, Secret]:
    """The credentials of a target, some of them another caller's or none."""
    given = {"full": "full", "restricted": "restricted", "foreign": "foreign", **roles}
    return {name: Secret(getattr(others.reference.tokens, role, role)) for name, role in given.items() if role}


def test_a_sound_target_is_ready(tmp_path: Path) -> None:
    """Everything is looked at in few requests, and nothing is created."""
    with tenant(alone=True, servers=3) as others:
        look = Look(others, tmp_path)
    assert ready(look.checks)
    assert {check.status for check in look.checks} == {Status.OK, Status.UNCHECKED}
    assert {check.name for check in look.checks if check.status is Status.UNCHECKED} == {"TLS", "addresses"}
    assert [check.name for check in look.checks] == [
        *("network", "compute", "TLS", "restricted", "foreign", "servers", "ports", "addresses", "clock"),
        *("leftovers", "latency", "quick", "standard", "deep"),
    ]
    assert look.the("addresses").words.startswith("0 exist on network")
    assert look.client.recorder.total <= MOST_REQUESTS
    assert set(look.client.recorder.by_operation) == {"listAddresses", "listAssociations", "listPorts"}
    assert others.untouched
    assert not look.state.exists()


UNKNOWN = "99999999-9999-4999-8999-999999999999"
Changes = Callable[[Tenant], dict[str, Any]]

SITUATIONS: dict[str, tuple[Changes, str, Status, str]] = {
    "a token that nobody knows": (
        lambda one: {"tokens": tokens_of(one, full="nobody-knows-this")},
        "compute",
        Status.PROBLEM,
        "refuses the token: 401",
    ),
    "nobody listens": (lambda _: {"network": "http://127.0.0.1:9/v2.0"}, "network", Status.PROBLEM, "refused"),
    "no restricted credential": (
        lambda one: {"tokens": tokens_of(one, restricted=None)},
        "restricted",
        Status.UNCHECKED,
        "access.forbidden will be untested",
    ),
    "no foreign credential": (
        lambda one: {"tokens": tokens_of(one, foreign=None)},
        "foreign",
        Status.UNCHECKED,
        "access.foreign will be untested",
    ),
    "a restricted credential of another tenant": (
        lambda one: {"tokens": tokens_of(one, restricted="foreign", foreign=None)},
        "restricted",
        Status.WARNING,
        "answered 400",
    ),
    "a restricted credential that has expired": (
        lambda one: {"tokens": tokens_of(one, restricted="nobody-knows-this")},
        "restricted",
        Status.WARNING,
        "answered 401",
    ),
    "a foreign credential of the same tenant": (
        lambda one: {"tokens": tokens_of(one, foreign="restricted", restricted=None)},
        "foreign",
        Status.WARNING,
        "answered 200",
    ),
    "one credential given twice": (
        lambda one: {"tokens": tokens_of(one, foreign="full")},
        "foreign",
        Status.PROBLEM,
        "given twice",
    ),
    "a server that is none": (
        lambda one: {"servers": (*one.reference.servers[:2], UNKNOWN)},
        "servers",
        Status.PROBLEM,
        f"1 of 3 not answered for (400 Bad Request): {UNKNOWN}",
    ),
    "one server": (
        lambda one: {"servers": one.reference.servers[:1]},
        "servers",
        Status.PROBLEM,
        "1 found",
    ),
    "a server without a port": (
        lambda one: {"servers": (*one.reference.servers[:2], UNKNOWN)},
        "ports",
        Status.PROBLEM,
        f"GET /ports names none (200 OK) of: {UNKNOWN}",
    ),
    "another network": (lambda _: {"network_id": UNKNOWN}, "ports", Status.WARNING, f"that is on {PUBLIC}"),
    "a port that is another's": (
        lambda one: {"ports": {one.reference.servers[0]: one.reference.ports[one.reference.servers[1]]}},
        "ports",
        Status.WARNING,
        "states others than the target shows",
    ),
    "room for one address": (
        lambda _: {"limits": Limits(max_addresses=1, timeout_seconds=2.0)},
        "addresses",
        Status.WARNING,
        "limits.max_addresses is 1",
    ),
}


@pytest.mark.parametrize(("changes", "name", "status", "words"), SITUATIONS.values(), ids=SITUATIONS)
def test_what_is_wrong_is_named_with_what_to_do(
    others: Tenant, tmp_path: Path, changes: Changes, name: str, status: Status, words: str
) -> None:
    """Each situation has its check, its status, and advice; no other one makes it a problem."""
    look = Look(others, tmp_path, **changes(others))
    found = [check for check in look.of(name) if check.status is status]
    assert [words in check.words for check in found] == [True], look.checks
    assert found[0].advice
    assert ready(look.checks) == (status is not Status.PROBLEM)
    assert look.client.recorder.total <= MOST_REQUESTS
    assert others.untouched


def test_ports_that_cannot_be_asked_for_are_taken_from_the_description(
    others: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where all are stated nothing is missing."""

    def absent(_: object) -> None:
        raise Refusal(404, "there is nothing at this path")

    monkeypatch.setattr(others.deployment, "list_ports", absent)
    assert Look(others, tmp_path, ports=others.reference.ports).the("ports").status is Status.OK
    assert "(404 Not Found)" in Look(others, tmp_path).the("ports").words


def listing(*, date: float | None = None, **lists: object) -> bytes:
    """An answer with these lists, written at this time."""
    body = json.dumps(lists).encode()
    when = f"Date: {email.utils.formatdate(date, usegmt=True)}\r\n" if date is not None else ""
    return f"HTTP/1.1 200 OK\r\n{when}Content-Length: {len(body)}\r\n\r\n".encode() + body


def looked_at(answer: bytes, directory: Path) -> list[Check]:
    """What a look finds at a server that has one answer to everything."""
    with RawServer(answers(answer)) as server:
        return list(examination(client_of(server.url, directory), directory / "state", directory, allocate=False))


@pytest.mark.parametrize(
    ("ahead", "status", "words"),
    [
        (0.0, Status.OK, "agree"),
        (90.0, Status.WARNING, "ahead of"),
        (-90.0, Status.WARNING, "behind"),
        (None, Status.UNCHECKED, "Date"),
    ],
)
def test_clocks_are_compared(tmp_path: Path, ahead: float | None, status: Status, words: str) -> None:
    """By the Date of the answers, to a few seconds."""
    date = None if ahead is None else time.time() + ahead
    checks = looked_at(listing(ip_addresses=[], ip_associations=[], ports=[], date=date), tmp_path)
    (clock,) = [check for check in checks if check.name == "clock"]
    assert clock.status is status
    assert words in clock.words


def test_silence_is_a_problem_of_the_service(tmp_path: Path) -> None:
    """Each request is bounded, and what depends on an answer is not asked for."""
    with serving(Peer.hang, tmp_path, timeout=0.2) as client:
        checks = list(examination(client, tmp_path / "state", tmp_path, allocate=True))
        assert client.recorder.total == 4
    assert [check.name for check in checks if check.status is Status.PROBLEM] == ["network", "compute"]
    assert "timed out" in checks[0].words
    assert [check.name for check in checks if check.status is Status.UNCHECKED] == ["TLS", "the rest"]


def test_something_else_that_answers_is_no_target(tmp_path: Path) -> None:
    """Such as a page of HTML, with 200 to everything."""
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"
    problems = [check for check in looked_at(page, tmp_path) if check.status is Status.PROBLEM]
    assert [check.name for check in problems] == ["servers", "ports", "addresses"]
    assert "200 OK, without a list" in problems[0].words
    assert "200 OK, without a list" in problems[2].words


@pytest.mark.parametrize(("days", "status"), [(2, Status.WARNING), (90, Status.OK)])
def test_a_certificate_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, status: Status) -> None:
    """How long it is valid: soon it will not be."""
    path = certificate(tmp_path, "good", "IP:127.0.0.1", days)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", f"{path}.crt")
    with SecureServer(answering, path) as server:
        checks = list(examination(client_of(server.url, tmp_path), tmp_path / "s", tmp_path, allocate=False))
    (tls,) = [check for check in checks if check.name == "TLS"]
    assert tls.status is status
    assert f"valid for {days} more days" in tls.words


def test_an_unknown_authority_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the services; there is no certificate to speak of."""
    monkeypatch.setattr("conformance.client.retry.FIRST_WAIT_SECONDS", 0.0)
    with SecureServer(answering, certificate(tmp_path, "good", "IP:127.0.0.1", 2)) as server:
        checks = list(examination(client_of(server.url, tmp_path), tmp_path / "s", tmp_path, allocate=False))
    found = {check.name: check for check in checks}
    assert "TLS failed" in found["network"].words
    assert "authority" in found["network"].advice
    assert found["TLS"].status is Status.UNCHECKED


def test_what_earlier_runs_left_is_told(others: Tenant, tmp_path: Path) -> None:
    """Of a dead one how much, of a living one that it lives."""
    state = tmp_path / "state"
    for name in ("dead", "live", "done"):
        run = Ledger(state / f"{name}{ledger.SUFFIX}")
        if name == "dead":
            run.allocated(run.allocating(frozenset(), ("p",), ()), "address")
            run.allocating(frozenset({"address"}), ("p",), ())
            run._lock.release()
        elif name == "done":
            run.close()
        else:
            live = run
    look = Look(others, tmp_path)
    assert [check.words for check in look.of("leftovers")] == [
        "the run dead left 1 address and 1 allocation without an answer",
        "the run live is at work on this target now",
    ]
    assert ready(look.checks)
    assert "conformance cleanup" in look.of("leftovers")[0].advice
    live.close()


def test_a_place_where_no_ledger_can_be_kept_is_a_problem(others: Tenant, tmp_path: Path) -> None:
    """Since nothing may be created without."""
    (tmp_path / "state").write_text("in the way")
    assert "--state-dir" in Look(others, tmp_path).the("ledger").advice


@pytest.mark.parametrize(
    ("quota", "status", "words"),
    [
        (4, Status.OK, "2 allocated"),
        (3, Status.WARNING, "answered 400 Bad Request"),
        (2, Status.PROBLEM, "answered 400 Bad Request"),
    ],
)
def test_a_trial_tells_what_the_quota_grants(tmp_path: Path, quota: int, status: Status, words: str) -> None:
    """Two addresses, one or none; all are removed again."""
    with tenant(servers=2, shared_quota=quota) as others:
        look = Look(others, tmp_path, allocate=True)
        assert look.the("allocation").status is status
        assert words in look.the("allocation").words
        assert look.of("addresses") == []
        assert others.untouched
        assert not list(look.state.glob(f"*{ledger.SUFFIX}"))


class SlowChanges(Watched):
    """Changes take a tenth of a second, and the third look shows an association."""

    hidden = 0

    def delay(self, request: ReceivedRequest) -> None:
        """Wait before a change."""
        if request.method != "GET":
            time.sleep(0.1)

    def associate(self, request: ReceivedRequest) -> Answer:
        """Hide what was made from two looks."""
        self.hidden = 2
        return super().associate(request)

    def list_associations(self, request: ReceivedRequest) -> Answer:
        """Answer an empty list while there is something to hide."""
        self.hidden -= 1
        return Answer(200, {"ip_associations": []}) if self.hidden >= 0 else super().list_associations(request)


def test_a_trial_tells_how_long_changes_take(tmp_path: Path) -> None:
    """From the request until the list shows it, since a run waits for that; the estimates go by it."""
    with tenant(alone=True, deployment=SlowChanges) as others:
        unasked, asked = Look(others, tmp_path), Look(others, tmp_path, allocate=True)
    assert "how long changes take is not known without --allocate" in unasked.the("latency").words
    assert "--allocate" not in asked.the("latency").words
    taken = re.fullmatch(
        r"until it shows, an allocation takes (\d+) ms, an association (\d+) ms, a removal (\d+) ms",
        asked.the("changes").words,
    )
    assert taken
    assert [int(one) >= least for one, least in zip(taken.groups(), (100, 200, 100), strict=True)] == [True] * 3
    assert unasked.of("changes") == []


def test_what_a_trial_cannot_take_back_is_a_problem(
    others: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays in a ledger, for the clean-up."""
    monkeypatch.setattr("conformance.provision.removal.FIRST_PAUSE_SECONDS", 0.0)

    def refuse(*_: object) -> None:
        raise Refusal(403, "no")

    monkeypatch.setattr(others.deployment, "deallocate", refuse)
    look = Look(others, tmp_path, allocate=True)
    assert [check.status for check in look.of("allocation")] == [Status.OK, Status.PROBLEM, Status.PROBLEM]
    assert "could not be removed" in look.of("allocation")[1].words
    assert len(others.leftovers) == len(list(look.state.glob(f"*{ledger.SUFFIX}"))) + 1 == 2


class TestRun:
    """The same checks at the beginning of a run."""

    def opened(self, others: Tenant, directory: Path, **changes: Any) -> tuple[list[str], int]:
        """What is noted, and how many requests it took."""
        client = Client(described(others, **changes), Recorder(), Pacer(directory / "pace"))
        return opening(client), client.recorder.total

    def test_it_costs_little(self, others: Tenant, tmp_path: Path) -> None:
        """A sound target is worth no note."""
        notes, requests = self.opened(others, tmp_path)
        assert notes == []
        assert requests <= MOST_REQUESTS_OF_A_RUN

    def test_what_is_odd_is_noted(self, others: Tenant, tmp_path: Path) -> None:
        """And the run goes on: the clauses judge what the target does."""
        servers = (others.reference.servers[0], UNKNOWN)
        notes, _ = self.opened(others, tmp_path, servers=servers, tokens=tokens_of(others, restricted="other"))
        assert [note.split(":")[0] for note in notes] == ["restricted", "servers"]
        assert UNKNOWN in notes[1]

    def test_two_credentials_of_one_caller_stop_it(self, others: Tenant, tmp_path: Path) -> None:
        """Before a request: the target would be blamed for what the caller may do."""
        with pytest.raises(Unreachable, match=r"auth\.foreign_token leads to a token that is given twice"):
            self.opened(others, tmp_path, tokens=tokens_of(others, foreign="full"))
        assert others.deployment.seen == 0

    def test_a_service_that_does_not_answer_stops_it(self, others: Tenant, tmp_path: Path) -> None:
        """With what to do about it."""
        with pytest.raises(Unreachable, match="is the URL right"):
            self.opened(others, tmp_path, compute="http://127.0.0.1:9/v2")


class TestCost:
    """Requests and time, before they are spent."""

    def test_every_depth_has_one(self) -> None:
        """The depths that the option knows."""
        assert COSTS.keys() == set(DEPTHS)

    def test_the_readme_says_the_same(self) -> None:
        """Its table of requests is that of the command."""
        readme = (CHECKOUT / "spec" / "target.md").read_text()
        for depth, cost in COSTS.items():
            assert f"| `{depth}` | about {cost.requests:,} |" in readme

    def test_the_slower_of_latency_and_ceiling_counts(self, others: Tenant, tmp_path: Path) -> None:
        """And the time that effects are given to show."""
        cost = Cost(requests=400, waits=2, writes={})
        target = described(others)
        assert cost.seconds(target, Durations(0.25), Pacer(tmp_path / "pace")) == pytest.approx(400 * 0.26 + 2)
        assert cost.seconds(target, Durations(0.01), Pacer(tmp_path / "pace", 4.0)) >= 400 / 4 + 2

    def test_what_takes_longer_than_a_read_counts_for_itself(self, others: Tenant, tmp_path: Path) -> None:
        """Where it was tried; else it is taken to last as long."""
        cost = Cost(requests=400, waits=0, writes={"removeAssociation": 100, "refused": 50})
        target, pacer = described(others), Pacer(tmp_path / "pace")
        durations = Durations(0.25, {"removeAssociation": 3.0, "refused": 1.0, "of another kind": 9.0})
        assert cost.seconds(target, durations, pacer) == pytest.approx(250 * 0.25 + 100 * 3 + 50 * 1 + 400 * 0.01)
        assert cost.seconds(target, Durations(0.25), pacer) == pytest.approx(400 * 0.26)

    @pytest.mark.parametrize(("seconds", "words"), [(0.1, "1 s"), (89.4, "89 s"), (600, "10 min"), (7200, "2.0 h")])
    def test_times_are_told_to_plan_with(self, seconds: float, words: str) -> None:
        """Not to the second."""
        assert in_words(seconds) == words


@pytest.mark.parametrize("name", NEEDS)
def test_what_a_credential_is_for_is_as_the_suite_has_it(name: str) -> None:
    """The clause exists, and a test of it asks for the credential."""
    _, clause, _ = NEEDS[name]
    assert clause in catalogue.load()
    source = (suite.CLAUSES / "test_access.py").read_text()
    tests = [test.split("::")[1] for test in suite.judges()[clause]]
    assert any(f"def {test}(api, {name}" in source for test in tests)
