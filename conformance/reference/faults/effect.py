"""Faults of the effect: nothing is removed, or too much, or by a request that was refused."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

import time
from collections.abc import Iterable
from dataclasses import replace

from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.registry import breaks
from conformance.reference.store import Association, DeploymentState, StoredAddress

SEQUENCES = ("lifecycle.model", "concurrency.linearizable")
AFTER = ("deallocation.delete-after", "deallocation.put-after", "deallocation.until-the-last")
LEFT = (*SEQUENCES, *AFTER, "effect.repeat")


class Haunted(Deployment):
    """Reads of some kind go on showing removed associations, as long as their address is alive."""

    def start(self) -> None:
        super().start()
        self.made: dict[Association, None] = {}

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        super().connect(request, association)
        self.made[association] = None

    def haunts(self, request: ReceivedRequest) -> bool:
        """Tell whether this request sees what is removed."""
        raise NotImplementedError

    def view(self, request: ReceivedRequest) -> DeploymentState:
        state = super().view(request)
        if not self.haunts(request):
            return state
        ghosts = [one for one in self.made if one.address in state.addresses and one not in state.associations]
        return replace(state, associations=(*state.associations, *ghosts))


@breaks("effect.removed", also=LEFT)
class RemovalDoesNothing(Deployment):
    """A removal answers 204 and removes nothing."""

    def dissociate(self, _request: ReceivedRequest, _association: Association) -> None:
        pass


@breaks("effect.removed", also=LEFT)
class EveryFifthRemovalDoesNothing(Deployment):
    """Every fifth removal answers 204 and removes nothing."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        if not self.every(5, "removal"):
            super().dissociate(request, association)


@breaks("effect.removed", also=LEFT)
class TheLastOneStays(Deployment):
    """The removal of an address's last association answers 204 and removes nothing."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        if len(self.store.state.of_address(association.address)) > 1:
            super().dissociate(request, association)


@breaks("effect.removed", also=LEFT)
class WithThreeTheSecondStays(Deployment):
    """Of exactly three associations of an address, the second cannot be removed, though the answer is 204."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        siblings = self.store.state.of_address(association.address)
        if len(siblings) != 3 or siblings[1] != association:
            super().dissociate(request, association)


@breaks("effect.removed", also=(*SEQUENCES, "effect.refusal-is-inert"))
class ListIsStaleForEver(Haunted):
    """The list goes on showing removed associations; the single read does not."""

    def haunts(self, request: ReceivedRequest) -> bool:
        return request.path.resource == "associations"


@breaks("effect.removed", also=SEQUENCES)
class SingleReadIsStaleForEver(Haunted):
    """The single read goes on showing removed associations; the list does not."""

    def haunts(self, request: ReceivedRequest) -> bool:
        return request.path.resource == "association"


@breaks("effect.removed", also=(*SEQUENCES, "effect.repeat", "effect.nothing-else", "effect.refusal-is-inert"))
class EverySecondListIsStale(Haunted):
    """Every second list shows removed associations, for ever: one of two replicas never learns."""

    def haunts(self, request: ReceivedRequest) -> bool:
        return request.path.resource == "associations" and self.every(2, "list")


@breaks(
    "effect.removed",
    also=(*LEFT, "effect.nothing-else"),
    fleeting="it takes the association of something else after the removal",
)
class NextAssociationBringsItBack(Deployment):
    """The next association that is made anywhere brings the removed one back."""

    def start(self) -> None:
        super().start()
        self.lost: Association | None = None

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        self.lost = association

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        super().connect(request, association)
        back, self.lost = self.lost, None
        if back and back.address in self.store.state.addresses:
            self.update(lambda state: state.with_association(back))


@breaks("effect.removed", also=(*LEFT, "effect.refusal-is-inert", "effect.nothing-else"))
class ItComesBackAfterHalfASecond(Deployment):
    """Half a second after its removal an association is there again."""

    def start(self) -> None:
        super().start()
        self.due: dict[Association, float] = {}

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        self.due[association] = time.monotonic() + 0.5

    def delay(self, request: ReceivedRequest) -> None:
        super().delay(request)
        for association in [each for each, when in list(self.due.items()) if when < time.monotonic()]:
            self.due.pop(association, None)
            if association.address in self.store.state.addresses:
                self.update(lambda state, back=association: state.with_association(back))  # type: ignore[misc]


