"""Faults of blame: the client's mistake is answered as if the server had failed."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

from conformance.reference.app import UUID, Deployment
from conformance.reference.exchange import ReceivedRequest, Refusal
from conformance.reference.registry import breaks
from conformance.reference.store import Association, Caller, DeploymentState

IDENTIFIERS = ("identifier.uuid", "identifier.not-the-address", "identifier.canonical")


@breaks("faults.client-input", also=IDENTIFIERS)
class MalformedIdentifierIs500(Deployment):
    """An identifier that is no UUID answers 500."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        if not UUID.fullmatch(request.path.address):
            raise Refusal(500, "invalid literal")
        return super().read_address_id(request)


@breaks("faults.client-input", also=IDENTIFIERS)
class NonAsciiIdentifierIs500(Deployment):
    """An identifier with a character outside ASCII answers 500."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        if not request.path.address.isascii():
            raise Refusal(500, "codec cannot decode")
        return super().read_address_id(request)


@breaks("faults.client-input", also=IDENTIFIERS)
class LongIdentifierIs503(Deployment):
    """An identifier of more than 64 characters answers 503."""

    def read_address_id(self, request: ReceivedRequest) -> str:
        if len(request.path.address) > 64:
            raise Refusal(503, "the database is not available")
        return super().read_address_id(request)


@breaks("faults.client-input", also=("effect.repeat",))
class UnknownAssociationIs500(Deployment):
    """A removal of what does not exist answers 500."""

    def find_association(self, request: ReceivedRequest, state: DeploymentState) -> Association:
        try:
            return super().find_association(request, state)
        except Refusal as refusal:
            raise Refusal(500 if request.removal else 400, refusal.message) from None


@breaks("faults.client-input", also=("body.refused",))
class BodyIs500(Deployment):
    """A removal with a body that is no JSON object answers 500."""

    def check_body(self, request: ReceivedRequest) -> None:
        if request.removal and self.carries_body(request) and not (request.body or b"").startswith(b"{"):
            raise Refusal(500, "expecting value")
        super().check_body(request)


@breaks("faults.client-input", also=("access.authenticated",))
class StrangeTokenIs500(Deployment):
    """A token that is neither missing nor of the usual 32 characters answers 500."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        try:
            return super().authenticate(request)
        except Refusal:
            if len(request.token or " " * 32) != 32:
                raise Refusal(500, "padding is invalid") from None
            raise
