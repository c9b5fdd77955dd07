"""More lawful variants: answers that say little, effects and guards that come late, fields that are refused."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

import time
import uuid
from dataclasses import replace
from typing import Any

from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.registry import lawful
from conformance.reference.store import Association, Caller, DeploymentState, Port, Server, StoredAddress

LAG = 0.6  # seconds


def terse(answer: Answer, *members: str) -> Answer:
    """Give an answer about an address that has these members only."""
    document = answer.document["ip_address"]
    return replace(answer, document={"ip_address": {name: document[name] for name in members}})


@lawful()
class AllocationAnswersTheIdAlone(Deployment):
    """An allocation is answered with the ID of the address and nothing else."""

    def allocated(self, address: StoredAddress) -> Answer:
        return terse(super().allocated(address), "id")


@lawful()
class AllocationLeavesOutTheLiteral(Deployment):
    """An allocation is answered without the literal of the address."""

    def allocated(self, address: StoredAddress) -> Answer:
        return terse(super().allocated(address), "id", "network_id", "port_ids", "version")


@lawful()
class IdsAreUsedAgain(Deployment):
    """The ID of an address that was de-allocated is given to the next one of its version."""

    def start(self) -> None:
        super().start()
        self.free: list[StoredAddress] = []

    def fresh_address(self, caller: Caller, version: int, port_ids: tuple[str, ...]) -> StoredAddress:
        fresh = super().fresh_address(caller, version, port_ids)
        used = next((one for one in self.free if one.version == version), None)
        if used is None:
            return fresh
        self.free.remove(used)
        return replace(fresh, id=used.id)

    def release(self, request: ReceivedRequest, address: StoredAddress) -> None:
        super().release(request, address)
        self.free.append(address)


@lawful()
class AnyBodyIs413(Deployment):
    """A removal with any body is refused with 413 and a time to come back."""

    def check_body(self, request: ReceivedRequest) -> None:
        if request.removal and self.carries_body(request):
            raise Refusal(413, "any content is too much", ("Retry-After", "1"))
        super().check_body(request)


@lawful()
class LargeBodyIs413WithoutATime(Deployment):
    """A body of more than 8 KiB is refused with 413, which says nothing of coming back."""

    def check_body(self, request: ReceivedRequest) -> None:
        if request.removal and len(request.body or b"") > 8 * 1024:
            raise Refusal(413, "that is too much")
        super().check_body(request)


@lawful()
class EmptyChunksAreABody(Deployment):
    """A removal in chunks is refused although there is nothing in them."""

    def carries_body(self, request: ReceivedRequest) -> bool:
        return (request.removal and request.chunked) or super().carries_body(request)


@lawful()
class PreconditionsAreRefused(Deployment):
    """A removal with a precondition is refused with 400."""

    def check_body(self, request: ReceivedRequest) -> None:
        names = ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since")
        if request.removal and any(request.header(name) is not None for name in names):
            raise Refusal(400, "preconditions are not supported")
        super().check_body(request)


@lawful()
class QueriesAreRefused(Deployment):
    """A removal with a query is refused with 400 before anybody asks who sends it."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        if request.removal and request.query:
            raise Refusal(400, "there are no parameters")
        return super().authenticate(request)


@lawful()
class PutOfNothingDeallocates(Deployment):
    """PUT of an empty ip_address de-allocates an address too, if it has no associations."""

    def read_ports(self, request: ReceivedRequest, wanted: dict[str, Any]) -> tuple[str, ...]:
        return () if request.method == "PUT" and not wanted else super().read_ports(request, wanted)


@lawful()
class TheGuardLearnsLate(Deployment):
    """An address goes on being held for a moment after its last association was removed."""

    def start(self) -> None:
        super().start()
        self.freed: dict[str, float] = {}

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        self.freed[association.address] = time.monotonic()

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        super().check_free(request, address, state)
        if time.monotonic() - self.freed.get(address.id, -LAG) < LAG:
            raise Refusal(409, "the address has associations; remove them first")


