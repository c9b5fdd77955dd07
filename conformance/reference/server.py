"""The reference deployment on real sockets: start, stop, and what a client must know to talk to it.

The HTTP server is cheroot's, with two corrections: a method token is case-sensitive and reaches the app as it
was sent, and what the server refuses by itself carries a documented code. It listens on the loopback
interface only.
"""

import contextlib
import ipaddress
import logging
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cheroot.server
import cheroot.wsgi

from conformance.reference import replicas
from conformance.reference.app import COMPUTE, NETWORK, Deployment, Rules, WsgiApp
from conformance.reference.database import Database
from conformance.reference.exchange import BODY_LIMIT
from conformance.reference.faults import fault_named
from conformance.reference.registry import Fault, Variant
from conformance.reference.store import PUBLIC_NETWORK, Store, Tokens
from conformance.reference.together import variant_of

log = logging.getLogger(__name__)
THREADS = 24


@dataclass(frozen=True, slots=True)
class Settings:
    """How the deployment is served.

    Port 0 is any free port. With ``network_port`` the two services are on two ports, else on one.
    ``protocol`` is the HTTP version spoken at most. ``publish_ports`` puts the servers' ports into the target
    description. ``state`` is a file that keeps the state; several processes may then serve one port (SO_REUSEPORT).
    """

    host: str = "127.0.0.1"
    port: int = 0
    network_port: int | None = None
    servers: int = 4
    opaque_servers: bool = False
    publish_ports: bool = False
    protocol: str = "HTTP/1.1"
    state: Path | None = None
    tokens: Tokens = field(default_factory=Tokens)
    rules: Rules = field(default_factory=Rules)

    def with_changes(self, changes: Mapping[str, Any]) -> Self:
        """Give settings with some changed; a name of :class:`Rules` changes the rules."""
        rules = {name: value for name, value in changes.items() if name in Rules.__dataclass_fields__}
        own = {name: value for name, value in changes.items() if name not in rules}
        return replace(self, rules=replace(self.rules, **rules), **own)


def check_loopback(host: str) -> str:
    """Give the host back.

    Raises:
        ValueError: It is no address of the loopback interface, and nothing else may reach this server.
    """
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"{host} is no loopback address")
    return host


class _RequestLine:
    """Hands a connection's bytes on and remembers the method of the first line with something in it."""

    def __init__(self, source: Any) -> None:
        self._source, self.method = source, b""

    def readline(self, *size: int) -> bytes:
        line: bytes = self._source.readline(*size)
        self.method = self.method or line.strip().partition(b" ")[0]
        return line


class _Request(cheroot.server.HTTPRequest):
    """Keeps the method as it was sent and refuses with documented codes."""

    def __init__(self, server: Any, conn: Any) -> None:
        super().__init__(server, conn, strict_mode=False)

    def read_request_line(self) -> bool:
        source = self.rfile
        self.rfile = _RequestLine(source)
        understood: bool = super().read_request_line()  # type: ignore[no-untyped-call]
        if understood:
            self.method = self.rfile.method
        self.rfile = source
        return understood

    def simple_response(self, status: object, msg: str = "") -> None:
        if not str(status).startswith("408"):  # an idle connection is closed without a word
            super().simple_response(status if str(status)[:3] in {"400", "405"} else "400 Bad Request", msg)
        self.close_connection = True


class _Connection(cheroot.server.HTTPConnection):
    RequestHandlerClass = _Request

    def close(self) -> None:
        """Close, and drop what a client that has gone did not take: the writer would try again when it is collected."""
        super().close()
        with contextlib.suppress(OSError):
            self.wfile.close()


class _Gateway(cheroot.wsgi.Gateway_10):
    """Lets an app end the connection with ``Connection: close``."""

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        if ("Connection", "close") in headers:
            self.req.close_connection = True
        return super().start_response(status, headers, exc_info)


class _HttpServer(cheroot.wsgi.Server):
    ConnectionClass = _Connection
    expiration_interval = 0.05  # stopping waits for it
    max_request_body_size = BODY_LIMIT

    def __init__(self, address: tuple[str, int], app: WsgiApp, protocol: str) -> None:
        super().__init__(address, app, numthreads=THREADS, server_name="reference", request_queue_size=128, timeout=30)
        self.gateway, self.protocol, self.shutdown_timeout = _Gateway, protocol, 1

    @staticmethod
    def bind_socket(socket_: socket.socket, bind_addr: tuple[str, int]) -> socket.socket:
        try:
            socket_.bind(bind_addr)
        except OSError:
            socket_.close()
            raise
        return socket_

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:  # noqa: FBT001, FBT002
        log.log(level, msg, exc_info=traceback)


