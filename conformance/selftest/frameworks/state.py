"""What the services of this folder know, and the rule that they keep; written from the contract alone.

It knows nothing of HTTP but codes, nothing of frameworks, and shares nothing with the reference deployment.
"""

import ipaddress
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import environ
from typing import Any
from uuid import uuid4

NETWORK = "00000000-0000-0000-0000-000000000000"
FIRST = {4: ipaddress.ip_address("198.18.0.1"), 6: ipaddress.ip_address("2001:db8:7::1")}


class Denied(Exception):
    """The request is refused with a code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a token stands for."""

    tenant: str
    writes: bool


@dataclass(slots=True)
class Held:
    """An address of a tenant, and the servers that use it."""

    id: str
    literal: str
    version: int
    tenant: str
    ports: list[str]
    servers: set[str] = field(default_factory=set)

    def shown(self) -> dict[str, Any]:
        """What networking shows of it."""
        return {
            "id": self.id,
            "address": self.literal,
            "version": self.version,
            "tenant_id": self.tenant,
            "port_ids": list(self.ports),
            "network_id": NETWORK,
            "subnet_id": f"{NETWORK}/{self.version}",
            "type": "shared" if len(self.ports) > 1 else "fixed",
        }

    def associated(self) -> dict[str, Any]:
        """What compute shows of it."""
        return {"id": self.id, "address": self.literal}


class State:
    """Servers, ports and addresses of two tenants, in memory."""

    def __init__(self) -> None:
        ours, theirs = uuid4().hex, uuid4().hex
        self.callers = {
            environ["CONFORMANCE_TOKEN"]: Caller(ours, writes=True),
            environ["CONFORMANCE_RESTRICTED_TOKEN"]: Caller(ours, writes=False),
            environ["CONFORMANCE_FOREIGN_TOKEN"]: Caller(theirs, writes=True),
        }
        self.servers = {str(uuid4()): tenant for tenant in (*[ours] * 4, theirs)}
        self.ports = {str(uuid4()): server for server in self.servers}
        self.held: dict[str, Held] = {}
        self.allocated = 0
        self.lock = threading.RLock()

    @contextmanager
    def by(self, token: str | None, *, writes: bool = False) -> Iterator[Caller]:
        """A request of whom the token stands for, one at a time."""
        caller = self.callers.get(token or "")
        if caller is None:
            raise Denied(401, "the token stands for nobody")
        if writes and not caller.writes:
            raise Denied(403, "the caller may only read")
        with self.lock:
            yield caller

    def address(self, caller: Caller, identifier: str, code: int) -> Held:
        """An address of the caller's tenant."""
        found = self.held.get(identifier)
        if found is None or found.tenant != caller.tenant:
            raise Denied(code, "the tenant has no such address")
        return found

    def used_by(self, caller: Caller, server: str) -> list[Held]:
        """The addresses that a server of the caller's tenant uses."""
        if self.servers.get(server) != caller.tenant:
            raise Denied(400, "the tenant has no such server")
        return [one for one in self.held.values() if server in one.servers]

    def association(self, caller: Caller, server: str, identifier: str) -> Held:
        """An address that the server uses."""
        found = [one for one in self.used_by(caller, server) if one.id == identifier]
        if not found:
            raise Denied(400, "the server does not use this address")
        return found[0]

    def associate(self, caller: Caller, server: str, identifier: str) -> Held:
        """Let a server use an address that has a port of it."""
        self.used_by(caller, server)
        address = self.address(caller, identifier, 400)
        if server not in {self.ports[port] for port in address.ports}:
            raise Denied(400, "the address has no port of this server")
        address.servers.add(server)
        return address

    def known(self, caller: Caller, ports: list[str]) -> list[str]:
        """Ports, each of them the tenant's."""
        if any(self.servers.get(self.ports.get(port, "")) != caller.tenant for port in ports):
            raise Denied(404, "the tenant has no such port")
        return list(dict.fromkeys(ports))

    def allocate(self, caller: Caller, version: int, ports: list[str]) -> Held:
        """A new address on ports."""
        mine = self.known(caller, ports)
        self.allocated += 1
        literal = str(FIRST[version] + self.allocated)
        address = Held(str(uuid4()), literal, version, caller.tenant, mine)
        return self.held.setdefault(address.id, address)

    def replace_ports(self, caller: Caller, identifier: str, ports: list[str]) -> Held:
        """Give an address other ports, or none, which de-allocates it."""
        address = self.address(caller, identifier, 404)
        mine = self.known(caller, ports)
        if address.servers:
            raise Denied(400, "servers use the address")
        address.ports = mine
        if not mine:
            del self.held[address.id]
        return address

    def addresses(self, caller: Caller) -> list[dict[str, Any]]:
        """What the list of addresses shows."""
        return [one.shown() for one in self.held.values() if one.tenant == caller.tenant]

    def ports_shown(self, caller: Caller, server: str | None) -> list[dict[str, Any]]:
        """What the list of ports shows, of one server or all."""
        mine = {"tenant_id": caller.tenant, "network_id": NETWORK, "status": "ACTIVE", "fixed_ips": []}
        owned = [(port, device) for port, device in self.ports.items() if self.servers[device] == caller.tenant]
        return [{"id": port, "device_id": device, **mine} for port, device in owned if server in {None, device}]

    def description(self, name: str, url: str) -> dict[str, Any]:
        """A target description."""
        tenant = self.callers[environ["CONFORMANCE_TOKEN"]].tenant
        kinds = {"token": "", "restricted_token": "RESTRICTED_", "foreign_token": "FOREIGN_"}
        return {
            "name": name,
            "compute": url,
            "network": url,
            "auth": {kind: f"env:CONFORMANCE_{word}TOKEN" for kind, word in kinds.items()},
            "resources": {"servers": [server for server, owner in self.servers.items() if owner == tenant]},
        }


STATE = State()
"""That of this process."""
