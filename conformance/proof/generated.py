"""Subjects that nobody thought of: generated faults, and lawful variants three at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from conformance.proof.trial import TrialResult, TrialSubject
from conformance.reference.faultspace import compose
from conformance.reference.faultspace.witness import witness
from conformance.reference.together import triples, variant_of

KILLED = 0.95
"""The share of generated faults that a run must find."""
LEFT_OUT = 0.1
"""The share that may be left out because no client could tell them from a lawful deployment."""
GENERAL = frozenset({"lifecycle.model", "concurrency.linearizable"})
"""What notices any disagreement with the model, whatever the rule behind it."""


def subject(name: str) -> TrialSubject | None:
    """Give the subject of a generated fault or of a composition by its name, ``None`` if it is neither's."""
    if compose.NAME.fullmatch(name):
        seed, number = name.removeprefix("generated-").split("-")
        return _fault(compose.composition(int(seed), int(number)))
    return _lawful(name) if "+" in name else None


def _fault(made: compose.Composition) -> TrialSubject:
    family = f"{made.misbehaviour.family} / {made.trigger.family}"
    return TrialSubject("fault", made.name, made.words, "fail", made.misbehaviour.breaks, family=family)


def _lawful(name: str) -> TrialSubject:
    return TrialSubject("variant", name, variant_of(name).description, "pass")


def faults(seed: int, count: int) -> tuple[list[TrialSubject], list[str]]:
    """Compose so many faults; give those that a client could tell and, in words, the others."""
    made = [compose.composition(seed, number) for number in range(count)]
    seen = {one.name for one in made if witness(one)}
    return [_fault(one) for one in made if one.name in seen], [
        f"{one.name}: {one.words}" for one in made if one.name not in seen
    ]


def compositions(seed: int, count: int) -> list[TrialSubject]:
    """Give so many triples of lawful variants that do not exclude each other."""
    return [_lawful("+".join(names)) for names in triples(seed, count)]


def _generated(trials: Iterable[TrialResult]) -> list[TrialResult]:
    return [trial for trial in trials if trial.subject.family]


def enough(trials: Iterable[TrialResult], left_out: int) -> bool:
    """Tell whether so many generated faults were found, and so few left out, as the bars ask for."""
    made = _generated(trials)
    killed = sum(not trial.survived for trial in made)
    return killed >= KILLED * len(made) and left_out <= LEFT_OUT * (len(made) + left_out)


def astray(trial: TrialResult) -> bool:
    """Tell whether a generated fault was found, but by none of the clauses that it breaks."""
    return bool(trial.subject.family and trial.found) and not {*trial.subject.breaks, *GENERAL} & set(trial.found)


def counts(trials: Sequence[TrialResult]) -> dict[str, dict[str, int]]:
    """Count the generated faults and those found, by what goes wrong and by what triggers it."""
    table: dict[str, dict[str, int]] = {}
    for trial in _generated(trials):
        for family in trial.subject.family.split(" / "):
            row = table.setdefault(family, {"faults": 0, "killed": 0})
            row["faults"] += 1
            row["killed"] += not trial.survived
    return table


def table(trials: Sequence[TrialResult]) -> list[str]:
    """Write the kill rates by family, the sum last."""
    made = _generated(trials)
    if not made:
        return []
    rows = [f"{family}: {row['killed']} of {row['faults']} killed" for family, row in sorted(counts(trials).items())]
    killed, lost = sum(not trial.survived for trial in made), sum(map(astray, made))
    return [*rows, f"generated: {killed} of {len(made)} killed ({killed / len(made):.1%}), {lost} by another clause"]