class _SharingServer(_HttpServer):
    """One of several processes on a port: the kernel gives each new connection to one of them."""

    @staticmethod
    def bind_socket(socket_: socket.socket, bind_addr: tuple[str, int]) -> socket.socket:
        socket_.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        return _HttpServer.bind_socket(socket_, bind_addr)


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Lay nested changes over a document."""
    result = dict(base)
    for key, value in changes.items():
        nested = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if nested else value
    return result


class Reference:
    """A reference deployment in this process, served from threads while its context lasts.

    ``store`` may be read at any time: it says which addresses and associations are alive.
    """

    def __init__(
        self, settings: Settings | None = None, *, faults: Sequence[str] = (), variant: str | None = None
    ) -> None:
        self.variant: Variant | None = variant_of(variant) if variant else None
        chosen = settings or Settings()
        self.settings = chosen.with_changes(self.variant.settings) if self.variant else chosen
        check_loopback(self.settings.host)
        self.faults = tuple(map(self._fault, faults))
        self.store = self._store()
        self.deployment = self._deployment()
        self._running: list[tuple[Any, threading.Thread]] = []
        self.compute = self.network = ""

    def _fault(self, name: str) -> Fault:
        """Give a fault; those of several processes exist where there is a file that they may share."""
        of_replicas = {fault.name: fault for fault in replicas.registry.faults if self.settings.state}
        return of_replicas.get(name) or fault_named(name)

    def _store(self) -> Store:
        servers, opaque, file = self.settings.servers, self.settings.opaque_servers, self.settings.state
        if file is None:
            return Store(self.tokens, servers=servers, opaque_servers=opaque)
        return Database(file, self.tokens, servers=servers, opaque_servers=opaque)

    def _deployment(self) -> Deployment:
        layers = [fault.hook for fault in self.faults] + ([self.variant.hook] if self.variant else [])
        bases = tuple(dict.fromkeys([*layers, Deployment]))
        deployed: type[Deployment] = type("Deployed", bases, {})
        return deployed(self.store, self.settings.rules)

    @property
    def tokens(self) -> Tokens:
        """The credentials of the three callers."""
        return self.settings.tokens

    @property
    def url(self) -> str:
        """The base URL of the compute service, and of both if they are at one place."""
        return self.compute

    @property
    def servers(self) -> tuple[str, ...]:
        """The ids of the tenant's servers."""
        return self.store.servers_of(self.store.tenant)[: self.settings.servers]

    @property
    def ports(self) -> dict[str, str]:
        """The port of each of these servers."""
        return {server: self.store.port_of(server) for server in self.servers}

    def start(self) -> Self:
        """Listen and serve.

        Raises:
            OSError: A port cannot be had; nothing is served then.
        """
        try:
            self._serve_both()
        except OSError:
            self.stop()
            raise
        return self

    def _serve_both(self) -> None:
        if self.settings.network_port is None:
            self.compute = self.network = self._serve(self.settings.port, frozenset({COMPUTE, NETWORK}))
        else:
            self.compute = self._serve(self.settings.port, frozenset({COMPUTE}))
            self.network = self._serve(self.settings.network_port, frozenset({NETWORK}))

    def _serve(self, port: int, sides: frozenset[str]) -> str:
        kind = _SharingServer if self.settings.state else _HttpServer
        server = kind((self.settings.host, port), self.deployment.app(sides), self.settings.protocol)
        server.prepare()
        thread = threading.Thread(target=server.serve, name="reference", daemon=True)
        thread.start()
        self._running.append((server, thread))
        host, number = server.bind_addr
        shown = f"[{host}]" if ":" in host else host
        return "/".join([f"http://{shown}:{number}", *self.deployment.prefix])

    def stop(self) -> None:
        """Stop serving; the store stays as it is, or in its file."""
        while self._running:
            server, thread = self._running.pop()
            server.stop()
            thread.join()
        self.store.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def target(self) -> dict[str, Any]:
        """Give the target description, with the credentials named by their environment variables."""
        resources: dict[str, Any] = {"servers": list(self.servers), "network_id": PUBLIC_NETWORK}
        resources["foreign_servers"] = list(self.store.servers_of(self.store.other_tenant))
        if self.settings.publish_ports:
            resources["ports"] = self.ports
        base = {
            "name": f"reference-{self.variant.name}" if self.variant else "reference",
            "compute": self.compute,
            "network": self.network,
            "auth": {
                "token": "env:CONFORMANCE_TOKEN",
                "restricted_token": "env:CONFORMANCE_RESTRICTED_TOKEN",
                "foreign_token": "env:CONFORMANCE_FOREIGN_TOKEN",
            },
            "resources": resources,
            "limits": {"max_addresses": self.free_quota()},
            "policy": {"settle_seconds": 5},
        }
        return merged(base, self.variant.target if self.variant else {})

    def free_quota(self) -> int:
        """Give the number of shared addresses that the tenant may still allocate, to any of its ports."""
        alive, rules = self.store.state.addresses.values(), self.settings.rules
        shared = sum(one.type == "shared" and one.tenant == self.store.tenant for one in alive)
        crowded = max(sum(port in one.port_ids for one in alive) for port in self.ports.values())
        return min(rules.shared_quota - shared, rules.port_quota - crowded)

    def announcement(self) -> dict[str, Any]:
        """Give what a client must know, without any token."""
        target = self.target()
        return {
            "compute": self.compute,
            "network": self.network,
            "servers": list(self.servers),
            "network_id": PUBLIC_NETWORK,
            "ports": self.ports,
            "policy": target["policy"],
            "limits": target["limits"],
        }
