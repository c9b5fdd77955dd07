"""Runs of the suite as processes of their own against a deployment of this process, and ways to end them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from run_processes import as_at_a_terminal

from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.server import Reference, Settings
from conformance.reference.store import Association

LONGEST_SECONDS = 60
TIMEOUT_SECONDS = 1.0
COLLECTIONS = ("ip_associations", "ip_addresses", "ports")


class Watched(Deployment):
    """Counts requests, and calls back when one has come and before its answer leaves.

    A request is described by its method and its collection, such as ``PUT ip_associations``.
    """

    def start(self) -> None:
        """Nobody watches yet."""
        self.seen = 0
        self.at: Callable[[str, str], object] = lambda _described, _moment: None
        self._counting = threading.Lock()

    def delay(self, request: ReceivedRequest) -> None:
        """A request has come; the callback may refuse it, or end its sender.

        An allocation has come once its body has: headers and body may leave the client apart.
        """
        if request.method == "POST":
            _ = request.body
        with self._counting:
            self.seen += 1
        self.at(described(request), "came")
        super().delay(request)

    def answer(self, request: ReceivedRequest, sides: frozenset[str]) -> Answer:
        """All but the answer is done; the callback may have another one sent."""
        answer = super().answer(request, sides)
        try:
            self.at(described(request), "done")
        except Refusal as refusal:
            return self.refused(request, refusal)
        return answer


class Paged(Watched):
    """Lists come in pages of one; ``leads`` says where the next one is, given its query."""

    leads: Callable[[ReceivedRequest, str], str] = staticmethod(lambda request, query: f"{request.raw_path}{query}")

    def finish(self, request: ReceivedRequest, answer: Answer) -> Answer:
        """Cut a list to the row that the marker asks for."""
        answer = super().finish(request, answer)
        document = answer.document if answer.code == 200 and isinstance(answer.document, dict) else {}
        (name, listed) = next(iter(document.items()), ("", None))
        if not isinstance(listed, list):
            return answer
        number = int(request.parameters.get("marker", "0"))
        device = f"device_id={request.parameters['device_id']}&" if "device_id" in request.parameters else ""
        links = [{"rel": "next", "href": self.leads(request, f"?{device}marker={number + 1}")}]
        page = {name: listed[number : number + 1], f"{name}_links": links if number + 1 < len(listed) else []}
        return replace(answer, document=page)


def described(request: ReceivedRequest) -> str:
    """The method and the collection of a request."""
    return f"{request.method} {next((name for name in COLLECTIONS if name in request.segments), '')}"


class Tenant:
    """A deployment whose tenant owns some addresses already, and what belongs to the suite of the rest."""

    def __init__(self, reference: Reference, *, alone: bool = False) -> None:
        self.reference = reference
        self.deployment: Any = reference.deployment
        self.others: set[str] = set()
        for version in () if alone else (4, 6):
            self.add(version)

    def add(self, version: int = 4) -> str:
        """Somebody else allocates an address for the very ports that the suite uses, and associates it with all."""
        store = self.reference.store
        address = store.fresh_address(store.tenant, version, tuple(self.reference.ports.values()))
        with store.lock:
            store.state = store.state.with_address(address)
            for server in self.reference.servers:
                store.state = store.state.with_association(Association(address.id, server))
        self.others.add(address.id)
        return address.id

    @property
    def others_are_untouched(self) -> bool:
        """The others' addresses and associations are all there."""
        state = self.reference.store.state
        wanted = {Association(address, server) for address in self.others for server in self.reference.servers}
        return self.others <= state.addresses.keys() and wanted <= set(state.associations)

    @property
    def untouched(self) -> bool:
        """The others' addresses and associations are there, and nothing else."""
        associated = {association.address for association in self.reference.store.state.associations}
        return self.others_are_untouched and not self.leftovers and associated <= self.others

    @property
    def leftovers(self) -> list[str]:
        """Addresses that the suite left."""
        return sorted(self.reference.store.state.addresses.keys() - self.others)


@contextmanager
def tenant(*, alone: bool = False, deployment: type[Watched] | None = None, **settings: Any) -> Iterator[Tenant]:
    """A watched deployment with room for two addresses of the suite beside the two that others own.

    Args:
        alone: there are no others, and room for five.
        deployment: another kind of it.
    """
    reference = Reference(Settings().with_changes({"servers": 2, "shared_quota": 5, **settings}))
    reference.deployment = (deployment or Watched)(reference.store, reference.settings.rules)
    with reference:
        yield Tenant(reference, alone=alone)


class Commands:
    """The console script on one target, with its state and reports under one directory."""

    def __init__(self, tenant: Tenant, directory: Path, use: str = "shared", **limits: Any) -> None:
        self.directory = directory
        self.state = directory / "state"
        self.target = directory / "target.yaml"
        description = tenant.reference.target()
        description["limits"] = {"max_addresses": 2, "timeout_seconds": TIMEOUT_SECONDS} | limits
        description["policy"]["settle_seconds"] = 1
        description["policy"]["tenant"] = use
        self.target.write_text(yaml.safe_dump(description), encoding="utf-8")
        tokens = tenant.reference.tokens
        self.environment = {
            **os.environ,
            "CONFORMANCE_TOKEN": tokens.full,
            "CONFORMANCE_RESTRICTED_TOKEN": tokens.restricted,
            "CONFORMANCE_FOREIGN_TOKEN": tokens.foreign,
            "CONFORMANCE_STATE_DIR": str(self.state),
        }

    def start(self, *arguments: str, within: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        """Begin a run at the quick depth; ``within`` is a command that starts it."""
        return subprocess.Popen(
            [
                *within,
                *self._command("run", "--depth", "quick", "--report-dir", str(self.directory / "reports"), *arguments),
            ],
            env=self.environment,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=as_at_a_terminal,  # noqa: PLW1509  # it only sets a signal's disposition
        )

    def cleanup(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Clean up."""
        return self.call("cleanup", *arguments)

    def call(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command on the target, to its end."""
        return subprocess.run(
            self._command(name, *arguments),
            env=self.environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )

    def _command(self, name: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "conformance", name, "--target", str(self.target), *arguments]

    @property
    def ledgers(self) -> list[Path]:
        """The ledgers that are there."""
        return sorted(self.state.rglob("*.ledger.jsonl"))


def kill(process: subprocess.Popen[str]) -> None:
    """End a process without giving it a chance to tidy up."""
    process.send_signal(signal.SIGKILL)


def ended(process: subprocess.Popen[str], seconds: float = 60) -> tuple[int, str]:
    """The exit code and the output of a process."""
    output, _ = process.communicate(timeout=seconds)
    return process.returncode, output
