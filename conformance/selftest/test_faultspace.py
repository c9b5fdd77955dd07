"""The generated fault space and the lawful compositions: independent of the suite, repeatable, and worth a run."""

import ast
import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.proof import document, generated
from conformance.proof.trial import TrialResult, TrialSubject
from conformance.reference import Reference, faultspace
from conformance.reference.app import Deployment, Rules
from conformance.reference.faultspace.compose import Composition, composition
from conformance.reference.faultspace.kinds import FAMILIES, KINDS
from conformance.reference.faultspace.misbehaviours import misbehaviours
from conformance.reference.faultspace.occasion import Role
from conformance.reference.faultspace.triggers import SHARES, Trigger
from conformance.reference.faultspace.wishes import Wishes
from conformance.reference.faultspace.witness import Play, look, witness
from conformance.reference.store import Store, Tokens
from conformance.reference.together import EXCLUSIONS, allowed, every_triple, triples, variant_of
from conformance.reference.variants import variants

pytestmark = pytest.mark.once

SPACE = Path(faultspace.__file__).parent
MANY = 300


def test_the_space_knows_nothing_of_what_the_suite_sends() -> None:
    """Its modules import the reference and the language, nothing of the suite."""
    for path in SPACE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            own = {name for name in names if name.split(".")[0] == "conformance"}
            assert all(name.startswith("conformance.reference.") for name in own), path


def test_a_fault_is_the_same_each_time() -> None:
    """Its name is all that is needed to serve it again."""
    assert composition(3, 17).words == composition(3, 17).words
    assert len({composition(3, number).words for number in range(MANY)}) > 0.9 * MANY


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_half_of_the_triggers_are_the_spaces_own_and_every_family_has_its_share(seed: int) -> None:
    """So do all roles of requests."""
    made = [composition(seed, number) for number in range(MANY)]
    assert sum(one.trigger.own for one in made) >= MANY / 2
    assert {one.trigger.family for one in made} == set(FAMILIES)
    assert {one.misbehaviour.role for one in made} == set(misbehaviours())


def test_what_is_the_spaces_own_holds_for_two_in_a_hundred_at_least() -> None:
    """A hash holds for the share that its name says."""
    assert min(SHARES) >= 0.02
    assert all(kind.family in FAMILIES for kind in KINDS)


def test_few_faults_are_nothing_that_a_client_could_notice() -> None:
    """Of sixty at most a tenth has no witness."""
    subjects, left_out = generated.faults(2, 60)
    assert len(subjects) + len(left_out) == 60
    assert len(left_out) <= 6


def test_a_witness_tells_what_a_client_sees() -> None:
    """Every fault that happens on each occasion has one."""
    for deeds in misbehaviours().values():
        for deed in deeds:
            always = Composition(0, 0, Trigger("always", "request", lambda _: True, stable=True), deed)
            assert witness(always), deed.name


def test_what_never_happens_and_what_changes_nothing_has_no_witness() -> None:
    """Nor has a guard that only learns late."""
    removal = misbehaviours()[Role.GRANTED][0]
    never = Composition(0, 0, Trigger("never", "request", lambda _: False), removal)
    lawful = replace(removal, act=lambda deployment, occasion: deployment.lawful(occasion.request))
    always = Trigger("always", "request", lambda _: True)
    assert witness(never, 2) is None
    assert witness(Composition(0, 0, always, lawful), 1) is None


def test_a_guard_that_refuses_for_a_moment_only_is_lawful() -> None:
    """Learning late of a removal is no fault."""
    refused = next(deed for deed in misbehaviours()[Role.FREEING] if deed.name == "is refused")

    def just_now(seen: object) -> bool:
        history, address, now = seen.history, seen.address, seen.now  # type: ignore[attr-defined]
        return any(now - when < 1 for pair, when in history.removed.items() if pair.address == address.id)

    assert witness(Composition(0, 0, Trigger("just now", "time", just_now), refused), 4) is None


