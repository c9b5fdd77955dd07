"""Faults of views: something shown by one read only, or by one replica only, is wrong."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

from dataclasses import replace
from typing import Any

from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.faults.effect import Haunted
from conformance.reference.registry import breaks
from conformance.reference.store import Association, DeploymentState, StoredAddress

REPEAT = {"effect.repeat": "what a stale read shows after a repetition looks like its effect"}


@breaks("deallocation.delete-after", "deallocation.put-after")
class DeallocatedStaysListed(Deployment):
    """The list of addresses shows de-allocated ones for ever; the single read does not."""

    def view(self, request: ReceivedRequest) -> DeploymentState:
        state = super().view(request)
        return replace(state, addresses=dict(self.store.known)) if request.path.resource == "addresses" else state


@breaks("deallocation.put-after")
class Ipv6LetGoByPutStaysListed(Deployment):
    """The list of addresses goes on showing an IPv6 address that PUT de-allocated."""

    def start(self) -> None:
        super().start()
        self.shells: dict[str, StoredAddress] = {}

    def release(self, request: ReceivedRequest, address: StoredAddress) -> None:
        super().release(request, address)
        if request.method == "PUT" and address.version == 6:
            self.shells[address.id] = address

    def view(self, request: ReceivedRequest) -> DeploymentState:
        state = super().view(request)
        listing = request.path.resource == "addresses"
        return replace(state, addresses={**state.addresses, **self.shells}) if listing else state


class ChangesADocument(Deployment):
    """Shows addresses otherwise once an association of theirs was removed."""

    def start(self) -> None:
        super().start()
        self.touched: set[str] = set()

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        self.touched.add(association.address)


@breaks("effect.nothing-else")
class TheTypeChanges(ChangesADocument):
    """An address is shown with the type fixed once an association of it was removed."""

    def address_document(self, address: StoredAddress) -> dict[str, Any]:
        document = super().address_document(address)
        return {**document, "type": "fixed"} if address.id in self.touched else document


@breaks("effect.nothing-else")
class TheSubnetIsForgotten(ChangesADocument):
    """An address is shown without its subnet once an association of it was removed."""

    def address_document(self, address: StoredAddress) -> dict[str, Any]:
        document = super().address_document(address)
        return {**document, "subnet_id": None} if address.id in self.touched else document


@breaks("effect.nothing-else")
class TheListForgetsTheAddress(ChangesADocument):
    """The list of addresses no longer shows an address once an association of it was removed."""

    def view(self, request: ReceivedRequest) -> DeploymentState:
        state = super().view(request)
        if request.path.resource != "addresses":
            return state
        kept = {key: one for key, one in state.addresses.items() if key not in self.touched}
        return replace(state, addresses=kept)


@breaks("effect.removed", also=REPEAT)
class OneReplicaInFourNeverLearns(Haunted):
    """Every fourth single read shows removed associations, for ever."""

    def haunts(self, request: ReceivedRequest) -> bool:
        return request.path.resource == "association" and self.every(4, "single read")


@breaks("effect.removed", also=REPEAT)
class OneListInThreeNeverLearns(Haunted):
    """Every third list shows removed associations, for ever."""

    def haunts(self, request: ReceivedRequest) -> bool:
        return request.path.resource == "associations" and self.every(3, "list")


def elsewhere(deployment: Deployment, association: Association) -> Association | None:
    """Give a pair of the address with one of its servers that is not associated."""
    state = deployment.store.state
    address = state.addresses.get(association.address)
    servers = map(deployment.store.server_of, address.port_ids if address else ())
    pairs = [Association(association.address, server) for server in servers if server != association.server]
    return next((pair for pair in pairs if pair not in state.associations), None)


@breaks("effect.nothing-else")
class RemovalMovesTheAssociation(Deployment):
    """A removal associates the address with another of its servers that it never had."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        other = elsewhere(self, association)
        if other:
            self.update(lambda state: state.with_association(other))


@breaks("effect.refusal-is-inert")
class RefusedBodyAssociatesElsewhere(Deployment):
    """A removal that is refused for its body associates the address with another of its servers."""

    def check_body(self, request: ReceivedRequest) -> None:
        try:
            super().check_body(request)
        except Refusal:
            other = elsewhere(self, Association(request.path.address.lower(), request.path.server))
            if request.removal and other:
                self.update(lambda state: state.with_association(other))
            raise


@breaks("effect.repeat", also={"effect.refusal-is-inert": "the repetition is refused, and something appears"})
class RepetitionAssociatesElsewhere(Deployment):
    """A removal of what is not associated is refused and associates the address with another of its servers."""

    def remove(self, request: ReceivedRequest) -> Answer:
        try:
            return super().remove(request)
        except Refusal as refusal:
            other = elsewhere(self, Association(request.path.address.lower(), request.path.server))
            if "association" in refusal.message and other:
                self.update(lambda state: state.with_association(other))
            raise
