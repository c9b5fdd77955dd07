"""A run from its first look at the target to its report: what the controller, or the only process, does."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from conformance import __version__, catalogue, preflight, report, target
from conformance.client import Client, Pacer, halting, retried
from conformance.driver.context import Process
from conformance.errors import ConformanceError, UsageError
from conformance.evidence import Recorder
from conformance.provision import (
    Ledger,
    Provisioner,
    Sweep,
    ledger,
    listing,
    ownership,
    state_directory,
    sweep_dead_runs,
    sweep_run,
)
from conformance.run import embedded, messages, signals, suite, unfinished
from conformance.run.item_record import ItemRecord
from conformance.run.messages import JoinMessage, LastWord, ProcessCounts
from conformance.run.options import Options
from conformance.run.progress import RunTally
from conformance.run.results import Collector
from conformance.target import Target
from conformance.verdict import (
    DEFAULT_POLICY,
    EXIT_CODES,
    Artifact,
    GatePolicy,
    Phases,
    Run,
    Spent,
    Time,
    Verdict,
    Waiver,
    baseline_of,
    notes_on,
    overall,
    waivers,
)

WORKERS_MAY_TAKE_SECONDS = 15.0

CLEANING_SECONDS = 600.0
CLEANING_AFTER_A_SIGNAL_SECONDS = 120.0
CLEANING_AFTER_A_HALT_SECONDS, TIMEOUTS = 60.0, 30
"""For taking back what the run made: most when it came to its end, least when its target is gone."""

CONTROLLER = "controller"
"""The name under which the controller holds the run's ledger."""

INTERRUPTED, INTERNAL_ERROR, USAGE_ERROR = 2, 3, 4
"""pytest's exit codes that a verdict does not replace."""


