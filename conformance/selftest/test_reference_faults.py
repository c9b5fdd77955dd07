import itertools
import json
import random
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import Client

from conformance.reference import Fault, Reference, Settings, Tokens, catalogue, fault_named
from conformance.reference.store import PUBLIC_NETWORK, DeploymentState

pytestmark = pytest.mark.once

CLAUSES = (
    "codes.documented",
    "codes.success",
    "response.no-content",
    "effect.removed",
    "effect.nothing-else",
    "effect.refusal-is-inert",
    "effect.repeat",
    "identifier.not-the-address",
    "identifier.uuid",
    "identifier.canonical",
    "body.refused",
    "body.inert",
    "access.authenticated",
    "access.forbidden",
    "access.foreign",
    "method.refused",
    "method.allow",
    "method.override",
    "deallocation.delete-refused",
    "deallocation.put-refused",
    "deallocation.until-the-last",
    "deallocation.delete-after",
    "deallocation.put-after",
    "limits.over-limit",
    "limits.retry-after",
    "faults.client-input",
    "lifecycle.model",
    "concurrency.linearizable",
)
TOKENS = Tokens("ab12" * 8, "cd34" * 8, "ef56" * 8)
RACES = [fault for fault in catalogue() if fault.breaks == ("concurrency.linearizable",)]
NARROW = {
    f"conformance.reference.faults.{name}"
    for name in ("combination", "company", "dress", "persistence", "views", "wording")
}
"""Modules of faults that one request among many shows: each has a witness of its own."""
DEVIATIONS = [fault for fault in catalogue() if fault not in RACES and fault.hook.__module__ not in NARROW]


class Script:
    """Plays requests to a deployment without sockets and writes down what came of each."""

    def __init__(self, *faults: str) -> None:
        self.reference = Reference(Settings(tokens=TOKENS), faults=faults)
        self.client = Client(self.reference.deployment.app())
        self.servers = self.reference.servers
        self.lines: list[tuple[Any, ...]] = []

    def send(self, method: str, path: str, body: bytes = b"", **how: Any) -> int:
        """Send one request and note the answer, its headers and the state that it leaves."""
        headers = {"X-Auth-Token": TOKENS.full, **how.pop("headers", {})}
        answer = self.client.open(
            path,
            method=method,
            data=body,
            headers={name: value for name, value in headers.items() if value is not None},
            **how,
        )
        state = self.reference.store.state
        noted = (answer.status_code, sorted(answer.headers.items()), answer.data)
        self.lines.append((method, path, *noted, tuple(state.addresses.values()), state.associations))
        return answer.status_code

    def allocate(self, version: int = 4) -> str:
        """Allocate an address to all servers and give its id."""
        ports = list(self.reference.ports.values())
        wanted = {"network_id": PUBLIC_NETWORK, "version": version, "port_ids": ports}
        self.send("POST", "/v2.0/ip_addresses", json.dumps({"ip_address": wanted}).encode())
        return next(reversed(list(self.reference.store.known)), "")

    def one(self, server: int, identifier: str) -> str:
        """Give the path of an association."""
        return f"/v2/servers/{self.servers[server]}/ip_associations/{identifier}"

    def put(self, server: int, identifier: str) -> None:
        """Associate."""
        self.send("PUT", self.one(server, identifier))

    def deallocate(self, method: str, identifier: str, **how: Any) -> None:
        """De-allocate by either method."""
        body = b'{"ip_address": {"port_ids": []}}' if method == "PUT" else b""
        self.send(method, f"/v2.0/ip_addresses/{identifier}", body, **how)

    def read(self, server: int, identifier: str) -> None:
        """Read the list twice and the association once."""
        for path in (self.one(server, "").rstrip("/"),) * 2 + (self.one(server, identifier),):
            self.send("GET", path)


