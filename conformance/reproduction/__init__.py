"""Repeats a finding of a saved run against a target, on addresses of its own, and says whether it is still so.

It arranges what stood before, sends the bytes of the finding, looks as the suite looks, judges by the clause's own
rule, and takes everything back. It refuses to reuse an address of the run, and to call anything reproduced that it
could not try.
"""

from conformance.reproduction.outcome import EXIT_CODES, ReproductionAnswer, ReproductionOutcome
from conformance.reproduction.trying import Reproducer, reproducer

__all__ = ["EXIT_CODES", "Reproducer", "ReproductionAnswer", "ReproductionOutcome", "reproducer"]
