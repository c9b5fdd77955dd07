"""The commands ``conformance report``, ``diff``, ``overview`` and ``history``: saved runs in, views out.

They read files and talk to nobody. Exit codes: 0 done (for ``diff``: nothing got worse), 1 something got worse,
4 the files, formats or arguments given are wrong; ``overview`` exits as a run of all the targets would.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from conformance import report
from conformance.errors import UsageError
from conformance.report import difference, history, history_page, outline, overview
from conformance.report.visible import one_line
from conformance.verdict import EXIT_CODES, Run

USAGE_ERROR = 4
Given = TypeVar("Given")
VIEWS = {"text": difference.as_text, "markdown": difference.as_markdown}


class WrongArguments(click.UsageError):
    """What click finds wrong, with the exit code that wrong usage has here."""

    exit_code = USAGE_ERROR


class Command(click.Command):
    """A command whose wrong arguments exit with 4, as everything else that is wrong about what was given."""

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        """Parse the arguments."""
        try:
            return super().make_context(*arguments, **more)
        except click.UsageError as error:
            raise WrongArguments(error.format_message(), error.ctx) from error


@click.command("report", cls=Command)
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN.json")
@click.option(
    "--format",
    "formats",
    default=",".join(report.FILES),
    show_default=True,
    metavar="NAME,...",
    help="The formats to write.",
)
@click.option(
    "--report-dir", type=click.Path(path_type=Path), default=Path("reports"), show_default=True, help="Where they go."
)
@click.option(
    "--compare",
    type=click.Path(path_type=Path),
    metavar="OLD.json",
    help="An earlier run: say what is better, worse and new since.",
)
def render(run: Path, formats: str, report_dir: Path, compare: Path | None) -> None:
    """Write the run that RUN.json holds in each format into a directory, and say the files' names."""
    for path in _or_usage_error(lambda: report.write(_read(run, compare), report_dir, report.formats(formats))):
        click.echo(path)


def _read(path: Path, compare: Path | None) -> Run:
    run = report.read(path)
    return report.compared(run, report.read(compare)) if compare else run


@click.command("diff", cls=Command)
@click.argument("old", type=click.Path(path_type=Path), metavar="OLD.json")
@click.argument("new", type=click.Path(path_type=Path), metavar="NEW.json")
@click.option(
    "--format", "view", type=click.Choice(list(VIEWS)), default="text", show_default=True, help="How it looks."
)
def diff(old: Path, new: Path, view: str) -> None:
    """Compare two saved runs; exits 1 when something got worse, is new, or is not judged any more."""
    before, after = _or_usage_error(lambda: (report.read(old), report.read(new)))
    click.echo(VIEWS[view](before, after), nl=False)
    raise SystemExit(1 if difference.between(before, after).is_worse else 0)


@click.command("overview", cls=Command)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN.json...")
@click.option(
    "--report-dir", type=click.Path(path_type=Path), default=Path("reports"), show_default=True, help="Where it goes."
)
def show_all(runs: tuple[Path, ...], report_dir: Path) -> None:
    """Write index.html: each target's verdict, and each clause at each target; exits as the worst of the runs."""
    parts = _or_usage_error(lambda: _parts(runs, report_dir))
    click.echo(_or_usage_error(lambda: report.write_overview(parts, report_dir)))
    click.echo("\n".join(overview.lines(parts)))
    raise SystemExit(EXIT_CODES.get(overview.verdict(parts), 1))


def _parts(runs: tuple[Path, ...], report_dir: Path) -> tuple[overview.TargetSummary, ...]:
    if replaced := [str(path) for path in runs if path.resolve().parent == report_dir.resolve()]:
        raise UsageError(f"--report-dir: the overview would replace the page of {', '.join(replaced)}")
    parts = tuple(overview.TargetSummary.of(report.read(path), path.parent) for path in runs)
    if twice := overview.twice(parts):
        raise UsageError(f"the same target stands in more than one run: {', '.join(map(one_line, twice))}")
    return parts


@click.command("history", cls=Command)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR|RUN.json...")
@click.option("--name", metavar="TARGET", help="Leave out the runs of targets that are called otherwise.")
@click.option(
    "--report-dir", type=click.Path(path_type=Path), default=Path("reports"), show_default=True, help="Where it goes."
)
def show_history(runs: tuple[Path, ...], name: str | None, report_dir: Path) -> None:
    """Write history.html: the verdict and each clause from run to run, and who broke or was mended when."""
    told = _or_usage_error(lambda: _history(runs, name))
    click.echo(_or_usage_error(lambda: report.write_history(told, report_dir)))
    click.echo("\n".join(history_page.lines(told)))


def _history(runs: tuple[Path, ...], name: str | None) -> history.RunHistory:
    paths = [path for given in runs for path in (history.within(given) if given.is_dir() else [given])]
    entries = [history.Entry(report.read(path), path) for path in paths]
    return history.of(one for one in entries if name is None or outline.target_name(one.run) == name)


def _or_usage_error(attempt: Callable[[], Given]) -> Given:
    try:
        return attempt()
    except UsageError as error:
        click.echo(f"ERROR: {error}", err=True)
        raise SystemExit(USAGE_ERROR) from None
