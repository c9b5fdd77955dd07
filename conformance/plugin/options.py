"""What the command line says, and what pytest makes of it."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from conformance import contract, report
from conformance.errors import UsageError
from conformance.provision import places
from conformance.run.arguments import ALONE
from conformance.run.options import Options


def read(config: pytest.Config) -> Options:
    """The options as given.

    Raises:
        conformance.errors.UsageError: a value is empty.
    """
    targets, listed = config.getoption("targets"), config.getoption("--format")
    for given in targets:
        _not_empty("--target", given)
    return Options(
        target=config.getoption(ALONE) or (targets[0] if targets else None),
        depth=config.getoption("--depth"),
        seed=_seed(config.getoption("--seed")),
        report_dir=_path(config, "--report-dir") or Path(config.invocation_params.dir, "reports"),
        formats=(*report.WRITTEN_BY_A_RUN, *(report.formats(listed) if listed else ())),
        state_dir=_path(config, "--state-dir"),
        probe_limits=config.getoption("--probe-limits"),
        strict=bool(config.getoption("strict")),
        require_all=config.getoption("--require-all"),
        waivers=_path(config, "--waivers"),
        baseline=_path(config, "--baseline"),
        compare=_path(config, "--compare"),
        contracts=contract.chosen(config.getoption("contracts")),
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


def _seed(given: str) -> int:
    return random.SystemRandom().randrange(2**32) if given == "random" else int(given)


def keep_to_ourselves() -> None:
    """The working directory is the user's; Hypothesis would keep its tables of characters there."""
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(places.cache() / "hypothesis"))