def refusals(script: Script, held: str, other: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give requests that a conforming deployment refuses: method, path and how."""
    path = script.one(0, held)
    known = script.reference.store.known
    literal, other_literal = known[held].address, known[other].address
    wide = held.translate({digit: digit + 0xFEE0 for digit in b"0123456789abcdef"})
    spellings = [literal, other_literal, f"[{other_literal.upper()}]", f"::ffff:{literal}", f"{literal}:80"]
    spellings += [held[:13], held + "x", "*", "0", wide, f"{{{held}}}", held.replace("-", "")]
    spellings += [f"urn:uuid:{held}", f" {held}", "\u00e9", "x" * 80, "x", str(uuid.UUID(int=0))]
    for identifier in spellings:
        yield "DELETE", script.one(0, quote(identifier, safe="")), {}
    yield "DELETE", path.replace(script.servers[0], "nobody"), {}
    tokens = [
        None,
        "",
        "unknown",
        TOKENS.full[:9],
        TOKENS.full + "x",
        TOKENS.full[:-1] + "~",
        TOKENS.full.upper(),
        "x" * 2000,
    ]
    for token in [*tokens, f"x, {TOKENS.full}", TOKENS.restricted, TOKENS.foreign]:
        yield "DELETE", path, {"headers": {"X-Auth-Token": token}}
    yield "DELETE", f"{path}?token={TOKENS.full}", {"headers": {"X-Auth-Token": None}}
    bearer = {"X-Auth-Token": None, "Authorization": f"Bearer {TOKENS.full}"}
    yield "DELETE", path, {"headers": bearer}
    for method in ("POST", "PATCH", "BREW", "delete"):
        yield method, path, {}
    for method in ("POST", "GET"):
        yield method, path, {"headers": {"X-HTTP-Method-Override": "DELETE"}}
    yield "GET", f"{path}?_method=DELETE", {}


BODIES = [(b"x", "text/plain"), (b"{}", "application/json"), (b"y" * 70_000, "text/plain"), (b"a=b", "")]


def play(*faults: str) -> list[tuple[Any, ...]]:
    """Play everything that some fault answers otherwise, one request after the other."""
    script = Script(*faults)
    held, other = script.allocate(), script.allocate(version=6)
    if not (held and other):  # nothing can be played to a deployment that allocates nothing
        return script.lines
    script.put(0, other)
    for server in (0, 1, 2):
        script.put(server, held)
    for method, path, how in refusals(script, held, other):
        script.send(method, path, **how)
        script.put(0, held)
    for body, media_type in [*BODIES, (json.dumps({"id": other}).encode(), "application/json")]:
        for chunked in (False, True):
            overrides = {"wsgi.input_terminated": chunked}
            script.send("DELETE", script.one(0, held), body, content_type=media_type, environ_overrides=overrides)
            script.put(0, held)
    repeat(script, held)
    for method, order in itertools.product(("DELETE", "PUT"), ((0, 1, 2), (2, 1, 0), (1, 0, 2))):
        live(script, method, order)
    script.send("DELETE", script.one(0, other.upper()))
    return script.lines


def repeat(script: Script, held: str) -> None:
    """Remove, repeat, associate twice and remove again."""
    for _ in range(3):
        script.send("DELETE", script.one(0, held))
        script.read(0, held)
    script.put(3, held)
    script.put(3, held)
    script.send("DELETE", script.one(3, held))
    script.read(3, held)


def live(script: Script, method: str, order: tuple[int, ...]) -> None:
    """Let an address have three associations that are removed in an order, with attempts to let it go."""
    address = script.allocate()
    script.deallocate(method, address, headers={"X-Auth-Token": TOKENS.foreign})
    for server in range(3):
        script.put(server, address)
    for server in order:
        script.deallocate(method, address)
        script.send("DELETE", script.one(server, address))
        script.read(server, address)
    script.put(0, address)
    script.read(0, address)
    script.deallocate(method, address)
    script.send("DELETE", script.one(0, address))
    script.deallocate(method, address)
    script.send("GET", f"/v2.0/ip_addresses/{address}")
    script.send("DELETE", script.one(0, address))


@pytest.fixture(autouse=True)
def _same_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids repeat from run to run, the clock of faults goes in steps, and no race window takes time."""
    faults = "conformance.reference.faults"
    clock = itertools.count()
    monkeypatch.setattr(f"{faults}.effect.time", SimpleNamespace(monotonic=lambda: next(clock) / 10))
    _seed(monkeypatch)


def _seed(monkeypatch: pytest.MonkeyPatch) -> None:
    bits = random.Random(1)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=bits.getrandbits(128), version=4))