@breaks("effect.removed", also=(*LEFT, "effect.refusal-is-inert", "effect.nothing-else"))
class ItComesBackAfterEightReads(Deployment):
    """The eighth read after a removal finds the association again."""

    def start(self) -> None:
        super().start()
        self.reads: dict[Association, int] = {}

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        self.reads[association] = 0

    def view(self, request: ReceivedRequest) -> DeploymentState:
        for association in list(self.reads):
            self.reads[association] += 1
            if self.reads[association] == 8 and association.address in self.store.state.addresses:
                self.update(lambda state, back=association: state.with_association(back))  # type: ignore[misc]
        return super().view(request)


@breaks("effect.nothing-else", also=(*LEFT, "codes.success"))
class AllOfTheAddressGo(Deployment):
    """A removal removes the address's associations with the other servers too."""

    def dissociate(self, _request: ReceivedRequest, association: Association) -> None:
        self.update(lambda state: without(state, state.of_address(association.address)))


@breaks("effect.nothing-else", also=(*LEFT, "codes.success"))
class AllOfTheServerGo(Deployment):
    """A removal removes the server's associations with other addresses too."""

    def dissociate(self, _request: ReceivedRequest, association: Association) -> None:
        self.update(lambda state: without(state, state.of_server(association.server)))


@breaks("effect.nothing-else", also=(*LEFT, "codes.success"))
class WithThreeAnotherGoesToo(Deployment):
    """Of three or more associations of an address, the newest goes with whichever is removed."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        siblings = self.store.state.of_address(association.address)
        super().dissociate(request, association)
        if len(siblings) > 2:
            self.update(lambda state: state.without_association(siblings[-1]))


@breaks("effect.nothing-else", "effect.removed", also=(*LEFT, "codes.success"))
class TheOldestGoesInstead(Deployment):
    """A removal removes the oldest association of the address, whichever server is named."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, self.store.state.of_address(association.address)[0])


@breaks("effect.nothing-else", also=(*SEQUENCES, "lifecycle.model"))
class ThePortGoesToo(Deployment):
    """A removal takes the server's port off the address."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        address = self.store.state.addresses[association.address]
        kept = tuple(port for port in address.port_ids if self.store.server_of(port) != association.server)
        self.update(lambda state: state.with_address(replace(address, port_ids=kept)))


@breaks(
    "effect.nothing-else",
    "deallocation.delete-after",
    "deallocation.put-after",
    also=(*SEQUENCES, "deallocation.until-the-last", "codes.success"),
)
class TheAddressGoesWithTheLast(Deployment):
    """The removal of an address's last association de-allocates the address."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        if not self.store.state.of_address(association.address):
            self.update(lambda state: state.without_address(association.address))


@breaks("effect.nothing-else", also=SEQUENCES)
class TheLiteralChanges(Deployment):
    """A removal gives the address another literal."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        address = self.store.state.addresses[association.address]
        other = self.store.fresh_address(address.tenant, address.version, address.port_ids)
        self.store.known[address.id] = replace(other, id=address.id)
        self.update(lambda state: state.with_address(replace(other, id=address.id)))


@breaks("effect.refusal-is-inert", also=("body.refused", "body.inert"))
class RefusedForItsBodyButRemoved(Deployment):
    """A removal with a body is refused with 400 and made nevertheless."""

    def check_body(self, request: ReceivedRequest) -> None:
        try:
            super().check_body(request)
        except Refusal:
            self.authorise(request)
            self.dissociate(request, self.find_association(request, self.store.state))
            raise


@breaks("effect.refusal-is-inert", "effect.repeat", also=(*SEQUENCES, "effect.nothing-else", *AFTER))
class FailedRemovalTakesAnother(Deployment):
    """A removal of what does not exist is refused, and the address's oldest association is gone."""

    def remove(self, request: ReceivedRequest) -> Answer:
        try:
            return super().remove(request)
        except Refusal as refusal:
            victims = self.store.state.of_address(request.path.address.lower())
            if "association" in refusal.message and victims:
                self.update(lambda state: state.without_association(victims[0]))
            raise


@breaks("effect.refusal-is-inert", also=("effect.nothing-else",))
class UnknownServerEmptiesTheAddress(Deployment):
    """A removal from a server that does not exist is refused, and the address has no association any more."""

    def find_server(self, request: ReceivedRequest) -> str:
        if request.removal and request.path.server not in self.store.servers:
            identifier = self.read_address_id(request)
            self.update(lambda state: without(state, state.of_address(identifier)))
        return super().find_server(request)


