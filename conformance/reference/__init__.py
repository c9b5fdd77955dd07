"""A reference deployment of the operation and its neighbours, with faults and lawful variants on request."""

from conformance.reference.faults import catalogue, fault_named
from conformance.reference.registry import Fault, UnknownNameError, Variant
from conformance.reference.server import Reference, Settings
from conformance.reference.store import Tokens
from conformance.reference.variants import variant_named, variants

__all__ = [
    "Fault",
    "Reference",
    "Settings",
    "Tokens",
    "UnknownNameError",
    "Variant",
    "catalogue",
    "fault_named",
    "variant_named",
    "variants",
]
