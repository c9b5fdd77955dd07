"""Lawful variants of the reference deployment: what a conforming deployment is free to do otherwise.

None of them may be reported. Where a target's description must say something for that, the variant says what.
"""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

import gzip
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from conformance.reference import freedoms  # noqa: F401 - importing it registers its variants
from conformance.reference.app import UUID, Deployment
from conformance.reference.exchange import ERROR_NAMES, Answer, ReceivedRequest, Refusal
from conformance.reference.registry import Variant, lawful, named, registry
from conformance.reference.store import Association, Caller, DeploymentState, StoredAddress

LAG = 0.5  # seconds
Result = TypeVar("Result")


def recode(step: Callable[[], Result], code: int) -> Result:
    """Take a step; if it is refused, refuse with another code.

    Raises:
        Refusal: With the code, for the reason that the step has.
    """
    try:
        return step()
    except Refusal as refusal:
        raise Refusal(code, refusal.message) from None


def with_content(answer: Answer, media_type: str, text: str) -> Answer:
    """Give an answer other content."""
    return replace(answer, content=text.encode(), headers=(*answer.headers, ("Content-Type", media_type)))


def enriched(document: Any) -> Any:
    """Add a member to every object of a document."""
    if isinstance(document, list):
        return [enriched(each) for each in document]
    if isinstance(document, dict):
        return {**{key: enriched(value) for key, value in document.items()}, "links": [], "OS-EXT:zone": None}
    return document


def variants() -> tuple[Variant, ...]:
    """Give all variants, in the order in which they are written down."""
    return tuple(registry.variants)


def variant_named(name: str) -> Variant:
    """Give the variant of a name.

    Raises:
        UnknownNameError: There is none; the message names those that come near.
    """
    return named(variants(), name, "variant")


# Codes that are free.


@lawful()
class RefusalsAre403(Deployment):
    """The compute service refuses with 403 what it refuses with 400 elsewhere."""

    def refused(self, request: ReceivedRequest, refusal: Refusal) -> Answer:
        if request.path.resource.startswith("association") and refusal.code == 400:
            refusal = Refusal(403, refusal.message, *refusal.headers)
        return super().refused(request, refusal)


@lawful()
class HeldAddressIs400(Deployment):
    """De-allocating an address that has associations is refused with 400."""

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        recode(lambda: super(HeldAddressIs400, self).check_free(request, address, state), 400)


@lawful()
class HeldAddressIs403(Deployment):
    """De-allocating an address that has associations is refused with 403."""

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        recode(lambda: super(HeldAddressIs403, self).check_free(request, address, state), 403)


@lawful()
class UnknownAddressIs400(Deployment):
    """The networking service answers 400 for an address that is unknown or de-allocated."""

    def find_address(self, request: ReceivedRequest, state: DeploymentState) -> StoredAddress:
        return recode(lambda: super(UnknownAddressIs400, self).find_address(request, state), 400)


@lawful()
class DeallocatedAddressIs403(Deployment):
    """The networking service answers 403 for an address that was de-allocated, 404 for one that never was."""

    def find_address(self, request: ReceivedRequest, state: DeploymentState) -> StoredAddress:
        past = request.path.address.lower() in self.store.known
        code = 403 if past else 404
        return recode(lambda: super(DeallocatedAddressIs403, self).find_address(request, state), code)


@lawful()
class AllocationAnswers200(Deployment):
    """POST of an address answers 200."""

    def allocated(self, address: StoredAddress) -> Answer:
        return replace(super().allocated(address), code=200)


@lawful()
class AssociationNeedsABody(Deployment):
    """An association is made only of a document that says so, as the field's client sends it."""

    def check_associate_body(self, request: ReceivedRequest) -> None:
        super().check_associate_body(request)
        if not self.carries_body(request):
            raise Refusal(400, "the body must hold an ip_association")


@lawful()
class AssociationAnswers200(Deployment):
    """PUT of an association answers 200."""

    def associated(self, request: ReceivedRequest, address: StoredAddress) -> Answer:
        return replace(super().associated(request, address), code=200)


@lawful()
class RepetitionIs204(Deployment):
    """Removing what is not associated any more answers 204 and changes nothing."""

    def remove(self, request: ReceivedRequest) -> Answer:
        try:
            return super().remove(request)
        except Refusal as refusal:
            address = self.store.known.get(request.path.address.lower())
            if "association" in refusal.message and address and address.tenant == request.caller.tenant:
                return self.removed(request)
            raise