@lawful()
class ComputeLearnsLate(Deployment):
    """An address that was allocated a moment ago is unknown to the compute service."""

    def start(self) -> None:
        super().start()
        self.born: dict[str, float] = {}

    def allocated(self, address: StoredAddress) -> Answer:
        self.born[address.id] = time.monotonic()
        return super().allocated(address)

    def find_associable(self, request: ReceivedRequest, identifier: str, server: str) -> StoredAddress:
        if time.monotonic() - self.born.get(identifier, -LAG) < LAG:
            raise Refusal(400, "no such address")
        return super().find_associable(request, identifier, server)


@lawful()
class TheCloudAddsAPort(Deployment):
    """An address has a port of the cloud beside those that were asked for."""

    def start(self) -> None:
        super().start()
        self.gateway = str(uuid.uuid4())

    def address_document(self, address: StoredAddress) -> dict[str, Any]:
        document = super().address_document(address)
        return {**document, "port_ids": [*document["port_ids"], self.gateway]}


class ServersAreNamed(Deployment):
    """The tenant's servers have IDs of the form that ``pattern`` gives."""

    pattern = "{}"

    def start(self) -> None:
        super().start()
        names = {old: self.pattern.format(number) for number, old in enumerate(self.store.servers)}
        self.store.servers = {names[one.id]: Server(names[one.id], one.tenant) for one in self.store.servers.values()}
        moved = {one.id: Port(one.id, names[one.server], one.tenant) for one in self.store.ports.values()}
        self.store.ports = moved


@lawful()
class ServerIdsHaveBlanks(ServersAreNamed):
    """The IDs of servers have a blank in them."""

    pattern = "web server {}"


@lawful()
class ServerIdsAreNotAscii(ServersAreNamed):
    """The IDs of servers have letters outside ASCII and a percent sign."""

    pattern = "b\u00fchne-{}-100%"


@lawful()
class LaterRepetitionIs204(Deployment):
    """A repetition is refused for a second; later removals of the same answer 204 and change nothing."""

    def start(self) -> None:
        super().start()
        self.gone: dict[Association, float] = {}

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        self.gone[association] = time.monotonic()

    def remove(self, request: ReceivedRequest) -> Answer:
        try:
            return super().remove(request)
        except Refusal as refusal:
            now = time.monotonic()
            asked = Association(request.path.address.lower(), request.path.server)
            server = self.store.servers.get(asked.server)
            mine = server is not None and server.tenant == request.caller.tenant
            if mine and "association" in refusal.message and self.gone.get(asked, now) < now - 1:
                return self.removed(request)
            raise


@lawful()
class ServersNeedNoPort(Deployment):
    """An address is associated with a server that has no port on it."""

    def find_associable(self, request: ReceivedRequest, identifier: str, _server: str) -> StoredAddress:
        return super().find_associable(request, identifier, self.home(identifier))

    def home(self, identifier: str) -> str:
        """Give a server that has a port on the address, if there is such an address."""
        address = self.store.state.addresses.get(identifier)
        return self.store.server_of(address.port_ids[0]) if address else ""


@lawful()
class ServersAreGivenAPort(ServersNeedNoPort):
    """An address gets a port on each server that it is associated with, and keeps it."""

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        super().connect(request, association)
        address = self.store.state.addresses[association.address]
        port = next(one for one in self.store.ports if self.store.server_of(one) == association.server)
        if port not in address.port_ids:
            given = replace(address, port_ids=(*address.port_ids, port))
            self.update(lambda state: state.with_address(given))


@lawful()
class AnyPortsReplaceThoseOfAnAddress(Deployment):
    """PUT replaces the ports of an address by whatever it names, also while something is associated."""

    def read_ports(self, request: ReceivedRequest, wanted: dict[str, Any]) -> tuple[str, ...]:
        listed = wanted.get("port_ids")
        if request.method == "PUT" and isinstance(listed, list):
            return tuple(map(str, listed))
        return super().read_ports(request, wanted)

    def check_movable(self, address: StoredAddress, _port_ids: tuple[str, ...]) -> None:
        """Let it be moved."""

    def check_quota(self, request: ReceivedRequest, port_ids: tuple[str, ...], replaced: str = "") -> None:
        if not replaced:
            super().check_quota(request, port_ids, replaced)
