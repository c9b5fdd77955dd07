"""Faults of dress: what a removal wears without meaning decides, or a refusal names or answers too little."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

from dataclasses import replace

from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.registry import breaks
from conformance.reference.store import Association, Caller, DeploymentState, StoredAddress

MISTAKE = {"faults.client-input": "the caller's mistake is answered as a fault of the service"}


@breaks("codes.success")
class ZeroLengthIs400(Deployment):
    """A removal that declares a Content-Length of 0 is refused as if it had a body."""

    def check_body(self, request: ReceivedRequest) -> None:
        if request.removal and request.environ.get("CONTENT_LENGTH") == "0":
            raise Refusal(400, "this operation accepts no body")
        super().check_body(request)


@breaks("codes.success", "codes.documented")
class JsonTypeWithoutContentIs415(Deployment):
    """A removal without content that names the media type of the example answers 415."""

    def check_body(self, request: ReceivedRequest) -> None:
        if request.removal and request.media_type == "application/json" and not self.carries_body(request):
            raise Refusal(415, "there is no JSON here")
        super().check_body(request)


@breaks("codes.success")
class LibrariesAreTurnedAway(Deployment):
    """A removal by a client that names itself after a Python library is refused with 403."""

    def check_body(self, request: ReceivedRequest) -> None:
        if request.removal and (request.header("User-Agent") or "").lower().startswith("python"):
            raise Refusal(403, "robots are not welcome")
        super().check_body(request)


@breaks("effect.removed")
class ClosingForgetsTheRemoval(Deployment):
    """A removal with Connection: close answers 204 and removes nothing."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        if (request.header("Connection") or "").lower() != "close":
            super().dissociate(request, association)


@breaks("method.allow")
class AllowNamesReadsOnly(Deployment):
    """The Allow of a 405 names neither PUT nor DELETE."""

    def methods(self, _request: ReceivedRequest) -> str:
        return "GET, HEAD"


@breaks("method.allow")
class AllowLeavesOutDelete(Deployment):
    """The Allow of a 405 names all documented methods except DELETE."""

    def methods(self, request: ReceivedRequest) -> str:
        return super().methods(request).replace("DELETE, ", "")


@breaks("method.allow")
class AllowIsEmpty(Deployment):
    """The Allow of a 405 is there and names nothing."""

    def methods(self, _request: ReceivedRequest) -> str:
        return ""


@breaks("body.refused", also=MISTAKE)
class LargeBodyIs503(Deployment):
    """A body of more than 16 KiB is always answered with 503."""

    def check_body(self, request: ReceivedRequest) -> None:
        if request.removal and len(request.body or b"") > 16 * 1024:
            raise Refusal(503, "the queue is full")
        super().check_body(request)


@breaks("access.authenticated", also=MISTAKE)
class MissingTokenIs500(Deployment):
    """A removal without a token always answers 500."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        if request.removal and request.token is None:
            raise Refusal(500, "None has no attribute split")
        return super().authenticate(request)


@breaks("deallocation.delete-refused", also=MISTAKE)
class HeldDeleteIs503(Deployment):
    """DELETE of an address that has associations always answers 503."""

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        if request.method == "DELETE" and state.of_address(address.id):
            raise Refusal(503, "the lock is taken")
        super().check_free(request, address, state)


@breaks("response.no-content")
class StrayLineAfter204(Deployment):
    """A 204 on a kept connection is followed by a line that belongs to nothing."""

    def removed(self, _request: ReceivedRequest) -> Answer:
        return Answer(204, content=b"stray\r\n", sized=False)


@breaks("response.no-content")
class EveryTwelfth204IsFollowedByContent(Deployment):
    """Every twelfth 204 is followed by a document on a kept connection, without a length."""

    def removed(self, request: ReceivedRequest) -> Answer:
        answer = super().removed(request)
        return replace(answer, content=b"{}", sized=False) if self.every(12, "removal") else answer


@breaks("response.no-content")
class RepetitionLeavesContentBehind(Deployment):
    """The 204 that leaves an address without associations is followed by a zero chunk nobody announced."""

    def removed(self, request: ReceivedRequest) -> Answer:
        answer = super().removed(request)
        left = self.store.state.of_address(request.path.address.lower())
        return answer if left else replace(answer, content=b"0\r\n\r\n", sized=False)
