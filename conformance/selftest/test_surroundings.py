"""The installed console script where something around it is missing or odd: the verdict and its exit code stay."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from run_processes import LONGEST_RUN_SECONDS, Ran, environment, serve

from conformance.errors import LedgerError
from conformance.generate import constants
from conformance.provision import places

SCRIPT = Path(sys.executable).with_name("conformance")
FEW = ("--depth", "quick", "-k", "test_removing_an_existing or test_a_removal_with_a_body", "-n", "0")
VERDICT = "conformance: PASS, PARTIAL ("

pytestmark = pytest.mark.slow


def run(folder: Path, *arguments: object, script: Path = SCRIPT, **variables: Any) -> Ran:
    """Run the console script in ``folder``; a variable that is None is not set."""
    return piped([str(script), "run", *FEW, *map(str, arguments)], folder, **variables)


def piped(typed: Sequence[str], folder: Path, **variables: str | None) -> Ran:
    """Run a command in ``folder`` and wait for its end."""
    done = subprocess.run(
        typed,
        cwd=folder,
        env=surroundings(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LONGEST_RUN_SECONDS,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(errors="backslashreplace"), folder)


def surroundings(**variables: str | None) -> dict[str, str]:
    """The variables of a run whose modules are found where the script is installed."""
    modules = variables.pop("MODULES", None)
    given = environment() | {"CONFORMANCE_STATE_DIR": "state", "PYTHONPATH": modules} | variables
    return {name: value for name, value in given.items() if value is not None}


def installed(folder: Path, link: str) -> tuple[Path, str]:
    """The script of an environment of which one folder is reached through a link, and where its modules are."""
    real, reached = folder / "real", folder / "real"
    packages = "lib/python/site-packages"
    (real / "lib").mkdir(parents=True)
    if link == "folder":
        reached = folder / "link"
        reached.symlink_to(real)
    elif link == "lib64":
        (real / "lib64").symlink_to("lib")
        packages = packages.replace("lib/", "lib64/")
    package = Path(constants.__file__).parents[1]
    copied = real / packages / "conformance"
    shutil.copytree(package, copied, ignore=shutil.ignore_patterns("selftest", "__pycache__"))
    if not (copied / "spec").exists():
        shutil.copytree(package.parent / "spec", copied / "spec")
    script = reached / "conformance"
    script.write_text(f"#!{sys.executable}\nfrom conformance.cli import main\nmain()\n")
    script.chmod(0o755)
    return script, str(reached / packages)


@pytest.mark.parametrize("link", ["folder", "lib64"])
def test_the_package_may_be_reached_through_a_symbolic_link(link: str, tmp_path: Path) -> None:
    """An environment in a linked folder, and Fedora's lib64."""
    script, packages = installed(tmp_path, link)
    ran = run(tmp_path, script=script, MODULES=packages)
    assert ran.code == 0, ran.output
    assert ran.last_line.startswith(VERDICT)
    assert set(ran.verdicts.values()) == {"pass", "untested"}


@pytest.mark.parametrize("option", ["--target", "--report-dir", "--waivers", "--baseline", "--compare", "--format"])
def test_an_empty_value_is_wrong_usage(option: str, tmp_path: Path) -> None:
    """It is a variable that is not set, not the working directory."""
    ran = run(tmp_path, option, "")
    assert ran.code == 4, ran.output
    assert f"ERROR: {option}: expected a value, not an empty one" in ran.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "typed", [("doctor", "--target", ""), ("cleanup", "--target="), ("report", "--report-dir", " ")]
)
def test_an_empty_value_is_wrong_usage_of_every_command(typed: Sequence[str], tmp_path: Path) -> None:
    """As it is of a run."""
    ran = piped([str(SCRIPT), *typed], tmp_path)
    assert ran.code == 4, ran.output
    assert "expected a value, not an empty one" in ran.output


@pytest.mark.parametrize("by", ["embedded", "described"])
def test_a_deployment_on_this_machine_is_asked_without_a_proxy(by: str, tmp_path: Path) -> None:
    """HTTP_PROXY is set and NO_PROXY is not; the proxy is not even there."""
    proxies: dict[str, Any] = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
    proxies |= {"NO_PROXY": None, "no_proxy": None}
    if by == "embedded":
        ran = run(tmp_path, **proxies)
    else:
        with serve(tmp_path) as served:
            ran = run(tmp_path, "--target", served.description, **proxies)
    assert ran.code == 0, ran.output


NO_PLACE = dict.fromkeys(("CONFORMANCE_STATE_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME"))


def test_a_user_may_have_no_home(tmp_path: Path) -> None:
    """Ledgers go to the directory of temporary files, and nothing else is made in the working directory."""
    (tmp_path / "tmp").mkdir()
    (tmp_path / "work").mkdir()
    made: dict[str, Any] = {**NO_PLACE, "HOME": "/dev/null/home", "TMPDIR": str(tmp_path / "tmp")}
    ran = piped([str(SCRIPT), "run", *FEW], tmp_path / "work", **made)
    assert ran.code == 0, ran.output
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["reports"]
    assert (tmp_path / "tmp" / f"conformance-{os.getuid()}").stat().st_mode & 0o777 == 0o700


