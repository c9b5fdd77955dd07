"""Faults of the rule: an address with an association is let go, or one without is not."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

from dataclasses import replace

from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.registry import breaks
from conformance.reference.store import Association, DeploymentState, StoredAddress

SEQUENCES = ("lifecycle.model", "concurrency.linearizable")
HELD = ("deallocation.until-the-last", *SEQUENCES)
SOME_HOLD = {
    "deallocation.delete-refused": "its tests ask with fewer associations than were made, too",
    "deallocation.put-refused": "its tests ask with fewer associations than were made, too",
    "lifecycle.model": "a sequence removes some and asks then",
    "concurrency.linearizable": "a round asks while one of several is removed",
}


class OneWay(Deployment):
    """De-allocation by ``method`` goes wrong; by the other one it does not."""

    method = ""

    def wrong(self, request: ReceivedRequest) -> bool:
        """Tell whether this is the request that goes wrong."""
        return request.method == self.method


class TakesTheAssociationsToo(OneWay):
    """An address that has associations goes, and they with it."""

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        if not self.wrong(request):
            super().check_free(request, address, state)
        self.update(lambda now: replace(now, associations=others(now, address)))


class LeavesOrphans(OneWay):
    """An address that has associations goes without them."""

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        if not self.wrong(request):
            super().check_free(request, address, state)


class RefusedTakesThePorts(OneWay):
    """An address that has associations stays without its ports."""

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        if self.wrong(request) and state.of_address(address.id):
            self.update(lambda now: now.with_address(replace(address, port_ids=())))
        super().check_free(request, address, state)


class NeverForgives(OneWay):
    """An address that ever had an association is refused for ever."""

    def start(self) -> None:
        super().start()
        self.tainted: set[str] = set()

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        super().connect(request, association)
        self.tainted.add(association.address)

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        super().check_free(request, address, state)
        if self.wrong(request) and address.id in self.tainted:
            raise Refusal(409, "the address has associations; remove them first")


@breaks("deallocation.delete-refused", also=HELD)
class DeleteTakesTheAssociationsToo(TakesTheAssociationsToo):
    """DELETE of an address that has associations removes them and the address."""

    method = "DELETE"


@breaks("deallocation.delete-refused", also=HELD)
class DeleteLeavesOrphans(LeavesOrphans):
    """DELETE of an address that has associations removes the address and leaves them behind."""

    method = "DELETE"


@breaks("deallocation.delete-refused", also=HELD)
class DeleteIs204WithoutEffect(Deployment):
    """DELETE of an address that has associations answers 204 and leaves everything as it was."""

    def delete_address(self, request: ReceivedRequest) -> Answer:
        try:
            return super().delete_address(request)
        except Refusal as refusal:
            if refusal.code == 409:
                return Answer(204)
            raise


@breaks("deallocation.delete-refused", "effect.refusal-is-inert", also=HELD)
class RefusedDeleteTakesTheAssociations(Deployment):
    """DELETE of an address is refused for its associations, which it removes."""

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        if request.method == "DELETE":
            self.update(lambda now: replace(now, associations=others(now, address)))
        super().check_free(request, address, state)


@breaks("deallocation.delete-refused", "effect.refusal-is-inert", also=HELD)
class RefusedDeleteTakesThePorts(RefusedTakesThePorts):
    """DELETE of an address is refused for its associations, but its ports are gone."""

    method = "DELETE"


@breaks("deallocation.put-refused", also=HELD)
class PutTakesTheAssociationsToo(TakesTheAssociationsToo):
    """PUT without ports on an address that has associations removes them and the address."""

    method = "PUT"


@breaks("deallocation.put-refused", also=HELD)
class PutLeavesOrphans(LeavesOrphans):
    """PUT without ports on an address that has associations removes the address and leaves them behind."""

    method = "PUT"


@breaks("deallocation.put-refused", also=HELD)
class PutEmptiesThePorts(Deployment):
    """PUT without ports on an address that has associations takes its ports and keeps the rest."""

    def deallocate(self, request: ReceivedRequest) -> StoredAddress:
        try:
            return super().deallocate(request)
        except Refusal as refusal:
            if request.method != "PUT" or refusal.code != 409:
                raise
            address = replace(self.find_address(request, self.store.state), port_ids=())
            self.update(lambda state: state.with_address(address))
            return address


@breaks("deallocation.put-refused", "effect.refusal-is-inert", also=HELD)
class RefusedPutTakesThePorts(RefusedTakesThePorts):
    """PUT without ports is refused for the associations of the address, but its ports are gone."""

    method = "PUT"


@breaks("deallocation.until-the-last", also=SOME_HOLD)
class OnlyTheFirstHolds(Deployment):
    """An address is held until the association that was made first is removed; the others do not count."""

    def start(self) -> None:
        super().start()
        self.first: dict[str, Association] = {}

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        if not self.store.state.of_address(association.address):
            self.first[association.address] = association
        super().connect(request, association)

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        if self.first.get(address.id) in state.associations:
            super().check_free(request, address, state)


@breaks("deallocation.until-the-last", also=SOME_HOLD)
class OnlyTheNewestHolds(Deployment):
    """An address is held until the association that was made last is removed; the others do not count."""

    def start(self) -> None:
        super().start()
        self.newest: dict[str, Association] = {}

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        super().connect(request, association)
        self.newest[association.address] = association

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        if self.newest.get(address.id) in state.associations:
            super().check_free(request, address, state)


@breaks("deallocation.until-the-last", also=SOME_HOLD)
class AnyRemovalFrees(Deployment):
    """The removal of any association lets the address go, however many are left."""

    def start(self) -> None:
        super().start()
        self.freed: set[str] = set()

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        super().connect(request, association)
        self.freed.discard(association.address)

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        self.freed.add(association.address)

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        if address.id not in self.freed:
            super().check_free(request, address, state)


@breaks("deallocation.until-the-last", also=(*SEQUENCES, "deallocation.delete-refused", "deallocation.put-refused"))
class OfThreeTheLastDoesNotHold(Deployment):
    """After an address had three associations, the last one that is left does not hold it."""

    def start(self) -> None:
        super().start()
        self.had_three: set[str] = set()

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        super().connect(request, association)
        if len(self.store.state.of_address(association.address)) > 2:
            self.had_three.add(association.address)

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        left = len(state.of_address(address.id))
        if address.id not in self.had_three or left != 1:
            super().check_free(request, address, state)


@breaks(
    "deallocation.until-the-last",
    also=("deallocation.delete-refused", "deallocation.put-refused", *SEQUENCES),
)
class ThreeDoNotHold(Deployment):
    """An address with exactly three associations is let go; one or two hold it."""

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        if len(state.of_address(address.id)) != 3:
            super().check_free(request, address, state)


@breaks("deallocation.delete-after", also=SEQUENCES)
class DeleteNeverForgives(NeverForgives):
    """DELETE of an address is refused for ever once it had an association; PUT without ports works."""

    method = "DELETE"


@breaks("deallocation.delete-after", also=SEQUENCES)
class DeleteKeepsTheAddress(Deployment):
    """DELETE of an address answers 204, and the address stays."""

    def release(self, request: ReceivedRequest, address: StoredAddress) -> None:
        if request.method != "DELETE":
            super().release(request, address)


@breaks("deallocation.delete-after", also=SEQUENCES)
class DeleteAnswers202(Deployment):
    """DELETE of an address de-allocates it and answers 202 instead of 204."""

    def delete_address(self, request: ReceivedRequest) -> Answer:
        return replace(super().delete_address(request), code=202)


@breaks("deallocation.put-after", also=SEQUENCES)
class PutNeverForgives(NeverForgives):
    """PUT without ports is refused for ever once the address had an association; DELETE works."""

    method = "PUT"


@breaks("deallocation.put-after", also=SEQUENCES)
class PutKeepsTheAddress(Deployment):
    """PUT without ports answers 200 and takes the ports, but the address stays allocated."""

    def release(self, request: ReceivedRequest, address: StoredAddress) -> None:
        if request.method == "PUT":
            self.update(lambda state: state.with_address(replace(address, port_ids=())))
        else:
            super().release(request, address)


@breaks("deallocation.put-after", also=SEQUENCES)
class PutDoesNothing(Deployment):
    """PUT without ports answers 200 and leaves the address as it was."""

    def release(self, request: ReceivedRequest, address: StoredAddress) -> None:
        if request.method != "PUT":
            super().release(request, address)


def others(state: DeploymentState, address: StoredAddress) -> tuple[Association, ...]:
    """Give the associations of all other addresses."""
    return tuple(each for each in state.associations if each.address != address.id)
