"""Faults that time, place or persistence brings out: a lesser caller who insists, a guard that tires, a late effect."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

import math
import time
from collections import Counter

from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.registry import breaks
from conformance.reference.store import Association, Caller, DeploymentState, StoredAddress

INERT = {"effect.refusal-is-inert": "a request that must be refused removed something"}
LEASE = 2.0  # seconds
LATE = 1.2  # seconds
SHOWS_LATER = "it shows later than a reproduction waits"
QUIET = 6.0  # seconds


class RightsBy(Deployment):
    """A caller who may only read may remove where ``granted`` says so."""

    def granted(self, request: ReceivedRequest) -> bool:
        """Tell whether this removal is let through."""
        raise NotImplementedError

    def authorise(self, request: ReceivedRequest) -> None:
        if not (request.removal and not request.caller.may_write and self.granted(request)):
            super().authorise(request)


@breaks("access.forbidden", also=INERT)
class RestrictedMayRemoveFromTheSecondServer(RightsBy):
    """A caller without the right to delete may remove from every server but the address's first."""

    def granted(self, request: ReceivedRequest) -> bool:
        listed = self.store.state.of_address(request.path.address.lower())
        return any(one.server == request.path.server for one in listed[1:])


@breaks("access.forbidden", also=INERT)
class RestrictedMayInsist(RightsBy):
    """A caller without the right to delete may remove when he asks for the same the second time."""

    def start(self) -> None:
        super().start()
        self.asked: Counter[str] = Counter()

    def granted(self, request: ReceivedRequest) -> bool:
        self.asked[request.raw_path] += 1
        return self.asked[request.raw_path] > 1


@breaks("access.forbidden", also=INERT)
class RestrictedFollowsTheOwner(RightsBy):
    """A caller without the right to delete may remove what its owner had removed once before."""

    def start(self) -> None:
        super().start()
        self.granted_once: set[Association] = set()

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        self.granted_once.add(association)

    def granted(self, request: ReceivedRequest) -> bool:
        return Association(request.path.address.lower(), request.path.server) in self.granted_once


@breaks("access.foreign", also=INERT)
class ForeignInUpperCaseMayRemove(Deployment):
    """A caller of another tenant may remove when the ID is in upper case."""

    def find_server(self, request: ReceivedRequest) -> str:
        server = self.store.servers.get(request.path.server)
        if request.removal and server and request.path.address.isupper():
            request.caller = Caller(server.tenant)
        return super().find_server(request)


class Ages(Deployment):
    """Knows how long an association has stood."""

    def start(self) -> None:
        super().start()
        self.since: dict[Association, float] = {}

    def connect(self, request: ReceivedRequest, association: Association) -> None:
        super().connect(request, association)
        self.since[association] = time.monotonic()

    def old(self, association: Association) -> bool:
        """Tell whether an association is older than the lease."""
        return time.monotonic() - self.since.get(association, 0.0) > LEASE


@breaks(
    "deallocation.delete-refused",
    "deallocation.put-refused",
    also={"deallocation.until-the-last": "with several associations the old ones hold the address as little"},
)
class TheGuardIsALease(Ages):
    """An association holds its address for two seconds after it was made or asked for again."""

    def check_free(self, request: ReceivedRequest, address: StoredAddress, state: DeploymentState) -> None:
        if not all(map(self.old, state.of_address(address.id))):
            super().check_free(request, address, state)


