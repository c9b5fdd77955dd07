"""What is judged: the target, its limits, its credentials, and how users describe them.

It refuses to speak to the target.
"""

from conformance.target.checkout import artifact
from conformance.target.description import from_document, load
from conformance.target.identifiers import in_words, is_server, is_uuid
from conformance.target.records import (
    CLOUDS,
    MOST_SERVERS,
    PUBLIC_NETWORK,
    Limits,
    Policy,
    Target,
    packed,
    unpacked,
)
from conformance.target.secrets import TOKENS, URL_CREDENTIALS, Secret, token_in
from conformance.target.urls import VERSIONS, catalogued_root, service_root

__all__ = [
    "CLOUDS",
    "MOST_SERVERS",
    "PUBLIC_NETWORK",
    "TOKENS",
    "URL_CREDENTIALS",
    "VERSIONS",
    "Limits",
    "Policy",
    "Secret",
    "Target",
    "artifact",
    "catalogued_root",
    "from_document",
    "in_words",
    "is_server",
    "is_uuid",
    "load",
    "packed",
    "service_root",
    "token_in",
    "unpacked",
]
