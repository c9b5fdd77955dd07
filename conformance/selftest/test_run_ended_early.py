"""Runs that end before their last test, and tests that run again: no clause passes that was not judged to its end."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from run_processes import CHECKOUT, Ran, Served, run, serve

pytestmark = pytest.mark.slow

PLUGIN = """
import pytest

class Plugin:
    def __init__(self, config): self.config, self.ended = config, 0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item, nextitem):
        yield
        self.ended += 1
        if self.ended == 1:
            self.act(item)
        return True

    def act(self, item):
        {act}

def pytest_configure(config):
    config.pluginmanager.register(Plugin(config))
"""
DYING = """
import os, pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    yield
    if item.name.endswith("[chunked]"):
        os._exit(9)
"""
FEW = ("-k", "test_a_removal_with_a and body")
CLAUSE = "body.refused"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A conforming deployment."""
    with serve(tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One that breaks the clause."""
    with serve(tmp_path_factory.mktemp("faulty"), "--fault", "body-is-ignored") as served:
        yield served


def _with_plugin(folder: Path, act: str, *arguments: object) -> Ran:
    folder.mkdir(exist_ok=True)
    (folder / "odd_plugin.py").write_text(PLUGIN.replace("{act}", act))
    return run(folder / "run", "-p", "odd_plugin", *arguments, *FEW, PYTHONPATH=f"{folder}:{CHECKOUT}")


STOPS = {
    "Ctrl-C between two tests": ("raise KeyboardInterrupt", "the run was interrupted"),
    "a plugin that ends pytest": ("pytest.exit('enough', returncode=0)", "the run was interrupted"),
    "a plugin that stops the session": ("item.session.shouldstop = 'enough'", "stopped: enough"),
}


@pytest.mark.parametrize(("act", "reason"), STOPS.values(), ids=STOPS)
def test_a_clause_with_a_test_that_did_not_run_does_not_pass(
    act: str, reason: str, served: Served, tmp_path: Path
) -> None:
    """Though the first of its tests held."""
    ran = _with_plugin(tmp_path, act, "--target", served.description, "-n", "0")
    clause = next(one for one in ran.report["clauses"] if one["id"] == CLAUSE)
    assert clause["cases"] > 0
    assert (clause["verdict"], clause["reason"]) == ("inconclusive", reason), ran.output
    assert clause["untried"]
    assert ran.report["interrupted"]
    assert (ran.code, ran.report["verdict"], ran.report["reason"]) == (2, "inconclusive", reason)


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("option", ["-x", "--maxfail=1"])
def test_a_run_that_stops_at_the_first_failure_ends_by_its_verdict(
    option: str, workers: str, faulty: Served, tmp_path: Path
) -> None:
    """It is partial and not interrupted; a clause whose tests did not all run does not pass."""
    few = ("-k", "test_removing_an_existing or (body and test_a_removal_with_a) or test_access or test_identifier")
    ran = run(tmp_path / "run", "--target", faulty.description, "-n", workers, option, *few)
    assert (ran.code, ran.report["verdict"]) == (1, "fail"), ran.output
    assert ran.report["partial"]
    assert not ran.report["interrupted"]
    assert ran.verdicts[CLAUSE] == "fail"
    stopped = [one for one in ran.report["clauses"] if one["reason"] == "stopped after the first failure"]
    assert {one["verdict"] for one in stopped} == {"inconclusive"}


def test_the_last_test_may_fail(faulty: Served, tmp_path: Path) -> None:
    """Nothing was left to run: the others hold."""
    ran = run(tmp_path / "run", "--target", faulty.description, "-n", "0", "-x", "-k", "test_a_removal_with_a_body")
    assert (ran.code, ran.report["verdict"]) == (1, "fail"), ran.output
    assert not any("stopped" in one["reason"] for one in ran.report["clauses"])


def test_a_worker_that_dies_is_an_error(served: Served, tmp_path: Path) -> None:
    """The clause of the test that it ran is not judged, the message says why, and the rest of the run goes on."""
    (tmp_path / "dying_plugin.py").write_text(DYING)
    given = ("--target", served.description, "-n", "2", "-p", "dying_plugin", *FEW)
    ran = run(tmp_path / "run", *given, PYTHONPATH=f"{tmp_path}:{CHECKOUT}")
    assert (ran.code, ran.report["verdict"]) == (3, "error"), ran.output
    clause = next(one for one in ran.report["clauses"] if one["id"] == CLAUSE)
    assert (clause["verdict"], clause["reason"]) == ("error", "the worker process died")
    assert clause["cases"] > 0
    assert any(one.endswith("[chunked]: the worker process died") for one in clause["untried"])
    assert any("ended early" in note for note in ran.report["notes"])
    assert not served.addresses()


@pytest.mark.parametrize("deployment", ["served", "faulty"])
def test_a_test_that_runs_again_is_counted_once(
    deployment: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The verdict and the cases of a run without; what the first time showed is not forgotten."""
    target = request.getfixturevalue(deployment).description
    given = ("--target", target, "-n", "0", "-k", "test_a_removal_with_a_body")
    once = run(tmp_path / "once", *given, "-p", "no:rerunfailures")
    act = "if not hasattr(item, 'again'): item.again = True; raise RuntimeError('flaky')"
    plugin = f"""
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    yield
    {act}
"""
    (tmp_path / "flaky_plugin.py").write_text(plugin)
    variables = {"PYTHONPATH": f"{tmp_path}:{CHECKOUT}"}
    plugins = ("-v", "-p", "flaky_plugin", "-p", "pytest_rerunfailures", "--reruns", "2")
    again = run(tmp_path / "again", *given, *plugins, **variables)
    for ran in (once, again):
        assert ran.report["verdict"] == ("pass" if deployment == "served" else "fail"), ran.output
    assert "RERUN" in again.output
    counted = [
        [
            (one["cases"], [found["seen"] for found in one["findings"]])
            for one in ran.report["clauses"]
            if one["id"] == CLAUSE
        ]
        for ran in (once, again)
    ]
    assert counted[0] == counted[1]
