"""Faults of the method: an undocumented one acts, or something else than the method decides."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

from conformance.reference.app import Deployment
from conformance.reference.exchange import ReceivedRequest, Refusal
from conformance.reference.registry import breaks
from conformance.reference.store import Association

INERT = ("effect.refusal-is-inert",)
KNOWN = {"GET", "PUT", "DELETE", "HEAD", "OPTIONS", "POST", "PATCH", "TRACE", "CONNECT"}


@breaks("method.refused", also=INERT)
class PostRemoves(Deployment):
    """POST removes the association as DELETE does."""

    def effective_method(self, request: ReceivedRequest) -> str:
        on_one = request.method == "POST" and request.path.resource == "association"
        return "DELETE" if on_one else super().effective_method(request)


@breaks("method.refused", also=INERT)
class LowerCaseRemoves(Deployment):
    """A method is taken in any case, so that delete removes."""

    def effective_method(self, request: ReceivedRequest) -> str:
        return super().effective_method(request).upper()


@breaks("method.refused", also=("codes.documented",))
class PatchAnswers200(Deployment):
    """PATCH answers 200 and does nothing."""

    def bad_method(self, request: ReceivedRequest) -> Refusal:
        return Refusal(200, "nothing to do") if request.method == "PATCH" else super().bad_method(request)


@breaks("method.refused", also=("codes.documented",))
class UnknownMethodIs501(Deployment):
    """A method that nobody ever heard of answers 501."""

    def bad_method(self, request: ReceivedRequest) -> Refusal:
        known = request.method in KNOWN
        return super().bad_method(request) if known else Refusal(501, "no such method")


@breaks("method.refused")
class UndocumentedMethodIs400(Deployment):
    """A method that is not documented answers 400 instead of 405."""

    def bad_method(self, request: ReceivedRequest) -> Refusal:
        return Refusal(400, "no such method", *super().bad_method(request).headers)


@breaks("method.refused", "effect.refusal-is-inert")
class PatchIs405ButRemoves(Deployment):
    """PATCH is refused with 405 and removes the association nevertheless."""

    def bad_method(self, request: ReceivedRequest) -> Refusal:
        victim = Association(request.path.address.lower(), request.path.server)
        if request.method == "PATCH":
            self.update(lambda state: state.without_association(victim))
        return super().bad_method(request)


@breaks("method.allow")
class NoAllow(Deployment):
    """A 405 says nothing of the methods that are possible."""

    def bad_method(self, request: ReceivedRequest) -> Refusal:
        return Refusal(405, super().bad_method(request).message)


@breaks("method.allow")
class NoAllowForInventedMethods(Deployment):
    """A 405 to a method that nobody ever heard of has no Allow header."""

    def bad_method(self, request: ReceivedRequest) -> Refusal:
        refusal = super().bad_method(request)
        return refusal if request.method in KNOWN else Refusal(405, refusal.message)


@breaks("method.allow")
class AllowUnderAnotherName(Deployment):
    """A 405 names the methods only in Access-Control-Allow-Methods."""

    def bad_method(self, request: ReceivedRequest) -> Refusal:
        name = "Access-Control-Allow-Methods"
        return Refusal(405, super().bad_method(request).message, (name, self.methods(request)))


@breaks("method.override", also=("method.refused", *INERT))
class OverrideHeaderOnPost(Deployment):
    """POST with an override header that says DELETE removes."""

    def effective_method(self, request: ReceivedRequest) -> str:
        names = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
        wished = next(filter(None, map(request.header, names)), "")
        return wished.upper() if request.method == "POST" and wished else super().effective_method(request)


@breaks("method.override", also=INERT)
class OverrideHeaderOnGet(Deployment):
    """GET with X-HTTP-Method-Override: DELETE removes."""

    def effective_method(self, request: ReceivedRequest) -> str:
        wished = request.header("X-HTTP-Method-Override")
        return wished if request.method == "GET" and wished else super().effective_method(request)


@breaks("method.override", also=("method.refused", *INERT))
class OverrideInTheQuery(Deployment):
    """A query parameter _method or method decides, whatever the method of the request."""

    def effective_method(self, request: ReceivedRequest) -> str:
        wished = request.parameters.get("_method") or request.parameters.get("method")
        return wished.upper() if wished else super().effective_method(request)


@breaks("method.override", "effect.refusal-is-inert", also=("method.refused",))
class OverriddenPostIs405ButRemoves(Deployment):
    """POST with an override header is refused with 405 and removes nevertheless."""

    def effective_method(self, request: ReceivedRequest) -> str:
        victim = Association(request.path.address.lower(), request.path.server)
        if request.method == "POST" and request.header("X-HTTP-Method-Override") == "DELETE":
            self.update(lambda state: state.without_association(victim))
        return super().effective_method(request)
