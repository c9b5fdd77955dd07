"""Races between requests that share a server, an address or nothing: a list that is read, changed and written back."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from conformance.reference.app import Deployment
from conformance.reference.exchange import ReceivedRequest
from conformance.reference.registry import breaks
from conformance.reference.store import Association, DeploymentState, StoredAddress

WINDOW = 0.03  # seconds
Part = Callable[[DeploymentState], tuple[Association, ...]]


class WritesBack(Deployment):
    """What ``unprotected`` names reads a part of the associations, takes its time and writes it back."""

    unprotected = "remove"

    def exclusive(self, what: str) -> AbstractContextManager[Any]:
        return nullcontext() if what == self.unprotected else super().exclusive(what)

    def write_back(self, part: Part, gone: Association | None = None) -> None:
        """Write a part as it was a moment ago, without what is gone."""
        written = [each for each in part(self.store.state) if each != gone]
        time.sleep(WINDOW)
        self.update(lambda state: overwritten(state, part, written))


def overwritten(state: DeploymentState, part: Part, written: Iterable[Association]) -> DeploymentState:
    """Give the state with a part replaced; what stays keeps its place in the order."""
    kept = set(written) | set(state.associations) - set(part(state))
    stay = [each for each in state.associations if each in kept]
    return replace(state, associations=tuple(dict.fromkeys([*stay, *written])))


@breaks("concurrency.linearizable")
class TheListOfTheServerIsWrittenBack(WritesBack):
    """Of two overlapping removals of different addresses of one server one is undone by the other."""

    def dissociate(self, _request: ReceivedRequest, association: Association) -> None:
        self.write_back(lambda state: state.of_server(association.server), association)


@breaks("concurrency.linearizable")
class TheListOfTheAddressIsWrittenBack(WritesBack):
    """Of two overlapping removals of one address from different servers one is undone by the other."""

    def dissociate(self, _request: ReceivedRequest, association: Association) -> None:
        self.write_back(lambda state: state.of_address(association.address), association)


@breaks("concurrency.linearizable")
class DeallocationWritesTheOthersBack(WritesBack):
    """De-allocating an address brings back what is removed meanwhile of the other addresses."""

    unprotected = "deallocate"

    def release(self, request: ReceivedRequest, address: StoredAddress) -> None:
        self.write_back(lambda state: tuple(one for one in state.associations if one.address != address.id))
        super().release(request, address)
