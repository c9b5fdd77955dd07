"""Faults of access: a caller who must be turned away is let in, or is turned away with the wrong answer."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.registry import breaks
from conformance.reference.store import Association, Caller, DeploymentState, StoredAddress

INERT = ("effect.refusal-is-inert",)


def owner(deployment: Deployment, request: ReceivedRequest) -> Caller:
    """Give a caller with all rights in the tenant that the server in the path belongs to."""
    server = deployment.store.servers.get(request.path.server)
    return Caller(server.tenant if server else deployment.store.tenant)


@breaks("access.authenticated", also=INERT)
class AnyTokenWorks(Deployment):
    """A token that nobody has is as good as a valid one; no token is refused."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        known = self.store.callers.get(request.token or "")
        return known or (owner(self, request) if request.token else super().authenticate(request))


@breaks("access.authenticated", also=INERT)
class NoTokenWorks(Deployment):
    """A removal without any token header is made."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        anonymous = request.removal and request.token is None and not request.header("Authorization")
        return owner(self, request) if anonymous else super().authenticate(request)


@breaks("access.authenticated", also=INERT)
class EmptyTokenWorks(Deployment):
    """An empty token is as good as a valid one; no token is refused."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        return owner(self, request) if request.token == "" else super().authenticate(request)


@breaks("access.authenticated", also=INERT)
class TruncatedTokenWorks(Deployment):
    """The beginning of a token is as good as the whole."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        given = request.token or "-"
        callers = self.store.callers.items()
        known = next((caller for token, caller in callers if token.startswith(given)), None)
        return known or super().authenticate(request)


@breaks("access.authenticated", also=INERT)
class TheEndOfATokenIsNotRead(Deployment):
    """A token that is as long as a valid one, and begins as it does, is as good."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        given = request.token or ""
        half = len(given) // 2
        alike = (one for one in self.store.callers if len(one) == len(given) and one[:half] == given[:half])
        return self.store.callers.get(next(alike, "")) or super().authenticate(request)


@breaks("access.authenticated", also=INERT)
class ExtendedTokenWorks(Deployment):
    """Whatever follows a valid token is ignored."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        given = request.token or ""
        callers = self.store.callers.items()
        known = next((caller for token, caller in callers if given.startswith(token)), None)
        return known or super().authenticate(request)


@breaks("access.authenticated", also=INERT)
class CaseOfTheTokenIsIgnored(Deployment):
    """A token works in upper or lower case."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        folded = {token.lower(): caller for token, caller in self.store.callers.items()}
        return folded.get((request.token or "").lower()) or super().authenticate(request)


@breaks("access.authenticated", also=INERT)
class TokenInTheQueryWorks(Deployment):
    """A valid token in the query is as good as one in the header."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        given = [self.store.callers.get(value) for value in request.parameters.values()]
        return next((caller for caller in given if caller), None) or super().authenticate(request)


@breaks("access.authenticated", also=INERT)
class BearerWorks(Deployment):
    """A valid token works as a bearer token too."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        scheme, _, given = (request.header("Authorization") or "").partition(" ")
        known = self.store.callers.get(given.strip()) if scheme.lower() == "bearer" else None
        return known or super().authenticate(request)


@breaks("access.authenticated", also=INERT)
class OneOfTwoTokensIsEnough(Deployment):
    """Of a list of tokens one valid token is enough."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        given = [self.store.callers.get(each.strip()) for each in (request.token or "").split(",")]
        return next((caller for caller in given if caller), None) or super().authenticate(request)


@breaks("access.authenticated", also=INERT)
class LongTokenWorks(Deployment):
    """A token of more than a thousand characters is not looked up any more."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        long = len(request.token or "") > 1000
        return owner(self, request) if long else super().authenticate(request)


@breaks("access.authenticated")
class UnauthenticatedIs403(Deployment):
    """A missing or unknown token answers 403 instead of 401."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        try:
            return super().authenticate(request)
        except Refusal as refusal:
            raise Refusal(403, refusal.message) from None


@breaks("access.authenticated", "effect.refusal-is-inert")
class UnauthenticatedButRemoved(Deployment):
    """A removal without a valid token is refused with 401 and made nevertheless."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        try:
            return super().authenticate(request)
        except Refusal:
            if request.removal:
                victim = Association(request.path.address.lower(), request.path.server)
                self.update(lambda state: state.without_association(victim))
            raise


@breaks("access.forbidden", also=INERT)
class RestrictedMayRemove(Deployment):
    """The right to delete is not asked for when an association is removed."""

    def authorise(self, request: ReceivedRequest) -> None:
        if not request.removal:
            super().authorise(request)


@breaks("access.forbidden")
class RestrictedIs401(Deployment):
    """A caller without the right to delete gets 401, as if nobody knew who it is."""

    def authorise(self, request: ReceivedRequest) -> None:
        if request.removal and not request.caller.may_write:
            raise Refusal(401, "this credential is not good enough")
        super().authorise(request)


@breaks("access.forbidden")
class RestrictedIs400(Deployment):
    """A caller without the right to delete gets 400 instead of 403."""

    def authorise(self, request: ReceivedRequest) -> None:
        if request.removal and not request.caller.may_write:
            raise Refusal(400, "this is not possible")
        super().authorise(request)


@breaks("access.forbidden", "effect.refusal-is-inert")
class ForbiddenButRemoved(Deployment):
    """A removal by a caller without the right to it is refused with 403 and made nevertheless."""

    def authorise(self, request: ReceivedRequest) -> None:
        if request.removal and not request.caller.may_write:
            victim = Association(request.path.address.lower(), request.path.server)
            self.update(lambda state: state.without_association(victim))
        super().authorise(request)


@breaks("access.foreign", also=INERT)
class ForeignMayRemove(Deployment):
    """A removal does not ask whose server it is."""

    def find_server(self, request: ReceivedRequest) -> str:
        if request.removal:
            request.caller = owner(self, request)
        return super().find_server(request)


@breaks("access.foreign", "codes.documented")
class ForeignIs404(Deployment):
    """A server of another tenant answers 404."""

    def find_server(self, request: ReceivedRequest) -> str:
        server = self.store.servers.get(request.path.server)
        if request.removal and server and server.tenant != request.caller.tenant:
            raise Refusal(404, "no such server")
        return super().find_server(request)


@breaks("access.foreign")
class ForeignIs204(Deployment):
    """A removal by another tenant answers 204 and removes nothing."""

    def remove(self, request: ReceivedRequest) -> Answer:
        server = self.store.servers.get(request.path.server)
        if server and server.tenant != request.caller.tenant:
            return self.removed(request)
        return super().remove(request)


@breaks("access.foreign", "effect.refusal-is-inert")
class ForeignIsRefusedButRemoves(Deployment):
    """A removal by another tenant is refused with 400 and made nevertheless."""

    def find_association(self, request: ReceivedRequest, state: DeploymentState) -> Association:
        try:
            return super().find_association(request, state)
        except Refusal:
            victim = Association(request.path.address.lower(), request.path.server)
            if request.removal:
                self.update(lambda state: state.without_association(victim))
            raise


@breaks("access.foreign", also=(*INERT, "effect.nothing-else"))
class ForeignMayDeallocate(Deployment):
    """De-allocating does not ask whose address it is."""

    def find_address(self, request: ReceivedRequest, state: DeploymentState) -> StoredAddress:
        address = state.addresses.get(request.path.address.lower())
        if address and request.method != "GET":
            request.caller = Caller(address.tenant)
        return super().find_address(request, state)
