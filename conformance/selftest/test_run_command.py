"""``conformance run`` as a command of its own: its help, wrong arguments, and what it says at the end."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from run_processes import Ran, run, serve

from conformance.cli.run import usage

pytestmark = pytest.mark.slow

ONE = ("-n", "0", "-k", "test_a_removal_with_a_body")
PYTESTS = (
    "configfile",
    "rootdir",
    "FAILURES",
    "short test summary",
    "warnings summary",
    "collected ",
    "=====",
    "usage:",
)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A target that would notice a request: its queue of connections stays empty."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def test_the_help_fits_a_screen() -> None:
    """At most 60 lines of at most 80 columns, with every option of the suite and the way to pytest's."""
    lines = usage().splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 80
    options = (
        "target",
        "depth",
        "seed",
        "report-dir",
        "format",
        "waivers",
        "baseline",
        "compare",
        "strict",
        "help-pytest",
    )
    assert not [option for option in options if f"--{option}" not in usage()]


def test_the_help_of_pytest_is_to_be_had(tmp_path: Path) -> None:
    """All its options, and the suite's among them."""
    ran = run(tmp_path, "--help-pytest")
    assert ran.code == 0
    assert "--maxfail" in ran.output
    assert "--probe-limits" in ran.output


WRONG = {
    "a misspelled option": (["--targt", "x"], "no such option: --targt (did you mean --target?)"),
    "an option of pytest's, misspelled": (["--deselct=x"], "no such option: --deselct (did you mean --deselect?)"),
    "an option of a plugin that is not loaded": (["--reruns", "2"], "no such option: --reruns (an option of a plugin"),
    "a value that is none of the choices": (["--depth", "quik"], "did you mean quick?"),
    "a value of pytest's": (["--maxfail", "x"], "--maxfail: invalid int value: 'x'"),
    "a value of a plugin's": (["-n", "x"], "-n/--numprocesses: invalid parse_numprocesses value: 'x'"),
    "fewer workers than none": (["-n", "-1"], "-n: -1; expected a number from 0 on, or auto"),
    "a seed that is none": (["--seed", "1.5"], "--seed: '1.5'; expected a number or the word random"),
    "a misspelled format": (["--format", "html,sarf"], "did you mean sarif?"),
    "a baseline that is not there": (["--baseline", "gone.json"], "gone.json: cannot be read"),
    "an option without its value": (["--seed"], "--seed: expected one argument"),
    "an unknown format": (["--format", "pdf"], "unknown report format pdf"),
    "a description without --target": (["staging.yaml"], "a target is given as --target staging.yaml"),
    "a URL without --target": (["https://cloud.invalid"], "a target is given as --target https://cloud.invalid"),
    "a file of clauses that is none": (["test_boddy.py"], "did you mean test_body.py?"),
    "a test that is none": (["test_body.py::test_nothing"], "not found: "),
    "an expression that is none": (["-k", "("], "Wrong expression passed to '-k'"),
    "another expression that is none": (["-m", "slow and"], "Wrong expression passed to '-m'"),
    "an expression that nothing matches": (["-k", "nothing_is_named_so"], "no test is left to run"),
    "an unknown plugin": (["-p", "no_such_plugin"], "no_such_plugin"),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_before_anything_begins(
    arguments: list[str], words: str, listener: socket.socket, tmp_path: Path
) -> None:
    """Nothing is sent, and an earlier report stays as it was."""
    description = {
        "name": "target",
        "compute": f"http://127.0.0.1:{listener.getsockname()[1]}",
        "auth": {"token": "env:CONFORMANCE_TOKEN"},
        "resources": {"servers": ["one", "two"]},
    }
    (tmp_path / "target.yaml").write_text(yaml.safe_dump(description))
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "report.json").write_text("earlier")
    ran = run(tmp_path, "--target", "target.yaml", *arguments)
    assert ran.code == 4, ran.output
    assert words in ran.output
    assert "Traceback" not in ran.output
    assert not [noise for noise in PYTESTS if noise in ran.output]
    assert [path.read_text() for path in ran.reports.iterdir()] == ["earlier"]
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_what_cannot_be_read_leaves_no_folder(tmp_path: Path) -> None:
    """Where no report was, none is begun."""
    ran = run(tmp_path, "--target", "gone.yaml")
    assert (ran.code, list(tmp_path.iterdir())) == (4, []), ran.output


@pytest.mark.parametrize("more", [(), ("-v",), ("-q",)])
def test_a_finding_is_told_once_and_then_what_to_do(more: tuple[str, ...], tmp_path: Path) -> None:
    """Findings, the report's path, the next command, and the verdict as the last line; nothing of pytest's."""
    with serve(tmp_path, "--fault", "body-is-ignored") as served:
        ran = run(tmp_path, "--target", served.description, *ONE, *more)
        assert ran.code == 1, ran.output
        assert ran.last_line.startswith("conformance: FAIL, PARTIAL (")
        assert not [noise for noise in PYTESTS if noise in ran.output]
        if more == ("-q",):
            assert len(ran.output.splitlines()) == 1
            return
        findings = [one for clause in ran.report["clauses"] for one in clause["findings"]]
        assert findings
        for finding in findings:
            assert len(re.findall(f"^  expected +{re.escape(finding['expected'][:20])}", ran.output, re.MULTILINE)) == 1
        assert re.search(r"^report +reports/index.html$", ran.output, re.MULTILINE)
        assert re.search(
            rf"^next +conformance reproduce reports/report.json .*--target {served.description}",
            ran.output,
            re.MULTILINE,
        )
        assert bool(re.search(r"^FAILED test_body\.py::", ran.output, re.MULTILINE)) is (more == ("-v",))


def test_a_target_that_cannot_be_judged_leads_to_the_doctor(tmp_path: Path) -> None:
    """Which says what stands in the way."""
    with serve(tmp_path) as served:
        gone = served.described("gone", compute="http://127.0.0.1:9", network="http://127.0.0.1:9")
        ran = run(tmp_path, "--target", gone, *ONE)
    assert ran.code == 1
    assert re.search(rf"^next +conformance doctor --target {gone}$", ran.output, re.MULTILINE)


def test_tests_are_named_by_their_files(tmp_path: Path) -> None:
    """Wherever the command is typed."""
    ran = run(tmp_path, "test_response.py", "-n", "0")
    assert ran.code == 0, ran.output
    assert ran.report["partial"]
    assert {span["test"].partition("::")[0] for span in ran.report["tests"]} <= {
        "test_response.py",
        "the look at the end",
    }


def test_what_is_said_to_pytest_is_not_said_to_the_command(tmp_path: Path) -> None:
    """Neither variables nor a conftest.py of the working directory; a plugin that is asked for is loaded."""
    (tmp_path / "conftest.py").write_text("raise SystemExit(9)\n")
    (tmp_path / "asked_for.py").write_text("def pytest_configure():\n    print('here it is')\n")
    variables = {"PYTEST_ADDOPTS": "--no-such-option", "PYTEST_PLUGINS": "no_such_plugin", "PYTHONPATH": str(tmp_path)}
    ran: Ran = run(tmp_path, *ONE, "-p", "asked_for", **variables)
    assert ran.code == 0, ran.output
    assert "here it is" in ran.output
