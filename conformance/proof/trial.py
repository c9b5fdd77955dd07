"""One deployment judged by the whole suite, in a process of its own.

The deployment and the suite share the process but talk over real sockets; a fresh fork for each keeps what one run
leaves behind from another and pays for the imports once.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance import contract, report, target
from conformance.errors import ConformanceError
from conformance.evidence import VARIABLES
from conformance.reference.server import Reference, Settings
from conformance.reference.store import Tokens
from conformance.reproduction import ReproductionAnswer, ReproductionOutcome, reproducer
from conformance.verdict import Finding, Run

SETTLE_SECONDS = 1.5
"""The reference deployment's slowest lawful variant lags a third of this."""


@dataclass(frozen=True, slots=True)
class TrialSubject:
    """A deployment to judge and what the catalogue says of it.

    Attributes:
        kind: ``fault`` or ``variant``.
        breaks: clauses that must be found broken; empty for a variant.
        also: clauses that may be found broken besides.
        verdict: the overall verdict that is due.
        certain: it must be found; a race without a window need not be.
        fleeting: why a fresh address cannot show it; empty if it can.
        family: that of a generated fault, whose blame is not known beforehand: any finding kills it.
        contract: the supporting contract by which alone it is judged; empty for the removal's.
    """

    kind: str
    name: str
    description: str
    verdict: str
    breaks: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    certain: bool = True
    fleeting: str = ""
    family: str = ""
    contract: str = ""

    @property
    def tests(self) -> Path:
        """The folder of the tests that judge it."""
        return (contract.SUPPORTING[self.contract] if self.contract else contract.REMOVAL).tests


@dataclass(frozen=True, slots=True)
class Repetition:
    """What came of trying a finding again.

    Attributes:
        here: on the deployment that it was made from.
        lawful: on the conforming one.
        seen: what was seen here.
    """

    clause: str
    here: str
    lawful: str
    seen: str


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What the suite found.

    Attributes:
        found: clauses that it reports broken -> findings.
        first_requests, first_seconds: what was sent, and how long the run had lasted, when the first finding had its
            evidence; None without one.
        repetitions: of the clauses to blame the first finding each, tried again on addresses of its own.
    """

    subject: TrialSubject
    verdict: str
    reason: str
    seconds: float
    requests: int
    found: dict[str, int] = field(default_factory=dict)
    inconclusive: tuple[str, ...] = ()
    leftovers: int = 0
    error: str = ""
    first_requests: int | None = None
    first_seconds: float | None = None
    repetitions: tuple[Repetition, ...] = ()

    @property
    def unrepeated(self) -> tuple[Repetition, ...]:
        """What did not show again here, though a fresh address can show it, or showed on the conforming deployment."""
        due = ReproductionAnswer.REPRODUCED
        here = [one for one in self.repetitions if one.here != due and not self.subject.fleeting]
        return tuple(dict.fromkeys([*here, *(one for one in self.repetitions if one.lawful == due)]))

    @property
    def survived(self) -> bool:
        """A fault that no clause of its entry caught, in a trial that came to its end."""
        if self.error or self.subject.kind != "fault" or not self.subject.certain:
            return False
        if self.subject.verdict != "fail":
            return self.verdict != self.subject.verdict
        if self.subject.family:
            return not self.found
        return not set(self.subject.breaks) & set(self.found)

    @property
    def missed(self) -> tuple[str, ...]:
        """Clauses of its entry that did not catch it."""
        if self.subject.verdict != "fail" or not self.subject.certain or self.subject.family:
            return ()
        return tuple(clause for clause in self.subject.breaks if clause not in self.found)

    @property
    def misblamed(self) -> tuple[str, ...]:
        """Clauses reported broken that its entry does not name."""
        if self.subject.family:
            return ()
        return tuple(clause for clause in self.found if clause not in (*self.subject.breaks, *self.subject.also))

    @property
    def false_alarm(self) -> bool:
        """A lawful variant that did not pass, or was blamed for anything."""
        return self.subject.kind == "variant" and (self.verdict != "pass" or bool(self.found))

    def to_json(self) -> dict[str, Any]:
        """The trial as the proof document holds it."""
        marks = {name: getattr(self, name) for name in ("survived", "missed", "misblamed", "false_alarm", "unrepeated")}
        marks["unrepeated"] = [one.clause for one in self.unrepeated]
        return {**asdict(self), **marks}


def judge(subject: TrialSubject, depth: str, seed: int, arguments: tuple[str, ...] = ()) -> TrialResult:
    """Serve the subject and run the suite on it, in this process; the output goes nowhere."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="conformance-proof-") as folder, _silence(Path(folder) / "output.txt"):
        error, document, left, repetitions = _run(subject, depth, seed, arguments, Path(folder))
    first = _first(document)
    found = {one["id"]: len(one["findings"]) for one in document.get("clauses", ()) if one["verdict"] == "fail"}
    return TrialResult(
        subject=subject,
        verdict=document.get("verdict", "none"),
        reason=document.get("reason", ""),
        seconds=round(time.monotonic() - started, 2),
        requests=document.get("requests", {}).get("total", 0),
        found=found,
        inconclusive=tuple(one["id"] for one in document.get("clauses", ()) if one["verdict"] == "inconclusive"),
        leftovers=left,
        error=error or "; ".join(one["reason"] for one in document.get("clauses", ()) if one["verdict"] == "error"),
        first_requests=first[0] if first else None,
        first_seconds=first[1] if first else None,
        repetitions=repetitions,
    )