def test_playing_takes_no_time_and_leaves_a_lawful_deployment_as_it_is() -> None:
    """The twin of a deployment without fault shows the same."""
    play = Play(composition(0, 0), 0)
    store = Store(Tokens())
    deployment = Deployment(store, Rules())
    assert look(deployment, Wishes(deployment, random.Random(0))) == look(deployment, Wishes(deployment, play.draw))


def test_a_generated_fault_is_served_by_its_name() -> None:
    """So that it can be looked at."""
    with Reference(faults=["generated-1-2"]) as reference:
        assert reference.faults[0].description == composition(1, 2).words


def trial(name: str, *found: str) -> TrialResult:
    """A trial of a generated fault."""
    subject = TrialSubject("fault", name, "words", "fail", ("body.refused",), family="body / request")
    return TrialResult(subject, "fail" if found else "pass", "", 1.0, 10, dict.fromkeys(found, 1))


def test_one_in_twenty_may_survive() -> None:
    """Each is named, and so is what was found by another clause."""
    killed = [trial(f"generated-0-{number}", "body.refused") for number in range(19)]
    holds = document.Proof("quick", 0, 1.0, (*killed, trial("generated-0-19")))
    assert holds.holds
    assert "survivor: generated-0-19: pass, 10 requests, 1.0 s - SURVIVED words" in document.summary(holds)
    assert "body: 19 of 20 killed" in document.summary(holds)
    fails = document.Proof("quick", 0, 1.0, (*killed[1:], trial("generated-0-19"), trial("generated-0-20")))
    assert not fails.holds
    assert fails.to_json()["families"]["request"] == {"faults": 20, "killed": 18}


def test_few_may_be_left_out() -> None:
    """More would be a space that proves little."""
    killed = tuple(trial(f"generated-0-{number}", "body.refused") for number in range(9))
    assert document.Proof("quick", 0, 1.0, killed, ("one",)).holds
    assert not document.Proof("quick", 0, 1.0, killed, ("one", "two")).holds


def test_a_finding_by_another_clause_is_said() -> None:
    """Unless that clause speaks of everything."""
    assert "instead of body.refused" in document.line(trial("generated-0-1", "codes.success"))
    assert "instead of" not in document.line(trial("generated-0-1", "lifecycle.model"))


def test_few_triples_of_lawful_variants_exclude_each_other() -> None:
    """The table names variants that there are, each pair once, with a reason."""
    names = {one.name for one in variants()}
    assert {name for pair in EXCLUSIONS for name in pair} <= names
    assert all(EXCLUSIONS.values())
    every = list(every_triple())
    assert sum(not allowed(triple) for triple in every) <= 0.05 * len(every)


def test_lawful_variants_are_drawn_by_the_seed() -> None:
    """Every one of them takes part sooner or later."""
    assert triples(0, 5) == triples(0, 5) != triples(1, 5)
    assert {name for names in triples(0, 300) for name in names} == {one.name for one in variants()}


def test_variants_taken_together_take_all_their_freedoms() -> None:
    """What they say of their description and of how they are served is joined."""
    both = variant_of("path-prefix+two-ports+bodies-are-ignored")
    assert both.settings == {"prefix": "/cloud/dfw", "network_port": 0}
    assert both.target == {"policy": {"request_body": "ignore"}}
    with Reference(variant="errors-are-empty+refusals-are-403+two-ports") as reference:
        assert reference.compute != reference.network


@pytest.mark.slow
def test_generated_faults_and_lawful_compositions_are_judged(tmp_path: Path) -> None:
    """By the command, which says how many of each family were killed."""
    words = ["prove", "--depth", "quick", "--generated", "3", "--lawful", "2", "--seed", "0", "--report-dir"]
    command = [sys.executable, "-m", "conformance", *words, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode in {0, 1}, ended.stderr
    assert "generated: " in ended.stdout
    proof = json.loads((tmp_path / "proof.json").read_text())
    assert not proof["false_alarms"]
    assert len(proof["trials"]) + len(proof["left_out"]) == 5
