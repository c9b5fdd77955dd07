"""Tokens that are renewed in the middle of a run, and 401s that no renewal may hide."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from client_raw import ADDRESS, SERVER, Peer, RawServer
from identity_service import USERS, IdentityService, clouds

from conformance import target
from conformance.client import Client, Pacer
from conformance.errors import Unjudgeable
from conformance.evidence import Recorder, curl
from conformance.generate.credentials import unauthenticated
from conformance.preflight import signed_in
from conformance.target import Secret, Target

OTHER = "gAAAAB-another-token-0123456789"


@dataclass(slots=True)
class Door:
    """A target that lets in who has a good token, and notes every token that it was shown."""

    good: Callable[[str], bool]
    shown: list[str] = field(default_factory=list)

    def __call__(self, peer: Peer) -> None:
        """Answer every request of a connection."""
        while head := peer.head():
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if ": " in line)
            token = fields.get("X-Auth-Token", "")
            self.shown.append(token)
            status = "204 No Content" if self.good(token) else "401 Unauthorized"
            length = "" if status.startswith("204") else "Content-Length: 0\r\n"
            peer.send(f"HTTP/1.1 {status}\r\nX-Echo: {token}\r\n{length}\r\n".encode())


@pytest.fixture
def service() -> Iterator[IdentityService]:
    """An identity service."""
    with IdentityService() as service:
        yield service


@pytest.fixture
def found(service: IdentityService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    """A target with a cloud for each credential, signed in."""
    for variable in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(variable)
    document = {
        "name": "door",
        "compute": "http://127.0.0.1:1/",
        "network": "http://127.0.0.1:1/",
        "auth": {"cloud": "full", "restricted_cloud": "restricted", "foreign_cloud": "foreign"},
        "resources": {"servers": ["one", "two"]},
        "limits": {"timeout_seconds": 5},
    }
    return signed_in(target.from_document(document, "here", clouds(tmp_path, service.url)))


@contextlib.contextmanager
def at(door: Door, found: Target, folder: Path) -> Iterator[Client]:
    """A client in front of the door."""
    with RawServer(door) as server:
        there = replace(found, compute=f"{server.url}/v2", network=f"{server.url}/v2.0")
        yield Client(there, Recorder(), Pacer(folder / "pace"))


def codes(client: Client) -> list[int | None]:
    """What was answered, in order."""
    return [exchange.status for exchange in client.recorder.exchanges.values()]


def test_a_token_that_ended_is_renewed_once_and_the_request_repeated(
    service: IdentityService, found: Target, tmp_path: Path
) -> None:
    """Both attempts are evidence, the second is judged, and the operator is told."""
    door = Door(service.issued.__contains__)
    with at(door, found, tmp_path) as client:
        assert client.remove(SERVER, ADDRESS).status == 204
        assert client.keyring.notes() == []
        service.revoke_all()
        assert client.remove(SERVER, ADDRESS).status == 204
        assert client.remove(SERVER, ADDRESS).status == 204
        assert codes(client) == [204, 401, 204, 204]
        assert door.shown == [found.tokens["full"]] * 2 + [service.given[-1]] * 2
        assert client.keyring.tokens["full"] == service.given[-1]
        assert client.keyring.notes() == ["the full token did not last for the whole run; a process renewed it 1 time"]


def test_a_401_to_a_good_token_stands(service: IdentityService, found: Target, tmp_path: Path) -> None:
    """The identity service vouches for the token, so the target is at fault, and nothing is sent again."""
    with at(Door(lambda _: False), found, tmp_path) as client:
        for credential in USERS:
            assert client.remove(SERVER, ADDRESS, credential=credential).status == 401
        assert codes(client) == [401] * 3
    assert service.logins() == 3


def test_a_second_401_stands(service: IdentityService, found: Target, tmp_path: Path) -> None:
    """One renewal for one request."""
    service.revoke_all()
    with at(Door(lambda _: False), found, tmp_path) as client:
        assert client.remove(SERVER, ADDRESS).status == 401
        assert codes(client) == [401, 401]
    assert service.logins() == 4


def test_a_wrong_credential_renews_nothing(service: IdentityService, found: Target, tmp_path: Path) -> None:
    """None that is sent on purpose, although the valid token has ended as well."""
    service.revoke_all()
    with at(Door(lambda _: False), found, tmp_path) as client:
        wrong = unauthenticated(found.tokens["full"])
        for credential in wrong:
            client.remove(SERVER, ADDRESS, **credential.variation(found.tokens["full"]))
        client.remove(SERVER, ADDRESS, headers={"X-Auth-Token": "another"})
        assert codes(client) == [401] * (len(wrong) + 1)
    assert service.logins() == 3


def test_a_service_that_does_not_say_is_given_one_benefit(
    service: IdentityService, found: Target, tmp_path: Path
) -> None:
    """A token that has not ended by its own word is renewed once in a run, and not at every 401."""
    service.secretive = True
    service.given.append(found.tokens["full"])
    with at(Door(lambda token: token == service.given[-1]), found, tmp_path) as client:
        assert client.remove(SERVER, ADDRESS).status == 204
        service.given.append("nobody has this one")
        assert [client.remove(SERVER, ADDRESS).status for _ in range(2)] == [204, 204]
        service.given.append("nor this one")
        assert client.remove(SERVER, ADDRESS).status == 401
        assert codes(client) == [204, 401, 204, 204, 401]


def test_no_new_token_is_inconclusive(service: IdentityService, found: Target, tmp_path: Path) -> None:
    """Nothing that follows could be judged, and no word of the password is said."""
    service.revoke_all()
    service.users = {}
    with at(Door(lambda _: False), found, tmp_path) as client, pytest.raises(Unjudgeable) as stopped:
        client.remove(SERVER, ADDRESS)
    assert "the full token was refused and could not be renewed: the identity service of the cloud full" in str(
        stopped.value
    )
    assert USERS["full"].password not in str(stopped.value)


def test_overlapping_requests_renew_once(service: IdentityService, found: Target, tmp_path: Path) -> None:
    """All of them were sent with the token that had ended."""
    service.revoke_all()
    with at(Door(service.issued.__contains__), found, tmp_path) as client, ThreadPoolExecutor(6) as callers:
        answers = list(callers.map(lambda _: client.remove(SERVER, ADDRESS), range(12)))
        assert {answer.status for answer in answers} == {204}
    assert service.logins() == 4


def test_no_evidence_holds_a_secret(service: IdentityService, found: Target, tmp_path: Path) -> None:
    """Neither a token that was renewed, nor its successor, nor a password, although the target repeats them all."""
    with at(Door(service.issued.__contains__), found, tmp_path) as client:
        client.remove(SERVER, ADDRESS)
        service.revoke_all()
        client.remove(SERVER, ADDRESS)
        client.remove(SERVER, USERS["foreign"].password)
        client.remove(SERVER, service.given[0], query=service.given[-1])
        shown = "".join(
            json.dumps(exchange.to_json()) + curl(exchange) for exchange in client.recorder.exchanges.values()
        )
    assert len(service.given) == 4
    assert not [secret for secret in [*service.given, *(user.password for user in USERS.values())] if secret in shown]


@pytest.fixture
def stored(tmp_path: Path) -> Target:
    """A target whose token is in a file."""
    (tmp_path / "token").write_text("gAAAAB-the-first-token-0123456789\n")
    document = {
        "name": "door",
        "compute": "http://127.0.0.1:1/",
        "auth": {"token": f"file:{tmp_path / 'token'}", "foreign_token": "env:FOREIGN"},
        "resources": {"servers": ["one", "two"]},
    }
    return target.from_document(document, "here", {"FOREIGN": "gAAAAB-the-foreign-token-012345"})


def test_a_file_is_read_again_when_its_token_is_refused(stored: Target, tmp_path: Path) -> None:
    """Whoever keeps it fresh need not stop the run; while it holds the same token, the answer stands."""
    with at(Door(lambda token: token == OTHER), stored, tmp_path) as client:
        assert client.remove(SERVER, ADDRESS).status == 401
        (tmp_path / "token").write_text("")
        assert client.remove(SERVER, ADDRESS).status == 401
        (tmp_path / "token").write_text(f"{OTHER}\n")
        assert client.remove(SERVER, ADDRESS).status == 204
        assert codes(client) == [401, 401, 401, 204]
        assert OTHER not in json.dumps([exchange.to_json() for exchange in client.recorder.exchanges.values()])


def test_a_token_from_a_variable_cannot_be_renewed(stored: Target, tmp_path: Path) -> None:
    """Its 401 stands."""
    with at(Door(lambda _: False), stored, tmp_path) as client:
        assert client.remove(SERVER, ADDRESS, credential="foreign").status == 401
        assert codes(client) == [401]


def test_a_token_that_says_to_have_ended_is_renewed(service: IdentityService, found: Target, tmp_path: Path) -> None:
    """Each time, although the identity service does not say a word about tokens."""
    service.secretive, service.lives = True, timedelta(seconds=-1)
    with at(Door(lambda token: token == service.given[-1]), found, tmp_path) as client:
        for name in ("one", "two", "three"):
            service.given.append(f"nobody has this one: {name}")
            assert client.remove(SERVER, ADDRESS).status == 204
        assert codes(client) == [401, 204] * 3


def test_tokens_are_secrets(found: Target) -> None:
    """A renewed one is shown to nobody who prints it either."""
    assert all(isinstance(token, Secret) for token in found.tokens.values())
