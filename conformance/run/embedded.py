"""The reference deployment in a process of its own, judged when no target is given.

It ends with its standard input, so that it cannot outlive the run, whatever ends that.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from conformance import target
from conformance.errors import ConformanceError
from conformance.evidence import VARIABLES
from conformance.provision import ledger
from conformance.target import Target

START_SECONDS = 30
NAME = "embedded reference deployment"
ANNOUNCED = Target(NAME, "on a port of its own", "on a port of its own", {})
"""What can be said of it before it has started."""


@dataclass(slots=True)
class Embedded:
    """A running reference deployment and the description of it."""

    process: subprocess.Popen[str]
    target: Target

    def stop(self) -> None:
        """End it and wait until it has ended."""
        _end(self.process)


@dataclass(frozen=True, slots=True)
class Launch:
    """A deployment that is starting; meanwhile there is other work to do.

    It is a context manager: if anything goes wrong inside, the process ends.
    """

    process: subprocess.Popen[str]
    tokens: dict[str, str]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            _end(self.process)

    def ready(self) -> Embedded:
        """Wait until it listens.

        Raises:
            ConformanceError: it did not come up.
        """
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise ConformanceError("the embedded reference deployment did not start", "conformance serve says why")
        return Embedded(self.process, described(json.loads(line), self.tokens))


def launch(arguments: tuple[str, ...] = ()) -> Launch:
    """Begin to start a deployment with tokens of its own on a free loopback port.

    Args:
        arguments: for ``conformance serve``, such as ``--fault NAME``.
    """
    tokens = {variable: secrets.token_urlsafe(24) for variable in VARIABLES.values()}
    process = subprocess.Popen(  # noqa: S603  # our own module, our own arguments
        [sys.executable, "-m", "conformance.reference", "--exit-with-stdin", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **tokens},
        process_group=0,  # a terminal's Ctrl-C is for the run, which needs it for its clean-up
    )
    return Launch(process, tokens)


def _end(process: subprocess.Popen[str]) -> None:
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def state_directory(root: Path | None) -> Path:
    """Where the ledger of one run is kept: nobody needs it later, since the deployment's memory ends with the run.

    So what killed runs left there is removed without being read.
    """
    directory = ledger.state_root(root) / "embedded"
    for earlier in directory.glob("*/"):
        settled = time.time() - earlier.stat().st_mtime > START_SECONDS
        if settled and not any(ledger.alive(path) for path in ledger.ledgers(earlier)):
            forget(earlier)
    return directory / secrets.token_hex(8)


def forget(state: Path) -> None:
    """Remove the directory of one run."""
    shutil.rmtree(state, ignore_errors=True)
    with contextlib.suppress(OSError):  # another run has its directory there
        state.parent.rmdir()


def described(announcement: dict[str, Any], tokens: dict[str, str]) -> Target:
    """The target description of a deployment that announced itself so."""
    resources = {key: announcement[key] for key in ("servers", "network_id", "ports") if key in announcement}
    document = {
        "name": NAME,
        "compute": announcement["compute"],
        "network": announcement["network"],
        "auth": {
            "token": "env:CONFORMANCE_TOKEN",
            "restricted_token": "env:CONFORMANCE_RESTRICTED_TOKEN",
            "foreign_token": "env:CONFORMANCE_FOREIGN_TOKEN",
        },
        "resources": resources,
        **{key: announcement[key] for key in ("limits", "policy") if announcement.get(key)},
    }
    return target.from_document(document, NAME, tokens)
