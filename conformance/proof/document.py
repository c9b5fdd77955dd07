"""The proof as a document: what was found in which deployment by which clause, and what that is worth."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from conformance import __version__, catalogue, contract
from conformance.errors import UsageError
from conformance.proof import generated
from conformance.proof.trial import Repetition, TrialResult, TrialSubject
from conformance.reference.faults import catalogue as faults
from conformance.reference.registry import Fault
from conformance.reference.variants import variants
from conformance.report import html
from conformance.report.content_policy import policy
from conformance.report.outline import counted
from conformance.reproduction import ReproductionAnswer


@dataclass(frozen=True, slots=True)
class Proof:
    """All trials of one proof."""

    depth: str
    seed: int
    seconds: float
    trials: tuple[TrialResult, ...]
    left_out: tuple[str, ...] = ()

    @property
    def survivors(self) -> list[TrialResult]:
        """Faults that were not found."""
        return [trial for trial in self.trials if trial.survived]

    @property
    def false_alarms(self) -> list[TrialResult]:
        """Lawful variants that were blamed."""
        return [trial for trial in self.trials if trial.false_alarm]

    @property
    def misblamed(self) -> list[TrialResult]:
        """Faults for which a clause was blamed that their entry does not name."""
        return [trial for trial in self.trials if trial.subject.kind == "fault" and trial.misblamed]

    @property
    def unrepeated(self) -> list[TrialResult]:
        """Faults of which a finding could not be shown again, or was shown where nothing is wrong."""
        return [trial for trial in self.trials if trial.unrepeated]

    @property
    def broken(self) -> list[TrialResult]:
        """Trials in which the suite itself broke."""
        return [trial for trial in self.trials if trial.error]

    @property
    def holds(self) -> bool:
        """Every fault was found, only its clauses blamed and its findings repeated, no variant blamed, nothing broke.

        Of generated faults a few may survive, and a few be left out.
        """
        written = [trial for trial in self.survivors if not trial.subject.family]
        enough = generated.enough(self.trials, len(self.left_out))
        return enough and not (written or self.false_alarms or self.misblamed or self.unrepeated or self.broken)

    def to_json(self) -> dict[str, Any]:
        """The proof document."""
        return {
            "format": "ip-association-conformance-proof/1",
            "suite_version": __version__,
            "spec_digest": catalogue.digest(),
            "depth": self.depth,
            "seed": self.seed,
            "seconds": self.seconds,
            "holds": self.holds,
            "families": generated.counts(self.trials),
            "left_out": list(self.left_out),
            "survivors": [trial.subject.name for trial in self.survivors],
            "false_alarms": [trial.subject.name for trial in self.false_alarms],
            "misblamed": [trial.subject.name for trial in self.misblamed],
            "unrepeated": [trial.subject.name for trial in self.unrepeated],
            "broken": [trial.subject.name for trial in self.broken],
            "trials": [trial.to_json() for trial in self.trials],
        }


def subjects(only: Iterable[str] = (), judged_by: str = "") -> list[TrialSubject]:
    """Every fault of a contract and every variant, or those named.

    Args:
        judged_by: a supporting contract; the removal's unless stated.

    Raises:
        UsageError: a name is unknown.
    """
    known = {subject.name: subject for subject in _all(judged_by)}
    known |= {name: made for name in only if (made := generated.subject(name))}
    for name in only:
        if name not in known:
            near = ", ".join(difflib.get_close_matches(name, known)) or "see conformance serve --list-faults"
            raise UsageError(f"no fault or variant is named {name!r}", near)
    return [known[name] for name in only] if only else list(known.values())


def _all(judged_by: str) -> Iterable[TrialSubject]:
    for fault in contract.SUPPORTING[judged_by].faults if judged_by else faults():
        yield _faulty(fault, judged_by)
    for variant in variants():
        yield TrialSubject("variant", variant.name, variant.description, "pass", contract=judged_by)


def _faulty(fault: Fault, judged_by: str) -> TrialSubject:
    return TrialSubject(
        "fault",
        fault.name,
        fault.description,
        fault.verdict,
        fault.breaks,
        fault.also,
        fault.certain,
        fault.fleeting,
        contract=judged_by,
    )


def options(subject: TrialSubject) -> tuple[str, ...]:
    """What a subject needs of the command line: limits are provoked only where they are what is wrong."""
    limits = ("--probe-limits",) if any(clause.startswith("limits.") for clause in subject.breaks) else ()
    return (*limits, *(("--contract", subject.contract) if subject.contract else ()))


def _clauses() -> list[str]:
    return [clause.id for clause in catalogue.load(chosen=contract.chosen(contract.SUPPORTING)).clauses]


def broken(subject: TrialSubject, error: BaseException) -> TrialResult:
    """The trial of a process that died."""
    return TrialResult(subject, "none", "", 0.0, 0, error=f"{type(error).__name__}: {error}")


def ordered(trials: Iterable[TrialResult]) -> list[TrialResult]:
    """Faults by the clause to blame, then variants."""
    order = _clauses()
    return sorted(
        trials,
        key=lambda trial: (
            trial.subject.kind == "variant",
            order.index(trial.subject.breaks[0]) if trial.subject.breaks else 0,
            trial.subject.name,
        ),
    )


def line(trial: TrialResult) -> str:
    """A trial in one line."""
    said = f"{trial.subject.name}: {trial.verdict}, {trial.requests} requests, {trial.seconds:.1f} s"
    marks = {
        f"SURVIVED {trial.subject.description if trial.subject.family else ''}".strip(): trial.survived,
        f"blamed on {', '.join(trial.found)} instead of {', '.join(trial.subject.breaks)}": generated.astray(trial),
        "FALSE ALARM": trial.false_alarm,
        f"ERROR {trial.error}": bool(trial.error),
        f"misblamed on: {', '.join(trial.misblamed)}": bool(trial.misblamed) and trial.subject.kind == "fault",
        **{_again(one): True for one in trial.unrepeated},
        f"not by: {', '.join(trial.missed)}": bool(trial.missed) and not trial.survived,
    }
    shown = [mark for mark, holds in marks.items() if holds]
    if trial.false_alarm:
        shown.append(f"{trial.reason} {sorted(trial.found)} {sorted(trial.inconclusive)}")
    return said + (f" - {'; '.join(shown)}" if shown else "")


def _again(one: Repetition) -> str:
    if one.lawful == ReproductionAnswer.REPRODUCED:
        return f"{one.clause} reproduced on a conforming deployment"
    return f"{one.clause} {one.here.lower()}: {one.seen}"


def summary(proof: Proof) -> str:
    """The proof in a few lines, the last one decisive."""
    count = sum(trial.subject.kind == "fault" for trial in proof.trials)
    rows = [
        *(f"survivor: {line(trial)}" for trial in proof.survivors),
        *(f"false alarm: {line(trial)}" for trial in proof.false_alarms),
        *(f"misblamed: {line(trial)}" for trial in proof.misblamed),
        *(f"not repeated: {line(trial)}" for trial in proof.unrepeated),
        *(f"error: {line(trial)}" for trial in proof.broken),
        *(f"left out, no client could tell: {words}" for words in proof.left_out),
        *generated.table(proof.trials),
        (
            f"proof {'holds' if proof.holds else 'FAILS'}: {counted(count, 'fault')}, "
            f"{counted(len(proof.survivors), 'survivor')}, "
            f"{len(proof.misblamed)} misblamed, {len(proof.unrepeated)} not repeated; "
            f"{counted(len(proof.trials) - count, 'lawful variant')}, "
            f"{counted(len(proof.false_alarms), 'false alarm')}; "
            f"depth {proof.depth}, seed {proof.seed}, {proof.seconds:.0f} s"
        ),
    ]
    return "\n".join(rows)


def write(proof: Proof, directory: Path) -> None:
    """Write ``proof.json`` and ``proof.html``."""
    directory.mkdir(parents=True, exist_ok=True)
    document = proof.to_json()
    (directory / "proof.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (directory / "proof.html").write_text(page(proof), encoding="utf-8")


def page(proof: Proof) -> str:
    """The proof as a page that looks like a report."""
    engine = html.environment("conformance.proof")
    style = "".join(engine.get_template(name).render() for name in ("report.css.j2", "overview.css.j2", "proof.css.j2"))
    return engine.get_template("proof.html.j2").render(
        proof=proof,
        clauses=_clauses(),
        style=Markup(style),  # noqa: S704  # the suite's own file; its hash stands in the policy
        policy=policy(style),
    )
