"""Each narrow fault is shown by a few requests that need knowledge of it.

The same requests to a conforming deployment are answered as the contract says.
"""

import json
import random
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from test_reference_faults import NARROW, TOKENS, Script

from conformance.reference import Fault, catalogue
from conformance.reference.faults import persistence
from conformance.target import PUBLIC_NETWORK

NARROW_FAULTS = [fault for fault in catalogue() if fault.hook.__module__ in NARROW]
Witness = Callable[[Script, str], Any]


def removal(server: int = 0, **how: Any) -> Witness:
    """Remove with something about the request, and look."""

    def witness(script: Script, held: str) -> None:
        spelt = how.pop("spelt", str)
        script.send("DELETE", script.one(server, spelt(held)), **how)
        script.read(server, held)

    return witness


def body(content: bytes, **how: Any) -> Witness:
    """Remove with a body."""
    return lambda script, held: script.send("DELETE", script.one(0, held), content, **how)


def plain(times: int = 1, version: int = 4) -> Witness:
    """Remove, associate again, and look wherever something can be seen."""

    def witness(script: Script, held: str) -> None:
        address = script.allocate(version) if version == 6 else held
        for _ in range(times):
            for server in (0, 1):
                script.put(server, address)
            script.send("DELETE", script.one(0, address))
            script.read(0, address)
            script.read(1, address)
            for path in ("", f"/{address}"):
                script.send("GET", f"/v2.0/ip_addresses{path}")

    return witness


def let_go(script: Script, _held: str) -> None:
    """De-allocate an IPv6 address by PUT, and list what there is."""
    script.deallocate("PUT", script.allocate(6))
    script.send("GET", "/v2.0/ip_addresses")


def portless(script: Script, _held: str) -> None:
    """Associate a server that has no port on the address, and de-allocate that."""
    ports = list(script.reference.ports.values())
    wanted = {"network_id": PUBLIC_NETWORK, "version": 4, "port_ids": ports[:-1]}
    script.send("POST", "/v2.0/ip_addresses", json.dumps({"ip_address": wanted}).encode())
    address = next(reversed(list(script.reference.store.known)))
    script.put(len(script.servers) - 1, address)
    script.deallocate("DELETE", address)


def deallocation(spelt: Callable[[str], str] = str, content: bytes = b"", version: int = 4) -> Witness:
    """De-allocate an address that has associations."""

    def witness(script: Script, held: str) -> None:
        address = script.allocate(version) if version == 6 else held
        script.put(0, address)
        script.send("PUT" if content else "DELETE", f"/v2.0/ip_addresses/{spelt(address)}", content)

    return witness


def gone(script: Script, held: str) -> None:
    """Remove everything, de-allocate and look at the list of addresses."""
    for server in (0, 1):
        script.send("DELETE", script.one(server, held))
    script.deallocate("DELETE", held)
    script.send("GET", "/v2.0/ip_addresses")


def insist(script: Script, held: str) -> None:
    """Ask as a caller without the right to it, twice."""
    for _ in range(2):
        removal(headers={"X-Auth-Token": TOKENS.restricted})(script, held)


def follow(script: Script, held: str) -> None:
    """Ask as a caller without the right to it what the owner was granted."""
    plain()(script, held)
    script.put(0, held)
    insist(script, held)


def later(first: Witness, seconds: float = 5) -> Witness:
    """Look again after a while."""

    def witness(script: Script, held: str) -> None:
        first(script, held)
        persistence.time.tick(seconds)  # type: ignore[attr-defined]
        for server in (0, 1):
            script.read(server, held)

    return witness


def after_a_while(second: Witness) -> Witness:
    """Do it after a while."""

    def witness(script: Script, held: str) -> None:
        persistence.time.tick(5)  # type: ignore[attr-defined]
        second(script, held)

    return witness


def long_ago(script: Script, held: str) -> None:
    """Remove, and once more after a while."""
    for _ in range(2):
        script.send("DELETE", script.one(0, held))
        persistence.time.tick(5)  # type: ignore[attr-defined]
    script.read(0, held)


def stare(script: Script, held: str) -> None:
    """Remove and go on looking."""
    script.send("DELETE", script.one(0, held))
    for _ in range(4):
        script.read(0, held)


def repeated(script: Script, held: str) -> None:
    """Remove twice and look."""
    for _ in range(2):
        script.send("DELETE", script.one(0, held))
    script.read(2, held)


def closing_ipv6(script: Script, _held: str) -> None:
    """Remove an IPv6 address on a connection that is to end."""
    address = script.allocate(6)
    script.put(0, address)
    removal(headers={"Connection": "close"})(script, address)


def right_after(path: str, **how: Any) -> Witness:
    """Read something, and remove right after it."""

    def witness(script: Script, held: str) -> None:
        script.send("GET", path.format(one=script.one(0, held)))
        removal(**how)(script, held)

    return witness


