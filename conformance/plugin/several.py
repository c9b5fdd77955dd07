"""Several targets in one go: each is judged by a run in a process of its own, at the same time as others.

So one target's outage, hang-up or worst surprise is no other's. What is wrong with any description, waiver file or
baseline is said before the first run starts. Ledgers and reports are kept apart, and no run reads another's token.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from conformance import report, target
from conformance.errors import UsageError
from conformance.plugin import options, workers
from conformance.report import overview
from conformance.run import fleet, signals, unfinished
from conformance.run import session as sessions
from conformance.run.arguments import ALONE
from conformance.run.fleet import Fleet, Relay, TargetRun
from conformance.run.options import Options
from conformance.run.session import INTERNAL_ERROR, USAGE_ERROR
from conformance.verdict import Verdict

DESCRIPTIONS = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Stop:
    """One target of the round.

    Attributes:
        given: its description or URL, as ``--target`` takes it.
        folder: the name of its report directory, made from the target's.
        network: its network service; empty while only a service catalogue knows it.
        exclusive: it claims that nobody else uses its tenant.
    """

    given: str
    name: str
    folder: str
    network: str = ""
    exclusive: bool = False


def run(config: pytest.Config, targets: Sequence[str]) -> int:
    """Judge each target, write its report and the overview of all, and return the exit code: the worst of theirs.

    Raises:
        pytest.UsageError: something given is wrong; nothing was sent to any target.
    """
    with tempfile.TemporaryDirectory(prefix="conformance-earlier-") as kept:
        try:
            wanted = options.read(config)
            stops = plan(targets, wanted)
            wanted = _begun(wanted, stops, Path(kept))
        except UsageError as error:
            raise pytest.UsageError(str(error)) from error
        relay = Relay()
        before = fleet.heeding(relay)
        try:
            return _round(config, wanted, stops, relay)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def plan(targets: Sequence[str], wanted: Options) -> tuple[Stop, ...]:
    """The targets in their order, each with a report directory of its own.

    Raises:
        UsageError: every mistake of every description, name, waiver file and baseline, a line each.
    """
    mistakes: list[str] = []
    stops: list[Stop] = []
    for given in targets:
        with _noting(mistakes):
            for one in _descriptions(given):
                with _noting(mistakes):
                    stops.append(_stop(one))
    mistakes += [*_alike(stops), *_not_exclusive(stops)]
    if not mistakes:  # else it is not known whose the others are
        mistakes += _strays(wanted.waivers, stops)
    owned = [_own(wanted, stop) for stop in stops]
    for own in owned:
        with _noting(mistakes):
            sessions.policy_of(own)
        with _noting(mistakes):
            sessions.waivers_of(own)
        with _noting(mistakes):
            sessions.earlier_of(own)
    for own in [] if mistakes else owned:
        with _noting(mistakes):
            sessions.writable(own.report_dir)
    if mistakes:
        raise UsageError("\n".join(dict.fromkeys(mistakes)))
    return tuple(stops)


def _begun(wanted: Options, stops: Sequence[Stop], kept: Path) -> Options:
    """No earlier report stands any more, of any target or of all; what is compared with is kept for the runs to read.

    Raises:
        UsageError: a report cannot be replaced.
    """
    held = wanted.compared_with(
        _kept(wanted.baseline, stops, kept / "baseline"), _kept(wanted.compare, stops, kept / "compare")
    )
    for directory in (wanted.report_dir, *(_own(wanted, stop).report_dir for stop in stops)):
        unfinished.forget(directory)
    report.write_overview(_parts(wanted, stops, {}), wanted.report_dir)
    return held


def _kept(earlier: Path | None, stops: Sequence[Stop], kept: Path) -> Path | None:
    """A copy of a saved run, or of one for each target, under the names by which :func:`_own` finds them."""
    if earlier is None or not earlier.is_dir():
        return earlier and Path(shutil.copy(earlier, kept))
    for stop in stops:
        (kept / stop.folder).mkdir(parents=True)
        shutil.copy(earlier / stop.folder / report.FILES["json"], kept / stop.folder)
    return kept


@contextlib.contextmanager
def _noting(mistakes: list[str]) -> Iterator[None]:
    try:
        yield
    except UsageError as error:
        mistakes.append(str(error))


def _descriptions(given: str) -> list[str]:
    """What ``--target`` names: itself, or the descriptions in a directory, by name."""
    path = Path(given)
    if not path.is_dir():
        return [given]
    found = sorted(one for one in path.iterdir() if one.suffix in DESCRIPTIONS and not one.name.startswith("."))
    if not found:
        raise UsageError(f"{given}: holds no target description; expected files named *.yaml or *.yml")
    return [str(one) for one in found]


def _stop(given: str) -> Stop:
    found = target.load(given)
    return Stop(given, found.name, _folder(found.name), found.network, exclusive=found.policy.tenant == "exclusive")


def _folder(name: str) -> str:
    """A name for a folder in which everything can be written that the file system's encoding has."""
    written = name.encode(sys.getfilesystemencoding(), "xmlcharrefreplace").decode(sys.getfilesystemencoding())
    return re.sub(r"[^\w.-]+", "-", written).strip("-.") or "target"


def _not_exclusive(stops: Sequence[Stop]) -> Iterator[str]:
    """Targets on one network service, of which one claims that nobody else uses its tenant."""
    grouped: dict[str, list[Stop]] = defaultdict(list)
    for stop in stops:
        grouped[stop.network].append(stop)
    for network, alike in grouped.items():
        if network and len(alike) > 1 and any(stop.exclusive for stop in alike):
            names = ", ".join(stop.given for stop in alike)
            yield f"policy.tenant: expected shared where several targets use one network URL ({network}): {names}"