@breaks("effect.repeat", "codes.documented", also=("lifecycle.model",))
class RepetitionIs410(Deployment):
    """The repetition of a removal answers 410; what never existed answers 400."""

    def start(self) -> None:
        super().start()
        self.gone: set[Association] = set()

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        self.gone.add(association)

    def find_association(self, request: ReceivedRequest, state: DeploymentState) -> Association:
        try:
            return super().find_association(request, state)
        except Refusal as refusal:
            asked = Association(request.path.address.lower(), request.path.server)
            raise Refusal(410 if asked in self.gone else refusal.code, refusal.message) from None


@breaks("effect.repeat", also=(*SEQUENCES, *AFTER, "effect.nothing-else"))
class RepetitionRemovesAnother(Deployment):
    """The repetition of a removal answers 204 and removes another association of the address."""

    def remove(self, request: ReceivedRequest) -> Answer:
        try:
            return super().remove(request)
        except Refusal as refusal:
            address = owned_address(self, request, refusal)
            self.update(lambda state: without(state, state.of_address(address.id)[:1]))
            return self.removed(request)


@breaks("effect.repeat", also=(*LEFT, "effect.removed"))
class RepetitionBringsItBack(Deployment):
    """The repetition of a removal answers 204 and makes the association again."""

    def remove(self, request: ReceivedRequest) -> Answer:
        try:
            return super().remove(request)
        except Refusal as refusal:
            address = owned_address(self, request, refusal)
            again = Association(address.id, self.find_server(request))
            self.update(lambda state: state.with_association(again))
            return self.removed(request)


@breaks("effect.repeat", also=(*SEQUENCES, *AFTER, "effect.nothing-else"))
class RepetitionDeallocates(Deployment):
    """The repetition of a removal de-allocates an address that has no association any more."""

    def remove(self, request: ReceivedRequest) -> Answer:
        try:
            return super().remove(request)
        except Refusal as refusal:
            address = owned_address(self, request, refusal)
            if not self.store.state.of_address(address.id):
                self.update(lambda state: state.without_address(address.id))
            return self.removed(request)


def owned_address(deployment: Deployment, request: ReceivedRequest, refusal: Refusal) -> StoredAddress:
    """Give the caller's address that has no association with the server.

    Raises:
        Refusal: The one given, if that was not the reason for it.
    """
    if "association" not in refusal.message:
        raise refusal
    return deployment.find_associable(request, deployment.read_address_id(request), request.path.server)


def without(state: DeploymentState, associations: Iterable[Association]) -> DeploymentState:
    """Remove several associations."""
    for association in associations:
        state = state.without_association(association)
    return state


@breaks(
    "effect.refusal-is-inert",
    also=("effect.removed", "deallocation.delete-refused", "deallocation.put-refused", *SEQUENCES),
)
class ARefusedDeallocationBringsBack(Deployment):
    """A refused de-allocation undoes the address's last removal, if that is not older than two seconds."""

    def start(self) -> None:
        super().start()
        self.last: dict[str, tuple[Association, float]] = {}

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        self.last[association.address] = association, time.monotonic()

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        try:
            super().check_free(request, address, state)
        except Refusal:
            association, at = self.last.pop(address.id, (None, 0.0))
            if association and time.monotonic() < at + 2:
                self.update(lambda state: state.with_association(association))
            raise


@breaks("effect.refusal-is-inert", also=("effect.removed", "codes.success", *AFTER, *SEQUENCES))
class FaultsLeaveHalfARemoval(Deployment):
    """Every ninth removal is answered 500: the list shows the association no more, the single read still does."""

    def start(self) -> None:
        super().start()
        self.half: set[Association] = set()

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        if self.every(9, "removal"):
            self.half.add(association)
            raise Refusal(500, "something broke")

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        super().connect(request, association)
        self.half.discard(association)

    def show_association(self, request: ReceivedRequest) -> Answer:
        try:
            return super().show_association(request)
        except Refusal:
            association = Association(self.read_address_id(request), self.find_server(request))
            if association not in self.half:
                raise
            return Answer(200, {"ip_association": self.association_document(self.store.known[association.address])})
