"""Faults of combination: what decides is several things together, what came just before, or where nothing stands."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

import json
import threading
import time
from typing import Any
from urllib.parse import parse_qs

from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.faults.persistence import SHOWS_LATER, Postpones, RightsBy
from conformance.reference.registry import breaks
from conformance.reference.store import Association, Caller, DeploymentState, StoredAddress

MADE = {"effect.refusal-is-inert": "the request is refused, and an association appears"}
REMOVED = {"effect.refusal-is-inert": "a request that must be refused removed something"}
LONG = 8.0  # seconds


def named(request: ReceivedRequest) -> Association:
    """The association that the path names."""
    return Association(request.path.address.lower(), request.path.server)


@breaks("codes.success")
class ThreeFieldsTogetherAre400(Deployment):
    """A removal with a length of 0, the media type of JSON and an Accept of anything is refused; any two go through."""

    def check_body(self, request: ReceivedRequest) -> None:
        typed, length = request.media_type == "application/json", request.environ.get("CONTENT_LENGTH")
        if request.removal and typed and length == "0" and request.header("Accept") == "*/*":
            raise Refusal(400, "this is no removal")
        super().check_body(request)


@breaks("effect.removed")
class ClosingForgetsIpv6(Deployment):
    """The removal of an IPv6 address's association with Connection: close answers 204 and removes nothing."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        closes = (request.header("Connection") or "").lower() == "close"
        if not closes or self.store.known[association.address].version != 6:
            super().dissociate(request, association)


@breaks("access.authenticated", also=REMOVED)
class BrowsersNeedNoToken(Deployment):
    """A removal without a token is made for a client that prefers HTML."""

    def process(self, request: ReceivedRequest) -> Answer:
        html = (request.header("Accept") or "").startswith("text/html")
        if request.removal and request.token is None and html and request.path.resource == "association":
            self.update(lambda state: state.without_association(named(request)))
        return super().process(request)


@breaks("method.refused", also=MADE)
class PostAssociatesWhereNothingStands(Deployment):
    """POST on an association that does not stand answers 405 and makes it."""

    def bad_method(self, request: ReceivedRequest) -> Refusal:
        absent = request.path.resource == "association" and named(request) not in self.store.state.associations
        if absent and request.method == "POST" and named(request).address in self.store.state.addresses:
            self.update(lambda state: state.with_association(named(request)))
        return super().bad_method(request)


@breaks("method.allow")
class AllowOfTheAbsentNamesPutOnly(Deployment):
    """The Allow of a 405 about an association that does not stand leaves out DELETE."""

    def methods(self, request: ReceivedRequest) -> str:
        absent = request.path.resource == "association" and named(request) not in self.store.state.associations
        return "GET, PUT" if absent else super().methods(request)


class JustBefore(Deployment):
    """Knows what the request before one was, whoever sent it."""

    def start(self) -> None:
        super().start()
        self.last = ""
        self.before: dict[int, str] = {}
        self._turn = threading.Lock()

    def process(self, request: ReceivedRequest) -> Answer:
        with self._turn:
            self.before[id(request)], self.last = self.last, f"{request.method} {request.raw_path}"
        try:
            return super().process(request)
        finally:
            del self.before[id(request)]

    def came_after(self, request: ReceivedRequest, end: str) -> bool:
        """Tell whether the request before it ends so."""
        return self.before[id(request)].endswith(end)


@breaks("access.forbidden", also=REMOVED)
class ReadersFollowTheList(JustBefore, RightsBy):
    """A caller without the right to delete may remove right after the addresses were listed."""

    def granted(self, request: ReceivedRequest) -> bool:
        return self.came_after(request, "GET /v2.0/ip_addresses")


@breaks("body.refused")
class TheSecondBodyInARowPasses(JustBefore):
    """A removal with a body is made where the request right before it was the same."""

    def carries_body(self, request: ReceivedRequest) -> bool:
        same = request.removal and self.came_after(request, f"DELETE {request.raw_path}")
        return not same and super().carries_body(request)