@dataclass(slots=True)
class RunSession:
    """The state of a run.

    Attributes:
        counted: what each process counted, added up at the end.
        earlier: the run to compare with; it decides nothing.
    """

    options: Options
    target: Target
    reference: embedded.Embedded | None
    state: Path | None = None
    """Where the ledgers are; None until the target's URLs are known."""

    description: Artifact | None = None
    """Where the description of the target lies in a checkout."""

    policy: GatePolicy = DEFAULT_POLICY
    waivers: tuple[Waiver, ...] = ()
    earlier: Run | None = None
    started: str = field(default_factory=lambda: now())  # noqa: PLW0108  # defined below
    run_id: str = field(default_factory=lambda: f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}")
    recorder: Recorder = field(default_factory=Recorder)
    collector: Collector = field(init=False)
    counted: list[ProcessCounts] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    """Why the run is no pass, whatever was judged."""

    remembered: list[Mapping[str, Any]] = field(default_factory=list)
    """What the processes of the run wrote into its ledger."""

    interrupted: bool = False
    cut_short: bool = False
    """The runner stopped before the last test, for a reason of its own: so many failures, or a plugin's."""

    signal: int = 0
    """The one that ended the run; 0 for none."""

    obstacle: str = ""
    """What kept the run from its first case: said once, as the verdict's reason, and not again with each clause."""

    run: Run | None = None
    held: Ledger | None = None
    """Keeps the run alive for others who look, from before the first request until all is taken back."""

    workers: int = 0
    """Processes that run tests beside this one; 0 if this one does."""

    tally: RunTally | None = None
    moments: dict[str, float] = field(default_factory=lambda: {"created": time.monotonic()})
    """When each part of the run began, by the monotonic clock."""

    complaint: str = ""
    """What went wrong after the verdict, such as a report that could not be written."""

    def __post_init__(self) -> None:
        """What is heard is of the contracts that were asked for."""
        self.collector = Collector(contracts=self.options.contracts)

    @property
    def ledger_path(self) -> Path:
        """The run's ledger."""
        return self._ledgers / f"{self.run_id}{ledger.SUFFIX}"

    @property
    def _ledgers(self) -> Path:
        """The directory of the ledgers of all runs on the target."""
        self.state = self.state or state_directory(self.target, self.options.state_dir)
        return self.state

    @property
    def shared(self) -> Path:
        """A directory that all processes of the run share: slots, the pace, locks, how far they are."""
        return ledger.shared_directory(self.ledger_path)

    def client(self) -> Client:
        """A client of the controller's own."""
        pacer = Pacer(self.shared / "pace", self.target.limits.requests_per_second)
        return Client(self.target, self.recorder, pacer)

    def open(self) -> None:
        """Look at the target and take back what dead runs left there; what stands in the way stops the run.

        Raises:
            UsageError: the service catalogue is not what the target description takes it for.
        """
        halting.limit(self.target.limits.run_seconds)
        try:
            self.target = preflight.signed_in(self.target)
            self.held = Ledger(self.ledger_path, CONTROLLER)
            self.shared.mkdir()  # after the lock: a directory of nobody's is swept
            halting.share(self.shared)
            if not self.target.servers:
                self._find_servers()
            self.notes += preflight.opening(self.client())
            swept = sweep_dead_runs(self.client(), self._ledgers)
            self._tell(swept)
            self._see_others(swept)
        except UsageError as error:
            unfinished.forget(self.options.report_dir)
            raise UsageError(f"{self.options.target}: {error}") from error
        except ConformanceError as error:
            self.obstacle = str(error)
            self.collector.stopped = "no case was tried"
        except halting.Stopped as error:
            # pytest would end at once here, without a report.
            self.collector.stopped = str(error)
        self.moments["opened"] = time.monotonic()

    def count(self, workers: int) -> RunTally:
        """Begin to count what ``workers`` do; 0 for this process alone."""
        self.workers = workers
        settle = self.target.policy.settle_seconds
        self.tally = RunTally(self.shared, self.options.depth, settle, max(1, workers), lambda: self.recorder.total)
        return self.tally

    def collected(self, items: list[str]) -> None:
        """These were selected, with their parameters."""
        self.collector.collected |= set(items)
        if self.tally and not self.tally.collected:
            self.tally.collected = [suite.name(item) for item in items]

    def begun(self) -> None:
        """A test has begun."""
        self.moments.setdefault("began", time.monotonic())
        if self.tally and self.tally.began is None:
            self.tally.began = self.moments["began"]

    def ended(self, record: ItemRecord) -> None:
        """A test has ended."""
        self.moments["ended"] = time.monotonic()
        if self.collector.add(record) and self.tally:
            self.tally.ended.append(record.test)

    def _find_servers(self) -> None:
        """A target that was given as a URL names no servers, so the tenant's ports do."""
        client = self.client()
        preflight.check(client)
        self.target = preflight.with_servers(self.target, client)
        self.doubts += [
            f"the target names a server {one}, which may not stand in a path: it is left alone"
            for one in sorted(client.unusable)
        ]
        found = ", ".join(self.target.servers) or "none"
        self.notes.append(f"the target was given as a URL, so servers were taken from the tenant's ports: {found}")

    def _tell(self, swept: Sweep) -> None:
        if swept.removed:
            self.notes.append(f"left by an earlier run and removed now: {len(swept.removed)} addresses")
        self.notes += swept.left

    def _see_others(self, swept: Sweep) -> None:
        """Write down which addresses of others stand as the run begins (spec/README.md, decision 21)."""
        seen = listing.look(retried(self.client().list_addresses))
        removed = [address.lower() for address in swept.removed]
        if self.held:
            self.held.seen(ownership.strangers(seen, removed) if seen else ())

    def take_back(self) -> None:
        """Remove what this run created and still stands, once no process of it works any more."""
        if self.held is None:
            return
        give_up = time.monotonic() + WORKERS_MAY_TAKE_SECONDS
        while ledger.alive(self.ledger_path, apart_from=CONTROLLER) and time.monotonic() < give_up:
            time.sleep(0.05)
        halting.clear_away(self._cleaning_seconds())
        swept = Sweep()
        remembered = [*self.remembered, *self.held.written]
        if self.held.recovered(remembered) or self.held.shrank:
            self.doubts.append(f"the ledger {self.ledger_path} vanished or shrank while the run was at work")
        try:
            sweep_run(self.client(), self.ledger_path, swept, remembered)
            self.held.close()
        except ConformanceError as error:
            swept.left.append(str(error))
        except halting.Stopped as error:
            swept.left += [str(error), self.left()]
        if swept.left:
            self.notes += [*swept.left, "conformance cleanup tries again to remove what was left"]

    def _cleaning_seconds(self) -> float:
        halt = halting.asked()
        if halt is None:
            return CLEANING_SECONDS
        if halt.signal:
            return CLEANING_AFTER_A_SIGNAL_SECONDS
        return min(CLEANING_AFTER_A_HALT_SECONDS, TIMEOUTS * self.target.limits.timeout_seconds)

    def conclude(self) -> Run:
        """The run document."""
        judged = self.collector.results(self.options.clauses)
        results, uses = waivers.apply(judged, self.waivers, datetime.now(UTC).date())
        # What stood in the way of the run is the news, not the age of a waiver; the notes tell that too.
        weighed = () if self.obstacle or self.collector.stopped else uses
        verdict, reason = overall(results, self.policy, weighed)
        doubts = [*self.doubts, *([self.collector.stopped] if self.interrupted else [])]
        if doubts and verdict == "pass":
            verdict, reason = Verdict.INCONCLUSIVE, doubts[0]
        counts = [*self.counted, ProcessCounts.of(self.recorder).as_standing()]
        self.run = Run(
            verdict=verdict,
            reason=(self.obstacle or self.collector.stopped or reason) if verdict == "inconclusive" else reason,
            target=self.target.public(),
            started=self.started,
            finished=now(),
            seed=self.options.seed,
            depth=self.options.depth,
            suite_version=__version__,
            spec_digest=catalogue.digest(),
            clauses=results,
            partial=self.cut_short or (self.collector.partial and not self.collector.stopped),
            interrupted=self.interrupted,
            requests=messages.requests(counts),
            generated=messages.generated(counts),
            space=messages.space(counts),
            notes=tuple(dict.fromkeys([*self.doubts, *self.notes, *waivers.notes(uses), *notes_on(self.policy)])),
            policy=self.policy,
            waivers=uses,
            time=self._time(),
            tests=self.collector.spans(),
            description=self.description,
        )
        if self.earlier:
            self.run = report.compared(self.run, self.earlier)
        return self.run

    def _time(self) -> Time:
        """Where the time went; parts that were never reached took none."""
        stopped = self.moments["stopped"]
        reached = [self.moments.get(name, stopped) for name in ("created", "opened", "began", "ended")]
        phases = (round(later - earlier, 3) for earlier, later in pairwise([*reached, time.monotonic()]))
        spent = sum((record.spent for record in self.collector.records), Spent())
        return Time(max(1, self.workers), Phases(*phases), spent)

    def died(self, worker: str, why: object) -> None:
        """A worker process ended without a last word."""
        self.notes.append(f"worker {worker} ended early: {why}")
        self.collector.unlooked = f"worker {worker} ended before it"

    def hear(self, said: LastWord) -> None:
        """Take a process's last word; its look at the end is part of the testing."""
        self.moments["ended"] = time.monotonic()
        self.counted.append(said.counts)
        self.notes += said.notes
        self.doubts += said.doubts
        self.remembered += said.remembered
        if said.closing:
            self.collector.add(said.closing)
        else:
            self.collector.unlooked = "it was not taken"

    def interrupt(self, why: str = "the run was interrupted") -> None:
        """Somebody ended the run."""
        self.interrupted = True
        self.collector.stopped = self.collector.stopped or why
        self.moments.pop("ended", None)  # a test was under way

    def stop_early(self, why: str) -> None:
        """The runner ran no more tests, for a reason of its own; nothing is lost if none was left."""
        if self.collector.incomplete:
            self.cut_short = True
            self.collector.stopped = self.collector.stopped or why

    def finish(self, exitstatus: int) -> int:
        """Clean up, write the reports, and say with which code the run exits."""
        self._note_a_halt()
        self.moments["stopped"] = time.monotonic()
        self.take_back()
        run = self.conclude()
        try:
            report.write(run, self.options.report_dir, self.options.formats)
        except UsageError as error:
            self.complaint = str(error)
            return INTERNAL_ERROR
        if self.interrupted:
            return signals.exit_code(self.signal)
        return exitstatus if exitstatus in {INTERNAL_ERROR, USAGE_ERROR} else EXIT_CODES[run.verdict]

    def _note_a_halt(self) -> None:
        """Somebody or something asked the run to stop; a signal interrupts it."""
        if halt := halting.asked():
            self.signal = halt.signal
            if halt.signal:
                self.interrupt(halt.reason)
            else:
                self.doubts.append(halt.reason)
            self.collector.stopped = self.collector.stopped or halt.reason

    def ended_late(self) -> int:
        """Write the report once more if a signal came after it was concluded; returns the exit code, or 0.

        To be asked at the last moment before the verdict line: what came until then interrupted the run.
        """
        halt = halting.asked()
        if self.signal or self.run is None or halt is None or not halt.signal:
            return 0
        self._note_a_halt()
        try:
            report.write(self.conclude(), self.options.report_dir, self.options.formats)
        except UsageError as error:
            self.complaint = str(error)
        return signals.exit_code(self.signal)

    def tell_the_job(self) -> int:
        """Add the verdict to the page of the CI job, once it can change no more; returns the exit code, or 0."""
        try:
            if self.run and not self.complaint:
                report.append_summary(self.run, os.environ)
        except UsageError as error:
            self.complaint = str(error)
            return INTERNAL_ERROR
        return 0

    def left(self) -> str:
        """What stands of the run's addresses, by its ledger, and what to do about it."""
        with contextlib.suppress(ConformanceError, OSError):
            if self.held and (addresses := sorted(self.held.read().addresses)):
                return f"left: {', '.join(addresses)}; conformance cleanup removes them"
        return "conformance cleanup removes what was left, if anything was"

    def close(self) -> None:
        """Leave no process and no temporary file."""
        shutil.rmtree(self.shared, ignore_errors=True)
        if self.held:
            self.held.close()
        if self.reference:
            self.reference.stop()
            embedded.forget(self._ledgers)

    def for_process(self, name: str) -> JoinMessage:
        """What a worker, or this process itself, needs to join the run."""
        return JoinMessage(
            target=target.packed(self.target),
            shared=self.shared,
            seconds=halting.left(),
            ledger=self.ledger_path,
            process=name,
            stopped=self.collector.stopped,
            depth=self.options.depth,
            seed=self.options.seed,
            probe_limits=self.options.probe_limits,
        )


