"""``python -m conformance.reference``."""

from conformance.reference.cli import serve

serve(prog_name="python -m conformance.reference")