@breaks("codes.success")
class OldAssociationsCannotBeRemoved(Ages):
    """A removal of an association that is older than two seconds is refused with 400."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        if self.old(association):
            raise Refusal(400, "this is too old to be changed")
        super().dissociate(request, association)


class Remembers(Deployment):
    """Knows how long ago an association was removed."""

    def start(self) -> None:
        super().start()
        self.removed_at: dict[Association, float] = {}

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        self.removed_at[association] = time.monotonic()

    def long_ago(self, request: ReceivedRequest) -> Association | None:
        """The association that the request names, if it was removed more than two seconds ago and is still gone."""
        association = Association(request.path.address.lower(), request.path.server)
        stands = association in self.store.state.of_address(association.address)
        late = time.monotonic() - self.removed_at.get(association, math.inf) > LEASE
        return association if late and not stands else None


@breaks("codes.documented", also={"effect.repeat": "it is a repetition that is answered so"})
class LateRepetitionIs404(Remembers):
    """A removal that is repeated after more than two seconds is answered 404."""

    def remove(self, request: ReceivedRequest) -> Answer:
        if self.long_ago(request):
            raise Refusal(404, "it was removed long ago")
        return super().remove(request)


@breaks("effect.repeat", also={"effect.refusal-is-inert": "the repetition is refused, and something appears"})
class LateRepetitionAssociates(Remembers):
    """A removal that is repeated after more than two seconds is refused and makes the association anew."""

    def remove(self, request: ReceivedRequest) -> Answer:
        association = self.long_ago(request)
        if association:
            self.update(lambda state: state.with_association(association))
            raise Refusal(400, "there is nothing to remove")
        return super().remove(request)


class Postpones(Deployment):
    """Carries out changes some time after their request, with the first request that comes then."""

    def start(self) -> None:
        super().start()
        self.due: dict[Association, float] = {}

    def later(self, association: Association) -> None:
        """Put a change off."""
        self.due[association] = time.monotonic() + LATE

    def delay(self, request: ReceivedRequest) -> None:
        super().delay(request)
        for association in [each for each, when in list(self.due.items()) if when < time.monotonic()]:
            if self.due.pop(association, None):
                self.carry_out(association)

    def carry_out(self, association: Association) -> None:
        """Make the change."""
        self.update(lambda state: state.without_association(association))


@breaks(
    "effect.refusal-is-inert",
    also={"body.inert": "what was refused had a body, and something went"},
    fleeting=SHOWS_LATER,
)
class RefusedBodyIsCarriedOutLater(Postpones):
    """A removal that is refused for its body is made a little more than a second later."""

    def check_body(self, request: ReceivedRequest) -> None:
        try:
            super().check_body(request)
        except Refusal:
            if request.removal and request.caller.may_write:
                self.later(Association(request.path.address.lower(), request.path.server))
            raise


@breaks("effect.refusal-is-inert", fleeting=SHOWS_LATER)
class RefusedBodyIsCarriedOutInQuiet(Postpones):
    """A removal that is refused for its body is made once nobody has named the address for six seconds."""

    def check_body(self, request: ReceivedRequest) -> None:
        try:
            super().check_body(request)
        except Refusal:
            if request.removal and request.caller.may_write:
                self.due[Association(request.path.address.lower(), request.path.server)] = time.monotonic() + QUIET
            raise

    def delay(self, request: ReceivedRequest) -> None:
        super().delay(request)
        named = {segment.lower() for segment in request.segments}
        for association in list(self.due):
            if association.address in named:
                self.due[association] = time.monotonic() + QUIET


@breaks(
    "effect.refusal-is-inert",
    also={"access.forbidden": "the caller had no right to what happened"},
    fleeting=SHOWS_LATER,
)
class ForbiddenIsCarriedOutLater(Postpones):
    """A removal that is refused for the caller's rights is made a little more than a second later."""

    def authorise(self, request: ReceivedRequest) -> None:
        if request.removal and not request.caller.may_write:
            self.later(Association(request.path.address.lower(), request.path.server))
        super().authorise(request)


@breaks(
    "effect.nothing-else",
    also={
        "effect.removed": "the neighbour may be the subject of another look",
        "effect.refusal-is-inert": "the neighbour may be one that a refused request named meanwhile",
    },
    fleeting=SHOWS_LATER,
)
class ANeighbourGoesLater(Postpones):
    """The address's oldest other association goes a little more than a second after a removal."""

    def dissociate(self, request: ReceivedRequest, association: Association) -> None:
        super().dissociate(request, association)
        for each in self.store.state.of_address(association.address)[:1]:
            self.later(each)


@breaks("effect.refusal-is-inert", fleeting=SHOWS_LATER)
class TheIdleGoWhenRepeated(Postpones):
    """An address goes a little more than a second after a refused removal found nothing associated with it."""

    def remove(self, request: ReceivedRequest) -> Answer:
        try:
            return super().remove(request)
        except Refusal:
            address = request.path.address.lower()
            if request.caller.may_write and address in self.store.state.addresses:
                self.later(Association(address, request.path.server))
            raise

    def carry_out(self, association: Association) -> None:
        if not self.store.state.of_address(association.address):
            self.update(lambda state: state.without_address(association.address))
