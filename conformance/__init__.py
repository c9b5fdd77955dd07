"""Conformance suite for removing the association between a shared IP address and a server.

The folders are the design: ``clauses`` is the suite that users run, ``judge`` decides, ``client`` is the only
way to the target, ``provision`` lends and takes back what is created there, ``report`` renders, ``reference``
is a deployment to judge when no other is given, and ``plugin`` joins them.
"""

from pathlib import Path

__version__ = "0.1.0"

_INSTALLED = Path(__file__).parent / "spec"
SPEC = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[1] / "spec"
"""The folder of the specification: inside the package when it is installed, beside it in a checkout."""
