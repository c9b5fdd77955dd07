"""A fault put together: the seed and the number decide the trigger and the misbehaviour, and both are its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

from conformance.reference.app import Deployment
from conformance.reference.faultspace.deployment import Composed
from conformance.reference.faultspace.kinds import FAMILIES, KINDS
from conformance.reference.faultspace.misbehaviours import Misbehaviour, misbehaviours
from conformance.reference.faultspace.occasion import Role
from conformance.reference.faultspace.triggers import Trigger, TriggerKind
from conformance.reference.registry import Fault

NAME = re.compile(r"generated-(\d+)-(\d+)", re.ASCII)
WEIGHTS = {Role.GRANTED: 4, Role.REPEATED: 2, Role.BODIED: 2, Role.MALFORMED: 2, Role.DRESSED: 2, Role.HELD: 2}
"""How often a role is drawn; once where nothing is said."""


@dataclass(frozen=True, slots=True)
class Composition:
    """A trigger and a misbehaviour."""

    seed: int
    number: int
    trigger: Trigger
    misbehaviour: Misbehaviour

    @property
    def name(self) -> str:
        """The name by which it is served again."""
        return f"generated-{self.seed}-{self.number}"

    @property
    def words(self) -> str:
        """What is wrong, and when."""
        return f"A {self.misbehaviour.role} {self.misbehaviour.name}, if {self.trigger.name}."

    def hook(self) -> type[Deployment]:
        """Give the deployment that has the fault."""
        members = {"trigger": self.trigger, "misbehaviour": self.misbehaviour}
        return type("Generated", (Composed,), members)


def composition(seed: int, number: int) -> Composition:
    """Compose the fault of a number: families take turns, and in every family predicates of the space's own do."""
    draw = Random(f"{seed}/{number}")
    family, own = FAMILIES[number % len(FAMILIES)], number // len(FAMILIES) % 2 == 0
    kinds = [kind for kind in KINDS if kind.family == family]
    kinds = [kind for kind in kinds if kind.own is own] or kinds
    role = _role(draw, kinds)
    kind = draw.choice([kind for kind in kinds if role in kind.roles])
    trigger = kind.draw(draw)
    deeds = [deed for deed in misbehaviours()[role] if trigger.stable or not deed.stable]
    return Composition(seed, number, trigger, draw.choice(deeds))


def _role(draw: Random, kinds: list[TriggerKind]) -> Role:
    roles = [role for role in misbehaviours() if any(role in kind.roles for kind in kinds)]
    return draw.choices(roles, [WEIGHTS.get(role, 1) for role in roles])[0]


def fault(name: str) -> Fault | None:
    """Give the fault of such a name, ``None`` if it is the name of no generated one."""
    found = NAME.fullmatch(name)
    if found is None:
        return None
    made = composition(int(found[1]), int(found[2]))
    return Fault(made.name, made.words, made.misbehaviour.breaks, (), made.hook())
