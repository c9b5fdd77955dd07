"""Deployments that break ``associate.*``: two a clause, one small hook each."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.registry import Registry
from conformance.reference.store import Association, Caller, StoredAddress

registry = Registry()
breaks = registry.breaks


def _others(deployment: Deployment, association: Association) -> list[Association]:
    return [one for one in deployment.store.state.of_address(association.address) if one != association]


@breaks("associate.success")
class AssociatingDoesNothing(Deployment):
    """An association is answered 201, and is made only where the address has another one."""

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        if _others(self, association):
            super().connect(request, association)


@breaks("associate.success", "associate.codes", "associate.repeat")
class AssociatingIsAccepted(Deployment):
    """An association beside another one of its address is made and answered 202."""

    def associated(self, request: ReceivedRequest, address: StoredAddress) -> Answer:
        made = super().associated(request, address)
        several = len(self.store.state.of_address(address.id)) > 1
        return Answer(202, made.document) if several else made


@breaks("associate.repeat")
class OnceMoreIs400(Deployment):
    """Associating once more what is associated is refused."""

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        if association in self.store.state.associations:
            raise Refusal(400, "it is associated already")
        super().connect(request, association)


@breaks("associate.repeat")
class OnceMoreTogglesIt(Deployment):
    """Associating once more removes the association, and answers 201."""

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        if association in self.store.state.associations:
            self.update(lambda state: state.without_association(association))
        else:
            super().connect(request, association)


@breaks("associate.nothing-else")
class TheThirdMovesTheFirst(Deployment):
    """A third association of an address takes the place of its first one."""

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        others = _others(self, association)
        if association not in self.store.state.associations and len(others) > 1:
            self.update(lambda state: state.without_association(others[0]))
        super().connect(request, association)


@breaks("associate.nothing-else")
class OneAddressAServer(Deployment):
    """A server keeps the address that it was associated with last."""

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        if association not in self.store.state.associations:
            for each in self.store.state.of_server(association.server):
                self.update(lambda state, each=each: state.without_association(each))  # type: ignore[misc]
        super().connect(request, association)


@breaks("associate.authenticated")
class NobodyMayAssociate(Deployment):
    """An association without a token is made as the owner's."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        owner = next(one for one in self.store.callers.values() if one.may_write)
        asked = request.method == "PUT" and request.path.resource == "association"
        return owner if asked and request.token is None else super().authenticate(request)


@breaks("associate.authenticated")
class AnEmptyTokenIs403(Deployment):
    """An association with an empty token is answered 403."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        if request.method == "PUT" and request.path.resource == "association" and request.token == "":
            raise Refusal(403, "you may not")
        return super().authenticate(request)


@breaks("associate.unknown")
class UnknownAddressesAreIgnored(Deployment):
    """Associating an address that nobody has is answered 201."""

    def associate(self, request: ReceivedRequest) -> Answer:
        self.authorise(request)
        identifier = self.read_address_id(request)
        if identifier not in self.store.state.addresses:
            return Answer(201, {"ip_association": {"id": identifier, "address": "192.0.2.1"}})
        return super().associate(request)


@breaks("associate.unknown")
class AnUnknownServerStandsForTheFirst(Deployment):
    """Associating with a server that nobody has associates with one of the caller's, and is answered 400."""

    def find_server(self, request: ReceivedRequest) -> str:
        try:
            return super().find_server(request)
        except Refusal:
            identifier = request.path.address.lower()
            address = self.store.state.addresses.get(identifier)
            if request.method == "PUT" and address:
                for port in address.port_ids:
                    made = Association(identifier, self.store.server_of(port))
                    self.update(lambda state, made=made: state.with_association(made))  # type: ignore[misc]
            raise


@breaks("associate.codes", "associate.success")
class ASecondServerIs409(Deployment):
    """Associating an address with a second server is answered 409."""

    def find_associable(self, request: ReceivedRequest, identifier: str, server: str) -> StoredAddress:
        found = super().find_associable(request, identifier, server)
        if _others(self, Association(identifier, server)):
            raise Refusal(409, "it is associated with another server")
        return found


FAULTS = registry.faults
