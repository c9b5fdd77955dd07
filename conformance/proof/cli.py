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

from conformance.errors import UsageError
from conformance.proof import document
from conformance.proof.trial import Subject, Trial, judge

PRELOADED = ["conformance.proof.trial", "conformance.plugin", "conformance.reference.server", "schemathesis"]


@click.command(short_help="Judge all faulty and all lawful deployments of the reference.")
@click.option("--depth", type=click.Choice(["quick", "standard", "deep"]), default="standard", show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--jobs", type=click.IntRange(1), default=2 * (os.cpu_count() or 1), show_default=True)
@click.option("--only", multiple=True, metavar="NAME", help="Only this fault or variant; may be repeated.")
@click.option("--report-dir", type=click.Path(path_type=Path), default=Path("reports"), show_default=True)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def prove(
    depth: str, seed: int, jobs: int, only: tuple[str, ...], report_dir: Path, arguments: tuple[str, ...]
) -> None:
    """Run the suite against every fault and every lawful variant.

    Exits 1 on a survivor, a wrong blame or a false alarm.

    What stands after -- goes to pytest, such as -k or --deselect.
    """
    try:
        subjects = document.subjects(only)
    except UsageError as error:
        click.echo(f"ERROR: {error}", err=True)
        sys.exit(4)
    started = time.monotonic()
    trials = list(_with_progress(_judged(subjects, depth, seed, jobs, arguments), len(subjects), started))
    proof = document.Proof(depth, seed, round(time.monotonic() - started, 1), tuple(document.ordered(trials)))
    document.write(proof, report_dir)
    click.echo(document.summary(proof))
    sys.exit(0 if proof.holds else 1)


def _judged(
    subjects: Iterable[Subject], depth: str, seed: int, jobs: int, arguments: tuple[str, ...]
) -> Iterator[Trial]:
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


def _with_progress(trials: Iterator[Trial], total: int, started: float) -> Iterator[Trial]:
    for number, trial in enumerate(trials, 1):
        left = (time.monotonic() - started) / number * (total - number)
        click.echo(f"[{number}/{total}, {left:4.0f} s left] {document.line(trial)}")
        yield trial
