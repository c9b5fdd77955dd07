"""What a removal can be: one dimension a module, each with its classes, and values within a class by rule.

A value says by itself what is lawful for it, so that one oracle judges every request wherever it came from. A request
wears at most one value that is refused; whatever else it wears would be granted, so that no refusal hides another.
It refuses to send and to judge.
"""

from conformance.generate.space.respelling import respelt
from conformance.generate.space.selection import DEPTHS, kinds, values
from conformance.generate.space.value import Subject, Value
from conformance.judge.oracle import Expected

__all__ = ["DEPTHS", "Expected", "Subject", "Value", "kinds", "respelt", "values"]
