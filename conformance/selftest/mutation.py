"""What the tests are worth: a seeded sample of small changes of the code that judges, each of which a test must notice.

``python -m tox -e mutation`` runs it (90 minutes at most, on a copy of the checkout); ``-- --sample 40`` takes fewer.
It exits with 1 if more than a tenth survives, and lists the survivors with what was changed.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]
MODULES = (
    "conformance/judge",
    "conformance/driver",
    "conformance/model",
    "conformance/run/results.py",
    "conformance/verdict/gate.py",
)
TESTS = (
    *("test_judge", "test_ruling_log", "test_results", "test_gate", "test_waivers", "test_probes", "test_oracle"),
    *("test_model_sequential", "test_model_linearize", "test_model_explain", "test_model_history"),
    *("test_model_register", "test_model_cli", "test_search", "test_leases", "test_lifecycle", "test_overlap"),
)
"""Those that say what the modules do, the fast ones first: the first that fails ends a trial."""

TRIAL_SECONDS = 150.0
FEWEST_KILLED = 0.9
NOISE = ("_BitOr_", "RemoveDecorator", "NumberReplacer")
"""Operators that change annotations, the frozen and slotted, and bounds that are a matter of taste."""

CONFIGURATION = """\
[cosmic-ray]
module-path = {modules}
timeout = {timeout}
excluded-modules = []
test-command = {command}

[cosmic-ray.distributor]
name = "local"
"""


def main() -> int:
    """Take the sample, try it, and say what survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=400, help="how many changes are tried")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="conformance-mutation-") as folder:
        copy = Path(folder) / "checkout"
        left_out = shutil.ignore_patterns(".git", ".tox", ".*_cache", "__pycache__", "*.egg-info", "reports")
        shutil.copytree(CHECKOUT, copy, ignore=left_out)
        tried = list(_tried(copy, given.sample, given.seed))
    survivors = [one for one in tried if one["outcome"] == "survived"]
    for one in survivors:
        sys.stdout.write(f"survived: {one['module']} ({one['operator']})\n{one['diff']}\n")
    killed = len(tried) - len(survivors)
    sys.stdout.write(f"{killed} of {len(tried)} changes were noticed\n")
    return 0 if tried and killed >= FEWEST_KILLED * len(tried) else 1


def _tried(copy: Path, size: int, seed: int) -> Iterator[dict[str, Any]]:
    session = copy / "session.sqlite"
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:xdist"]
    tests = [f"conformance/selftest/{name}.py" for name in TESTS]
    (copy / "cosmic-ray.toml").write_text(
        CONFIGURATION.format(
            modules=json.dumps(MODULES), timeout=TRIAL_SECONDS, command=json.dumps(" ".join([*command, *tests]))
        )
    )
    subprocess.run([*command, *tests], cwd=copy, check=True)  # a copy whose tests fail would notice everything
    _cosmic_ray(copy, "init", "cosmic-ray.toml", session.name)
    sample(session, size, seed)
    _cosmic_ray(copy, "exec", "cosmic-ray.toml", session.name)
    for line in _cosmic_ray(copy, "dump", session.name).splitlines():
        item, result = json.loads(line)
        (change,) = item["mutations"]
        yield {
            "module": change["module_path"],
            "operator": change["operator_name"],
            "outcome": result and result["test_outcome"],
            "diff": (result and result["diff"]) or "",
        }


def sample(session: Path, size: int, seed: int) -> None:
    """Keep so many of the changes of a session of cosmic-ray's, spread evenly over the modules."""
    with closing(sqlite3.connect(session)) as known:
        order = "module_path, operator_name, occurrence"  # the IDs are others each time
        rows = known.execute(f"SELECT job_id, module_path, operator_name FROM mutation_specs ORDER BY {order}")
        telling = [(job, module) for job, module, operator in rows if not any(one in operator for one in NOISE)]
        chosen = spread(telling, size, seed)
        for table in ("mutation_specs", "work_items"):
            kept = ", ".join("?" * len(chosen))
            known.execute(f"DELETE FROM {table} WHERE job_id NOT IN ({kept})", chosen)
        known.commit()


def spread(changes: Iterable[tuple[str, str]], size: int, seed: int) -> list[str]:
    """Choose by chance, from each module in turn."""
    by_module: dict[str, list[str]] = defaultdict(list)
    for job, module in changes:
        by_module[module].append(job)
    draw = random.Random(seed)
    shuffled = [draw.sample(jobs, len(jobs)) for _, jobs in sorted(by_module.items())]
    return [job for job in chain(*zip_longest(*shuffled)) if job][:size]


def _cosmic_ray(copy: Path, *arguments: str) -> str:
    done = subprocess.run(["cosmic-ray", *arguments], cwd=copy, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
