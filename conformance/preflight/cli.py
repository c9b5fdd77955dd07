"""The commands ``conformance doctor`` and ``conformance init``: before the first run.

Exit codes of ``doctor``: 0 a run can be begun, 1 something stands in its way, 4 wrong usage.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance import target
from conformance.client import Client, Pacer
from conformance.errors import ConformanceError, UsageError
from conformance.evidence import Recorder
from conformance.preflight import draft
from conformance.preflight.checklist import Check, Status, ready
from conformance.preflight.entry import signed_in
from conformance.preflight.opening import examination
from conformance.provision import state_directory
from conformance.report.cli import USAGE_ERROR, Command
from conformance.report.visible import one_line

STYLES = {Status.OK: "green", Status.WARNING: "yellow", Status.PROBLEM: "bold red", Status.UNCHECKED: "dim"}

PLAIN_WIDTH = 200
"""Where nobody looks at a screen, a line is a line."""


@click.command(cls=Command)
@click.option("--target", "given", required=True, metavar="FILE|URL", help="Target description or URL.")
@click.option("--state-dir", type=click.Path(path_type=Path), help="Where the ledgers are kept.")
@click.option(
    "--allocate",
    is_flag=True,
    help="Allocate two addresses, if so many are had, associate each once, and remove it all again.",
)
def doctor(given: str, state_dir: Path | None, *, allocate: bool) -> None:
    """Look at a target and print what stands in the way of a run, and what to do about it.

    It reads, about a dozen requests, and creates nothing unless --allocate is given. Exits 0 when a run can be begun,
    1 when not, 4 when the description or an option is wrong.
    """
    try:
        chosen = signed_in(target.load(given))
    except UsageError as error:
        click.echo(f"ERROR: {error}", err=True)
        sys.exit(USAGE_ERROR)
    except ConformanceError as error:
        click.echo(f"ERROR: {one_line(str(error))}", err=True)
        sys.exit(1)
    with tempfile.TemporaryDirectory(prefix="conformance-") as shared:
        pacer = Pacer(Path(shared) / "pace", chosen.limits.requests_per_second)
        client = Client(chosen, Recorder(), pacer)
        checks = list(examination(client, state_directory(chosen, state_dir), Path(shared), allocate=allocate))
    width = None if sys.stdout.isatty() else PLAIN_WIDTH
    console = Console(width=width, highlight=False, markup=False, emoji=False)
    with console.capture() as shown:
        console.print(_table(checks))
    click.echo("\n".join([*map(str.rstrip, shown.get().splitlines()), _conclusion(checks)]))
    sys.exit(0 if ready(checks) else 1)


def _table(checks: Iterable[Check]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(2):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        table.add_row(Text(check.status, style=STYLES[check.status]), check.name, Text(one_line(check.words)))
        if check.advice:
            table.add_row("", "", Text(f"-> {one_line(check.advice)}"))
    return table


def _conclusion(checks: Iterable[Check]) -> str:
    wanting = [check for check in checks if check.status is not Status.OK]
    counted = Counter(check.status for check in wanting)
    order = (Status.PROBLEM, Status.WARNING, Status.UNCHECKED)
    said = ", ".join(f"{counted[status]} {_plural(status, counted[status])}" for status in order if counted[status])
    return f"conformance doctor: a run can{'' if ready(wanting) else 'not'} be begun ({said or 'all is well'})"


def _plural(status: Status, count: int) -> str:
    return status if status is Status.UNCHECKED or count == 1 else f"{status}s"


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), default=Path("target.yaml"))
@click.option("--compute", metavar="URL", default=draft.PLACEHOLDER_URL, help="The compute service.")
@click.option("--network", metavar="URL", help="The network service; the same as compute unless given.")
@click.option("--network-id", metavar="ID", help="The network that addresses are allocated on.")
@click.option("--name", help="What reports call the target; the compute service's host unless given.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def init(
    file: Path, compute: str, network: str | None, network_id: str | None, name: str | None, *, force: bool
) -> None:
    """Write a target description with every key explained into FILE (target.yaml; - for standard output).

    With --compute and the token in CONFORMANCE_TOKEN, the network, the servers and their ports are taken from what the
    cloud shows the tenant. No token is written: the file says where it is found.
    """
    try:
        drafted = draft.drafted(draft.Given(compute, network, network_id, name))
        if str(file) == "-":
            click.echo(drafted.text, nl=False)
        else:
            draft.write(drafted.text, file, force=force)
    except UsageError as error:
        click.echo(f"ERROR: {error}", err=True)
        sys.exit(USAGE_ERROR)
    click.echo(one_line(drafted.note), err=True)
    if str(file) != "-":
        click.echo(f"{file} is written; next: conformance doctor --target {file}", err=True)
