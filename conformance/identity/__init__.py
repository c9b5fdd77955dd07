"""Credentials as OpenStack users have them: clouds, tokens from their identity services, endpoints from catalogues."""

from conformance.identity.clouds import Cloud, Tls, from_variables, named
from conformance.identity.service import Identity

__all__ = ["Cloud", "Identity", "Tls", "from_variables", "named"]
