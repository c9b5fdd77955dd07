"""Lawful variants taken together: what each is free to do, all may do at once, unless they exclude each other."""

import itertools
from collections.abc import Iterator
from random import Random
from types import MappingProxyType

from conformance.reference.registry import Variant
from conformance.reference.variants import variant_named, variants

EXCLUSIONS = MappingProxyType(
    {
        ("only-ipv4", "only-ipv6"): "there would be no addresses",
        ("populated", "quota-of-two"): "the quota would be used up",
        ("populated", "crowded-lists"): "each says on its own which addresses there were before",
        ("populated", "server-ids-have-blanks"): "the associations there before name servers by the IDs they had",
        ("populated", "server-ids-are-not-ascii"): "the associations there before name servers by the IDs they had",
        ("allocation-answers-the-id-alone", "allocation-leaves-out-the-literal"): "an answer has one set of members",
        ("errors-are-text", "errors-are-html"): "an error has one media type",
        ("server-ids-have-blanks", "server-ids-are-not-ascii"): "a server has one ID",
        ("opaque-servers", "server-ids-have-blanks"): "a server has one ID",
        ("opaque-servers", "server-ids-are-not-ascii"): "a server has one ID",
    }
)
"""Pairs of variants that cannot both be had -> why."""


def variant_of(name: str) -> Variant:
    """Give the variant of a name, or of several joined by ``+``.

    Raises:
        UnknownNameError: There is none of one of the names; the message names those that come near.
    """
    chosen = [variant_named(each) for each in name.split("+")]
    if len(chosen) == 1:
        return chosen[0]
    hook = type("Together", tuple(each.hook for each in chosen), {})
    target = {key: value for each in chosen for key, value in each.target.items()}
    settings = {key: value for each in chosen for key, value in each.settings.items()}
    return Variant(name, " ".join(each.description for each in chosen), hook, target, settings)


def allowed(names: tuple[str, ...]) -> bool:
    """Tell whether no two of the variants exclude each other."""
    return not any(pair in EXCLUSIONS or pair[::-1] in EXCLUSIONS for pair in itertools.combinations(names, 2))


def every_triple() -> Iterator[tuple[str, ...]]:
    """Give all triples, also those that exclude each other."""
    return itertools.combinations([one.name for one in variants()], 3)


def triples(seed: int, count: int) -> list[tuple[str, ...]]:
    """Draw triples that do not exclude each other."""
    draw = Random(f"lawful/{seed}")
    return draw.sample([names for names in every_triple() if allowed(names)], count)