def twice(first: Witness) -> Witness:
    """The same, two times in a row."""

    def witness(script: Script, held: str) -> None:
        for _ in range(2):
            first(script, held)

    return witness


def in_the_name_of_another(script: Script, held: str) -> None:
    """Remove from a server of another tenant, as its owner."""
    store = script.reference.store
    (server,) = store.servers_of(store.other_tenant)
    path = script.one(0, held).replace(script.servers[0], server)
    script.send("DELETE", path, headers={"X-Auth-Token": TOKENS.foreign})


def claiming(script: Script, held: str) -> None:
    """Remove as a caller of another tenant who claims to be of this one."""
    tenant = script.reference.store.tenant
    removal(headers={"X-Auth-Token": TOKENS.foreign, "X-Tenant-Id": tenant})(script, held)


def gone_but_for_the_address(script: Script, held: str) -> None:
    """Remove every association."""
    for server in (0, 1):
        script.send("DELETE", script.one(server, held))


def remembered(script: Script, held: str) -> None:
    """Ask for the address in vain, remove every association, and look after a while."""
    script.deallocate("DELETE", held)
    gone_but_for_the_address(script, held)
    later(lambda _script, _held: None)(script, held)
    script.send("GET", f"/v2.0/ip_addresses/{held}")


def spelt_otherwise(script: Script, held: str) -> None:
    """Read it by itself, remove it with its ID in upper case, and read it again."""
    script.send("GET", script.one(0, held))
    script.send("DELETE", script.one(0, held.upper()))
    script.send("GET", script.one(0, held))


def from_a_server_in_upper_case(script: Script, held: str) -> None:
    """Remove it from the server as it is called in upper case, and read it."""
    script.send("DELETE", script.one(0, held).replace(script.servers[0], script.servers[0].upper()))
    script.send("GET", script.one(0, held))


def repeated_of_the_idle(script: Script, held: str) -> None:
    """Remove every association, repeat the last removal, and look at the address after a while."""
    gone_but_for_the_address(script, held)
    later(removal())(script, held)
    script.send("GET", f"/v2.0/ip_addresses/{held}")


def let_go_by_put(script: Script, held: str) -> None:
    """Remove every association, let the address go by PUT, and look."""
    gone_but_for_the_address(script, held)
    script.deallocate("PUT", held)
    script.send("GET", f"/v2.0/ip_addresses/{held}")


