"""Deployments that share nothing with the reference, each a program that announces a target description and serves."""

import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from run_processes import Ran, Served, environment, run

HERE = Path(__file__).parent
NODE = HERE / "node" / "service.mjs"


@contextlib.contextmanager
def announced(folder: Path, command: Sequence[str], **policy: Any) -> Iterator[Served]:
    """A service that a command starts; the first line that it writes is its target description."""
    variables = environment(PYTHONPATH=str(HERE))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=variables, text=True) as process:
        assert process.stdout
        described = json.loads(process.stdout.readline())
        described["policy"] = {"settle_seconds": 0.5, **policy}
        description = folder / "target.yaml"
        description.write_text(yaml.safe_dump(described), encoding="utf-8")
        try:
            yield Served(described["network"], description)
        finally:
            process.communicate("")


def judged(folder: Path, command: Sequence[str], *arguments: object) -> Ran:
    """Judge what a command serves."""
    with announced(folder, command) as served:
        return run(folder, "--target", served.description, *arguments)


def broken(ran: Ran) -> set[str]:
    """The must-clauses that a run finds broken."""
    return {one["id"] for one in ran.report["clauses"] if one["verdict"] == "fail" and one["level"] == "must"}


def explains(ran: Ran, blamed: str, also: Mapping[str, str]) -> None:
    """The run fails by the clause to blame, and breaks none beside it that has no reason to be."""
    found = broken(ran)
    assert ran.code == 1, ran.output
    assert ran.verdicts[blamed] == "fail", ran.output
    assert found - {blamed} <= set(also), ran.output
