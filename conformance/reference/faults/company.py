"""Faults that show beside another reason for a refusal, go with the association, or keep a refusal for later."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

import time
from typing import Any

from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.faults.persistence import SHOWS_LATER
from conformance.reference.registry import breaks
from conformance.reference.store import Association, DeploymentState, StoredAddress

SOON = 1.2  # seconds


@breaks("codes.documented")
class RefusalsAreNegotiated(Deployment):
    """A removal that is refused is answered 406 where Accept names nothing that the refusal could be written in."""

    def refused(self, request: ReceivedRequest, refusal: Refusal) -> Answer:
        accepted = request.header("Accept") or "*/*"
        negotiable = any(one in accepted for one in ("json", "*/*"))
        wrong = request.removal and refusal.code == 400 and not negotiable
        return super().refused(request, Refusal(406, "no such form") if wrong else refusal)


@breaks("codes.documented")
class APreconditionSpoilsARefusal(Deployment):
    """A removal that is refused as malformed is answered 412 where If-Match is sent."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        try:
            return super().read_address_id(request)
        except Refusal as refusal:
            if request.removal and request.header("If-Match"):
                raise Refusal(412, "there is nothing that could match") from refusal
            raise


class BesideAField(Deployment):
    """Takes content for none where a certain field comes with it."""

    FIELD = ""

    def carries_body(self, request: ReceivedRequest) -> bool:
        return super().carries_body(request) and not (request.removal and request.header(self.FIELD))


@breaks("body.refused")
class AnExpectedBodyIsIgnored(BesideAField):
    """A removal whose content is announced by Expect is made."""

    FIELD = "Expect"


@breaks("body.refused")
class APartOfABodyIsIgnored(BesideAField):
    """A removal whose content is said to be part of a whole is made."""

    FIELD = "Content-Range"


@breaks("codes.success")
class Ipv6IsRemovedWith500(Deployment):
    """The removal of an IPv6 address's association is made, and always answered 500."""

    def removed(self, request: ReceivedRequest) -> Answer:
        if self.store.known[request.path.address.lower()].version == 6:
            raise Refusal(500, "the agent did not answer")
        return super().removed(request)


@breaks("codes.success")
class TheSecondServerIs503(Deployment):
    """A removal from the tenant's second server is always answered 503, and not made."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        mine = [each.id for each in self.store.servers.values() if each.tenant == request.caller.tenant]
        if association.server == mine[1]:
            raise Refusal(503, "its host cannot be reached")
        super().dissociate(request, association)


@breaks(
    "effect.refusal-is-inert", also={"lifecycle.model": "a sequence may wait long enough for it"}, fleeting=SHOWS_LATER
)
class ARefusedDeallocationIsRemembered(Deployment):
    """A de-allocation that was refused is made a little more than a second after the last association is removed."""

    def start(self) -> None:
        super().start()
        self.asked: set[str] = set()
        self.due: dict[str, float] = {}

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        try:
            super().check_free(request, address, state)
        except Refusal:
            self.asked.add(address.id)
            raise

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        if association.address in self.asked and not self.store.state.of_address(association.address):
            self.due[association.address] = time.monotonic() + SOON

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        super().connect(request, association)
        self.due.pop(association.address, None)

    def delay(self, request: ReceivedRequest) -> None:
        super().delay(request)
        for address in [each for each, when in list(self.due.items()) if when < time.monotonic()]:
            if self.due.pop(address, None):
                self.update(lambda state, gone=address: state.without_address(gone))  # type: ignore[misc]


@breaks("deallocation.put-after", also={"lifecycle.model": "a sequence sees it, too"})
class PutLeavesAHusk(Deployment):
    """An address that was associated once is still shown by its single read after PUT let it go."""

    def start(self) -> None:
        super().start()
        self.used: set[str] = set()
        self.husks: dict[str, StoredAddress] = {}

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        super().connect(request, association)
        self.used.add(association.address)

    def release(self, request: ReceivedRequest, address: StoredAddress) -> None:
        super().release(request, address)
        if request.method == "PUT" and address.id in self.used:
            self.husks[address.id] = address

    def show_address(self, request: ReceivedRequest) -> Answer:
        husk: Any = self.husks.get(request.path.address.lower())
        if husk and husk.tenant == request.caller.tenant:
            return self.shown_address(200, husk)
        return super().show_address(request)
