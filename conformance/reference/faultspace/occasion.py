"""What a trigger may look at: a request, the state that it meets, and what was before, meanwhile and when."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from conformance.reference.exchange import ReceivedRequest, Refusal
from conformance.reference.store import Association, Caller, DeploymentState, Store, StoredAddress

if TYPE_CHECKING:
    from conformance.reference.app import Deployment

REMEMBERED = 50  # requests
DOCUMENTED = frozenset({"GET", "PUT", "DELETE"})
UNJUDGED = frozenset({"HEAD", "OPTIONS", "TRACE", "CONNECT"})
HARMLESS = frozenset(
    {"HOST", "ACCEPT", "ACCEPT_ENCODING", "USER_AGENT", "CONNECTION", "X_AUTH_TOKEN", "CONTENT_LENGTH", "CONTENT_TYPE"}
)
"""Fields that mean nothing to a removal, as the environment of a request spells them."""


class Role(StrEnum):
    """What a request is to the contract; with more than one flaw it has no role, for any of the refusals may come."""

    GRANTED = "removal"
    DRESSED = "removal with a query or a field that has a meaning"
    REPEATED = "repetition"
    BODIED = "removal with a body"
    MALFORMED = "removal with another identifier"
    ANONYMOUS = "removal without a valid token"
    RESTRICTED = "removal by a caller who may only read"
    FOREIGN = "removal by another tenant"
    METHOD = "undocumented method"
    HELD = "de-allocation of a held address"
    FREEING = "de-allocation of a free address"
    ASSOCIATING = "association"


@dataclass(frozen=True, slots=True)
class PastRequest:
    """A request of the past: when it came, what it was, what it named and how it was answered."""

    when: float
    role: Role | None
    method: str
    resource: str
    address: str
    server: str
    caller: Caller | None
    code: int


@dataclass(frozen=True, slots=True)
class Occasion:
    """A request that has a role, with everything that a trigger may want to know.

    Attributes:
        address: what the request is about, however it was named.
        number: the how-manieth request of its role this is, from 1.
        overlapping: other requests of which some part fell into the time of this one.
    """

    request: ReceivedRequest
    role: Role
    state: DeploymentState
    address: StoredAddress
    server: str
    now: float
    number: int
    history: RequestHistory
    overlapping: tuple[ReceivedRequest, ...] = ()

    @property
    def association(self) -> Association:
        """The pair that the request names."""
        return Association(self.address.id, self.server)

    @property
    def age(self) -> float:
        """Seconds since the pair was associated last; 0 if it never was."""
        return self.now - self.history.since.get(self.association, self.now)

    @property
    def age_of_address(self) -> float:
        """Seconds since the address was allocated."""
        return self.now - self.history.born.get(self.address.id, self.now)

    @property
    def last(self) -> PastRequest | None:
        """The request before."""
        return self.history.events[-1] if self.history.events else None


class RequestHistory:
    """What a deployment keeps in mind of the past."""

    def __init__(self, now: float, callers: Mapping[str, Caller]) -> None:
        self.started, self.callers, self.answered = now, callers, 0
        self.events: deque[PastRequest] = deque(maxlen=REMEMBERED)
        self.numbers: Counter[Role] = Counter()
        self.since: dict[Association, float] = {}
        self.made: Counter[Association] = Counter()
        self.removed: dict[Association, float] = {}
        self.gone: Counter[str] = Counter()
        self.born: dict[str, float] = {}
        self.connections: Counter[str] = Counter()
        self._open: list[tuple[ReceivedRequest, list[ReceivedRequest]]] = []

    @contextmanager
    def during(self, request: ReceivedRequest) -> Iterator[list[ReceivedRequest]]:
        """Count a request among those under way; give the list of those that overlap with it, which grows."""
        met = [other for other, _ in self._open]
        for _, others in self._open:
            others.append(request)
        entry = (request, met)
        self._open.append(entry)
        self.connections[connection_of(request)] += 1
        try:
            yield met
        finally:
            self._open.remove(entry)

    def note(self, event: PastRequest, before: DeploymentState, after: DeploymentState) -> None:
        """Write down a request that has ended and what has changed since it began."""
        self.events.append(event)
        self.answered += 1
        for association in set(after.associations) - set(before.associations):
            self.since[association] = event.when
            self.made[association] += 1
        for association in set(before.associations) - set(after.associations):
            self.removed[association] = event.when
            self.gone[association.address] += 1
        for address in after.addresses.keys() - before.addresses.keys():
            self.born[address] = event.when


def connection_of(request: ReceivedRequest) -> str:
    """Name the connection that a request came on."""
    return str(request.environ.get("REMOTE_PORT", ""))


def digest(*parts: str) -> int:
    """Give a number that depends on every part and looks like chance."""
    return int.from_bytes(hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).digest()[:8], "big")


def known_as(store: Store, identifier: str) -> StoredAddress | None:
    """Give the address that an identifier means: by ID, by literal, or by an ID in any other spelling.

    Whatever holds the 32 digits of an ID in their order counts as a spelling of it.
    """
    wanted = identifier.strip().lower()
    if wanted in store.known:
        return store.known[wanted]
    digits = "".join(re.findall(r"[0-9a-f]", wanted.removeprefix("urn:uuid:")))[:32]
    pairs = ((one.id.replace("-", ""), one) for one in store.state.addresses.values())
    return next((one for spelt, one in pairs if spelt == digits or one.address == wanted.strip("[]")), None)


def role_of(deployment: Deployment, request: ReceivedRequest) -> tuple[Role, StoredAddress] | None:
    """Tell what a request is to the contract and which address it is about."""
    address = known_as(deployment.store, request.path.address)
    if address is None:
        return None
    caller = deployment.store.callers.get(request.token or "")
    if request.path.resource == "association":
        role = _role_on_association(deployment, request, caller, address)
    else:
        role = _role_on_address(deployment, request, caller, address)
    return (role, address) if role else None


def _role_on_association(
    deployment: Deployment, request: ReceivedRequest, caller: Caller | None, address: StoredAddress
) -> Role | None:
    server = deployment.store.servers.get(request.path.server)
    if server is None or server.tenant != address.tenant:
        return None
    standing = Association(address.id, server.id) in deployment.store.state.associations
    flaws = [*_flaws(request, caller, address)]
    if request.method == "PUT":
        return Role.ASSOCIATING if not standing and not flaws else None
    if request.method != "DELETE":
        strange = request.method not in DOCUMENTED | UNJUDGED
        return Role.METHOD if strange and standing and not flaws else None
    return _role_of_removal(request, flaws, standing=standing)


def _role_of_removal(request: ReceivedRequest, flaws: list[Role], *, standing: bool) -> Role | None:
    if flaws:
        alone = standing and len(flaws) == 1 and not dressed(request)
        return flaws[0] if alone else None
    if dressed(request):
        return Role.DRESSED if standing else None
    return Role.GRANTED if standing else Role.REPEATED


def _flaws(request: ReceivedRequest, caller: Caller | None, address: StoredAddress) -> Iterator[Role]:
    if caller is None:
        yield Role.ANONYMOUS
    elif caller.tenant != address.tenant:
        yield Role.FOREIGN
    elif not caller.may_write:
        yield Role.RESTRICTED
    if request.path.address != address.id:
        yield Role.MALFORMED
    if request.chunked or request.declared_length:
        yield Role.BODIED


def field_names(request: ReceivedRequest) -> set[str]:
    """Give the names of a request's fields, as its environment spells them."""
    return {name.removeprefix("HTTP_") for name in request.environ if name.startswith("HTTP_")}


