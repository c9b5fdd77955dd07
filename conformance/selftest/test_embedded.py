"""Where a run on the embedded deployment keeps its ledger, and what becomes of those of killed runs."""

import os
from pathlib import Path

from conformance.provision import Ledger, ledger
from conformance.run import embedded


def begun(state: Path, *, long_ago: bool) -> Ledger:
    """A run that has its ledger there."""
    own = Ledger(state / f"run{ledger.SUFFIX}")
    ledger.shared_directory(own.path).mkdir()
    if long_ago:
        os.utime(state, (0, 0))
    return own


def test_what_killed_runs_left_goes_with_the_next_run(tmp_path: Path) -> None:
    """Unread: their deployment is gone. A run that lives or is just beginning keeps its own."""
    killed = embedded.state_directory(tmp_path)
    begun(killed, long_ago=True)._lock.release()
    alive, young = embedded.state_directory(tmp_path), embedded.state_directory(tmp_path)
    living = begun(alive, long_ago=True)
    begun(young, long_ago=False)._lock.release()
    mine = embedded.state_directory(tmp_path)
    assert {path.name for path in (tmp_path / "embedded").iterdir()} == {alive.name, young.name}
    assert not mine.exists()
    living.close()


def test_the_last_run_leaves_nothing(tmp_path: Path) -> None:
    """The directory of all of them goes when it is empty, and not before."""
    first, second = embedded.state_directory(tmp_path), embedded.state_directory(tmp_path)
    ledgers = [begun(state, long_ago=False) for state in (first, second)]
    embedded.forget(first)
    assert second.exists()
    embedded.forget(second)
    assert list(tmp_path.iterdir()) == []
    for own in ledgers:
        own.close()
