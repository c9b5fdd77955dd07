"""The reference deployment: a conforming implementation of the operation and its neighbours, as a WSGI app.

A request passes through small named steps (locate, authenticate, choose, check the body, read the
identifiers, authorise, find, act, answer), each a method of :class:`Deployment`. A fault or a lawful variant
is a subclass that replaces one of them. This module states the API on its own: it shares nothing with the
suite that judges it.
"""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from conformance.reference.exchange import ERROR_NAMES, Answer, Page, Path, ReceivedRequest, Refusal
from conformance.reference.store import (
    PUBLIC_NETWORK,
    SUBNETS,
    Association,
    Caller,
    DeploymentState,
    Store,
    StoredAddress,
)

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
PAGES = (
    Page("association", "compute", ("v2", "servers", "{server}", "ip_associations", "{address}")),
    Page("associations", "compute", ("v2", "servers", "{server}", "ip_associations")),
    Page("address", "network", ("v2.0", "ip_addresses", "{address}")),
    Page("addresses", "network", ("v2.0", "ip_addresses")),
    Page("ports", "network", ("v2.0", "ports")),
    Page("versions", "compute", ("v2",)),
    Page("versions", "network", ("v2.0",)),
    Page("versions", "compute", ("",)),
    Page("versions", "network", ("",)),
)
ACTIONS: dict[str, dict[str, str]] = {
    "association": {"GET": "show_association", "PUT": "associate", "DELETE": "remove"},
    "associations": {"GET": "list_associations"},
    "address": {"GET": "show_address", "PUT": "replace_ports", "DELETE": "delete_address"},
    "addresses": {"GET": "list_addresses", "POST": "allocate"},
    "ports": {"GET": "list_ports"},
    "versions": {"GET": "list_versions"},
}
COMPUTE, NETWORK = "compute", "network"
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator may set; the quotas are counts, the latency is in seconds."""

    prefix: str = ""
    shared_quota: int = 5
    port_quota: int = 6
    latency: float = 0.0


class Deployment:
    """Answers requests from a store. Every method is a step that a fault or a variant may replace."""

    def __init__(self, store: Store, rules: Rules) -> None:
        self.store, self.rules = store, rules
        self.tally: Counter[str] = Counter()
        self._tally_lock = threading.Lock()
        self.prefix = tuple(part for part in rules.prefix.split("/") if part)
        self.start()

    def start(self) -> None:
        """Prepare what a fault or variant keeps in mind; called once, before the first request."""

    def every(self, period: int, what: str) -> bool:
        """Count an occasion; true on every ``period``-th."""
        with self._tally_lock:
            self.tally[what] += 1
            return self.tally[what] % period == 0

    # The way of every request.

    def app(self, sides: frozenset[str] = frozenset({COMPUTE, NETWORK})) -> WsgiApp:
        """Give the WSGI app of one side or of both."""

        def serve(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            request = ReceivedRequest(environ)
            return self.send(request, self.answer(request, sides), start_response)

        return serve

    def answer(self, request: ReceivedRequest, sides: frozenset[str]) -> Answer:
        """Process the request; whatever refuses it becomes an answer too."""
        try:
            request.path = self.locate(request, sides)
            return self.finish(request, self.process(request))
        except Refusal as refusal:
            return self.finish(request, self.refused(request, refusal))

    def process(self, request: ReceivedRequest) -> Answer:
        """Authenticate the caller, choose the action and perform it."""
        self.delay(request)
        if request.path.resource != "versions":
            request.caller = self.authenticate(request)
        action: Callable[[ReceivedRequest], Answer] = getattr(self, self.choose(request))
        return action(request)

    def locate(self, request: ReceivedRequest, sides: frozenset[str]) -> Path:
        """Find the resource of the path; a path that leads nowhere is found out after authentication."""
        size = len(self.prefix)
        if request.segments[:size] != self.prefix:
            return Path("nowhere")
        for page in PAGES:
            path = page.match(request.segments[size:]) if page.side in sides else None
            if path:
                return path
        return Path("nowhere")

    def delay(self, _request: ReceivedRequest) -> None:
        """Let the configured latency pass."""
        if self.rules.latency:
            time.sleep(self.rules.latency)

    def authenticate(self, request: ReceivedRequest) -> Caller:
        """Tell who calls.

        Raises:
            Refusal: 401, there is no token or nobody has it.
        """
        caller = self.store.callers.get(request.token or "")
        if caller is None:
            raise Refusal(401, "a valid X-Auth-Token is required")
        return caller

    def choose(self, request: ReceivedRequest) -> str:
        """Name the method of this class that performs the request.

        Raises:
            Refusal: 404, the path leads nowhere; 405, the method is not documented on it.
        """
        actions = ACTIONS.get(request.path.resource)
        if actions is None:
            raise Refusal(404, "there is nothing at this path")
        method = self.effective_method(request)
        if method == "OPTIONS":
            return "list_methods"
        action = actions.get("GET" if method == "HEAD" else method)
        if action is None:
            raise self.bad_method(request)
        return action

    def effective_method(self, request: ReceivedRequest) -> str:
        """Give the method that counts: that of the request line, whatever headers or the query say."""
        return request.method

    def bad_method(self, request: ReceivedRequest) -> Refusal:
        """Give the refusal of a method that is not documented."""
        return Refusal(405, f"{request.method} is not possible here", ("Allow", self.methods(request)))

    def methods(self, request: ReceivedRequest) -> str:
        """Give the value of ``Allow`` for the resource."""
        return ", ".join([*ACTIONS[request.path.resource], "HEAD", "OPTIONS"])

    def list_methods(self, request: ReceivedRequest) -> Answer:
        """Answer OPTIONS."""
        return Answer(200, {"methods": sorted(ACTIONS[request.path.resource])}, (("Allow", self.methods(request)),))

    def list_versions(self, request: ReceivedRequest) -> Answer:
        """Answer what clients of OpenStack ask for before they show a token: where a version is served."""
        base = "/".join([f"http://{request.header('Host')}", *self.prefix])
        named = [part for part in request.segments[len(self.prefix) :] if part] or ["v2", "v2.0"]
        links = [{"rel": "self", "href": f"{base}/{part}/"} for part in named]
        return Answer(200, {"versions": [{"id": "v2.0", "status": "CURRENT", "links": [one]} for one in links]})

    def refused(self, _request: ReceivedRequest, refusal: Refusal) -> Answer:
        """Put a refusal into words."""
        name = ERROR_NAMES.get(refusal.code, "error")
        return Answer(refusal.code, {name: {"code": refusal.code, "message": refusal.message}}, tuple(refusal.headers))

    def finish(self, _request: ReceivedRequest, answer: Answer) -> Answer:
        """Have the last word on an answer."""
        return answer

    def send(self, request: ReceivedRequest, answer: Answer, start_response: StartResponse) -> Iterable[bytes]:
        """Write the answer, after what is left of the body is read."""
        headers = list(answer.headers)
        if not self.drain(request):
            headers.append(("Connection", "close"))
        payload = answer.payload
        if payload and all(name != "Content-Type" for name, _ in headers):
            headers.append(("Content-Type", "application/json"))
        if answer.sized and (payload is not None or answer.code != 204):
            headers.append(("Content-Length", str(len(payload or b""))))
        start_response(answer.status, headers)
        return [payload] if payload and request.method != "HEAD" else []

    def drain(self, request: ReceivedRequest) -> bool:
        """Read the body to its end; false if where the next request begins stays unknown."""
        return request.body is not None

    # Checks that several actions share.

    def check_body(self, request: ReceivedRequest) -> None:
        """Refuse a body where none is accepted.

        Raises:
            Refusal: 400, there is a body.
        """
        if self.carries_body(request):
            raise Refusal(400, "this operation accepts no body")

    def carries_body(self, request: ReceivedRequest) -> bool:
        """Tell whether there is a body, whatever its framing; an unreadable one is one too."""
        return request.body != b""

    def read_address_id(self, request: ReceivedRequest) -> str:
        """Give the identifier of the address on the compute side, in lower case.

        Raises:
            Refusal: 400, it is no UUID in its canonical spelling.
        """
        identifier = request.path.address
        if not UUID.fullmatch(identifier):
            raise Refusal(400, "the IP address ID is no UUID")
        return identifier.lower()

    def authorise(self, request: ReceivedRequest) -> None:
        """Refuse a caller who may only read.

        Raises:
            Refusal: 403.
        """
        if not request.caller.may_write:
            raise Refusal(403, "this credential may not change anything")

    def find_server(self, request: ReceivedRequest) -> str:
        """Give the server's id.

        Raises:
            Refusal: 400, the caller's tenant has no such server.
        """
        server = self.store.servers.get(request.path.server)
        if server is None or server.tenant != request.caller.tenant:
            raise Refusal(400, "no such server")
        return server.id

    def exclusive(self, _what: str) -> AbstractContextManager[Any]:
        """Keep every other change out while one is checked and made."""
        return self.store.lock

    def pause(self, _what: str) -> None:
        """Stand between a check and the change that relies on it; only a race makes this take time."""

    def update(self, change: Callable[[DeploymentState], DeploymentState]) -> None:
        """Make a change."""
        with self.store.lock:
            self.store.state = change(self.store.state)

    def view(self, _request: ReceivedRequest) -> DeploymentState:
        """Give the state that reads see."""
        return self.store.state

    # Compute: associations.

    def find_association(self, request: ReceivedRequest, state: DeploymentState) -> Association:
        """Give the association that the path names.

        Raises:
            Refusal: 400, there is none.
        """
        association = Association(self.read_address_id(request), self.find_server(request))
        if association not in state.associations:
            raise Refusal(400, "the address has no such association")
        return association

    def remove(self, request: ReceivedRequest) -> Answer:
        """Remove an association."""
        self.check_body(request)
        self.read_address_id(request)
        self.authorise(request)
        with self.exclusive("remove"):
            association = self.find_association(request, self.store.state)
            self.pause("remove")
            self.dissociate(request, association)
        return self.removed(request)

    def dissociate(self, _request: ReceivedRequest, association: Association) -> None:
        """Make the change that a removal is for."""
        self.update(lambda state: state.without_association(association))

    def removed(self, _request: ReceivedRequest) -> Answer:
        """Answer a removal."""
        return Answer(204)

    def associate(self, request: ReceivedRequest) -> Answer:
        """Associate an address with a server; once more changes nothing."""
        self.check_associate_body(request)
        identifier = self.read_address_id(request)
        self.authorise(request)
        with self.exclusive("associate"):
            server = self.find_server(request)
            address = self.find_associable(request, identifier, server)
            self.pause("associate")
            self.connect(request, Association(address.id, server))
        return self.associated(request, address)

    def check_associate_body(self, request: ReceivedRequest) -> None:
        """Accept no body, or the empty association that a client in the field sends.

        Raises:
            Refusal: 400, there is another body.
        """
        if not self.carries_body(request):
            return
        document = request.document()
        members = set(document) if isinstance(document, dict) else {"not an object"}
        if members - {"ip_association"} or not isinstance(document.get("ip_association", {}), dict):
            raise Refusal(400, "the body may only hold an ip_association")

    def find_associable(self, request: ReceivedRequest, identifier: str, server: str) -> StoredAddress:
        """Give the address to associate with the server.

        Raises:
            Refusal: 400, the tenant has no such address, or it has no port on the server.
        """
        address = self.store.state.addresses.get(identifier)
        if address is None or address.tenant != request.caller.tenant:
            raise Refusal(400, "no such address")
        if server not in map(self.store.server_of, address.port_ids):
            raise Refusal(400, "the address has no port on this server")
        return address

    def connect(self, _request: ReceivedRequest, association: Association) -> None:
        """Make the change that an association is for."""
        self.update(lambda state: state.with_association(association))

    def associated(self, _request: ReceivedRequest, address: StoredAddress) -> Answer:
        """Answer an association."""
        return Answer(201, {"ip_association": self.association_document(address)})

    def list_associations(self, request: ReceivedRequest) -> Answer:
        """Answer the list of a server's associations."""
        server, state = self.find_server(request), self.view(request)
        listed = [self.association_document(self.store.known[each.address]) for each in state.of_server(server)]
        return Answer(200, {"ip_associations": listed})

    def show_association(self, request: ReceivedRequest) -> Answer:
        """Answer one association."""
        association = self.find_association(request, self.view(request))
        address = self.store.known[association.address]
        return Answer(200, {"ip_association": self.association_document(address)})

    def association_document(self, address: StoredAddress) -> dict[str, Any]:
        """Write an association as JSON."""
        return {"id": address.id, "address": address.address}

    # Network: addresses and ports.

    def find_address(self, request: ReceivedRequest, state: DeploymentState) -> StoredAddress:
        """Give the address that the path names on the networking side.

        Raises:
            Refusal: 404, the caller's tenant has none of this id.
        """
        address = state.addresses.get(request.path.address.lower())
        if address is None or address.tenant != request.caller.tenant:
            raise Refusal(404, "no such address")
        return address

    def list_addresses(self, request: ReceivedRequest) -> Answer:
        """Answer the tenant's addresses."""
        listed = self.view(request).addresses.values()
        mine = [self.address_document(one) for one in listed if one.tenant == request.caller.tenant]
        return Answer(200, {"ip_addresses": mine})

    def show_address(self, request: ReceivedRequest) -> Answer:
        """Answer one address."""
        return self.shown_address(200, self.find_address(request, self.view(request)))

    def shown_address(self, code: int, address: StoredAddress) -> Answer:
        """Answer with an address."""
        return Answer(code, {"ip_address": self.address_document(address)})

    def address_document(self, address: StoredAddress) -> dict[str, Any]:
        """Write an address as JSON."""
        return {
            "id": address.id,
            "network_id": PUBLIC_NETWORK,
            "address": address.address,
            "port_ids": list(address.port_ids),
            "subnet_id": SUBNET_IDS[address.version],
            "tenant_id": address.tenant,
            "version": address.version,
            "type": address.type,
        }

    def allocate(self, request: ReceivedRequest) -> Answer:
        """Allocate an address to ports."""
        self.authorise(request)
        wanted = self.read_member(request, "ip_address")
        version = self.read_version(wanted)
        port_ids = self.read_ports(request, wanted)
        if not port_ids:
            raise Refusal(400, "port_ids names no port")
        with self.exclusive("allocate"):
            self.check_quota(request, port_ids)
            address = self.fresh_address(request.caller, version, port_ids)
            self.update(lambda state: state.with_address(address))
        return self.allocated(address)

    def fresh_address(self, caller: Caller, version: int, port_ids: tuple[str, ...]) -> StoredAddress:
        """Make up the address that is allocated next."""
        return self.store.fresh_address(caller.tenant, version, port_ids)

    def allocated(self, address: StoredAddress) -> Answer:
        """Answer an allocation."""
        return self.shown_address(201, address)

    def read_member(self, request: ReceivedRequest, name: str) -> dict[str, Any]:
        """Give the object that the body holds under its one name.

        Raises:
            Refusal: 400, it holds none.
        """
        document = request.document()
        member = document.get(name) if isinstance(document, dict) else None
        if not isinstance(member, dict):
            raise Refusal(400, f"the body must be an object with an object named {name}")
        return member

    def read_version(self, wanted: dict[str, Any]) -> int:
        """Give the IP version asked for on the network asked for.

        Raises:
            Refusal: 400, no network or another version; 404, unknown network.
        """
        if not isinstance(wanted.get("network_id"), str):
            raise Refusal(400, "network_id is required")
        if wanted["network_id"] != PUBLIC_NETWORK:
            raise Refusal(404, "no such network")
        version = str(wanted.get("version", 4))
        if version not in {str(known) for known in self.versions()}:
            raise Refusal(400, "no addresses of this version")
        return int(version)

    def versions(self) -> tuple[int, ...]:
        """Give the IP versions of which there are addresses."""
        return tuple(SUBNETS)

    def read_ports(self, request: ReceivedRequest, wanted: dict[str, Any]) -> tuple[str, ...]:
        """Give the ports asked for, each once.

        Raises:
            Refusal: 400, they are no list of ports of the tenant.
        """
        listed = wanted.get("port_ids")
        if not isinstance(listed, list):
            raise Refusal(400, "port_ids must be a list")
        for each in listed:
            port = self.store.ports.get(each) if isinstance(each, str) else None
            if port is None or port.tenant != request.caller.tenant:
                raise Refusal(400, "port_ids names an unknown port")
        return tuple(dict.fromkeys(listed))

    def check_quota(self, request: ReceivedRequest, port_ids: tuple[str, ...], replaced: str = "") -> None:
        """Keep to the quotas; an address that is replaced does not count.

        Raises:
            Refusal: 400, one would be exceeded.
        """
        others = [one for one in self.store.state.addresses.values() if one.id != replaced]
        mine = [one for one in others if one.tenant == request.caller.tenant and one.type == "shared"]
        if len(port_ids) > 1 and len(mine) >= self.rules.shared_quota:
            raise Refusal(400, "the quota of shared addresses on this network is used up")
        if any(sum(port in one.port_ids for one in others) >= self.rules.port_quota for port in port_ids):
            raise Refusal(400, "the quota of addresses on a port is used up")

    def delete_address(self, request: ReceivedRequest) -> Answer:
        """De-allocate an address."""
        self.authorise(request)
        self.deallocate(request)
        return Answer(204)

    def deallocate(self, request: ReceivedRequest) -> StoredAddress:
        """Let an address go that has no association; give what it was."""
        with self.exclusive("deallocate"):
            address = self.find_address(request, self.store.state)
            self.check_free(request, address, self.store.state)
            self.pause("deallocate")
            self.release(request, address)
        return address

    def check_free(self, _request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        """Hold on to an address that is in use.

        Raises:
            Refusal: 409, the address has an association. Not 403: the caller may do it, only not now.
        """
        if state.of_address(address.id):
            raise Refusal(409, "the address has associations; remove them first")

    def release(self, _request: ReceivedRequest, address: StoredAddress) -> None:
        """Make the change that a de-allocation is for."""
        self.update(lambda state: state.without_address(address.id))

    def replace_ports(self, request: ReceivedRequest) -> Answer:
        """Give an address other ports; no port at all de-allocates it."""
        self.authorise(request)
        port_ids = self.read_ports(request, self.read_member(request, "ip_address"))
        if not port_ids:
            return self.emptied(self.deallocate(request))
        with self.exclusive("move"):
            address = self.find_address(request, self.store.state)
            self.check_movable(address, port_ids)
            self.check_quota(request, port_ids, replaced=address.id)
            moved = replace(address, port_ids=port_ids)
            self.update(lambda state: state.with_address(moved))
        return self.shown_address(200, moved)

    def emptied(self, address: StoredAddress) -> Answer:
        """Answer a de-allocation by PUT."""
        return self.shown_address(200, replace(address, port_ids=()))

    def check_movable(self, address: StoredAddress, _port_ids: tuple[str, ...]) -> None:
        """Leave the ports of an address that is in use alone; the contract leaves the choice.

        Raises:
            Refusal: 409, the address has an association.
        """
        if self.store.state.of_address(address.id):
            raise Refusal(409, "the address has associations, its ports stay")

    def list_ports(self, request: ReceivedRequest) -> Answer:
        """Answer the tenant's ports, of one server if the query names it."""
        device = request.parameters.get("device_id")
        ports = [port for port in self.store.ports.values() if port.tenant == request.caller.tenant]
        return Answer(200, {"ports": [self.port_document(one.id) for one in ports if device in (None, one.server)]})

    def port_document(self, identifier: str) -> dict[str, Any]:
        """Write a port as JSON."""
        port = self.store.ports[identifier]
        bound = [one for one in self.store.state.addresses.values() if identifier in one.port_ids]
        return {
            "id": port.id,
            "device_id": port.server,
            "network_id": PUBLIC_NETWORK,
            "tenant_id": port.tenant,
            "status": "ACTIVE",
            "fixed_ips": [{"subnet_id": SUBNET_IDS[one.version], "ip_address": one.address} for one in bound],
        }


SUBNET_IDS = {4: "6c1a2f54-94b1-4b5f-a3a2-0f6a9d5c1e04", 6: "6c1a2f54-94b1-4b5f-a3a2-0f6a9d5c1e06"}
