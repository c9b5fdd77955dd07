"""Every deployment of the catalogue can be described to the suite."""

import in_process
import pytest

from conformance.reference import variants

pytestmark = pytest.mark.once


@pytest.mark.parametrize("variant", [one.name for one in variants()])
def test_what_a_variant_says_of_itself_is_a_description(variant: str) -> None:
    """Whatever its servers are called, and whatever it grants."""
    with in_process.served(variant=variant) as reference, in_process.process(reference) as process:
        resources = reference.target()["resources"]
        assert list(process.target.servers) == resources["servers"]
        assert list(process.target.foreign_servers) == resources["foreign_servers"]
