"""Runs of the suite by processes of their own, as users start them, and deployments for them to judge."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from conformance.run import signals

CHECKOUT = Path(__file__).parents[2]
TOKENS = {
    "CONFORMANCE_TOKEN": "full-nL8xQ2vT7cZr5kWm",
    "CONFORMANCE_RESTRICTED_TOKEN": "restricted-pD4hY9sB1jUa6fGe",
    "CONFORMANCE_FOREIGN_TOKEN": "foreign-tK3wV7qX0mCo8iNb",
}
FILES = ("report.json", "index.html", "junit.xml")
LONGEST_RUN_SECONDS = 300
"""A run that hangs ends its test; no run of these tests takes a quarter of this on an idle machine."""

COMMANDS = {
    "conformance": ["-m", "conformance", "run"],
    "pytest": ["-m", "pytest", str(CHECKOUT / "conformance" / "clauses")],
}
FIRST_TEST_DONE = re.compile(rb"PASSED")
"""pytest says it of each test when it is asked for more words."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended. ``folder`` was its working directory; ``reports`` and ``state`` are its own."""

    code: int
    output: str
    folder: Path

    @property
    def reports(self) -> Path:
        """The report directory."""
        return self.folder / "reports"

    @property
    def state(self) -> Path:
        """The directory of the ledgers."""
        return self.folder / "state"

    @property
    def report(self) -> dict[str, Any]:
        """The run document."""
        document: dict[str, Any] = json.loads((self.reports / "report.json").read_text())
        return document

    @property
    def last_line(self) -> str:
        """The last line on the terminal."""
        return self.output.rstrip().rpartition("\n")[2]

    @property
    def verdicts(self) -> dict[str, str]:
        """Clause -> verdict."""
        return {clause["id"]: clause["verdict"] for clause in self.report["clauses"]}

    def written(self) -> list[str]:
        """The report files that exist and hold something."""
        return [name for name in FILES if (self.reports / name).is_file() and (self.reports / name).stat().st_size]


@dataclass(frozen=True, slots=True)
class Served:
    """A deployment in a process of its own, and the target description that leads to it."""

    url: str
    description: Path

    def described(self, name: str, /, **changes: Any) -> Path:
        """Another description of it, with some of its keys replaced."""
        document = yaml.safe_load(self.description.read_text()) | changes
        path = self.description.with_name(f"{name}.yaml")
        path.write_text(yaml.safe_dump(document))
        return path

    def addresses(self) -> set[str]:
        """The tenant's addresses."""
        headers = {"X-Auth-Token": TOKENS["CONFORMANCE_TOKEN"]}
        answer = requests.get(f"{self.url}/v2.0/ip_addresses", headers=headers, timeout=10)
        return {one["id"] for one in answer.json()["ip_addresses"]}


def environment(**changes: str) -> dict[str, str]:
    """The variables of a run: the tests' own tokens, and nothing that the caller's shell says to the suite."""
    own = ("CONFORMANCE_", "GITHUB_STEP_SUMMARY")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return inherited | TOKENS | {"PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"} | changes


def as_at_a_terminal() -> None:
    """In the child: signals count, even where the tests themselves run in the background, or under nohup."""
    for number in signals.HEEDED:
        signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def serve(folder: Path, *arguments: str) -> Iterator[Served]:
    """A reference deployment, described with little patience and room for two addresses."""
    description = folder / "target.yaml"
    with subprocess.Popen(
        [sys.executable, "-m", "conformance", "serve", "--exit-with-stdin", "--write-target", description, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
        text=True,
    ) as process:
        assert process.stdout
        announced = json.loads(process.stdout.readline())
        served = Served(announced["compute"], description)
        served.described("target", policy={"settle_seconds": 0.5}, limits={"max_addresses": 2})
        try:
            yield served
        finally:
            process.communicate("")


def command(*arguments: object, by: str = "conformance") -> list[str]:
    """The command line of a run that keeps its reports and ledgers in its working directory."""
    kept = ["--report-dir", "reports", "--state-dir", "state", "--depth", "quick"]
    return [sys.executable, *COMMANDS[by], *kept, *map(str, arguments)]


def run(folder: Path, *arguments: object, by: str = "conformance", **variables: str) -> Ran:
    """Run the suite in ``folder`` and wait for its end."""
    folder.mkdir(exist_ok=True)
    return ended(command(*arguments, by=by), folder, **variables)


def ended(typed: list[str] | str, folder: Path, **variables: str) -> Ran:
    """Run a command in ``folder``, a line of text in the shell, and wait for its end."""
    done = subprocess.run(
        typed,
        shell=isinstance(typed, str),
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST_RUN_SECONDS,
        check=False,
    )
    return Ran(done.returncode, done.stdout, folder)


def interrupted(folder: Path, *arguments: object, by: signal.Signals = signal.SIGINT) -> Ran:
    """Run the suite in ``folder`` and signal all its processes after its first test; Ctrl-C unless stated."""
    folder.mkdir(exist_ok=True)
    with subprocess.Popen(
        command(*arguments, "-v"),
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=as_at_a_terminal,  # noqa: PLW1509  # no thread runs here that could hold a lock
    ) as process:
        assert process.stdout
        output = b""
        while not FIRST_TEST_DONE.search(output):
            piece = os.read(process.stdout.fileno(), 4096)
            assert piece, f"the run ended before its first test: {output.decode()}"
            output += piece
        os.killpg(process.pid, by)
        output += process.communicate(timeout=LONGEST_RUN_SECONDS)[0]
    return Ran(process.returncode, output.decode(), folder)
