"""Faults of the request body: it is ignored where it must be refused, or it decides what is removed."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

import re

from conformance.reference.app import UUID, Deployment
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.registry import breaks
from conformance.reference.store import Association

CHOSEN = ("effect.nothing-else", "effect.removed", "effect.refusal-is-inert")


def named_in_body(deployment: Deployment, request: ReceivedRequest) -> Association | None:
    """Give an association of the caller's that the body names by its address, not the one in the path."""
    mentioned = re.findall(UUID.pattern.replace("(", "(?:").encode(), request.body or b"")
    others = {each.decode().lower() for each in mentioned} - {request.path.address.lower()}
    mine = deployment.store.servers_of(request.caller.tenant)
    alive = [each for each in deployment.store.state.associations if each.server in mine]
    alive.sort(key=lambda each: each.server != request.path.server)
    return next((each for each in alive if each.address in others), None)


@breaks("body.refused")
class BodyIsIgnored(Deployment):
    """Any body is ignored, and the removal is made."""

    def carries_body(self, request: ReceivedRequest) -> bool:
        return not request.removal and super().carries_body(request)


@breaks("body.refused")
class ChunkedBodyIsIgnored(Deployment):
    """A body in chunks is not noticed; one with a Content-Length is refused."""

    def carries_body(self, request: ReceivedRequest) -> bool:
        return not (request.removal and request.chunked) and super().carries_body(request)


@breaks("body.refused")
class BodyWithALengthIsIgnored(Deployment):
    """A body with a Content-Length is not noticed; one in chunks is refused."""

    def carries_body(self, request: ReceivedRequest) -> bool:
        return (request.chunked or not request.removal) and super().carries_body(request)


@breaks("body.refused")
class JsonBodyIsIgnored(Deployment):
    """A body that says it is JSON is ignored."""

    def carries_body(self, request: ReceivedRequest) -> bool:
        json = request.removal and request.media_type == "application/json"
        return not json and super().carries_body(request)


@breaks("body.refused")
class BodyOtherThanJsonIsIgnored(Deployment):
    """A body that does not say it is JSON is ignored."""

    def carries_body(self, request: ReceivedRequest) -> bool:
        other = request.removal and request.media_type != "application/json"
        return not other and super().carries_body(request)


@breaks("body.refused")
class BodyAbove64KibIsIgnored(Deployment):
    """A body of more than 64 KiB is ignored."""

    def carries_body(self, request: ReceivedRequest) -> bool:
        large = request.removal and len(request.body or b"") > 64 * 1024
        return not large and super().carries_body(request)


@breaks("body.refused")
class OneByteIsIgnored(Deployment):
    """A body of one byte is ignored."""

    def carries_body(self, request: ReceivedRequest) -> bool:
        tiny = request.removal and len(request.body or b"") == 1
        return not tiny and super().carries_body(request)


@breaks("body.refused")
class EmptyObjectIsIgnored(Deployment):
    """A body that is an empty JSON object is ignored."""

    def carries_body(self, request: ReceivedRequest) -> bool:
        empty = request.removal and (request.body or b"").strip() == b"{}"
        return not empty and super().carries_body(request)


@breaks("body.refused", "codes.documented")
class ChunkedBodyIs411(Deployment):
    """A body in chunks answers 411, because its length is not declared."""

    def check_body(self, request: ReceivedRequest) -> None:
        if self.carries_body(request) and request.chunked:
            raise Refusal(411, "declare the length")
        super().check_body(request)


@breaks("body.refused", also=("effect.refusal-is-inert", "effect.repeat"))
class EveryThirdBodyIsIgnored(Deployment):
    """Every third body is ignored."""

    def carries_body(self, request: ReceivedRequest) -> bool:
        return super().carries_body(request) and not (request.removal and self.every(3, "body"))


@breaks("body.inert", "body.refused", also=CHOSEN)
class BodyChoosesTheAddress(Deployment):
    """An ID in the body takes precedence over the one in the path."""

    def remove(self, request: ReceivedRequest) -> Answer:
        chosen = named_in_body(self, request)
        if chosen is None:
            return super().remove(request)
        self.authorise(request)
        self.dissociate(request, chosen)
        return self.removed(request)


@breaks("body.inert", also=(*CHOSEN, "body.refused"))
class RefusedBodyStillChooses(Deployment):
    """A body is refused with 400, but the address whose ID it names loses its association."""

    def check_body(self, request: ReceivedRequest) -> None:
        chosen = named_in_body(self, request) if request.removal else None
        if chosen and request.caller.may_write:
            self.dissociate(request, chosen)
        super().check_body(request)


@breaks("body.inert", "body.refused", also=CHOSEN)
class BodyWidensTheRemoval(Deployment):
    """With any body a removal covers all associations of the address."""

    def carries_body(self, request: ReceivedRequest) -> bool:
        return not request.removal and super().carries_body(request)

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        wide = bool(request.body)
        for each in self.store.state.of_address(association.address) if wide else (association,):
            self.update(lambda state, gone=each: state.without_association(gone))  # type: ignore[misc]