@lawful()
class RemovingNothingIs204(Deployment):
    """A removal of what does not stand is granted to every caller, whichever the server is said to be."""

    def remove(self, request: ReceivedRequest) -> Answer:
        self.check_body(request)
        named = Association(self.read_address_id(request), request.path.server)
        if named not in self.store.state.associations:
            return self.removed(request)
        return super().remove(request)


# Order of the checks.


@lawful()
class BodyBeforeAuthentication(Deployment):
    """A body is refused before anybody asks who sends it."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        if request.removal:
            self.check_body(request)
        return super().authenticate(request)


@lawful()
class AuthenticationLast(Deployment):
    """Method, body and identifier are checked before the token."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        self.choose(request)
        if request.removal:
            self.check_body(request)
            self.read_address_id(request)
        return super().authenticate(request)


# Documents and headers.


@lawful()
class VersionIsText(Deployment):
    """The version of an address is text, not a number."""

    def address_document(self, address: StoredAddress) -> dict[str, Any]:
        return {**super().address_document(address), "version": str(address.version)}


@lawful()
class ErrorsAreText(Deployment):
    """Errors are plain text."""

    def refused(self, request: ReceivedRequest, refusal: Refusal) -> Answer:
        return with_content(super().refused(request, refusal), "text/plain", refusal.message)


@lawful()
class ErrorsAreHtml(Deployment):
    """Errors are HTML unless JSON is asked for by name."""

    def refused(self, request: ReceivedRequest, refusal: Refusal) -> Answer:
        answer = super().refused(request, refusal)
        if "application/json" in (request.header("Accept") or ""):
            return answer
        page = f"<!DOCTYPE html><title>{answer.status}</title><h1>{answer.status}</h1>"
        return with_content(answer, "text/html; charset=utf-8", page)


@lawful()
class ErrorsAreEmpty(Deployment):
    """Errors have no content."""

    def refused(self, request: ReceivedRequest, refusal: Refusal) -> Answer:
        return replace(super().refused(request, refusal), document=None)


@lawful()
class ErrorsAreFlat(Deployment):
    """Errors are JSON of another shape."""

    def refused(self, request: ReceivedRequest, refusal: Refusal) -> Answer:
        flat = {"error": ERROR_NAMES.get(refusal.code, "error"), "detail": [refusal.message]}
        return replace(super().refused(request, refusal), document=flat)


@lawful()
class MoreMembersAndHeaders(Deployment):
    """Every document has members and every answer headers that nobody documented."""

    def finish(self, _request: ReceivedRequest, answer: Answer) -> Answer:
        headers = (*answer.headers, ("X-Compute-Request-Id", "req-1"), ("Vary", "Accept"))
        return replace(answer, headers=headers, document=enriched(answer.document))


@lawful()
class UpperCaseAnswers(Deployment):
    """The IDs of addresses are written in upper case."""

    def address_document(self, address: StoredAddress) -> dict[str, Any]:
        return {**super().address_document(address), "id": address.id.upper()}

    def association_document(self, address: StoredAddress) -> dict[str, Any]:
        return {**super().association_document(address), "id": address.id.upper()}


@lawful()
class NetworkKnowsLowerCaseOnly(Deployment):
    """The networking service does not know an ID in upper case."""

    def find_address(self, request: ReceivedRequest, state: DeploymentState) -> StoredAddress:
        if request.path.address != request.path.address.lower():
            raise Refusal(404, "no such address")
        return super().find_address(request, state)


@lawful()
class MalformedIs400OnTheNetwork(Deployment):
    """The networking service answers 400 for an ID that is no UUID, 404 for one that is unknown."""

    def find_address(self, request: ReceivedRequest, state: DeploymentState) -> StoredAddress:
        if not UUID.fullmatch(request.path.address):
            raise Refusal(400, "the ID is no UUID")
        return super().find_address(request, state)


@lawful()
class ShuffledLists(Deployment):
    """Lists come in another order each time."""

    def finish(self, _request: ReceivedRequest, answer: Answer) -> Answer:
        for value in (answer.document or {}).values():
            if isinstance(value, list):
                random.shuffle(value)
        return answer


@lawful()
class ChallengesTheUnauthenticated(Deployment):
    """A 401 says how to authenticate."""

    def finish(self, _request: ReceivedRequest, answer: Answer) -> Answer:
        challenge = ("WWW-Authenticate", 'Keystone uri="http://identity.example/"')
        return replace(answer, headers=(*answer.headers, challenge)) if answer.code == 401 else answer


@lawful()
class EmptyLengthIsDeclared(Deployment):
    """A 204 declares a Content-Length of 0 and a media type, as the example of the page does."""

    def removed(self, _request: ReceivedRequest) -> Answer:
        return Answer(204, content=b"", headers=(("Content-Type", "application/json"),))


