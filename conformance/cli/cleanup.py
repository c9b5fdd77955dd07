"""``conformance cleanup``: what killed runs left on a target is taken back."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from conformance import preflight, target
from conformance.cli.groups import USAGE_ERROR
from conformance.client import Client, Pacer, halting
from conformance.errors import ConformanceError, UsageError
from conformance.evidence import Recorder
from conformance.provision import Sweep, adopt, state_directory, sweep_dead_runs

WORKERS_MAY_TAKE_SECONDS, CLEANING_SECONDS = 20.0, 600.0


@click.command()
@click.option("--target", "given", required=True, metavar="FILE|URL", help="Target description or URL.")
@click.option("--state-dir", type=click.Path(path_type=Path), help="Where the ledgers are kept.")
@click.option("--adopt", "adopted", multiple=True, metavar="ID", help="This address is the suite's: remove it too.")
def cleanup(given: str, state_dir: Path | None, adopted: tuple[str, ...]) -> None:
    """Take back what the dead runs of this target created; exits 1 when something is left.

    What only looks like the suite's is named and left. --adopt ID, which can be given several times, says that an
    address is the suite's: it is removed with its associations.
    """
    if wrong := [one for one in adopted if not target.is_uuid(one)]:
        click.echo(f"ERROR: --adopt: {target.in_words(wrong[0])} is no UUID, which an address ID is", err=True)
        sys.exit(USAGE_ERROR)
    with tempfile.TemporaryDirectory(prefix="conformance-") as shared:
        try:
            chosen = preflight.signed_in(target.load(given))
            pacer = Pacer(Path(shared) / "pace", chosen.limits.requests_per_second)
            client = Client(chosen, Recorder(), pacer)
            preflight.check(client)
            halting.clear_away(CLEANING_SECONDS)
            state = state_directory(chosen, state_dir)
            first = adopt(client, state, adopted) if adopted else Sweep()
            done = sweep_dead_runs(client, state, WORKERS_MAY_TAKE_SECONDS)
            done.removed[:0], done.left[:0] = first.removed, first.left
        except UsageError as error:
            click.echo(f"ERROR: {error}", err=True)
            sys.exit(USAGE_ERROR)
        except (ConformanceError, halting.Stopped) as error:
            click.echo(f"ERROR: {error}", err=True)
            sys.exit(1)
        finally:
            halting.reset()
    for address in done.removed:
        click.echo(f"removed address {address} and its associations")
    for sentence in done.left:
        click.echo(f"left: {sentence}")
    click.echo(f"conformance cleanup: {len(done.removed)} removed, {len(done.left)} left")
    sys.exit(1 if done.left else 0)
