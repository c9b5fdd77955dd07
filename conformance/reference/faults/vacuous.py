"""Deployments that answer everything alike: nothing that they do shows that a clause holds."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.registry import breaks

NEVER_REFUSED = (
    "body.refused",
    "identifier.uuid",
    "access.authenticated",
    "access.forbidden",
    "access.foreign",
    "method.refused",
)


@breaks("codes.success", verdict="inconclusive")
class AllIs503(Deployment):
    """Every request answers 503."""

    def process(self, _request: ReceivedRequest) -> Answer:
        raise Refusal(503, "come back later")


@breaks("codes.success", verdict="inconclusive")
class AllIs401(Deployment):
    """Every request answers 401, whatever the token."""

    def process(self, _request: ReceivedRequest) -> Answer:
        raise Refusal(401, "a valid X-Auth-Token is required")


@breaks(
    *NEVER_REFUSED,
    also=("identifier.canonical", "identifier.not-the-address", "effect.removed", "method.override", "codes.success"),
)
class AllIs204(Deployment):
    """Every request answers 204, and nothing ever happens."""

    def process(self, _request: ReceivedRequest) -> Answer:
        return Answer(204)


@breaks(
    "codes.success",
    also=(
        "access.forbidden",
        "method.override",
        "lifecycle.model",
        "concurrency.linearizable",
        "effect.removed",
    ),
)
class RemovalIsAlways400(Deployment):
    """Every removal answers 400 and removes nothing."""

    def remove(self, _request: ReceivedRequest) -> Answer:
        raise Refusal(400, "this is not possible")


@breaks("codes.success", verdict="inconclusive")
class RemovalIsAlways503(Deployment):
    """Every removal that would be made answers 503 and removes nothing."""

    def pause(self, what: str) -> None:
        if what == "remove":
            raise Refusal(503, "come back later")


@breaks(
    "effect.removed",
    "body.refused",
    "identifier.uuid",
    also=(
        "identifier.not-the-address",
        "identifier.canonical",
        "access.forbidden",
        "access.foreign",
        "deallocation.delete-after",
        "deallocation.put-after",
        "deallocation.until-the-last",
        "lifecycle.model",
        "concurrency.linearizable",
        "effect.repeat",
    ),
)
class RemovalIsCanned(Deployment):
    """Every authenticated removal answers 204 without a look at it, and removes nothing."""

    def remove(self, request: ReceivedRequest) -> Answer:
        return self.removed(request)
