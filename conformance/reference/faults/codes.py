"""Faults of the status codes: an undocumented one, or not the one that success has."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

from dataclasses import replace

from conformance.reference.app import UUID, Deployment
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.registry import breaks
from conformance.reference.store import Association, DeploymentState, StoredAddress


@breaks("codes.documented", "effect.repeat")
class UnknownAssociationIs404(Deployment):
    """Removing an association that does not exist answers 404."""

    def find_association(self, request: ReceivedRequest, state: DeploymentState) -> Association:
        try:
            return super().find_association(request, state)
        except Refusal as refusal:
            raise Refusal(404 if "association" in refusal.message else 400, refusal.message) from None


@breaks("codes.documented")
class UnknownServerIs404(Deployment):
    """A server that does not exist at all answers 404."""

    def find_server(self, request: ReceivedRequest) -> str:
        if request.path.server not in self.store.servers:
            raise Refusal(404, "no such server")
        return super().find_server(request)


@breaks("codes.documented", also=("identifier.uuid", "identifier.not-the-address", "identifier.canonical"))
class MalformedIdentifierIs422(Deployment):
    """An identifier that is no UUID answers 422."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        if not UUID.fullmatch(request.path.address):
            raise Refusal(422, "the IP address ID cannot be processed")
        return super().read_address_id(request)


@breaks("codes.documented", "body.refused")
class BodyThatIsNoJsonIs415(Deployment):
    """A body of another media type than JSON answers 415."""

    def check_body(self, request: ReceivedRequest) -> None:
        if self.carries_body(request) and request.media_type != "application/json":
            raise Refusal(415, "only JSON is understood")
        super().check_body(request)


@breaks("codes.documented", "identifier.canonical")
class UpperCaseIsRedirected(Deployment):
    """An identifier in upper case is redirected to its lower-case spelling."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        identifier = super().read_address_id(request)
        if identifier != request.path.address:
            there = request.raw_path.replace(request.path.address, identifier)
            raise Refusal(308, "it is there", ("Location", there))
        return identifier


@breaks("codes.documented", also=("codes.success", "lifecycle.model", "effect.removed"))
class EveryEighthRemovalIs429(Deployment):
    """Every eighth removal is refused for its rate with 429 instead of 413."""

    def check_body(self, request: ReceivedRequest) -> None:
        super().check_body(request)
        if self.every(8, "removal"):
            raise Refusal(429, "not so fast", ("Retry-After", "1"))


@breaks("codes.success", "codes.documented")
class RemovalAnswers200(Deployment):
    """A removal answers 200."""

    def removed(self, _request: ReceivedRequest) -> Answer:
        return Answer(200)


@breaks("codes.success", "codes.documented")
class RemovalAnswers202(Deployment):
    """A removal is done at once but answers 202."""

    def removed(self, _request: ReceivedRequest) -> Answer:
        return Answer(202, {"status": "accepted"})


@breaks("codes.success", "effect.refusal-is-inert", also=("lifecycle.model", "concurrency.linearizable"))
class RemovalWorksButAnswers400(Deployment):
    """A removal is made, but its answer says that it was refused."""

    def removed(self, _request: ReceivedRequest) -> Answer:
        return Answer(400, {"badRequest": {"code": 400, "message": "something went wrong"}})


@breaks("codes.documented")
class AGoneAddressIs410(Deployment):
    """A removal that names an address which was de-allocated is answered 410."""

    def start(self) -> None:
        super().start()
        self.gone: set[str] = set()

    def release(self, request: ReceivedRequest, address: StoredAddress) -> None:
        super().release(request, address)
        self.gone.add(address.id)

    def remove(self, request: ReceivedRequest) -> Answer:
        try:
            return super().remove(request)
        except Refusal as refusal:
            if request.path.address.lower() in self.gone and refusal.code == 400:
                raise Refusal(410, "it was there") from None
            raise


@breaks("codes.success", "codes.documented")
class EveryFourthRemovalAnswers200(Deployment):
    """Every fourth removal answers 200 instead of 204."""

    def removed(self, request: ReceivedRequest) -> Answer:
        answer = super().removed(request)
        return replace(answer, code=200) if self.every(4, "removal") else answer


@breaks("codes.success", also=("lifecycle.model", "concurrency.linearizable", "deallocation.until-the-last"))
class WithThreeNoneCanBeRemoved(Deployment):
    """An address with exactly three associations has every removal refused."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        if len(self.store.state.of_address(association.address)) == 3:
            raise Refusal(400, "too many associations to remove one")
        super().dissociate(request, association)


@breaks("codes.success", also=("lifecycle.model",))
class OnlyTheNewestCanBeRemoved(Deployment):
    """An association is removed only if it is the one of its address that was made last."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        if self.store.state.of_address(association.address)[-1] != association:
            raise Refusal(400, "remove the newer ones first")
        super().dissociate(request, association)


@breaks(
    "codes.success",
    "codes.documented",
    also=("effect.removed", "lifecycle.model", "effect.repeat", "body.refused", "access.forbidden"),
)
class DeleteActsAsGet(Deployment):
    """A removal is answered with 200 as if the association had been read."""

    def remove(self, request: ReceivedRequest) -> Answer:
        return self.show_association(request)
