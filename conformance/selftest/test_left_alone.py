"""What is left alone until the end of a run, where the target grants so few addresses that it is made at the end."""

from pathlib import Path
from typing import Any

import pytest
from foreign_services import broken
from run_processes import run, serve

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