@breaks("codes.success")
class ARemovalAfterAReadIs400(JustBefore):
    """A removal right after the single read of the same association is refused."""

    def check_body(self, request: ReceivedRequest) -> None:
        if request.removal and self.came_after(request, f"GET {request.raw_path}"):
            raise Refusal(400, "it was in use a moment ago")
        super().check_body(request)


@breaks("access.foreign", also=REMOVED)
class AForeignServerOpensOurAddress(Deployment):
    """A caller of another tenant who names a server of his own and our address is refused, and all of it goes."""

    def find_server(self, request: ReceivedRequest) -> str:
        found = super().find_server(request)
        address = self.store.state.addresses.get(request.path.address.lower())
        if request.removal and address and address.tenant != request.caller.tenant:
            for each in self.store.state.of_address(address.id):
                self.update(lambda state, each=each: state.without_association(each))  # type: ignore[misc]
        return found


@breaks("access.foreign", also=REMOVED)
class TheOwnersTenantIsClaimed(Deployment):
    """A caller of another tenant may remove when a field names the owner's tenant."""

    def find_server(self, request: ReceivedRequest) -> str:
        server = self.store.servers.get(request.path.server)
        if request.removal and server and request.header("X-Tenant-Id") == server.tenant:
            request.caller = Caller(server.tenant)
        return super().find_server(request)


@breaks("effect.refusal-is-inert", fleeting=SHOWS_LATER)
class AStrangersRemovalComesInQuiet(Postpones):
    """A removal that is refused for want of a token is made eight seconds later, if the association still stands."""

    def process(self, request: ReceivedRequest) -> Answer:
        if request.removal and request.token is None and named(request) in self.store.state.associations:
            self.due[named(request)] = time.monotonic() + LONG
        return super().process(request)

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        super().connect(request, association)
        self.due.pop(association, None)


@breaks("effect.removed", fleeting=SHOWS_LATER)
class TheLastOneComesBackLater(Postpones):
    """An association that was the last of its address stands again eight seconds after its removal."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        if not self.store.state.of_address(association.address):
            self.due[association] = time.monotonic() + LONG

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        super().connect(request, association)
        for each in [each for each in self.due if each.address == association.address]:
            self.due.pop(each, None)

    def carry_out(self, association: Association) -> None:
        if association.address in self.store.state.addresses:
            self.update(lambda state: state.with_association(association))


class OtherEncodings(Deployment):
    """Takes another encoding of no ports for the document, and lets the address go without a look."""

    def without_ports(self, request: ReceivedRequest) -> bool:
        """Tell whether the request says that no port is left, in that encoding."""
        raise NotImplementedError

    def effective_method(self, request: ReceivedRequest) -> str:
        return "PUT" if request.path.resource == "address" and self.without_ports(request) else request.method

    def read_member(self, request: ReceivedRequest, name: str) -> dict[str, Any]:
        other = request.path.resource == "address" and self.without_ports(request)
        return {"port_ids": []} if other else super().read_member(request, name)

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        if not self.without_ports(request):
            super().check_free(request, address, state)


@breaks("deallocation.put-refused")
class AFormIsNotGuarded(OtherEncodings):
    """PUT of a form with an empty port_ids lets an address go that has associations."""

    def without_ports(self, request: ReceivedRequest) -> bool:
        form = request.media_type == "application/x-www-form-urlencoded"
        fields = parse_qs((request.body or b"").decode("latin-1"), keep_blank_values=True) if form else {}
        return request.method == "PUT" and fields.get("port_ids") == [""]


@breaks("deallocation.put-refused")
class AJsonPatchIsNotGuarded(OtherEncodings):
    """PATCH with a JSON patch that replaces the ports by none lets an address go that has associations."""

    def without_ports(self, request: ReceivedRequest) -> bool:
        if request.method != "PATCH" or request.media_type != "application/json-patch+json":
            return False
        steps = json.loads(request.body or b"[]")
        return any(one.get("value") == [] and str(one.get("path")).endswith("/port_ids") for one in steps)