@pytest.fixture(scope="module")
def conforming() -> list[tuple[Any, ...]]:
    """What a conforming deployment answers, and that it does so every time."""
    plays = []
    for _ in range(2):
        with pytest.MonkeyPatch.context() as monkeypatch:
            _seed(monkeypatch)
            plays.append(play())
    assert plays[0] == plays[1]
    return plays[0]


@pytest.mark.parametrize("fault", DEVIATIONS, ids=lambda fault: fault.name)
def test_a_fault_deviates(fault: Fault, conforming: list[tuple[Any, ...]]) -> None:
    """Some request is answered otherwise, or leaves another state, than on a conforming deployment."""
    assert play(fault.name) != conforming


@pytest.mark.parametrize("fault", RACES, ids=lambda fault: fault.name)
def test_a_race_is_correct_in_sequence(
    fault: Fault, monkeypatch: pytest.MonkeyPatch, conforming: list[tuple[Any, ...]]
) -> None:
    """A race answers one request after the other as a conforming deployment does."""
    no_time = SimpleNamespace(sleep=lambda _: None)
    monkeypatch.setattr("conformance.reference.faults.concurrency.time", no_time)
    monkeypatch.setattr("conformance.reference.faults.geometry.time", no_time)
    assert play(fault.name) == conforming


def overlap(script: Script, *requests: tuple[str, str]) -> list[int]:
    """Send requests at the same time and give their codes in order."""
    barrier, codes = threading.Barrier(len(requests)), dict[int, int]()
    application = script.reference.deployment.app()

    def run(number: int, method: str, path: str) -> None:
        client = Client(application)
        barrier.wait()
        codes[number] = client.open(path, method=method, headers={"X-Auth-Token": TOKENS.full}).status_code

    threads = [threading.Thread(target=run, args=(number, *each)) for number, each in enumerate(requests)]
    for thread in random.Random(len(script.lines)).sample(threads, len(threads)):
        thread.start()
    for thread in threads:
        thread.join()
    return [codes[number] for number in range(len(requests))]


def is_orphaned(script: Script, address: str) -> bool:
    """An association and a de-allocation meet: does a de-allocated address keep an association?"""
    overlap(script, ("PUT", script.one(0, address)), ("DELETE", f"/v2.0/ip_addresses/{address}"))
    state = script.reference.store.state
    return address not in state.addresses and bool(state.associations)


def has_two_winners(script: Script, address: str) -> bool:
    """Two removals of one association meet: do both succeed?"""
    script.put(0, address)
    return overlap(script, *[("DELETE", script.one(0, address))] * 2) == [204, 204]


def is_lost(script: Script, address: str) -> bool:
    """Two removals meet: are both answered 204 and one not made?"""
    script.put(0, address)
    script.put(1, address)
    codes = overlap(script, ("DELETE", script.one(0, address)), ("DELETE", script.one(1, address)))
    return codes == [204, 204] and bool(script.reference.store.state.associations)


def is_resurrected(script: Script, address: str) -> bool:
    """A removal and an association of another server meet: does the removed one come back?"""
    script.put(0, address)
    overlap(script, ("PUT", script.one(1, address)), ("DELETE", script.one(0, address)))
    return len(script.reference.store.state.associations) == 2


def is_deallocated_twice(script: Script, address: str) -> bool:
    """Two de-allocations meet: do both succeed?"""
    return overlap(script, *[("DELETE", f"/v2.0/ip_addresses/{address}")] * 2) == [204, 204]


def is_kept_twice(script: Script, address: str) -> bool:
    """Two associations of one pair meet: does one survive a removal?"""
    overlap(script, *[("PUT", script.one(0, address))] * 2)
    removed = script.send("DELETE", script.one(0, address)) == 204
    return removed and bool(script.reference.store.state.associations)


def is_made_again(script: Script, address: str) -> bool:
    """Two removals of one association meet: is it there after one succeeded?"""
    script.put(0, address)
    codes = overlap(script, *[("DELETE", script.one(0, address))] * 2)
    return 204 in codes and bool(script.reference.store.state.associations)


