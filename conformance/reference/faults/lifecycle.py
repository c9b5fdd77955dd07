"""Faults that only a longer sequence shows: each step alone is right."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

from collections import Counter

from conformance.reference.app import Deployment
from conformance.reference.exchange import ReceivedRequest
from conformance.reference.registry import breaks
from conformance.reference.store import Association, DeploymentState, StoredAddress

MAY_SHOW = (
    "effect.removed",
    "effect.nothing-else",
    "effect.repeat",
    "concurrency.linearizable",
    "deallocation.delete-refused",
    "deallocation.put-refused",
    "deallocation.until-the-last",
    "deallocation.delete-after",
    "deallocation.put-after",
)


@breaks("effect.removed", also=("lifecycle.model", *MAY_SHOW))
class ThirdRemovalDoesNothing(Deployment):
    """The third removal in the life of an address answers 204 and removes nothing."""

    def start(self) -> None:
        super().start()
        self.removals: Counter[str] = Counter()

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        self.removals[association.address] += 1
        if self.removals[association.address] != 3:
            super().dissociate(request, association)


@breaks("deallocation.delete-refused", also=("lifecycle.model", *MAY_SHOW))
class AgainAssociatedDoesNotHold(Deployment):
    """An association that was removed and made again does not keep its address from de-allocation."""

    def start(self) -> None:
        super().start()
        self.removed_once: set[Association] = set()

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        self.removed_once.add(association)

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        if set(state.of_address(address.id)) - self.removed_once:
            super().check_free(request, address, state)


@breaks("effect.removed", also=("lifecycle.model", *MAY_SHOW))
class TwiceAssociatedNeedsTwoRemovals(Deployment):
    """An association that was asked for twice needs two removals to go."""

    def start(self) -> None:
        super().start()
        self.asked: Counter[Association] = Counter()

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        super().connect(request, association)
        self.asked[association] += 1

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        self.asked[association] -= 1
        if self.asked[association] < 1:
            super().dissociate(request, association)


@breaks("lifecycle.model", also=(*MAY_SHOW, "codes.success"))
class DeallocationFreesTheNeighbours(Deployment):
    """De-allocating an address removes the associations of other addresses on its ports' servers."""

    def release(self, request: ReceivedRequest, address: StoredAddress) -> None:
        super().release(request, address)
        for server in map(self.store.server_of, address.port_ids):
            for each in self.store.state.of_server(server):
                self.update(lambda state, gone=each: state.without_association(gone))  # type: ignore[misc]


@breaks("lifecycle.model", also=MAY_SHOW)
class ReassociationAfterARefusalIsLost(Deployment):
    """After a refused de-allocation the next association of the address answers 201 and is not made."""

    def start(self) -> None:
        super().start()
        self.sulking: set[str] = set()

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        if state.of_address(address.id):
            self.sulking.add(address.id)
        super().check_free(request, address, state)

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        if association.address in self.sulking:
            self.sulking.discard(association.address)
        else:
            super().connect(request, association)
