"""What stands in a report directory while a run is under way: an earlier verdict never outlives the beginning of a run.

Whatever ends the run, who looks there later finds its own report, or one that says that there is none.
"""

from __future__ import annotations

from pathlib import Path

from conformance import __version__, catalogue, report
from conformance.run.options import Options
from conformance.run.results import Collector
from conformance.target import Target
from conformance.verdict import GatePolicy, Run, Verdict

REASON = "unfinished"


def replace_earlier(options: Options, described: Target, policy: GatePolicy, started: str) -> None:
    """Replace what an earlier run left in the report directory by the report of a run that has not ended.

    Raises:
        UsageError: a file there can be neither replaced nor removed.
    """
    forget(options.report_dir)
    report.begin(document(options, described, policy, started), options.report_dir, options.formats)


def forget(directory: Path) -> None:
    """Remove every file of the suite's names.

    Raises:
        UsageError: one cannot be removed.
    """
    report.remove(directory, report.FILES)


def document(options: Options, described: Target, policy: GatePolicy, started: str) -> Run:
    """The run document of a run that has begun."""
    return Run(
        verdict=Verdict.ERROR,
        reason=REASON,
        target=described.public(),
        started=started,
        finished=started,
        seed=options.seed,
        depth=options.depth,
        suite_version=__version__,
        spec_digest=catalogue.digest(),
        clauses=Collector(stopped=REASON, contracts=options.contracts).results(options.clauses),
        interrupted=True,
        policy=policy,
    )


def describes(run: Run) -> bool:
    """Whether the document is of a run that did not come to write its own."""
    return run.interrupted and run.verdict is Verdict.ERROR and run.reason == REASON