def is_lost_on_the_server(script: Script, address: str) -> bool:
    """Two removals of different addresses of one server meet: are both answered 204 and one not made?"""
    other = script.allocate()
    script.put(0, address)
    script.put(0, other)
    codes = overlap(script, ("DELETE", script.one(0, address)), ("DELETE", script.one(0, other)))
    return codes == [204, 204] and bool(script.reference.store.state.associations)


def is_undone_by_a_deallocation(script: Script, address: str) -> bool:
    """A removal and the de-allocation of another address meet: does the removed one come back?"""
    other = script.allocate()
    script.put(0, address)
    overlap(script, ("DELETE", script.one(0, address)), ("DELETE", f"/v2.0/ip_addresses/{other}"))
    return bool(script.reference.store.state.associations)


ANOMALIES: dict[str, Callable[[Script, str], bool]] = {
    "deallocation-race": is_orphaned,
    "association-race": is_orphaned,
    "two-winners": has_two_winners,
    "lost-update": is_lost,
    "resurrection": is_resurrected,
    "double-deallocation": is_deallocated_twice,
    "duplicate-association": is_kept_twice,
    "late-resurrection": is_made_again,
    "the-list-of-the-server-is-written-back": is_lost_on_the_server,
    "the-list-of-the-address-is-written-back": is_lost,
    "deallocation-writes-the-others-back": is_undone_by_a_deallocation,
}


@pytest.mark.parametrize("fault", [race for race in RACES if race.certain], ids=lambda race: race.name)
def test_a_race_is_wrong_under_overlap(fault: Fault) -> None:
    """Within some rounds two callers meet in the window, and no order explains what they get."""
    anomaly = ANOMALIES[re.sub(r"-\d+-ms$", "", fault.name)]
    script = Script(fault.name)
    assert any(_round(script, anomaly) for _ in range(30))


@pytest.mark.parametrize("anomaly", set(ANOMALIES.values()), ids=lambda anomaly: anomaly.__name__)
def test_the_conforming_deployment_has_no_race(anomaly: Callable[[Script, str], bool]) -> None:
    """No round of overlapping requests shows an anomaly."""
    script = Script()
    assert not any(_round(script, anomaly) for _ in range(30))


def _round(script: Script, anomaly: Callable[[Script, str], bool]) -> bool:
    script.reference.store.state = DeploymentState()
    return anomaly(script, script.allocate())


def test_every_clause_is_broken_by_two_faults_at_least() -> None:
    """Each clause is the one to blame for two faults, or for none but named by three."""
    named = [clause for fault in catalogue() if fault.certain for clause in fault.breaks]
    assert set(named) == set(CLAUSES)
    assert {clause: named.count(clause) for clause in CLAUSES if named.count(clause) < 2} == {}


def test_faults_are_many_and_name_clauses_only() -> None:
    """There are 75 faults or more, each with clauses to break that are not repeated among the others."""
    assert len(catalogue()) >= 75
    for fault in catalogue():
        assert fault.breaks
        assert set(fault.also) <= set(CLAUSES)


@pytest.mark.parametrize("fault", catalogue(), ids=lambda fault: fault.name)
def test_what_a_fault_may_show_besides_has_a_reason(fault: Fault) -> None:
    """No clause is excused without saying why."""
    assert {clause for clause, reason in fault.reasons.items() if reason} >= set(fault.also)


def test_faults_can_be_combined() -> None:
    """A deployment may have several faults at once."""
    script = Script("list-is-stale-for-ever", "json-after-204", "it-comes-back-after-half-a-second")
    address = script.allocate()
    script.put(0, address)
    script.send("DELETE", script.one(0, address))
    assert script.lines[-1][4].startswith(b"{")
    script.read(0, address)
    assert address.encode() in script.lines[-3][4]


def test_an_unknown_fault_names_near_ones() -> None:
    """The message helps with a misspelt name."""
    with pytest.raises(KeyError, match="did you mean post-removes"):
        fault_named("post-remove")


def test_a_vacuous_deployment_is_expected_to_be_inconclusive() -> None:
    """What answers 503 or 401 to everything is not at fault by any clause."""
    vacuous = {fault.name for fault in catalogue() if fault.verdict == "inconclusive"}
    assert vacuous == {"all-is-503", "all-is-401", "removal-is-always-503"}
