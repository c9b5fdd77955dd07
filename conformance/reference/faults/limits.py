"""Faults of the rate limit: a 413 that has an effect, or that does not say when to come back."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

import time
from collections import deque

from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.registry import breaks
from conformance.reference.store import Association

RETRIED = ("codes.success", "effect.removed", "effect.repeat", "lifecycle.model", "concurrency.linearizable")
RETRY = ("Retry-After", "1")


class Burst:
    """Tells whether more happens within a second than is allowed."""

    def __init__(self, allowed: int) -> None:
        self.recent: deque[float] = deque(maxlen=allowed)

    def exceeded(self) -> bool:
        """Count one more; true if it is too many."""
        now = time.monotonic()
        if len(self.recent) == self.recent.maxlen and now - self.recent[0] < 1:
            return True
        self.recent.append(now)
        return False


@breaks("limits.over-limit", "effect.refusal-is-inert", also=RETRIED)
class OverLimitRemoves(Deployment):
    """Every eighth removal is answered with 413 and made nevertheless."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        if self.every(8, "removal"):
            raise Refusal(413, "over the rate limit", RETRY)


@breaks(
    "limits.over-limit",
    "effect.refusal-is-inert",
    also=(*RETRIED, "effect.nothing-else", "deallocation.until-the-last"),
)
class OverLimitTakesAnother(Deployment):
    """Every eighth removal is answered with 413 and takes the newest association of the address."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        if not self.every(8, "removal"):
            return super().dissociate(request, association)
        super().dissociate(request, self.store.state.of_address(association.address)[-1])
        raise Refusal(413, "over the rate limit", RETRY)


@breaks("limits.over-limit", "effect.refusal-is-inert", also=RETRIED)
class BurstRemoves(Deployment):
    """More than ten removals in a second are answered with 413 and made nevertheless."""

    def start(self) -> None:
        super().start()
        self.burst = Burst(10)

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        if self.burst.exceeded():
            raise Refusal(413, "over the rate limit", RETRY)


@breaks("limits.retry-after", also=RETRIED)
class OverLimitWithoutRetryAfter(Deployment):
    """Every eighth removal is refused with a 413 that does not say when to come back."""

    def remove(self, request: ReceivedRequest) -> Answer:
        if self.every(8, "removal"):
            raise Refusal(413, "over the rate limit")
        return super().remove(request)


@breaks("limits.retry-after", also=RETRIED)
class BurstWithoutRetryAfter(Deployment):
    """More than ten removals in a second are refused with a 413 that does not say when to come back."""

    def start(self) -> None:
        super().start()
        self.burst = Burst(10)

    def remove(self, request: ReceivedRequest) -> Answer:
        if self.burst.exceeded():
            raise Refusal(413, "over the rate limit")
        return super().remove(request)


@breaks("limits.retry-after", also=RETRIED)
class RetryAfterUnderAnotherName(Deployment):
    """Every eighth removal is refused with a 413 that has X-RateLimit-Reset and no Retry-After."""

    def remove(self, request: ReceivedRequest) -> Answer:
        if self.every(8, "removal"):
            raise Refusal(413, "over the rate limit", ("X-RateLimit-Reset", "1"))
        return super().remove(request)
