"""Cases: what Hypothesis and Schemathesis make of the contract, and the search that sends each case once."""

from conformance.generate.bodies import Body, bodies
from conformance.generate.bodies import rows as body_rows
from conformance.generate.cases import GeneratedRequest, requests
from conformance.generate.identifiers import Segment
from conformance.generate.lives import walks
from conformance.generate.plans import SIZES, Plan, Size, Step
from conformance.generate.rounds import MOST_CALLERS, Call, Field, Scene, scenes
from conformance.generate.search import for_all

__all__ = [
    "MOST_CALLERS",
    "SIZES",
    "Body",
    "Call",
    "Field",
    "GeneratedRequest",
    "Plan",
    "Scene",
    "Segment",
    "Size",
    "Step",
    "bodies",
    "body_rows",
    "for_all",
    "requests",
    "scenes",
    "walks",
]