WITNESSES: dict[str, Witness] = {
    "refusals-are-negotiated": removal(spelt="{}x".format, headers={"Accept": "image/png"}),
    "a-precondition-spoils-a-refusal": removal(spelt="{}x".format, headers={"If-Match": "*"}),
    "an-expected-body-is-ignored": body(b"{}", headers={"Expect": "100-continue"}),
    "a-part-of-a-body-is-ignored": body(b"{}", headers={"Content-Range": "bytes 0-1/9"}),
    "ipv6-is-removed-with-500": plain(version=6),
    "the-second-server-is-503": removal(1),
    "a-refused-deallocation-is-remembered": remembered,
    "put-leaves-a-husk": let_go_by_put,
    "the-idle-go-when-repeated": repeated_of_the_idle,
    "server-in-upper-case-is-204-in-vain": from_a_server_in_upper_case,
    "single-reads-are-kept": spelt_otherwise,
    "zero-length-is-400": removal(environ_overrides={"CONTENT_LENGTH": "0"}),
    "json-type-without-content-is-415": removal(content_type="application/json"),
    "libraries-are-turned-away": removal(headers={"User-Agent": "python-requests/2.32"}),
    "closing-forgets-the-removal": removal(headers={"Connection": "close"}),
    "allow-names-reads-only": lambda script, held: script.send("POST", script.one(0, held)),
    "allow-leaves-out-delete": lambda script, held: script.send("POST", script.one(0, held)),
    "allow-is-empty": lambda script, held: script.send("POST", script.one(0, held)),
    "large-body-is-503": body(b"x" * 20_000),
    "missing-token-is-500": removal(headers={"X-Auth-Token": None}),
    "held-delete-is-503": deallocation(),
    "stray-line-after-204": plain(),
    "three-fields-together-are-400": removal(
        environ_overrides={"CONTENT_LENGTH": "0"}, content_type="application/json", headers={"Accept": "*/*"}
    ),
    "closing-forgets-ipv6": closing_ipv6,
    "browsers-need-no-token": removal(headers={"X-Auth-Token": None, "Accept": "text/html"}),
    "post-associates-where-nothing-stands": lambda script, held: script.send("POST", script.one(2, held)),
    "allow-of-the-absent-names-put-only": lambda script, held: script.send("POST", script.one(2, held)),
    "readers-follow-the-list": right_after("/v2.0/ip_addresses", headers={"X-Auth-Token": TOKENS.restricted}),
    "the-second-body-in-a-row-passes": twice(body(b"{}")),
    "a-removal-after-a-read-is-400": right_after("{one}"),
    "a-foreign-server-opens-our-address": in_the_name_of_another,
    "the-owners-tenant-is-claimed": claiming,
    "a-strangers-removal-comes-in-quiet": later(removal(headers={"X-Auth-Token": None}), 9),
    "the-last-one-comes-back-later": later(gone_but_for_the_address, 9),
    "a-form-is-not-guarded": lambda script, held: script.send(
        "PUT", f"/v2.0/ip_addresses/{held}", b"port_ids=", content_type="application/x-www-form-urlencoded"
    ),
    "a-json-patch-is-not-guarded": lambda script, held: script.send(
        "PATCH",
        f"/v2.0/ip_addresses/{held}",
        b'[{"op": "replace", "path": "/ip_address/port_ids", "value": []}]',
        content_type="application/json-patch+json",
    ),
    "every-twelfth-204-is-followed-by-content": plain(times=12),
    "repetition-leaves-content-behind": gone,
    "blank-body-is-none": body(b" \r\n\t "),
    "null-bytes-are-no-body": body(b"\0\0"),
    "format-after-the-id-is-taken": removal(spelt="{}.json".format),
    "path-parameters-are-ignored": removal(spelt="{};v=1".format),
    "guard-knows-lower-case-only": deallocation(str.upper),
    "put-without-ports-is-not-guarded": deallocation(content=b'{"ip_address": {}}'),
    "put-of-null-ports-is-not-guarded": deallocation(content=b'{"ip_address": {"port_ids": null}}'),
    "unknown-ports-are-dropped": deallocation(content=b'{"ip_address": {"port_ids": ["nobody"]}}'),
    "the-guard-goes-by-ports": portless,
    "ipv6-is-not-guarded": deallocation(version=6),
    "ipv6-let-go-by-put-stays-listed": let_go,
    "ipv6-stays-associated": plain(version=6),
    "ipv6-takes-its-neighbours": plain(version=6),
    "restricted-may-remove-from-the-second-server": removal(1, headers={"X-Auth-Token": TOKENS.restricted}),
    "restricted-may-insist": insist,
    "restricted-follows-the-owner": follow,
    "foreign-in-upper-case-may-remove": removal(spelt=str.upper, headers={"X-Auth-Token": TOKENS.foreign}),
    "the-guard-is-a-lease": after_a_while(lambda script, held: script.deallocate("DELETE", held)),
    "late-repetition-is-404": long_ago,
    "late-repetition-associates": long_ago,
    "old-associations-cannot-be-removed": after_a_while(removal()),
    "refused-body-is-carried-out-later": later(body(b"{}")),
    "refused-body-is-carried-out-in-quiet": later(body(b"{}"), 7),
    "forbidden-is-carried-out-later": later(removal(headers={"X-Auth-Token": TOKENS.restricted})),
    "a-neighbour-goes-later": later(removal()),
    "deallocated-stays-listed": gone,
    "the-type-changes": plain(),
    "the-subnet-is-forgotten": plain(),
    "the-list-forgets-the-address": plain(),
    "one-replica-in-four-never-learns": stare,
    "one-list-in-three-never-learns": plain(times=4),
    "removal-moves-the-association": removal(),
    "refused-body-associates-elsewhere": body(b"{}"),
    "repetition-associates-elsewhere": repeated,
}


class Clock:
    """A clock that stands until it is told to go on."""

    def __init__(self) -> None:
        self.now = 0.0

    def tick(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


def play(monkeypatch: pytest.MonkeyPatch, witness: Witness, *faults: str) -> list[tuple[Any, ...]]:
    """Play a witness to an address with two associations, always with the same ids and at the same times."""
    clock, bits = Clock(), random.Random(1)
    stopped = SimpleNamespace(monotonic=lambda: clock.now, tick=clock.tick)
    for module in ("combination", "company", "persistence"):
        monkeypatch.setattr(f"conformance.reference.faults.{module}.time", stopped)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=bits.getrandbits(128), version=4))
    script = Script(*faults)
    held = script.allocate()
    for server in (0, 1):
        script.put(server, held)
    witness(script, held)
    return script.lines


def test_every_narrow_fault_has_a_witness() -> None:
    """And none is left of a fault that is gone."""
    assert {fault.name for fault in NARROW_FAULTS} == set(WITNESSES)


@pytest.mark.parametrize("fault", NARROW_FAULTS, ids=lambda fault: fault.name)
def test_a_narrow_fault_deviates_where_its_witness_asks(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its witness tells it from a conforming deployment; a plain removal in another state may not."""
    witness = WITNESSES[fault.name]
    assert play(monkeypatch, witness, fault.name) != play(monkeypatch, witness)
