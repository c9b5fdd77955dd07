"""Whether the target lends addresses, found out by borrowing: the one check that creates something, and only if asked.

The addresses go the way of a run's: written down before they are asked for, taken back at the end, and found again by
the next run or clean-up if this process is killed.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from conformance.client import Client
from conformance.errors import ConformanceError
from conformance.preflight.checklist import Check, Status
from conformance.preflight.tenant import ENOUGH_ADDRESSES
from conformance.provision import Ledger, Provisioner, Sweep, ledger, sweep_run

NAME = "allocation"


def tried(client: Client, directory: Path, shared: Path) -> list[Check]:
    """Allocate as many addresses as a full verdict takes, and remove them again."""
    path = directory / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}{ledger.SUFFIX}"
    wanted = min(ENOUGH_ADDRESSES, client.target.limits.max_addresses)
    swept = Sweep()
    try:
        own = Ledger(path)
        try:
            check = _borrowed(Provisioner(client, own, shared), wanted)
        finally:
            sweep_run(client, path, swept)
            own.close()
    except ConformanceError as error:
        check = Check(NAME, Status.PROBLEM, error.message, error.hint or "free addresses, or raise the quota")
    return [check, *(Check(NAME, Status.PROBLEM, left, "conformance cleanup tries again") for left in swept.left)]


def _borrowed(provisioner: Provisioner, wanted: int) -> Check:
    with provisioner.lease(wanted) as held:
        granted = len(held)
    if granted < wanted:
        return Check(
            NAME,
            Status.WARNING,
            "; ".join(provisioner.notes),
            f"{wanted} are enough for a full verdict: raise the quota",
        )
    return Check(NAME, Status.OK, f"{granted} allocated for the servers' ports, and removed again")
