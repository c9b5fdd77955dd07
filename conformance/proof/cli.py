"""``conformance prove``: shows what each clause is worth, and that no lawful deployment is blamed."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import click

from conformance import contract
from conformance.errors import UsageError
from conformance.proof import document, generated
from conformance.proof.trial import TrialResult, TrialSubject, judge
from conformance.report.outline import counted

PRELOADED = ["conformance.proof.trial", "conformance.plugin", "conformance.reference.server", "schemathesis"]


@click.command()
@click.option("--depth", type=click.Choice(["quick", "standard", "deep"]), default="standard", show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--jobs", type=click.IntRange(1), default=2 * (os.cpu_count() or 1), show_default=True)
@click.option("--only", multiple=True, metavar="NAME", help="Only this fault or variant; may be repeated.")
@click.option(
    "--generated", "count", type=click.IntRange(0), default=0, metavar="N", help="N generated faults instead."
)
@click.option("--lawful", type=click.IntRange(0), default=0, metavar="N", help="N triples of lawful variants instead.")
@click.option(
    "--contract",
    "judged_by",
    type=click.Choice(sorted(contract.SUPPORTING)),
    default=None,
    help="The faults of this supporting contract, judged by its clauses alone.",
)
@click.option("--report-dir", type=click.Path(path_type=Path), default=Path("reports"), show_default=True)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def prove(
    *,
    depth: str,
    seed: int,
    jobs: int,
    only: tuple[str, ...],
    count: int,
    lawful: int,
    judged_by: str | None,
    report_dir: Path,
    arguments: tuple[str, ...],
) -> None:
    """Run the suite against every fault and every lawful variant.

    Exits 1 on a survivor, a wrong blame or a false alarm, 3 where the suite itself broke; of generated faults one
    in twenty may survive.

    With --generated the faults are put together by the seed, from triggers and misbehaviours; those that no client
    could tell from a lawful deployment are left out, and named.

    What stands after -- goes to pytest, such as -k or --deselect.
    """
    left_out: list[str] = []
    try:
        if count or lawful:
            subjects, left_out = generated.faults(seed, count)
            subjects += generated.compositions(seed, lawful)
        else:
            subjects = document.subjects(only, judged_by or "")
    except UsageError as error:
        click.echo(f"ERROR: {error}", err=True)
        sys.exit(4)
    started = time.monotonic()
    faulty = sum(subject.kind == "fault" for subject in subjects)
    deployments = f"{counted(faulty, 'faulty deployment')} and {counted(len(subjects) - faulty, 'lawful one')}"
    click.echo(f"judging {deployments}, each by a run of its own that may take minutes")
    trials = list(_with_progress(_judged(subjects, depth, seed, jobs, arguments), len(subjects), started))
    seconds = round(time.monotonic() - started, 1)
    proof = document.Proof(depth, seed, seconds, tuple(document.ordered(trials)), tuple(left_out))
    document.write(proof, report_dir)
    click.echo(f"report    {report_dir / 'proof.html'}")
    click.echo(document.summary(proof))
    sys.exit(3 if proof.broken else 0 if proof.holds else 1)


def _judged(
    subjects: Iterable[TrialSubject], depth: str, seed: int, jobs: int, arguments: tuple[str, ...]
) -> Iterator[TrialResult]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with ProcessPoolExecutor(jobs, mp_context=context, max_tasks_per_child=1) as pool:
        futures = {
            pool.submit(judge, subject, depth, seed, (*document.options(subject), *arguments)): subject
            for subject in subjects
        }
        for future in as_completed(futures):
            error = future.exception()
            yield document.broken(futures[future], error) if error else future.result()


def _with_progress(trials: Iterator[TrialResult], total: int, started: float) -> Iterator[TrialResult]:
    for number, trial in enumerate(trials, 1):
        left = (time.monotonic() - started) / number * (total - number)
        click.echo(f"[{number}/{total}, {left:4.0f} s left] {document.line(trial)}")
        yield trial