def _first(document: dict[str, Any]) -> tuple[int, float] | None:
    """Requests and seconds until a finding had its evidence; one process numbers its exchanges from one on."""
    failed = [one for one in document.get("clauses", ()) if one["verdict"] == "fail"]
    ends = [finding["exchanges"][-1] for one in failed for finding in one["findings"] if finding["exchanges"]]
    if not ends:
        return None
    began = datetime.fromisoformat(document["started"]).timestamp()
    decided = min(ends, key=lambda end: int(end["id"]))
    return int(decided["id"]), max(0.0, round(decided["at"] + decided["seconds"] - began, 3))


def _run(
    subject: TrialSubject, depth: str, seed: int, arguments: tuple[str, ...], folder: Path
) -> tuple[str, dict[str, Any], int, tuple[Repetition, ...]]:
    tokens = {name: secrets.token_urlsafe(24) for name in VARIABLES}
    os.environ.update({VARIABLES[name]: token for name, token in tokens.items()})
    os.environ.pop(report.SUMMARY_PAGE, None)  # hundreds of runs, and none is the job's own
    with _served(subject, Tokens(**tokens)) as reference:
        described = reference.target()
        described["policy"] = described.get("policy", {}) | {"settle_seconds": SETTLE_SECONDS}
        here = folder / "target.yaml"
        here.write_text(yaml.safe_dump(described))
        pytest.main(
            [
                *(
                    "-p",
                    "conformance.plugin",
                    "-c",
                    os.devnull,
                    "--rootdir",
                    str(subject.tests),
                    "-p",
                    "no:cacheprovider",
                ),
                *("--target", str(here), "--depth", depth, "--seed", str(seed), "--state-dir", str(folder / "state")),
                *("--report-dir", str(folder / "reports"), "-n", "0", *arguments, str(subject.tests)),
            ]
        )
        left = len(list((folder / "state").rglob("*.jsonl")))
        written = folder / "reports" / report.FILES["json"]
        if not written.exists():
            return f"no report: {(folder / 'output.txt').read_text()[-500:]}", {}, left, ()
        repetitions = tuple(_repeated(subject, report.read(written), here, folder, Tokens(**tokens)))
    return "", json.loads(written.read_text()), left, repetitions


def _repeated(subject: TrialSubject, run: Run, here: Path, folder: Path, tokens: Tokens) -> Iterator[Repetition]:
    """The first finding of each clause to blame, tried again on this deployment, and on one that conforms."""
    if not subject.certain or subject.family:
        return
    found = [one.findings[0] for one in run.clauses if one.id in subject.breaks and one.findings]
    with Reference(Settings(tokens=tokens)) as lawful:
        there = folder / "lawful.yaml"
        there.write_text(yaml.safe_dump(lawful.target()))
        for finding in found:
            told = [_tried(run, finding, each, folder / "state") for each in (here, there)]
            yield Repetition(finding.clause, told[0].answer, told[1].answer, told[0].seen)


def _tried(run: Run, finding: Finding, described: Path, root: Path) -> ReproductionOutcome:
    try:
        with reproducer(run, target.load(str(described)), root) as tries:
            return tries.reproduce(finding)
    except ConformanceError as error:
        return ReproductionOutcome(ReproductionAnswer.NOT_TRIED, str(error))


def _served(subject: TrialSubject, tokens: Tokens) -> Reference:
    settings = Settings(tokens=tokens)
    if subject.kind == "variant":
        return Reference(settings, variant=subject.name)
    return Reference(settings, faults=(subject.name,))


@contextlib.contextmanager
def _silence(path: Path) -> Any:
    """Both streams into a file, at the level of descriptors: pytest writes to them directly."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, descriptor in enumerate(kept, 1):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.close(file)
