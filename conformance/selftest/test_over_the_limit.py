"""``--probe-limits``: the removal that meets the limit is sent while the burst is under way."""

import threading
from collections.abc import Iterator
from typing import Any

import in_process
import pytest

from conformance.driver.api import BURST_REQUESTS, TargetApi
from conformance.driver.context import Process
from conformance.driver.ruling_log import RulingLog
from conformance.errors import Untested
from conformance.reference import Reference, Settings
from conformance.reference.app import Deployment
from conformance.reference.exchange import ReceivedRequest, Refusal

pytestmark = pytest.mark.once

LONGEST_SECONDS = 1
BODY: dict[str, Any] = {"body": b"{}", "framing": "content-length"}
GRANTED_IN_A_BURST = 20


class LimitedInABurst(Deployment):
    """After the twentieth read of a burst all is refused, until the burst has ended; the rest of it waits for that.

    ``limited`` says whether removals are, too.
    """

    def start(self) -> None:
        """Nothing is counted before the burst."""
        self.reads, self.limited = -1, True
        self.tried = threading.Event()
        self.counting = threading.Lock()

    def delay(self, request: ReceivedRequest) -> None:
        """Refuse what comes over the limit, before anything is done."""
        if self.reads < 0:
            return
        if request.removal:
            self.tried.set()
            if self.limited and self.reads < BURST_REQUESTS:
                raise Refusal(413, "over the limit", ("Retry-After", "1"))
        elif not self.tried.is_set():
            with self.counting:
                self.reads += 1
                read = self.reads
            if read > GRANTED_IN_A_BURST + 1:
                self.tried.wait(LONGEST_SECONDS)
            if read > GRANTED_IN_A_BURST:
                raise Refusal(413, "over the limit", ("Retry-After", "1"))


class LimitsRemovals(Deployment):
    """Every removal is over the limit."""

    def delay(self, request: ReceivedRequest) -> None:
        """Refuse it before anything is done."""
        if request.removal:
            raise Refusal(413, "over the limit", ("Retry-After", "0"))


@pytest.fixture
def met() -> Iterator[tuple[LimitedInABurst, Process]]:
    """Such a deployment, and a run on it that may probe the limit."""
    reference = Reference(Settings(tokens=in_process.TOKENS))
    deployment = LimitedInABurst(reference.store, reference.settings.rules)
    reference.deployment = deployment
    with reference, in_process.process(reference) as process:
        process.probe_limits = True
        yield deployment, process


def test_a_limit_that_ends_with_the_burst_is_met(met: tuple[LimitedInABurst, Process]) -> None:
    """The removal is refused, and what it asked for stands: there was a limit to be judged."""
    deployment, process = met
    api = TargetApi(process, RulingLog(frozenset(), process.recorder))
    pair = api.leases.association()
    api.establish(pair)
    deployment.reads = 0
    trial = api.attempt_over_the_limit(pair)
    assert trial.status == 413
    assert not trial.changes
    api.close()


def test_a_limit_that_spares_removals_is_not_judged(met: tuple[LimitedInABurst, Process]) -> None:
    """Reads are refused and the removal is not: nothing was over the limit that the clause speaks of."""
    deployment, process = met
    api = TargetApi(process, RulingLog(frozenset(), process.recorder))
    pair = api.leases.association()
    api.establish(pair)
    deployment.limited, deployment.reads = False, 0
    with pytest.raises(Untested, match="was met, but let the removal through"):
        api.attempt_over_the_limit(pair)
    api.close()


def test_content_that_is_turned_away_is_not_waited_for() -> None:
    """The same removal without content goes through: the 413 is the answer, and what it asks for is no patience."""
    with in_process.served(variant="any-body-is-413") as reference, in_process.process(reference) as process:
        api = TargetApi(process, RulingLog(frozenset(), process.recorder))
        pair = api.leases.association()
        first = api.attempt(pair, "a removal with a body", **BODY)
        sent = len(process.recorder.exchanges)
        second = api.attempt(pair, "a removal with a body", **BODY)
        removals = [one for one in list(process.recorder.exchanges.values())[sent:] if one.request.method == "DELETE"]
        api.close()
    assert [first.status, second.status] == [413, 413]
    assert len(removals) == 1


def test_a_limit_that_meets_content_first_is_still_a_limit() -> None:
    """Where the removal without content is refused as well, nothing is known of content."""
    reference = Reference(Settings(tokens=in_process.TOKENS))
    reference.deployment = LimitsRemovals(reference.store, reference.settings.rules)
    with reference, in_process.process(reference) as process:
        api = TargetApi(process, RulingLog(frozenset(), process.recorder))
        api.attempt(api.leases.association(), "a removal with a body", **BODY)
        api.close()
    assert not process.content_is_turned_away
