import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
FAKE = """#!/bin/sh
# In place of a Python: makes a "virtual environment" of itself and says what tox would be told.
case "$2" in
venv) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
tox) echo "tox $* $TOX_DISCOVER" ;;
esac
"""


def told(tmp_path: Path, **variables: str) -> str:
    """What tox is called with."""
    fake = tmp_path / "fake"
    fake.write_text(FAKE)
    fake.chmod(0o755)
    given = {"PATH": os.environ["PATH"], "PYTHON": str(fake), **variables}
    done = subprocess.run(
        [CHECKOUT / ".ci" / "run", "-e", "lint"], env=given, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.mark.parametrize("where", ["PYENV_ROOT", "HOME"])
def test_every_python_of_pyenv_is_found(tmp_path: Path, where: str) -> None:
    """Its interpreters alone, not what lies beside them under a similar name."""
    root = tmp_path / "pyenv" if where == "PYENV_ROOT" else tmp_path / ".pyenv"
    for version in ("3.12", "3.13"):
        folder = root / "versions" / f"{version}.1" / "bin"
        folder.mkdir(parents=True)
        for name in (f"python{version}", f"python{version}-config"):
            (folder / name).touch(0o755)
    found = [f"{root}/versions/{version}.1/bin/python{version}" for version in ("3.12", "3.13")]
    said = told(tmp_path, **{where: str(root if where == "PYENV_ROOT" else tmp_path)})
    assert said.split()[-1] == ",".join(found)
    assert said.startswith("tox -m tox run --workdir ")
    assert "-e lint" in said


@pytest.mark.parametrize("variables", [{}, {"HOME": "/nowhere"}, {"PYENV_ROOT": "/nowhere"}])
def test_pyenv_need_not_be_there(tmp_path: Path, variables: dict[str, str]) -> None:
    """Then tox looks where it always does."""
    assert told(tmp_path, **variables).rstrip().endswith("-e lint")


JUDGING = """#!/bin/sh
# In place of a Python, and of the command that it installs.
test "$2" = venv && mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && cp "$0" "$3/bin/conformance"
exit 0
"""


def test_a_distribution_is_tried_on_every_python_of_pyenv(tmp_path: Path) -> None:
    """Also on those that are not on the path; one that is too old, or is missing, is left out."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "mktemp", "rm", "mkdir", "cp"):
        (tools / name).symlink_to(str(shutil.which(name)))
    for version in ("3.10", "3.11", "3.13"):
        python = tmp_path / "pyenv" / "versions" / f"{version}.1" / "bin" / f"python{version}"
        python.parent.mkdir(parents=True)
        python.write_text(JUDGING)
        python.chmod(0o755)
    for name in ("suite.whl", "suite.tar.gz"):
        (tmp_path / name).touch()
    given = {"PATH": str(tools), "PYENV_ROOT": str(tmp_path / "pyenv")}
    command = ["/bin/sh", str(CHECKOUT / ".ci" / "try"), str(tmp_path)]
    done = subprocess.run(command, env=given, check=True, capture_output=True, text=True)
    names = ("suite.whl", "suite.tar.gz")
    told = [f"Python {version}: {name} judges" for version in ("3.11", "3.13") for name in names]
    assert done.stdout.splitlines() == told