def dressed(request: ReceivedRequest) -> bool:
    """Tell whether a request has a query, or a field that a service may refuse."""
    strange = field_names(request) - HARMLESS or request.header("Accept") not in {None, "*/*", "application/json"}
    typed = not request.declared_length and not request.chunked and request.media_type not in {"", "application/json"}
    return bool(request.query or strange or typed)


def _role_on_address(
    deployment: Deployment, request: ReceivedRequest, caller: Caller | None, address: StoredAddress
) -> Role | None:
    if request.path.resource != "address" or caller != Caller(address.tenant):
        return None
    if request.query or address.id not in deployment.store.state.addresses:
        return None
    if not (request.method == "DELETE" or (request.method == "PUT" and _empties(request))):
        return None
    return Role.HELD if deployment.store.state.of_address(address.id) else Role.FREEING


def _empties(request: ReceivedRequest) -> bool:
    try:
        document = request.document()
    except Refusal:
        return False
    member = document.get("ip_address") if isinstance(document, dict) else None
    return isinstance(member, dict) and member.get("port_ids") == []


def neighbours(occasion: Occasion) -> Iterator[Association]:
    """Give the other associations, those of the same address first."""
    others = [each for each in occasion.state.associations if each != occasion.association]
    same = [each for each in others if each.address == occasion.address.id]
    yield from itertools.chain(same, (each for each in others if each not in same))
