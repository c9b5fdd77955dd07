"""What other programs say of the files that are meant for them: validators of the formats, by their makers."""

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from report_runs import RUNS

from conformance import report
from conformance.verdict import Artifact, Run

pytestmark = pytest.mark.node

PROGRAMS = os.environ.get("NODE_PROGRAMS") or os.devnull
CTRF = """
import { readFileSync } from 'node:fs'
const { validate } = await import('ctrf')
for (const path of process.argv.slice(2)) {
  const said = validate(JSON.parse(readFileSync(path)))
  if (!said.valid) console.log(path, JSON.stringify(said.errors))
}
"""


def written(folder: Path, name: str) -> list[Path]:
    """A file of the format for each kind of run, and for one with a description."""
    runs = {str(number): run for number, run in enumerate(RUNS.values())}
    runs["described"] = replace(RUNS["failing"], description=Artifact("targets/dfw.yaml", {"compute": 3}))
    return [_written(run, folder / called, name) for called, run in runs.items()]


def _written(run: Run, folder: Path, name: str) -> Path:
    (path,) = report.write(run, folder, [name])
    return path


def test_the_multitool_of_sarif_has_nothing_to_say(tmp_path: Path) -> None:
    """Neither error nor warning by the rules of the standard and of GitHub's code scanning."""
    tool = shutil.which("sarif-multitool", path=PROGRAMS) or pytest.skip("no sarif-multitool; tox -e node has one")
    said = tmp_path / "said.sarif"
    files = [str(path) for path in written(tmp_path / "runs", "sarif")]
    # The program splits its options at a semicolon, and starts another one through a shell.
    kinds = ["--rule-kind", "'Sarif;Ghas;Gh'", "--level", "'Error;Warning'", "--output", str(said)]
    done = subprocess.run([tool, "validate", *files, *kinds], capture_output=True, text=True, check=False, timeout=300)
    assert said.exists(), done.stdout + done.stderr
    results = json.loads(said.read_text(encoding="utf-8-sig"))["runs"][0].get("results", [])
    assert [(one["ruleId"], one["message"]) for one in results] == []
    assert done.returncode == 0


def test_the_reference_implementation_of_ctrf_takes_it(tmp_path: Path) -> None:
    """By its own schema."""
    node = shutil.which("node")
    modules = Path(PROGRAMS).parent
    if not node or not (modules / "ctrf").exists():
        pytest.skip("no ctrf; tox -e node has one")
    script = tmp_path / "validate.mjs"
    script.write_text(CTRF)
    (tmp_path / "node_modules").symlink_to(modules)
    files = [str(path) for path in written(tmp_path / "runs", "ctrf")]
    done = subprocess.run([node, str(script), *files], capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
