"""Faults of the identifier: something else than the UUID of the address is taken for it."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

import ipaddress
import re
import unicodedata
import uuid
from collections.abc import Callable

from conformance.reference.app import UUID, Deployment
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.registry import breaks
from conformance.reference.store import Association, StoredAddress

NOT_THE_ADDRESS = ("identifier.uuid", "effect.refusal-is-inert", "effect.nothing-else")
SPELLING = ("identifier.uuid", "effect.refusal-is-inert")


def match(deployment: Deployment, request: ReceivedRequest, same: Callable[[StoredAddress], bool]) -> str:
    """Give the id of the caller's first address that is the same, else the identifier as it stands."""
    mine = [one for one in deployment.store.state.addresses.values() if one.tenant == request.caller.tenant]
    return next((one.id for one in mine if same(one)), request.path.address)


def as_ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an IP address in any spelling that is common, ``None`` if it is none."""
    try:
        return ipaddress.ip_address(int(text) if text.isdecimal() else text.strip("[]").partition("%")[0])
    except ValueError:
        return None


@breaks("identifier.not-the-address", also=NOT_THE_ADDRESS)
class LiteralIsTaken(Deployment):
    """The literal IP address, v4 or v6, is taken for the address's ID."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        request.path.address = match(self, request, lambda one: one.address == request.path.address)
        return super().read_address_id(request)


@breaks("identifier.not-the-address", also=NOT_THE_ADDRESS)
class LiteralInAnySpellingIsTaken(Deployment):
    """An IPv6 literal is taken in any spelling, bracketed, expanded or in upper case; IPv4 is refused."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        literal = as_ip(request.path.address)
        if literal and literal.version == 6:
            request.path.address = match(self, request, lambda one: as_ip(one.address) == literal)
        return super().read_address_id(request)


@breaks("identifier.not-the-address", also=NOT_THE_ADDRESS)
class MappedLiteralIsTaken(Deployment):
    """An IPv4 literal is taken when it is mapped into IPv6, and only then."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        mapped = getattr(as_ip(request.path.address), "ipv4_mapped", None)
        request.path.address = match(self, request, lambda one: one.address == str(mapped))
        return super().read_address_id(request)


@breaks("identifier.not-the-address", also=NOT_THE_ADDRESS)
class LiteralWithAPortIsTaken(Deployment):
    """A literal followed by a colon and a port number is taken, in brackets for IPv6."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        literal = re.sub(r"(?<=[\]\d.]):\d+$", "", request.path.address)
        if literal != request.path.address:
            request.path.address = match(self, request, lambda one: one.address == literal.strip("[]"))
        return super().read_address_id(request)


@breaks("identifier.not-the-address", "effect.refusal-is-inert", also=NOT_THE_ADDRESS)
class LiteralIsRefusedButRemoved(Deployment):
    """The literal is refused with 400, and the association is removed nevertheless."""

    def remove(self, request: ReceivedRequest) -> Answer:
        identifier = match(self, request, lambda one: one.address == request.path.address)
        if identifier != request.path.address:
            victim = Association(identifier, request.path.server)
            self.update(lambda state: state.without_association(victim))
        return super().remove(request)


@breaks("identifier.uuid", also=("effect.refusal-is-inert", "effect.nothing-else"))
class PrefixIsTaken(Deployment):
    """The first eight or more digits of an ID are taken for the whole."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        short = request.path.address.lower()
        if 8 <= len(short) < 36:
            request.path.address = match(self, request, lambda one: one.id.startswith(short))
        return super().read_address_id(request)


@breaks("identifier.uuid", also=("effect.refusal-is-inert", "identifier.canonical"))
class WhatFollowsIsIgnored(Deployment):
    """Anything after the 36 characters of a UUID is ignored."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        if UUID.match(request.path.address):
            request.path.address = request.path.address[:36]
        return super().read_address_id(request)


@breaks("identifier.uuid", also=("effect.refusal-is-inert", "effect.nothing-else"))
class WildcardRemovesAll(Deployment):
    """A star or a percent sign stands for every association of the server."""

    def remove(self, request: ReceivedRequest) -> Answer:
        if request.path.address in {"*", "%"} and request.caller.may_write:
            for association in self.store.state.of_server(self.find_server(request)):
                self.dissociate(request, association)
            return self.removed(request)
        return super().remove(request)


@breaks("identifier.uuid", also=("effect.refusal-is-inert", "effect.nothing-else"))
class NumberIsAnIndex(Deployment):
    """A number stands for the association at this place of the server's list."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        listed = self.store.state.of_server(request.path.server)
        if request.path.address in {str(number) for number in range(len(listed))}:
            request.path.address = listed[int(request.path.address)].address
        return super().read_address_id(request)


@breaks("identifier.uuid", also=("identifier.not-the-address", "identifier.canonical"))
class MalformedIdentifierIs204(Deployment):
    """An identifier that is no UUID answers 204, as if there were nothing left to do."""

    def remove(self, request: ReceivedRequest) -> Answer:
        try:
            return super().remove(request)
        except Refusal as refusal:
            if "UUID" in refusal.message:
                return self.removed(request)
            raise


@breaks("identifier.uuid", also=("effect.refusal-is-inert", "identifier.canonical"))
class LookAlikesAreFolded(Deployment):
    """Full-width and other compatible digits are folded into hexadecimal ones."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        request.path.address = unicodedata.normalize("NFKC", request.path.address)
        return super().read_address_id(request)


@breaks("identifier.canonical", also=SPELLING)
class BracesAreTaken(Deployment):
    """A UUID in braces is taken."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        request.path.address = re.sub(r"^\{(.*)\}$", r"\1", request.path.address)
        return super().read_address_id(request)


@breaks("identifier.canonical", also=SPELLING)
class MissingHyphensAreTaken(Deployment):
    """A UUID without hyphens is taken."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        if re.fullmatch(r"[0-9a-fA-F]{32}", request.path.address, re.ASCII):
            request.path.address = str(uuid.UUID(request.path.address))
        return super().read_address_id(request)


@breaks("identifier.canonical", also=SPELLING)
class UrnIsTaken(Deployment):
    """A UUID written as a URN is taken."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        request.path.address = re.sub(r"^urn:uuid:", "", request.path.address, flags=re.IGNORECASE)
        return super().read_address_id(request)


@breaks("identifier.canonical", also=SPELLING)
class BlanksAreTrimmed(Deployment):
    """Blanks around a UUID are trimmed."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        request.path.address = request.path.address.strip()
        return super().read_address_id(request)


@breaks("identifier.canonical")
class UpperCaseIsUnknown(Deployment):
    """A UUID with its hexadecimal digits in upper case is not recognised."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        if request.path.address != super().read_address_id(request):
            raise Refusal(400, "the IP address ID is unknown")
        return request.path.address
