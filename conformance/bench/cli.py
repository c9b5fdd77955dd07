"""``conformance bench``: measures, compares, and writes it down."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from conformance.bench import document, kill_curve, latency, runs, start, traffic
from conformance.bench.plan import BenchPlan
from conformance.bench.records import Bench, Part
from conformance.errors import UsageError

PARTS: Mapping[str, Callable[[BenchPlan], Part]] = {
    "requests": traffic.part,
    "kill-curve": kill_curve.part,
    "latency": latency.part,
    "start": start.part,
}
SHORT = ("requests", "start")
LATENCIES = (0.0, 20.0, 100.0)
REPETITIONS, SHORT_REPETITIONS, OF_LATENCIES = 3, 2, 1


@click.command()
@click.option("--report-dir", type=click.Path(path_type=Path), default=Path("reports"), show_default=True)
@click.option(
    "--repetitions",
    type=click.IntRange(1),
    help=f"How often each thing is measured.  [default: {REPETITIONS}; latencies {OF_LATENCIES}]",
)
@click.option("--only", multiple=True, type=click.Choice(list(PARTS)), help="Only this part; may be repeated.")
@click.option("--short", is_flag=True, help="Only requests and start, smaller: to see that all of it works.")
@click.option(
    "--latency",
    "latencies",
    multiple=True,
    type=click.FloatRange(0),
    default=LATENCIES,
    show_default=True,
    help="Milliseconds before each answer; may be repeated.",
)
@click.option(
    "--proof",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Draw the kill curve of this proof.json.",
)
@click.option(
    "--kill-curve", "faults", type=click.IntRange(0), default=0, metavar="N", help="And Schemathesis's, on N faults."
)
def bench(
    *,
    report_dir: Path,
    repetitions: int | None,
    only: tuple[str, ...],
    short: bool,
    latencies: tuple[float, ...],
    proof: Path | None,
    faults: int,
) -> None:
    """Measure what a run costs, against a bare loop and Schemathesis.

    Everything is measured on the reference deployment, served in a process of its own; the figures go to bench.html
    and bench.json. The kill curve is drawn only where --proof or --kill-curve asks for it.
    """
    names = _parts(only, short=short, killing=bool(proof or faults))
    times = repetitions or (SHORT_REPETITIONS if short else REPETITIONS)
    if proof:
        kill_curve.proven(proof)  # what is wrong with it is said before minutes are spent
    document.make_room(report_dir)
    started, began = datetime.now(UTC).isoformat(timespec="milliseconds"), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="conformance-bench-") as folder:
        plan = BenchPlan(
            repetitions=times,
            of_latencies=repetitions or OF_LATENCIES,
            short=short,
            latencies=tuple(dict.fromkeys(one / 1000 for one in latencies)),
            proof=proof,
            faults=faults,
            folder=Path(folder),
        )
        if faults or names != ["kill-curve"]:
            runs.warm_up(plan.folder)
        parts = tuple(_measured(name, plan) for name in names)
    made = Bench(started, time.monotonic() - began, document.machine(), times, short, parts)
    document.write(made, report_dir)
    for line in document.table(made):
        click.echo(line)
    click.echo(
        f"\nconformance bench: {made.seconds:.0f} s; {report_dir / document.PAGE}, {report_dir / document.DOCUMENT}"
    )


def _parts(only: tuple[str, ...], *, short: bool, killing: bool) -> list[str]:
    """The parts to measure, in their order."""
    if "kill-curve" in only and not killing:
        raise UsageError("--only kill-curve: nothing to draw it from", "give --proof FILE, --kill-curve N or both")
    wanted = only or (SHORT if short else tuple(PARTS))
    return [name for name in PARTS if name in wanted and (name != "kill-curve" or killing)]


def _measured(name: str, plan: BenchPlan) -> Part:
    sys.stderr.write(f"measuring {name} ...\n")
    return PARTS[name](plan)
