"""Before the first case: can the target be talked to, and with what? Reads only; creates nothing unless told to."""

from conformance.preflight.checklist import Check, Status, ready
from conformance.preflight.entry import signed_in
from conformance.preflight.opening import check, examination, opening
from conformance.preflight.ports import with_servers

__all__ = ["Check", "Status", "check", "examination", "opening", "ready", "signed_in", "with_servers"]
