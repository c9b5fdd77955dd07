"""Hypothesis against a remote target: each distinct example is sent once, and the shrinking is bounded.

A request to somebody's cloud is dear and its answer may change from one moment to the next. So the outcome of every
example is remembered: the replay of the smallest one, with which Hypothesis ends, sends nothing, and a target that
answers wrong now and then is not reported as a flaky test. Past ``MOST_ATTEMPTS_TO_SHRINK`` further examples the
smallest found so far stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import hypothesis
from hypothesis import strategies as st

from conformance.errors import ConformanceError

MOST_ATTEMPTS_TO_SHRINK = 25


class Bench(Protocol):
    """What the search needs to know of the fixture ``api``."""

    seed: int
    case: str


def for_all(
    judge: Callable[..., None],
    api: Bench,
    rows: Iterable[Mapping[str, Any]] = (),
    *,
    share: float = 1.0,
    **strategies: st.SearchStrategy[Any],
) -> None:
    """Call ``judge`` for each of ``rows`` and for generated examples.

    Args:
        api: brings the seed, and takes the words for the running case.
        rows: examples that are always tried first, the smallest first.
        share: of the number of examples that the depth asks for.
        strategies: parameter of ``judge`` -> strategy.
    """
    once = _Once(judge, api)
    for row in rows:
        once(**row)
    most = max(1, round(hypothesis.settings.default.max_examples * share))  # type: ignore[union-attr]  # a profile is loaded
    search = hypothesis.given(**strategies)(once.search)
    search = hypothesis.settings(max_examples=most)(hypothesis.seed(api.seed)(search))
    try:
        search()
    finally:
        if once.obstacle:
            raise once.obstacle


class _Once:
    """Sends an example the first time it is drawn, and remembers what came of it."""

    def __init__(self, judge: Callable[..., None], api: Bench) -> None:
        self._judge = judge
        self._api = api
        self._outcomes: dict[str, Exception | None] = {}
        self._failed = False
        self._shrinks = 0
        self.obstacle: ConformanceError | None = None

    def __call__(self, **drawn: Any) -> None:
        key = repr(sorted(drawn.items()))
        if key not in self._outcomes:
            if self._failed:
                self._shrinks += 1
            if self.obstacle or self._shrinks > MOST_ATTEMPTS_TO_SHRINK:
                return
            self._outcomes[key] = self._send(drawn)
        if outcome := self._outcomes[key]:
            raise outcome

    def search(self, **drawn: Any) -> None:
        """The same, but what stands in the way of judging ends the search instead of being shrunk."""
        try:
            self(**drawn)
        except ConformanceError as error:
            self.obstacle = self.obstacle or error

    def _send(self, drawn: Mapping[str, Any]) -> Exception | None:
        self._api.case = ", ".join(str(value) for value in drawn.values())
        try:
            self._judge(**drawn)
        except ConformanceError:
            raise
        except Exception as error:  # noqa: BLE001  # remembered, and raised again by the caller
            self._failed = True
            return error
        return None
