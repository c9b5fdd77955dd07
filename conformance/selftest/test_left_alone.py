"""What is left alone until the end of a run, where the target grants so few addresses that it is made at the end."""

from pathlib import Path
from typing import Any

import in_process
import pytest
from foreign_services import broken
from run_processes import run, serve

from conformance.client.stopwatch import Stopwatch
from conformance.driver.lasting import LEAST_AGE_SECONDS, Lasting
from conformance.driver.ruling_log import RulingLog

pytestmark = pytest.mark.once

FEW: dict[str, Any] = {"limits": {"max_addresses": 2}}
IMPATIENT = {"settle_seconds": 0.5}


@pytest.mark.slow
def test_a_target_that_may_ignore_content_removes_what_was_to_be_left_alone(tmp_path: Path) -> None:
    """The description says that content is ignored: a removal with content is no refusal that has to be inert."""
    with serve(tmp_path, "--variant", "bodies-are-ignored") as served:
        described = served.described("few", **FEW, policy={**IMPATIENT, "request_body": "ignore"})
        ran = run(tmp_path, "--target", described, "--depth", "standard")
    assert ran.code == 0, ran.output


@pytest.mark.slow
def test_what_goes_while_nobody_looks_is_found_and_blamed_on_nothing_else(tmp_path: Path) -> None:
    """A refusal that is carried out before the look at the end: what was left standing has to stand then."""
    with serve(tmp_path, "--fault", "refused-body-is-carried-out-in-quiet") as served:
        described = served.described("enough", limits={"max_addresses": 4}, policy=IMPATIENT)
        ran = run(tmp_path, "--target", described, "--depth", "standard")
    assert broken(ran) == {"effect.refusal-is-inert"}, ran.output


@pytest.mark.slow
def test_what_is_granted_at_once_is_not_blamed_on_time(tmp_path: Path) -> None:
    """A body that is accepted breaks its own clause, and no clause of what happens later."""
    with serve(tmp_path, "--fault", "body-is-ignored") as served:
        described = served.described("few", **FEW, policy=IMPATIENT)
        ran = run(tmp_path, "--target", described, "--depth", "standard")
    assert broken(ran) == {"body.refused"}, ran.output


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left alone is old at once."""
    monkeypatch.setattr("conformance.driver.lasting.LEAST_AGE_SECONDS", 0.0)


def test_what_is_early_is_left_alone_for_a_while_however_soon_effects_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard may be a lease by its own clock."""
    waits: list[float] = []
    monkeypatch.setattr(Stopwatch, "pause", lambda _watch, _kind, seconds: waits.append(seconds))
    with in_process.served() as reference, in_process.process(reference) as process:
        lasting = Lasting(process, RulingLog(frozenset(), process.recorder))
        lasting.begin()
        assert not lasting.end()
    assert max(waits) > LEAST_AGE_SECONDS / 2


@pytest.mark.usefixtures("_soon")
def test_what_went_before_it_was_left_alone_is_no_loss_of_that_time() -> None:
    """A removal that is refused and carried out is judged elsewhere: what is seen when the time begins stands."""
    with in_process.served("removal-works-but-answers-400") as reference, in_process.process(reference) as process:
        log = RulingLog(frozenset(), process.recorder)
        lasting = Lasting(process, log)
        lasting.begin()
        assert not lasting.end()
    assert "effect.nothing-else" in log.cases
    assert not log.breaks("effect.nothing-else")


@pytest.mark.usefixtures("_soon")
def test_what_befalls_what_was_refused_alone_is_blamed_on_the_refusals() -> None:
    """An address whose de-allocation was refused goes, and those that nobody was refused stay."""
    with in_process.served() as reference, in_process.process(reference) as process:
        log = RulingLog(frozenset(), process.recorder)
        lasting = Lasting(process, log)
        lasting.begin()
        state = reference.store.state
        held = {one.address for one in state.associations}
        (idle,) = state.addresses.keys() - held
        reference.store.state = state.without_address(idle)
        assert not lasting.end()
    assert log.breaks("effect.refusal-is-inert")
    assert not log.breaks("effect.nothing-else")
