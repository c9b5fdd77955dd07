"""Lends addresses to cases, writes down what is created before it is, and takes everything back."""

from conformance.provision.adoption import adopt
from conformance.provision.ledger import Ledger, LedgerRecord, state_directory
from conformance.provision.provisioner import Address, Provisioner
from conformance.provision.sweep import Sweep, sweep_dead_runs, sweep_run

__all__ = [
    "Address",
    "Ledger",
    "LedgerRecord",
    "Provisioner",
    "Sweep",
    "adopt",
    "state_directory",
    "sweep_dead_runs",
    "sweep_run",
]
