"""The state of the reference deployment: who exists, and which addresses and associations are alive.

What changes is one immutable :class:`DeploymentState`, replaced as a whole under a lock. A reader therefore never sees
half of a change, and an older state can be kept for as long as somebody wants to look at it. Nothing here
knows HTTP, and nothing is written to disk: that is what ``database`` is for.
"""

import ipaddress
import itertools
import secrets
import threading
import uuid
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

PUBLIC_NETWORK = "00000000-0000-0000-0000-000000000000"
SUBNETS = MappingProxyType({4: "198.18.0.0/15", 6: "2001:db8:abba::/64"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a token stands for."""

    tenant: str
    may_write: bool = True


@dataclass(frozen=True, slots=True)
class Server:
    """A server; ``id`` is an opaque string."""

    id: str
    tenant: str


@dataclass(frozen=True, slots=True)
class Port:
    """The port of a server on the public network."""

    id: str
    server: str
    tenant: str


@dataclass(frozen=True, slots=True)
class StoredAddress:
    """An allocated address; ``address`` is its literal, ``id`` the UUID that the operations take."""

    id: str
    address: str
    version: int
    tenant: str
    port_ids: tuple[str, ...]

    @property
    def type(self) -> str:
        """``shared`` from two ports on, else ``fixed``."""
        return "shared" if len(self.port_ids) > 1 else "fixed"


@dataclass(frozen=True, slots=True)
class Association:
    """An address used by a server; at most one exists for each such pair."""

    address: str
    server: str


@dataclass(frozen=True, slots=True)
class DeploymentState:
    """Everything that requests can change, as one value; every change gives a new one."""

    addresses: Mapping[str, StoredAddress] = field(default_factory=dict)
    associations: tuple[Association, ...] = ()

    def of_server(self, server: str) -> tuple[Association, ...]:
        """Give the associations of a server, oldest first."""
        return tuple(each for each in self.associations if each.server == server)

    def of_address(self, address: str) -> tuple[Association, ...]:
        """Give the associations of an address, oldest first."""
        return tuple(each for each in self.associations if each.address == address)

    def with_address(self, address: StoredAddress) -> "DeploymentState":
        """Allocate the address, or replace what is known of it."""
        return replace(self, addresses={**self.addresses, address.id: address})

    def without_address(self, address: str) -> "DeploymentState":
        """De-allocate the address; its associations are not looked at."""
        return replace(self, addresses={key: one for key, one in self.addresses.items() if key != address})

    def with_association(self, association: Association) -> "DeploymentState":
        """Associate; a pair that is associated already changes nothing."""
        if association in self.associations:
            return self
        return replace(self, associations=(*self.associations, association))

    def without_association(self, association: Association) -> "DeploymentState":
        """Remove one association; one that does not exist changes nothing."""
        return replace(self, associations=tuple(each for each in self.associations if each != association))


GATEWAYS, SUBNET_SIZE = 10, 2**16


def literal(version: int, turn: int) -> str:
    """Give the address whose turn it is, so that a released one is not soon handed out again."""
    network = ipaddress.ip_network(SUBNETS[version])
    return str(network[GATEWAYS + turn % (SUBNET_SIZE - GATEWAYS)])


@dataclass(frozen=True, slots=True)
class Tokens:
    """The three credentials: full and restricted rights in the tenant, full rights in another tenant."""

    full: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    restricted: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    foreign: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)


class Store:
    """The deployment's memory; ``state`` is replaced with ``lock`` held, unless a fault wants a race.

    ``known`` keeps every address that ever was, for whatever still speaks of it.
    """

    def __init__(self, tokens: Tokens, *, servers: int = 4, opaque_servers: bool = False) -> None:
        self.tenant, self.other_tenant = uuid.uuid4().hex, uuid.uuid4().hex
        self.callers = {
            tokens.full: Caller(self.tenant),
            tokens.restricted: Caller(self.tenant, may_write=False),
            tokens.foreign: Caller(self.other_tenant),
        }
        self.servers: dict[str, Server] = {}
        self.ports: dict[str, Port] = {}
        for number in range(servers):
            self.add_server(self.tenant, f"web_{number}.example:{secrets.token_hex(3)}" if opaque_servers else "")
        self.add_server(self.other_tenant)
        self.lock: AbstractContextManager[Any] = threading.RLock()
        self.known: MutableMapping[str, StoredAddress] = {}
        self._turns = {version: itertools.count() for version in SUBNETS}
        self.open()

    def open(self) -> None:
        """Begin with nothing allocated."""
        self.state = DeploymentState()

    def close(self) -> None:
        """Leave what others may open again; memory is nobody else's."""

    def add_server(self, tenant: str, identifier: str = "") -> Server:
        """Create a server with its port on the public network; without an identifier it gets a UUID."""
        server = Server(identifier or str(uuid.uuid4()), tenant)
        port = Port(str(uuid.uuid4()), server.id, tenant)
        self.servers[server.id], self.ports[port.id] = server, port
        return server

    def fresh_address(self, tenant: str, version: int, port_ids: tuple[str, ...]) -> StoredAddress:
        """Make up an address with a new id and a literal of the version; it is not allocated yet."""
        address = StoredAddress(str(uuid.uuid4()), literal(version, self.turn(version)), version, tenant, port_ids)
        self.known[address.id] = address
        return address

    def turn(self, version: int) -> int:
        """Count the addresses of a version that were ever made up."""
        return next(self._turns[version])

    def servers_of(self, tenant: str) -> tuple[str, ...]:
        """Give the ids of a tenant's servers, in the order of their creation."""
        return tuple(server.id for server in self.servers.values() if server.tenant == tenant)

    def port_of(self, server: str) -> str:
        """Give the id of a server's port."""
        return next(port.id for port in self.ports.values() if port.server == server)

    def server_of(self, port: str) -> str:
        """Give the id of the server that a port belongs to."""
        return self.ports[port].server
