"""Keeps Hypothesis from mixing in constants of the modules that happen to be loaded.

They differ between a worker and a lone process, and between a checkout and an installed package; the same seed has to
make the same examples in all of them. There is no public switch, so this reaches for names that a release may take
away: then the examples differ here and there, which a test notices, and nothing else is lost.
"""

from __future__ import annotations

import importlib

PROVIDERS, CONSTANTS = "hypothesis.internal.conjecture.providers", "hypothesis.internal.constants_ast"
GETTER = "_get_local_constants"


def none() -> bool:
    """Let there be none; False if this Hypothesis has no such names."""
    try:
        providers, empty = importlib.import_module(PROVIDERS), importlib.import_module(CONSTANTS).Constants
    except (ImportError, AttributeError):
        return False
    if not hasattr(providers, GETTER):
        return False
    setattr(providers, GETTER, empty)
    return True