def test_a_user_may_have_no_entry_among_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody knows a home then; a directory that somebody else made in its place is not used."""
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for variable in ("HOME", *NO_PLACE):
        monkeypatch.delenv(variable, raising=False)
    assert places.state() == places.cache() == tmp_path / f"conformance-{os.getuid()}"
    places.makeshift().rmdir()
    (tmp_path / "theirs").mkdir()
    places.makeshift().symlink_to(tmp_path / "theirs")
    with pytest.raises(LedgerError, match="belongs to somebody else"):
        places.state()


@pytest.mark.parametrize(("encoding", "name"), [("ascii", "Zürich"), ("cp1252", "東京")])
def test_what_the_output_cannot_write_is_written_as_an_escape(encoding: str, name: str, tmp_path: Path) -> None:
    """The verdict stays the last line, whole, with the target's name as far as it can be written."""
    with serve(tmp_path) as served:
        description = served.described(name, name=name)
        ran = run(tmp_path, "--target", description, PYTHONIOENCODING=encoding, PYTHONUTF8="0", LC_ALL="C.UTF-8")
    assert ran.code == 0, ran.output
    assert ran.last_line.startswith(VERDICT)
    assert name.encode(encoding, "backslashreplace").decode(encoding) in ran.last_line


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_files_may_have_any_name(locale: str, tmp_path: Path) -> None:
    """Bytes that are no text in any encoding, where the system knows ASCII only as well."""
    with serve(tmp_path) as served:
        path = os.fsencode(tmp_path) + b"/\xff z\xc3\xbcrich.yaml"
        Path(os.fsdecode(path)).write_text(served.description.read_text())
        quiet: dict[str, Any] = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": locale}
        several = ["--target", os.fsdecode(path), "--target", str(served.described("二", name="二"))]
        one = run(tmp_path, *several[:2], **quiet)
        assert one.code == 0, one.output
        assert one.report["description"]["uri"] == "%FF%20z%C3%BCrich.yaml"
        both = run(tmp_path, *several, **quiet)
    assert both.code == 0, both.output


def test_a_comparison_is_told_in_every_encoding(tmp_path: Path) -> None:
    """Nothing got worse, so the exit code is 0."""
    sample = Path(constants.__file__).parents[2] / "reports" / "sample" / "report.json"
    if not sample.exists():
        pytest.skip("the sample is not installed")
    ran = piped([str(SCRIPT), "diff", str(sample), str(sample)], tmp_path, PYTHONIOENCODING="ascii")
    assert ran.code == 0, ran.output


@pytest.mark.parametrize(
    "written",
    [">&-", "<&- >&- 2>&-", ">/dev/full 2>&1", "2>&1 | true", "| head -c 40"],
)
def test_nobody_has_to_read_what_is_said(written: str, tmp_path: Path) -> None:
    """A stream that is closed, full or left loses what is written there, and nothing else."""
    typed = f"({SCRIPT} run {' '.join(map(_quoted, FEW))}; echo $? > code) {written}"
    if "&-" in written or "/dev" in written:
        typed = f"{SCRIPT} run {' '.join(map(_quoted, FEW))} {written}; echo $? > code"
    subprocess.run(["sh", "-c", typed], cwd=tmp_path, env=surroundings(), capture_output=True, check=False, timeout=300)
    ran = Ran(int((tmp_path / "code").read_text()), "", tmp_path)
    assert ran.code == 0
    assert ran.report["verdict"] == "pass"


def _quoted(word: str) -> str:
    return f"'{word}'"


def test_assertions_and_docstrings_may_be_taken_away(tmp_path: Path) -> None:
    """Help and the words of faults are there all the same, and nothing is said about assertions."""
    ran = run(tmp_path, PYTHONOPTIMIZE="2")
    assert ran.code == 0, ran.output
    assert "ssertion" not in ran.output
    shown = piped([str(SCRIPT), "doctor", "--help"], tmp_path, PYTHONOPTIMIZE="2")
    assert "creates nothing unless" in shown.output


def test_an_error_that_nobody_foresaw_is_no_verdict(tmp_path: Path) -> None:
    """It exits with 3 and is named for what it is."""
    (tmp_path / "sitecustomize.py").write_text(
        "import conformance.client\nconformance.client.Client.__init__ = lambda *_: 1 // 0\n"
    )
    with serve(tmp_path) as served:
        asked = environment(PYTHONPATH=str(tmp_path))
        for typed in (["doctor"], ["run", "--depth", "quick"]):
            done = subprocess.run(
                [str(SCRIPT), *typed, "--target", str(served.description)],
                cwd=tmp_path,
                env=asked,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 3, done.stdout + done.stderr
            assert "ZeroDivisionError" in done.stdout + done.stderr


def test_a_command_that_is_misspelled_is_suggested(tmp_path: Path) -> None:
    """With the exit code of wrong usage."""
    ran = piped([str(SCRIPT), "docter"], tmp_path)
    assert (ran.code, "Did you mean doctor?" in ran.output) == (4, True), ran.output


def test_hypothesis_may_lose_its_private_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Today they are there; without them nothing breaks."""
    assert constants.none()
    monkeypatch.setattr(constants, "GETTER", "_gone")
    assert not constants.none()
    monkeypatch.setattr(constants, "CONSTANTS", "hypothesis.internal.gone")
    assert not constants.none()
