"""What came of repeating a finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ReproductionAnswer(StrEnum):
    """Whether the finding is still so."""

    REPRODUCED = "REPRODUCED"
    NOT_REPRODUCED = "NOT REPRODUCED"
    NOT_TRIED = "COULD NOT BE TRIED"


EXIT_CODES: Mapping[ReproductionAnswer, int] = {
    ReproductionAnswer.NOT_REPRODUCED: 0,
    ReproductionAnswer.REPRODUCED: 1,
    ReproductionAnswer.NOT_TRIED: 3,
}
"""Of several findings the highest decides: what could not be tried is no answer."""


@dataclass(frozen=True, slots=True)
class ReproductionOutcome:
    """What came of it; ``sent`` are the requests and their answers, a line each, ``seen`` what broke the clause."""

    answer: ReproductionAnswer
    seen: str
    sent: tuple[str, ...] = ()
