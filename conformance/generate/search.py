"""Hypothesis against a remote target: each distinct example is sent once, and the shrinking is bounded.

A request to somebody's cloud is dear and its answer may change from one moment to the next. So what every example
showed is remembered, and a target that answers wrong now and then is not reported as a flaky test. An example that
shows a fault not met before is made smaller, in ``MOST_ATTEMPTS_TO_SHRINK`` further examples at most; then the search
goes on where it was, so that no fault hides the examples after it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from conformance.errors import ConformanceError
from conformance.generate import examples

if TYPE_CHECKING:
    from hypothesis import strategies as st

MOST_ATTEMPTS_TO_SHRINK = 25
MOST_FAULTS_MADE_SMALLER = 8
"""Of further ones the example stands that showed them first."""


class Cases(Protocol):
    """What the search needs to know of the fixture ``api``.

    Attributes:
        depth: says how many examples are made.
        case: takes the words for the running case.
        violated: the violations of the test's clauses so far, in order; what is equal is the same fault.
    """

    seed: int
    case: str

    @property
    def depth(self) -> str:
        """See above."""

    @property
    def violated(self) -> Sequence[Hashable]:
        """See above."""


class _Shown(Exception):  # no error: what Hypothesis shrinks by, and it leaves this module never
    """The example shows the fault that is being made smaller."""


def for_all(
    judge: Callable[..., None],
    api: Cases,
    rows: Iterable[Mapping[str, Any]] = (),
    *,
    share: float = 1.0,
    **strategies: st.SearchStrategy[Any],
) -> None:
    """Call ``judge`` for each of ``rows`` and for generated examples; it enters its rulings and raises nothing.

    Args:
        api: brings the seed and the depth, takes the words for the running case, and shows what was violated.
        rows: examples that are always tried first, the smallest first.
        share: of the number of examples that the depth asks for.
        strategies: parameter of ``judge`` -> strategy.
    """
    import hypothesis  # noqa: PLC0415  # see conformance/generate/examples.py

    once = _Once(judge, api)
    for row in rows:
        once.showing(row)
    most = max(1, round(examples.EXAMPLES[api.depth] * share))
    drawn = hypothesis.given(**strategies)(once.search)
    search = examples.settings(most)(hypothesis.seed(api.seed)(drawn))
    for _ in range(MOST_FAULTS_MADE_SMALLER):
        if not _shrinks(search):
            break
        once.go_on()
    else:
        once.sought = None
        once.shrinking = False
        search()
    if once.obstacle:
        raise once.obstacle


def _shrinks(search: Callable[[], None]) -> bool:
    """Run the search, whose replayed examples send nothing; whether it met a fault and made it smaller."""
    try:
        search()
    except _Shown:
        return True
    return False


class _Once:
    """Sends an example the first time it is drawn, and remembers the faults that it showed.

    Attributes:
        sought: the fault that is being made smaller; None while none is.
        shrinking: faults that are met are made smaller.
        obstacle: what stands in the way of judging; nothing is sent any more.
    """

    def __init__(self, judge: Callable[..., None], api: Cases) -> None:
        self._judge = judge
        self._api = api
        self._shown: dict[str, frozenset[Hashable]] = {}
        self._known: set[Hashable] = set()
        self._attempts = 0
        self.sought: Hashable | None = None
        self.shrinking = True
        self.obstacle: ConformanceError | None = None

    def showing(self, drawn: Mapping[str, Any]) -> frozenset[Hashable]:
        """The faults that the example shows."""
        key = repr(sorted(drawn.items()))
        if key not in self._shown:
            if self.sought is not None:
                self._attempts += 1
            if self.obstacle or self._attempts > MOST_ATTEMPTS_TO_SHRINK:
                return frozenset()
            before = len(self._api.violated)
            self._api.case = ", ".join(str(value) for value in drawn.values())
            self._judge(**drawn)
            self._shown[key] = frozenset(self._api.violated[before:])
        return self._shown[key]

    def search(self, **drawn: Any) -> None:
        """One example of the search; what stands in the way of judging ends it instead of being shrunk."""
        try:
            shown = self.showing(drawn)
        except ConformanceError as error:
            self.obstacle = self.obstacle or error
            return
        if self.sought is None and self.shrinking:
            self.sought = min(shown - self._known, key=repr, default=None)
        if self.sought is not None and self.sought in shown:
            raise _Shown

    def go_on(self) -> None:
        """The fault is as small as it gets: search for others."""
        self._known.add(self.sought)
        self.sought, self._attempts = None, 0
