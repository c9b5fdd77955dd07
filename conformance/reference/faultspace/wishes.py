"""Requests of every role, made up at random by somebody who may know everything about a deployment."""

from __future__ import annotations

import io
import json
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import quote

from conformance.reference.app import Deployment
from conformance.reference.exchange import ReceivedRequest
from conformance.reference.faultspace.occasion import Role
from conformance.reference.store import PUBLIC_NETWORK, Association, Caller, StoredAddress


@dataclass(frozen=True, slots=True)
class Wish:
    """A request before it is one; ``sized``: its length is declared even if it is 0."""

    method: str
    path: str
    token: str | None
    fields: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    body: bytes = b""
    media_type: str = ""
    chunked: bool = False
    connection: int = 0
    sized: bool = False

    def request(self) -> ReceivedRequest:
        """Give it as it arrives; it can be made as often as wanted."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "REQUEST_URI": self.path + (f"?{self.query}" if self.query else ""),
            "REMOTE_PORT": str(self.connection),
            "wsgi.input": io.BytesIO(self.body),
            **{f"HTTP_{name}": value for name, value in self.fields.items()},
        }
        if self.token is not None:
            environ["HTTP_X_AUTH_TOKEN"] = self.token
        if self.chunked:
            environ["wsgi.input_terminated"] = True
        elif self.body or self.sized:
            environ["CONTENT_LENGTH"] = str(len(self.body))
        if self.media_type:
            environ["CONTENT_TYPE"] = self.media_type
        return ReceivedRequest(environ)


class Wishes:
    """Makes requests of a deployment's own things."""

    def __init__(self, deployment: Deployment, draw: Random) -> None:
        self.deployment, self.draw = deployment, draw
        self.store = deployment.store
        self.servers = self.store.servers_of(self.store.tenant)
        self._made: dict[Role, Callable[[], Wish | None]] = {
            Role.GRANTED: self.removal,
            Role.DRESSED: self.dressed,
            Role.REPEATED: self.repetition,
            Role.BODIED: self.bodied,
            Role.MALFORMED: self.malformed,
            Role.ANONYMOUS: self.anonymous,
            Role.RESTRICTED: lambda: self.removal(self.token(Caller(self.store.tenant, may_write=False))),
            Role.FOREIGN: lambda: self.removal(self.token(Caller(self.store.other_tenant))),
            Role.METHOD: self.strange_method,
            Role.HELD: lambda: self.deallocation(held=True),
            Role.FREEING: lambda: self.deallocation(held=False),
        }

    def token(self, caller: Caller | None = None) -> str:
        """Give the token of a caller, by default of the one who may do all."""
        wanted = caller or Caller(self.store.tenant)
        return next(token for token, who in self.store.callers.items() if who == wanted)

    def of_role(self, role: Role) -> Wish | None:
        """Make a request of a role, ``None`` where the state admits none."""
        return self._made[role]()

    def anything(self) -> Wish | None:
        """Make a step on the way: most build something up, some take it down."""
        steps: list[Callable[[], Wish | None]] = [
            self.allocation,
            *[self.association] * 6,
            self.removal,
            self.repetition,
            lambda: self.deallocation(held=False),
            lambda: self.deallocation(held=True),
            self.read,
            self.read,
            self.malformed,
            lambda: self.of_role(self.draw.choice([Role.FOREIGN, Role.RESTRICTED, Role.ANONYMOUS])),
        ]
        return self.draw.choice(steps)()

    # What is there.

    def standing(self) -> Association | None:
        """Choose an association."""
        every = self.store.state.associations
        return self.draw.choice(every) if every else None

    def address(self) -> StoredAddress | None:
        """Choose an address."""
        every = list(self.store.state.addresses.values())
        return self.draw.choice(every) if every else None

    def path(self, server: str, identifier: str) -> str:
        """Give the path of an association."""
        return f"/v2/servers/{quote(server, safe='')}/ip_associations/{quote(identifier, safe='')}"

    def connection(self) -> int:
        """Choose one of a few connections."""
        return self.draw.randint(1, 4)

    # Requests of the roles.

    def removal(self, token: str | None = None) -> Wish | None:
        """Remove an association as a client does."""
        pair = self.standing()
        if pair is None:
            return None
        fields = self.draw.choice([{}, {"ACCEPT": "*/*"}, {"USER_AGENT": "somebody", "ACCEPT": "application/json"}])
        path, by = self.path(pair.server, pair.address), token or self.token()
        return Wish("DELETE", path, by, fields, connection=self.connection(), sized=self.draw.random() < 0.3)

    def dressed(self) -> Wish | None:
        """Remove with a query or with a field that has a meaning."""
        pair = self.standing()
        if pair is None:
            return None
        words = [self.word() for _ in range(self.draw.randint(1, 3))]
        query = "&".join(f"{word}={self.draw.choice(['true', '1', '', self.word()])}" for word in words)
        query = self.draw.choice([query, query, words[0], ""])
        names = ["IF_MATCH", "IF_NONE_MATCH", "PREFER", f"X_{self.word().upper()}", "IF_UNMODIFIED_SINCE"]
        fields = {} if query else {self.draw.choice(names): self.draw.choice(["*", self.word()])}
        if self.draw.random() < 0.1:
            fields["ACCEPT"] = "text/html"
        return Wish(
            "DELETE", self.path(pair.server, pair.address), self.token(), fields, query, connection=self.connection()
        )

    def repetition(self) -> Wish | None:
        """Remove what does not stand."""
        known = list(self.store.known.values())
        if not known:
            return None
        pair = Association(self.draw.choice(known[-6:]).id, self.draw.choice(self.servers))
        if pair in self.store.state.associations:
            return None
        path, sized = self.path(pair.server, pair.address), self.draw.random() < 0.3
        return Wish("DELETE", path, self.token(), connection=self.connection(), sized=sized)

    def bodied(self) -> Wish | None:
        """Remove with a body."""
        pair = self.standing()
        if pair is None:
            return None
        document = {self.word(): self.draw.choice([pair.address, self.word(), {}])}
        size = self.draw.choice([1, 2, 7, 30, 200, 2000, 70001])
        bodies = [json.dumps(document).encode(), b"[]", b" " * size, self.draw.randbytes(size), self.word().encode()]
        media = self.draw.choice(["", "application/json", "text/plain", f"application/{self.word()}"])
        path = self.path(pair.server, pair.address)
        body, chunked = self.draw.choice(bodies), self.draw.random() < 0.3
        return Wish("DELETE", path, self.token(), {}, "", body, media, chunked, self.connection())

    def malformed(self) -> Wish | None:
        """Remove by another identifier of an address that has an association."""
        pair = self.standing()
        if pair is None:
            return None
        address = self.store.known[pair.address]
        return Wish(
            "DELETE", self.path(pair.server, self.spelling(address)), self.token(), connection=self.connection()
        )

    def spelling(self, address: StoredAddress) -> str:
        """Spell an ID otherwise."""
        case = self.draw.choice([str.lower, str.lower, str.upper])
        spelt, plain = case(address.id), case(address.id.replace("-", ""))
        near = [self.draw.choice(["", " ", "{", "(", "urn:uuid:", "0x", "%", "ä"]) for _ in range(2)]
        ends = self.draw.choice(["", " ", "}", ")", ".json", ";" + self.word(), "\xa0"])
        cut = sorted(self.draw.randrange(33) for _ in range(self.draw.randint(0, 6)))
        pieces = [plain[start:end] for start, end in zip([0, *cut], [*cut, 32], strict=True)]
        mixed = "".join(self.draw.choice([each.lower(), each.upper()]) for each in spelt)
        return self.draw.choice(
            [
                plain,
                address.address,
                f"[{address.address}]",
                spelt.upper(),
                mixed,
                "-".join(pieces),
                near[0] + spelt + ends,
                near[1] + plain + ends,
            ]
        )

    def anonymous(self) -> Wish | None:
        """Remove without a token that anybody has."""
        made = self.removal()
        if made is None:
            return None
        letters = string.ascii_letters + string.digits + "-_.:="
        text = "".join(self.draw.choice(letters) for _ in range(self.draw.choice([self.draw.randrange(64), 200])))
        valid = self.token()
        text = self.draw.choice([text, text, valid[:-1], valid + "x", valid.upper(), str(self.draw.getrandbits(64))])
        token = None if self.draw.random() < 0.1 else text
        return replace(made, token=token)

    def strange_method(self) -> Wish | None:
        """Send a method that is not documented."""
        made = self.removal()
        if made is None:
            return None
        method = self.draw.choice(["POST", "PATCH", "delete", "Put", self.word().upper(), self.word()])
        return replace(made, method=method)

    def deallocation(self, *, held: bool) -> Wish | None:
        """De-allocate an address that is held, or one that is free."""
        state = self.store.state
        every = [one for one in state.addresses.values() if bool(state.of_address(one.id)) is held]
        if not every:
            return None
        address, path = self.draw.choice(every), "/v2.0/ip_addresses/"
        if self.draw.random() < 0.5:
            return Wish("DELETE", path + address.id, self.token(), connection=self.connection())
        body = json.dumps({"ip_address": {"port_ids": []}}).encode()
        return Wish(
            "PUT", path + address.id, self.token(), {}, "", body, "application/json", connection=self.connection()
        )

    # Steps on the way.

    def allocation(self) -> Wish | None:
        """Allocate an address to some servers."""
        count = self.draw.randint(1, len(self.servers))
        ports = [self.store.port_of(server) for server in self.draw.sample(self.servers, count)]
        wanted = {"network_id": PUBLIC_NETWORK, "version": self.draw.choice([4, 6]), "port_ids": ports}
        body = json.dumps({"ip_address": wanted}).encode()
        return Wish("POST", "/v2.0/ip_addresses", self.token(), {}, "", body, "application/json")

    def association(self) -> Wish | None:
        """Associate an address with one of its servers."""
        address = self.address()
        if address is None:
            return None
        server = self.store.server_of(self.draw.choice(address.port_ids))
        return Wish("PUT", self.path(server, address.id), self.token(), connection=self.connection())

    def read(self) -> Wish | None:
        """Read something."""
        server = self.draw.choice(self.servers)
        paths = [f"/v2/servers/{quote(server, safe='')}/ip_associations", "/v2.0/ip_addresses"]
        return Wish("GET", self.draw.choice(paths), self.token(), connection=self.connection())

    def word(self) -> str:
        """Make up a word."""
        return "".join(self.draw.choice(string.ascii_lowercase) for _ in range(self.draw.randint(1, 9)))
