import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import requests

from conformance.reference import Reference, Variant, catalogue, variant_named, variants

pytestmark = pytest.mark.once

PUBLIC = "00000000-0000-0000-0000-000000000000"
BODY_REFUSED = {400, 403, 413}


class Caller:
    """Talks to a deployment as its target description says, and has patience with it."""

    def __init__(self, reference: Reference) -> None:
        self.target = reference.target()
        self.token = reference.tokens.full
        self.session = requests.Session()
        self.session.trust_env = False

    def send(self, method: str, url: str, **how: Any) -> requests.Response:
        """Send a request; what is over the limit is sent again when the answer says so."""
        while True:
            answer = self.session.request(method, url, headers={"X-Auth-Token": self.token}, timeout=10, **how)
            if answer.status_code not in {413, 500, 503} or "too much" in answer.text:
                return answer
            time.sleep(float(answer.headers.get("Retry-After", 0)))

    def ports(self) -> list[str]:
        """Give the ports of the first two servers."""
        servers = self.target["resources"]["servers"][:2]
        given = self.target["resources"].get("ports")
        if given:
            return [given[server] for server in servers]
        asked = [
            self.send("GET", f"{self.target['network']}/v2.0/ports", params={"device_id": server}) for server in servers
        ]
        return [answer.json()["ports"][0]["id"] for answer in asked]

    def allocate(self) -> str:
        """Give the id of a new address of whatever version there is."""
        ports = self.ports()
        for version in (4, 6):
            wanted = {"network_id": PUBLIC, "version": version, "port_ids": ports}
            answer = self.send("POST", f"{self.target['network']}/v2.0/ip_addresses", json={"ip_address": wanted})
            if answer.status_code in {200, 201}:
                return str(answer.json()["ip_address"]["id"]).lower()
        raise AssertionError(answer.text)


def settled(condition: Callable[[], bool]) -> bool:
    """Wait until the condition holds, two seconds at most."""
    end = time.monotonic() + 2
    while not condition():
        if time.monotonic() > end:
            return False
        threading.Event().wait(0.02)
    return True


@pytest.fixture
def caller(request: pytest.FixtureRequest) -> Iterator[Caller]:
    """A client of a running variant."""
    with Reference(variant=request.param) as reference:
        client = Caller(reference)
        yield client
        client.session.close()


@pytest.mark.parametrize("caller", [each.name for each in variants()], indirect=True)
def test_a_variant_keeps_the_rule(caller: Caller) -> None:
    """Every variant removes what it must, refuses what it must and lets go what it must."""
    target = caller.target
    address = caller.allocate()
    servers = [f"{target['compute']}/v2/servers/{each}" for each in target["resources"]["servers"][:2]]
    associations = [f"{server}/ip_associations/{address}" for server in servers]
    itself = f"{target['network']}/v2.0/ip_addresses/{address}"
    for each in associations:
        put = partial(caller.send, "PUT", each, json={"ip_association": {}})
        assert settled(lambda one=put: one().status_code in {200, 201})  # type: ignore[misc]
        assert settled(lambda one=each: caller.send("GET", one).status_code == 200)  # type: ignore[misc]
    if target["policy"].get("request_body") != "ignore":
        assert caller.send("DELETE", associations[0], data=b"{}").status_code in BODY_REFUSED
    for each in associations:
        assert 400 <= caller.send("DELETE", itself).status_code < 500
        assert caller.send("DELETE", each).status_code in {204, 400, 403}
        assert settled(lambda one=each: 400 <= caller.send("GET", one).status_code < 500)  # type: ignore[misc]
    assert settled(lambda: caller.send("DELETE", itself).status_code in {204, 404})
    assert settled(lambda: 400 <= caller.send("GET", itself).status_code < 500)


def test_names_are_unique_and_described() -> None:
    """No two faults or variants share a name, and each says in a sentence what it does."""
    both: list[Any] = [*variants(), *catalogue()]
    assert len({each.name for each in both}) == len(both)
    assert all(20 < len(each.description) < 140 and each.description.endswith(".") for each in both)


def test_there_are_enough() -> None:
    """There are 25 variants or more."""
    assert len(variants()) >= 25


def test_an_unknown_variant_names_near_ones() -> None:
    """The message helps with a misspelt name."""
    with pytest.raises(KeyError, match="did you mean two-ports"):
        variant_named("two-port")


def test_a_description_says_what_its_variant_needs() -> None:
    """Ports that cannot be asked for are described, and so is what the quota leaves."""
    with Reference(variant="no-ports-api") as reference:
        assert set(reference.target()["resources"]["ports"]) == set(reference.servers)
    with Reference(variant="populated") as reference:
        assert reference.target()["limits"]["max_addresses"] == 3


@pytest.mark.parametrize("variant", [each for each in variants() if each.target], ids=lambda each: each.name)
def test_a_target_override_reaches_the_description(variant: Variant) -> None:
    """What a variant needs in its target description is there."""
    with Reference(variant=variant.name) as reference:
        target = reference.target()
        assert all(target[key].items() >= value.items() for key, value in variant.target.items())