# The wire.


@lawful()
class Gzip(Deployment):
    """Answers are compressed for those who accept it."""

    def finish(self, request: ReceivedRequest, answer: Answer) -> Answer:
        payload = answer.payload
        if not payload or "gzip" not in (request.header("Accept-Encoding") or ""):
            return answer
        headers = (*answer.headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
        return replace(answer, content=gzip.compress(payload, 1), headers=headers)


@lawful()
class ChunkedAnswers(Deployment):
    """Answers with content come in chunks."""

    def finish(self, _request: ReceivedRequest, answer: Answer) -> Answer:
        return replace(answer, sized=answer.code == 204)


@lawful(settings={"protocol": "HTTP/1.0"})
class Http10(Deployment):
    """The deployment speaks HTTP/1.0."""


@lawful()
class ConnectionPerRequest(Deployment):
    """Every answer ends its connection."""

    def finish(self, _request: ReceivedRequest, answer: Answer) -> Answer:
        return replace(answer, headers=(*answer.headers, ("Connection", "close")))


@lawful()
class ClosesOnABody(Deployment):
    """A removal with a body is refused before the body is read, and the connection closed at once."""

    def carries_body(self, request: ReceivedRequest) -> bool:
        framed = request.chunked or request.declared_length > 0
        return framed if request.removal else super().carries_body(request)

    def drain(self, request: ReceivedRequest) -> bool:
        return False if request.removal and self.carries_body(request) else super().drain(request)


@lawful()
class LargeBodyIs413(Deployment):
    """A body of more than 8 KiB is refused with 413, with a time to come back."""

    def check_body(self, request: ReceivedRequest) -> None:
        if len(request.body or b"") > 8 * 1024:
            raise Refusal(413, "this is too much", ("Retry-After", "0"))
        super().check_body(request)


@lawful(settings={"prefix": "/cloud/dfw"})
class PathPrefix(Deployment):
    """Both services are found under a path prefix."""


@lawful(settings={"network_port": 0})
class TwoPorts(Deployment):
    """Compute and networking are at two places."""


# Time and trouble.


@lawful(settings={"latency": 0.05})
class SlowAnswers(Deployment):
    """Every answer takes 50 ms."""


@lawful()
class SlowFirstAnswer(Deployment):
    """The first answer takes a second and a half."""

    def delay(self, request: ReceivedRequest) -> None:
        if self.every(1, "request") and self.tally["request"] == 1:
            time.sleep(1.5)
        super().delay(request)


@lawful()
class Sporadic503(Deployment):
    """Every 29th request answers 503 and has no effect."""

    def process(self, request: ReceivedRequest) -> Answer:
        if self.every(29, "request"):
            raise Refusal(503, "come back later", ("Retry-After", "0"))
        return super().process(request)


@lawful()
class Sporadic500(Deployment):
    """Every 31st request answers 500; half of these had their effect before."""

    def process(self, request: ReceivedRequest) -> Answer:
        failing = self.every(31, "request")
        if failing and self.every(2, "failure"):
            raise Refusal(500, "something broke before the work")
        answer = super().process(request)
        if failing:
            raise Refusal(500, "something broke after the work")
        return answer


@lawful()
class RateLimited(Deployment):
    """More than sixty requests in a second are refused with 413 and a Retry-After of one second."""

    def start(self) -> None:
        super().start()
        self.recent: deque[float] = deque(maxlen=60)

    def process(self, request: ReceivedRequest) -> Answer:
        now = time.monotonic()
        if len(self.recent) == self.recent.maxlen and now - self.recent[0] < 1:
            raise Refusal(413, "over the rate limit", ("Retry-After", "1"))
        self.recent.append(now)
        return super().process(request)


# What reads show.


class Past:
    """Remembers states, to show what was true some time ago."""

    def __init__(self, first: DeploymentState) -> None:
        self.states: deque[tuple[float, DeploymentState]] = deque([(0.0, first)])

    def add(self, state: DeploymentState) -> None:
        """Keep a state as of now and forget those that nobody can see any more."""
        self.states.append((time.monotonic(), state))
        while len(self.states) > 1 and self.states[1][0] < time.monotonic() - 2 * LAG:
            self.states.popleft()

    def ago(self, seconds: float) -> DeploymentState:
        """Give the state that was the newest some seconds ago."""
        then = time.monotonic() - seconds
        return next((state for when, state in reversed(list(self.states)) if when <= then), self.states[0][1])


def lagging(name: str, words: str, *resources: str, replicas: int = 1) -> None:
    """Register a variant whose reads of the resources lag; of several replicas only one does."""

    class Lags(Deployment):
        def start(self) -> None:
            super().start()
            self.past = Past(self.store.state)

        def update(self, change: Any) -> None:
            with self.store.lock:
                super().update(change)
                self.past.add(self.store.state)

        def view(self, request: ReceivedRequest) -> DeploymentState:
            lags = request.path.resource in resources and self.every(replicas, "read")
            return self.past.ago(LAG) if lags else super().view(request)

    Lags.__name__, Lags.__doc__ = name, words
    lawful()(Lags)


lagging("LaggingList", "The list of associations lags half a second.", "associations")
lagging("LaggingSingleRead", "The single read of an association lags half a second.", "association")
lagging("LaggingAddresses", "Reads of addresses lag half a second.", "address", "addresses")
lagging(
    "LaggingReads",
    "All reads lag half a second.",
    *("associations", "association", "address", "addresses"),
)
lagging(
    "LaggingReplica",
    "Every second read of associations comes from a replica that lags half a second.",
    *("associations", "association"),
    replicas=2,
)


# What there is.


@lawful(settings={"shared_quota": 4})
class TheReleasedCountForAWhile(Deployment):
    """A shared address counts for two seconds more after it was de-allocated."""

    def start(self) -> None:
        super().start()
        self.given_back: list[float] = []

    def release(self, request: ReceivedRequest, address: StoredAddress) -> None:
        super().release(request, address)
        self.given_back.append(time.monotonic())

    def check_quota(self, request: ReceivedRequest, port_ids: tuple[str, ...], replaced: str = "") -> None:
        super().check_quota(request, port_ids, replaced)
        held = [one for one in self.store.state.addresses.values() if one.id != replaced and one.type == "shared"]
        lately = sum(time.monotonic() < since + 2.0 for since in self.given_back)
        if len(port_ids) > 1 and len(held) + lately >= self.rules.shared_quota:
            raise Refusal(400, "the quota of shared addresses on this network is used up for a while")


@lawful(settings={"shared_quota": 2})
class QuotaOfTwo(Deployment):
    """The tenant may have two shared addresses at once."""


@lawful(settings={"port_quota": 4})
class FourAddressesAPort(Deployment):
    """A port may have four addresses at once."""


@lawful(settings={"opaque_servers": True})
class OpaqueServers(Deployment):
    """The IDs of servers are no UUIDs."""


@lawful(settings={"publish_ports": True})
class NoPortsApi(Deployment):
    """There is no way to ask for ports, so that the description names them."""

    def list_ports(self, _request: ReceivedRequest) -> Answer:
        raise Refusal(404, "there is nothing at this path")


@lawful()
class OnlyIpv4(Deployment):
    """There are no IPv6 addresses."""

    def versions(self) -> tuple[int, ...]:
        return (4,)


@lawful()
class OnlyIpv6(Deployment):
    """There are no IPv4 addresses."""

    def versions(self) -> tuple[int, ...]:
        return (6,)


@lawful()
class Populated(Deployment):
    """The tenant already has two shared addresses, associated with all their servers."""

    def start(self) -> None:
        super().start()
        servers = self.store.servers_of(self.store.tenant)[:2]
        for version in (4, 6):
            ports = tuple(map(self.store.port_of, servers))
            address = self.store.fresh_address(self.store.tenant, version, ports)
            self.update(lambda state, new=address: state.with_address(new))  # type: ignore[misc]
            for server in servers:
                known = Association(address.id, server)
                self.update(lambda state, new=known: state.with_association(new))  # type: ignore[misc]


@lawful()
class CrowdedLists(Deployment):
    """The tenant has two hundred addresses on another server, and the list of addresses is long."""

    def start(self) -> None:
        super().start()
        server = self.store.add_server(self.store.tenant)
        port = self.store.port_of(server.id)
        crowd = [self.store.fresh_address(self.store.tenant, 4, (port,)) for _ in range(200)]
        self.update(lambda state: replace(state, addresses={one.id: one for one in crowd}))


@lawful()
class AssociatedAddressesMove(Deployment):
    """The ports of an address may be replaced although it has associations."""

    def check_movable(self, address: StoredAddress, port_ids: tuple[str, ...]) -> None:
        pass


@lawful(target={"policy": {"request_body": "ignore"}})
class BodiesAreIgnored(Deployment):
    """A body is ignored, and the description says so."""

    def check_body(self, request: ReceivedRequest) -> None:
        pass
