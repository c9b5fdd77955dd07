"""The command line's options and the Hypothesis profile that they choose."""

from __future__ import annotations

import argparse
import os
import random
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

from conformance import report
from conformance.errors import UsageError
from conformance.plugin import constants
from conformance.provision import places
from conformance.run.options import Options

DEPTHS = {"quick": 6, "standard": 20, "deep": 120}
"""Depth -> Hypothesis examples of a property that asks for its full share."""

DEFAULT_SEED = 0

ALONE = "--target-alone"


def add(add_option: Callable[..., object]) -> None:
    """Tell pytest's parser, or another one of the kind, of the options."""
    add_option(
        "--target",
        dest="targets",
        action="append",
        default=[],
        metavar="FILE|DIR|URL",
        help="target description, or one URL of both services with the token in CONFORMANCE_TOKEN; may be repeated, "
        "and a directory stands for all descriptions in it; default: the embedded reference deployment",
    )
    # Said to the run of one target by that of several; it outweighs what was said to the latter.
    add_option(ALONE, help=argparse.SUPPRESS)
    add_option("--depth", choices=tuple(DEPTHS), default="standard", help="how many examples are generated")
    add_option(
        "--seed",
        type=_seed_given,
        metavar="N|random",
        default=str(DEFAULT_SEED),
        help=f"seed of the generation; default {DEFAULT_SEED}",
    )
    add_option("--report-dir", metavar="DIR", help="where the reports go; default reports/")
    add_option(
        "--format",
        type=_formats_given,
        metavar="NAME,...",
        help=f"further formats of the report: {', '.join(sorted(set(report.FILES) - set(report.WRITTEN_BY_A_RUN)))}",
    )
    add_option(
        "--jobs",
        type=_positive,
        metavar="N",
        help="so many of several targets at the same time; default: as many as there are processors",
    )
    add_option("--state-dir", metavar="DIR", help="where the ledgers are kept; default: the user's state directory")
    add_option(
        "--probe-limits",
        action="store_true",
        help="allow one bounded burst of requests, to see the target's rate limit",
    )
    # --strict is pytest's own already; here it makes should-clauses gate as well.
    add_option("--require-all", action="store_true", help="a clause that is untested fails the run")
    add_option("--waivers", metavar="FILE", help="promises to live with findings until a day")
    add_option("--baseline", metavar="RUN.json", help="a saved run whose findings do not fail this run again")
    add_option("--compare", metavar="OLD.json", help="a saved run: the reports say what is better, worse and new")


def read(config: pytest.Config) -> Options:
    """The options as given.

    Raises:
        conformance.errors.UsageError: a value is empty.
    """
    targets = config.getoption("targets")
    for given in targets:
        _not_empty("--target", given)
    return Options(
        target=config.getoption(ALONE) or (targets[0] if targets else None),
        depth=config.getoption("--depth"),
        seed=_seed(config.getoption("--seed")),
        report_dir=_path(config, "--report-dir") or Path(config.invocation_params.dir, "reports"),
        formats=(*report.WRITTEN_BY_A_RUN, *report.formats(config.getoption("--format") or "json")),
        state_dir=_path(config, "--state-dir"),
        probe_limits=config.getoption("--probe-limits"),
        strict=bool(config.getoption("strict")),
        require_all=config.getoption("--require-all"),
        waivers=_path(config, "--waivers"),
        baseline=_path(config, "--baseline"),
        compare=_path(config, "--compare"),
    )


def several(config: pytest.Config) -> tuple[str, ...]:
    """The targets as given, if they ask for a run each: more than one, or a directory; else none."""
    targets: tuple[str, ...] = tuple(config.getoption("targets"))
    alone = config.getoption(ALONE) is not None
    return () if alone or (len(targets) < 2 and not any(Path(given).is_dir() for given in targets)) else targets


def _path(config: pytest.Config, option: str) -> Path | None:
    given = config.getoption(option)
    if given is None or (not given and config.getoption(ALONE)):  # of several targets this one has no such file
        return None
    return Path(config.invocation_params.dir, _not_empty(option, given))


def _not_empty(option: str, given: str) -> str:
    """What was given: an empty text, most often a variable that is not set, would be the working directory."""
    if not given.strip():
        raise UsageError(f"{option}: expected a value, not an empty one", "is a variable not set?")
    return given


def _formats_given(given: str) -> str:
    try:
        report.formats(given)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return given


def _positive(given: str) -> int:
    if not given.isascii() or not given.isdigit() or not int(given):
        raise argparse.ArgumentTypeError(f"{given!r}; expected a number from 1 on")
    return int(given)


def _seed_given(given: str) -> str:
    if given != "random" and not (given.isascii() and given.isdigit()):
        raise argparse.ArgumentTypeError(f"{given!r}; expected a number or the word random")
    return given


def _seed(given: str) -> int:
    return random.SystemRandom().randrange(2**32) if given == "random" else int(given)


def load_profile(depth: str) -> None:
    """Let Hypothesis make as many examples as the depth asks for; seeds and replays are the suite's own."""
    constants.none()
    # The working directory is the user's; Hypothesis would keep its tables of characters there.
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(places.cache() / "hypothesis"))
    hypothesis.settings.register_profile(
        "conformance",
        max_examples=DEPTHS[depth],
        database=None,
        deadline=None,
        derandomize=False,
        report_multiple_bugs=False,
        print_blob=False,
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("conformance")
