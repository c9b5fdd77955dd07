"""The OpenAPI document is worth something without this suite: other tools read it, and one of them judges by it."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from run_processes import TOKENS

from conformance import SPEC
from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest
from conformance.reference.server import Reference, Settings
from conformance.reference.store import Tokens

SEED = "20261126"


@dataclass(frozen=True, slots=True)
class Judged:
    """What Schemathesis says of a deployment, and how often each code answered each kind of request."""

    code: int
    output: str
    answers: Counter[tuple[str, str, int]]


def schemathesis_run(folder: Path, reference: Reference) -> Judged:
    """Let Schemathesis judge a deployment by the document and its configuration alone, with every check it has."""
    answers: Counter[tuple[str, str, int]] = Counter()

    def finish(request: ReceivedRequest, answer: Answer) -> Answer:
        answers[(request.method, request.path.resource, answer.code)] += 1
        return answer

    with reference, pytest.MonkeyPatch.context() as patched:
        patched.setattr(reference.deployment, "finish", finish)
        command = [Path(sys.executable).with_name("schemathesis"), "--config-file", SPEC / "schemathesis.toml", "run"]
        options = ["--url", reference.url, "--checks", "all", "--seed", SEED, "--no-color"]
        done = subprocess.run(
            [*map(str, command), str(SPEC / "openapi.yaml"), *options],
            cwd=folder,
            env={**os.environ, **TOKENS, "CONFORMANCE_SERVER": reference.servers[0]},
            capture_output=True,
            text=True,
            check=False,
        )
    return Judged(done.returncode, done.stdout + done.stderr, answers)


def settings() -> Settings:
    """A deployment with the tokens that the tests know."""
    return Settings(tokens=Tokens(*TOKENS.values()))


@pytest.mark.slow
def test_schemathesis_finds_nothing_on_a_conforming_deployment_and_reaches_it(tmp_path: Path) -> None:
    """All phases and checks: no failure and no warning, and real associations are made, shown and removed."""
    judged = schemathesis_run(tmp_path, Reference(settings()))
    assert (judged.code, "Warnings" in judged.output) == (0, False), judged.output
    assert "No issues found" in judged.output
    reached = [("POST", "addresses", 201), ("PUT", "association", 201), ("DELETE", "association", 204)]
    assert not [each for each in reached if not judged.answers[each]]


@pytest.mark.slow
def test_schemathesis_finds_an_undocumented_code_of_a_removal_that_only_a_real_one_meets(tmp_path: Path) -> None:
    """The links lead to what stands: only the removal of a real association has the wrong answer."""

    class Accepts(Deployment):
        def removed(self, _request: ReceivedRequest) -> Answer:
            return Answer(202)

    reference = Reference(settings())
    reference.deployment = Accepts(reference.store, reference.settings.rules)
    judged = schemathesis_run(tmp_path, reference)
    assert judged.code == 1
    assert "Received: 202" in judged.output


def program(name: str) -> str:
    """A program of the environment that ``tox -e node`` makes; the test is skipped where there is none."""
    found = shutil.which(name, path=os.environ.get("NODE_PROGRAMS") or os.devnull)
    return found or pytest.skip(f"no {name}; tox -e node has one")


def complaints(command: list[str], folder: Path, opening: str) -> list[dict[str, Any]]:
    """The problems that a judge of documents writes in JSON, with words of its own before and after."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found, _ = json.JSONDecoder().raw_decode(done.stdout[done.stdout.index(opening) :])
    problems: list[dict[str, Any]] = found["problems"] if isinstance(found, dict) else found
    return problems


@pytest.mark.node
def test_redocly_has_nothing_to_say(tmp_path: Path) -> None:
    """Neither error nor warning by its recommended rules."""
    assert complaints([program("redocly"), "lint", str(SPEC / "openapi.yaml"), "--format", "json"], tmp_path, "{") == []


@pytest.mark.node
def test_spectral_has_nothing_to_say(tmp_path: Path) -> None:
    """Neither error nor warning by its rules for OpenAPI."""
    rules = tmp_path / "rules.yaml"
    rules.write_text("extends: ['spectral:oas']\n", encoding="utf-8")
    options = ["--ruleset", str(rules), "--format", "json"]
    assert complaints([program("spectral"), "lint", str(SPEC / "openapi.yaml"), *options], tmp_path, "[") == []