def begin(options: Options) -> RunSession:
    """A session on the target that the options name; nothing has been sent yet, and no earlier report stands.

    Raises:
        conformance.errors.UsageError: the target description, the waiver file or the baseline is wrong.
    """
    chosen = target.load(options.target) if options.target is not None else embedded.ANNOUNCED
    rules = policy_of(options), waivers_of(options), earlier_of(options)
    writable(options.report_dir)
    started = now()
    if options.target is not None:
        unfinished.replace_earlier(options, chosen, rules[0], started)
        return RunSession(options, chosen, None, None, target.artifact(options.target), *rules, started=started)
    with contextlib.ExitStack() as stack:
        try:
            launched = stack.enter_context(embedded.launch())
        finally:  # it takes as long as the start
            unfinished.replace_earlier(options, chosen, rules[0], started)
        reference = launched.ready()
    state = embedded.state_directory(options.state_dir)
    return RunSession(options, reference.target, reference, state, None, *rules, started=started)


def earlier_of(options: Options) -> Run | None:
    """The run to compare with.

    Raises:
        conformance.errors.UsageError: it cannot be read or is no run document.
    """
    return report.read(options.compare) if options.compare else None


def policy_of(options: Options) -> GatePolicy:
    """What gates the run that is asked for.

    Raises:
        conformance.errors.UsageError: the baseline cannot be read or is no run document.
    """
    earlier = baseline_of(report.read(options.baseline)) if options.baseline else None
    return GatePolicy(options.strict, options.require_all, earlier)