def _alike(stops: Sequence[Stop]) -> Iterator[str]:
    """Targets whose reports would replace each other: the same name, or nearly."""
    grouped: dict[str, list[Stop]] = defaultdict(list)
    for stop in stops:
        grouped[stop.folder.casefold()].append(stop)
    for alike in grouped.values():
        if len(alike) > 1:
            names = ", ".join(f"{stop.given} ({stop.name!r})" for stop in alike)
            yield f"name: expected one of its own for each target, to tell their reports apart: {names}"


def _strays(waivers: Path | None, stops: Sequence[Stop]) -> Iterator[str]:
    """Files of a directory of waivers that are nobody's: a promise that is overlooked is none."""
    if waivers is None or not waivers.is_dir():
        return
    expected = [f"{stop.folder}.yaml" for stop in stops]
    for path in sorted(waivers.iterdir()):
        if path.suffix in DESCRIPTIONS and path.name not in expected:
            yield f"{path}: belongs to no target; expected one of {', '.join(expected)}"


def _own(wanted: Options, stop: Stop) -> Options:
    """What the run of one target is asked for: directories of waivers and of earlier reports have a part for each."""
    waivers = wanted.waivers
    if waivers and waivers.is_dir():
        part = waivers / f"{stop.folder}.yaml"
        waivers = part if part.exists() else None
    earlier = (
        one / stop.folder / report.FILES["json"] if one and one.is_dir() else one
        for one in (wanted.baseline, wanted.compare)
    )
    return wanted.of(stop.given, wanted.report_dir / stop.folder, waivers, *earlier)


def _round(config: pytest.Config, wanted: Options, stops: Sequence[Stop], relay: Relay) -> int:
    codes: dict[int, int] = {}
    complaints: list[str] = []

    def ended(at: int, code: int) -> None:
        codes[at] = code
        with _noting(complaints):  # after each: what is known stays known, whatever happens to this process
            report.write_overview(_parts(wanted, stops, codes), wanted.report_dir)

    members = [_member(config, _own(wanted, stop), stop, f"{at} of {len(stops)}") for at, stop in enumerate(stops, 1)]
    jobs = config.getoption("--jobs") or min(workers.processors(), len(stops))
    Fleet(members, jobs, relay, config.invocation_params.dir, _variables(), _say, ended).judge()
    parts = _parts(wanted, stops, codes)
    said = {late: "\n".join(["", *overview.lines(parts, interrupted=late)]) for late in (False, True)}
    # A signal before the verdict line ends the round, whatever its runs came to: only the words come after this look.
    late = bool(relay.number)
    _say(said[late])
    with _noting(complaints):
        report.write_overview(parts, wanted.report_dir, interrupted=late)
    with _noting(complaints):
        report.append_overview(parts, os.environ, interrupted=late)
    for complaint in dict.fromkeys(complaints):
        click.echo(f"ERROR: {complaint}", err=True)
    ways = [*codes.values(), *([INTERNAL_ERROR] if complaints else [])]
    return signals.exit_code(relay.number) if late else _code(ways)


def _member(config: pytest.Config, own: Options, stop: Stop, place: str) -> TargetRun:
    begins = f"conformance: target {place}: {stop.name!r}, reports in {own.report_dir}"
    return TargetRun(stop.name, stop.network, begins, _command(config, own))


def _say(text: str) -> None:
    """Show it, with an escape for what the encoding lacks."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    click.echo(text.encode(encoding, "backslashreplace").decode(encoding))


def _command(config: pytest.Config, own: Options) -> list[str]:
    """The same command for one target; what comes last outweighs what was said before."""
    given = [str(one) for one in config.invocation_params.args]
    end = given.index("--") if "--" in given else len(given)
    changes = (
        *(ALONE, str(own.target), "--report-dir", str(own.report_dir), "--seed", str(own.seed)),
        *("--waivers", str(own.waivers or ""), "--baseline", str(own.baseline or "")),
        *("--compare", str(own.compare or "")),
    )
    return [sys.executable, "-P", "-m", "pytest", *given[:end], *changes, *given[end:]]


def _variables() -> dict[str, str]:
    """The environment, with modules found where this process finds them; the job's page is written here, in order."""
    own = {name: value for name, value in os.environ.items() if name != report.SUMMARY_PAGE}
    return {**own, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _parts(wanted: Options, stops: Sequence[Stop], codes: Mapping[int, int]) -> tuple[overview.TargetSummary, ...]:
    """What is known of each target, once some runs have ended with these codes."""
    return tuple(_part(_own(wanted, stop), stop, codes.get(at)) for at, stop in enumerate(stops))


def _part(own: Options, stop: Stop, ended: int | None) -> overview.TargetSummary:
    if ended is None:
        return overview.TargetSummary(stop.name, own.report_dir, None, "it was not its turn yet", Verdict.INCONCLUSIVE)
    with contextlib.suppress(UsageError):
        found = report.read(own.report_dir / report.FILES["json"])
        if not unfinished.describes(found):
            return overview.TargetSummary(stop.name, own.report_dir, found)
    return overview.TargetSummary(
        stop.name, own.report_dir, None, f"its run left no report and ended with code {ended}"
    )


def _code(codes: Sequence[int]) -> int:
    """The worst; a run that ended in no way of its own is an internal error."""
    return max(code if 0 <= code <= USAGE_ERROR else INTERNAL_ERROR for code in codes)
