"""Faults of wording: one spelling, one value or one IP version goes another way than its neighbours."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

import re
from dataclasses import replace

from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest
from conformance.reference.freedoms import ServersNeedNoPort
from conformance.reference.registry import breaks
from conformance.reference.store import Association, DeploymentState, StoredAddress

LAST = {"deallocation.until-the-last": "what does not hold the address does not hold it until the last either"}


@breaks("body.refused")
class BlankBodyIsNone(Deployment):
    """A body of nothing but blanks is taken for no body."""

    def carries_body(self, request: ReceivedRequest) -> bool:
        blank = request.removal and request.body is not None and not request.body.strip()
        return not blank and super().carries_body(request)


@breaks("body.refused")
class NullBytesAreNoBody(Deployment):
    """A body that begins with a zero byte is taken for no body."""

    def carries_body(self, request: ReceivedRequest) -> bool:
        zero = request.removal and (request.body or b"").startswith(b"\0")
        return not zero and super().carries_body(request)


@breaks("identifier.uuid")
class FormatAfterTheIdIsTaken(Deployment):
    """An ID that is followed by .json or .xml is taken for the ID."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        request.path.address = re.sub(r"\.(json|xml)$", "", request.path.address)
        return super().read_address_id(request)


@breaks("identifier.uuid")
class PathParametersAreIgnored(Deployment):
    """What follows a semicolon after an ID is ignored."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        request.path.address = request.path.address.partition(";")[0]
        return super().read_address_id(request)


@breaks("deallocation.delete-refused", also={"deallocation.put-refused": "the other way asks the same guard", **LAST})
class GuardKnowsLowerCaseOnly(Deployment):
    """An address whose ID is in upper case is let go, whatever associations it has."""

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        if request.path.address == address.id:
            super().check_free(request, address, state)


class OtherPutsAreNotGuarded(Deployment):
    """A PUT that says nothing of ports, in the words of ``unnamed``, lets an address go without a look."""

    unnamed: dict[str, object]

    def read_ports(self, request: ReceivedRequest, wanted: dict[str, object]) -> tuple[str, ...]:
        return () if request.method == "PUT" and wanted == self.unnamed else super().read_ports(request, wanted)

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        if request.method != "PUT" or request.document()["ip_address"] != self.unnamed:
            super().check_free(request, address, state)


@breaks("deallocation.put-refused", also=LAST)
class PutWithoutPortsIsNotGuarded(OtherPutsAreNotGuarded):
    """PUT of an empty ip_address lets an address go that has associations."""

    unnamed: dict[str, object] = {}  # noqa: RUF012 - never written to


@breaks("deallocation.put-refused", also=LAST)
class PutOfNullPortsIsNotGuarded(OtherPutsAreNotGuarded):
    """PUT with null for the port IDs lets an address go that has associations."""

    unnamed: dict[str, object] = {"port_ids": None}  # noqa: RUF012 - never written to


@breaks("deallocation.put-refused", also=LAST)
class UnknownPortsAreDropped(Deployment):
    """PUT drops ports that nobody has, and lets an address go that is left with none, whatever holds it."""

    def read_ports(self, request: ReceivedRequest, wanted: dict[str, object]) -> tuple[str, ...]:
        listed = wanted.get("port_ids")
        if request.method != "PUT" or not isinstance(listed, list) or not listed:
            return super().read_ports(request, wanted)
        return tuple(one for one in listed if isinstance(one, str) and one in self.store.ports)

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        if not (request.method == "PUT" and request.document()["ip_address"].get("port_ids")):
            super().check_free(request, address, state)


@breaks(
    "deallocation.delete-refused",
    also={"deallocation.put-refused": "the other way asks the same guard", **LAST},
    fleeting="it takes an address that has no port on a server, which is allocated otherwise",
)
class TheGuardGoesByPorts(ServersNeedNoPort):
    """An association with a server that has no port on the address does not hold the address."""

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        servers = set(map(self.store.server_of, address.port_ids))
        counted = tuple(one for one in state.associations if one.server in servers)
        super().check_free(request, address, replace(state, associations=counted))


@breaks("deallocation.delete-refused", "deallocation.put-refused", also=LAST)
class Ipv6IsNotGuarded(Deployment):
    """An IPv6 address is let go, whatever associations it has."""

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        if address.version != 6:
            super().check_free(request, address, state)


@breaks("effect.removed")
class Ipv6StaysAssociated(Deployment):
    """The removal of an IPv6 address's association answers 204 and removes nothing."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        if self.store.known[association.address].version != 6:
            super().dissociate(request, association)


@breaks("effect.nothing-else")
class Ipv6TakesItsNeighbours(Deployment):
    """The removal of an IPv6 address's association removes that address's other ones too."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        if self.store.known[association.address].version == 6:
            for each in self.store.state.of_address(association.address):
                super().dissociate(request, each)


@breaks("effect.removed")
class ServerInUpperCaseIs204InVain(Deployment):
    """A removal from a server whose ID is in upper case answers 204 and removes nothing."""

    def remove(self, request: ReceivedRequest) -> Answer:
        spelt = request.path.server
        if spelt != spelt.lower() and spelt.lower() in self.store.servers:
            self.check_body(request)
            self.read_address_id(request)
            self.authorise(request)
            return Answer(204)
        return super().remove(request)


@breaks("effect.removed")
class SingleReadsAreKept(Deployment):
    """What a single read showed is shown again until a change comes to the very same target, spelt as it is."""

    def start(self) -> None:
        super().start()
        self.kept: dict[str, Answer] = {}

    def show_association(self, request: ReceivedRequest) -> Answer:
        at = f"{request.raw_path}?{request.query}"
        shown = self.kept.get(at) or super().show_association(request)
        self.kept[at] = shown  # another request may have taken it out meanwhile
        return shown

    def finish(self, request: ReceivedRequest, answer: Answer) -> Answer:
        if request.method in {"PUT", "DELETE"}:
            self.kept.pop(f"{request.raw_path}?{request.query}", None)
        return super().finish(request, answer)
