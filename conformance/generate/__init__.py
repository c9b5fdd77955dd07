"""Cases: what Hypothesis and Schemathesis make of the contract, and the search that sends each case once."""

from conformance.generate.bodies import Body, bodies
from conformance.generate.bodies import rows as body_rows
from conformance.generate.cases import Generated, requests
from conformance.generate.identifiers import Segment
from conformance.generate.search import examples, for_all

__all__ = ["Body", "Generated", "Segment", "bodies", "body_rows", "examples", "for_all", "requests"]
