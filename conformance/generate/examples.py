"""How many examples Hypothesis makes, and all that it could take from its surroundings, stated.

Seeds and replays are the suite's own. Hypothesis is imported when the first example is asked for: with what
Schemathesis brings along it takes a second, and most of a run's requests are made without either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.generate import constants

if TYPE_CHECKING:
    import hypothesis

EXAMPLES = {"quick": 6, "standard": 20, "deep": 120}
"""Depth -> examples of a property that asks for its full share."""


def settings(most: int, **more: Any) -> hypothesis.settings:
    """Settings for at most so many examples; whatever profile somebody has chosen has no say."""
    import hypothesis  # noqa: PLC0415  # see above

    constants.none()
    stated: dict[str, Any] = {
        "max_examples": most,
        "database": None,
        "deadline": None,
        "derandomize": False,
        "report_multiple_bugs": False,
        "print_blob": False,
        "verbosity": hypothesis.Verbosity.quiet,
        "phases": (hypothesis.Phase.generate, hypothesis.Phase.shrink),
        "suppress_health_check": list(hypothesis.HealthCheck),
    }
    return hypothesis.settings(**stated | more)
