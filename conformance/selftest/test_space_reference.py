"""The values of the request space against the reference deployment, each on a standing association."""

from collections.abc import Iterator
from typing import Any

import in_process
import pytest

from conformance.client import Client
from conformance.driver.context import Process
from conformance.evidence import Exchange
from conformance.generate.space import Expected, Subject, Value, values

pytestmark = pytest.mark.once

DEPTH = "quick"
DOCUMENTED = frozenset({204, 400, 401, 403, 405, 413})
LAWFUL = {
    Expected.GRANTED: frozenset({204}),
    Expected.REFUSED: frozenset({400, 401, 403, 405, 413}),
    Expected.UNAUTHORISED: frozenset({401}),
    Expected.FORBIDDEN: frozenset({403}),
    Expected.NOT_ALLOWED: frozenset({405}),
    Expected.EITHER: DOCUMENTED,
    Expected.INERT: DOCUMENTED | {200, 201, 404},
}


@pytest.fixture
def process() -> Iterator[Process]:
    """A client and what else a run has, of one deployment."""
    with in_process.served() as reference, in_process.process(reference) as shared:
        yield shared


def _allocated(client: Client, version: int) -> Subject:
    """Two addresses are associated with the first server; the other servers stand by."""
    servers = tuple(client.target.servers)
    ports = [port for server in servers[:2] for port in _json(client.list_ports(server))["ports"]]
    mine = tuple(port["id"] for port in ports)
    rows = [_json(client.allocate_address(version, mine))["ip_address"] for _ in range(2)]
    for row in rows:
        assert client.associate(servers[0], row["id"]).status in {200, 201}
    return Subject(
        *(rows[0]["id"], rows[0]["address"], servers[0]),
        others=(rows[1]["id"],),
        servers=servers,
        ports=mine,
        networks=(rows[0]["network_id"],),
        strangers=servers[1:2],
        token=str(client.target.tokens["full"]),
    )


def _json(exchange: Exchange) -> Any:
    assert exchange.response is not None
    return exchange.response.json()


def _stand(client: Client, subject: Subject) -> set[str]:
    return {row["id"] for row in _json(client.list_associations(subject.server))["ip_associations"]}


def _wrong(client: Client, subject: Subject, value: Value) -> str:
    arguments = {"server": subject.server, "address": subject.address, **value.variation}
    exchange = client.remove(**arguments)
    left = _stand(client, subject)
    removed = exchange.status == 204 and value.expected in {Expected.GRANTED, Expected.EITHER}
    lawful = {*subject.others, *(() if removed else (subject.address,))}
    if removed:
        client.associate(subject.server, subject.address)
    if exchange.status in LAWFUL[value.expected] and left == lawful:
        return ""
    return f"{value.dimension}/{value.kind}: {value.words[:90]}: {exchange.status} {exchange.failure} {left == lawful}"


@pytest.mark.parametrize("version", [4, 6])
def test_the_reference_answers_every_value_lawfully(process: Process, version: int) -> None:
    """What a value says is lawful is what a conforming deployment does, for a third of the kinds."""
    subject = _allocated(process.client, version)
    found = values(subject, DEPTH, version)
    assert [wrong for value in found if (wrong := _wrong(process.client, subject, value))] == []