def waivers_of(options: Options) -> tuple[Waiver, ...]:
    """What is waived in the run that is asked for.

    Raises:
        conformance.errors.UsageError: the waiver file cannot be read or is wrong.
    """
    known = tuple(clause.id for clause in options.clauses)
    return waivers.load(options.waivers, known) if options.waivers else ()


def writable(directory: Path) -> None:
    """Make sure of a report directory: a verdict that cannot be written down is not worth the requests.

    Raises:
        conformance.errors.UsageError: nothing can be written there.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise UsageError(f"--report-dir: {directory} cannot be written to ({error.strerror})") from error


def join(said: JoinMessage) -> Process:
    """The process of a worker, or of the session itself."""
    chosen = target.unpacked(said.target)
    halting.share(said.shared)
    halting.limit(said.seconds)
    recorder = Recorder(prefix=f"{said.process}-" if said.process != messages.ONLY else "")
    client = Client(chosen, recorder, Pacer(said.shared / "pace", chosen.limits.requests_per_second))
    own = Ledger(said.ledger, said.process)
    return Process(
        target=chosen,
        client=client,
        recorder=recorder,
        ledger=own,
        provisioner=Provisioner(client, own, said.shared),
        depth=said.depth,
        seed=said.seed,
        probe_limits=said.probe_limits,
    )


def last_word(process: Process, closing: ItemRecord | None = None) -> LastWord:
    """What a process tells the controller when its tests are over; its ledger is given back."""
    said = LastWord(
        counts=ProcessCounts.of(process.recorder, process),
        notes=(
            *process.notes,
            *process.provisioner.notes,
            *process.views.notes(),
            *process.client.keyring.notes(),
            *sorted(process.client.incomplete),
        ),
        doubts=(*process.provisioner.doubts, *_shrunk(process.ledger)),
        remembered=tuple(process.ledger.written),
        closing=closing,
    )
    process.ledger.close()
    return said


def _shrunk(own: Ledger) -> list[str]:
    return [f"the ledger {own.path} vanished or shrank while the run was at work"] if own.shrank else []


def now() -> str:
    """The present in ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
