"""How a subclass of the deployment becomes a named fault or variant.

The class's name, spelt in kebab case, is the name that users type; the first paragraph of its docstring says
what it does. Nothing is found by magic: a class is registered by the decorator that stands on it.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from conformance.reference.app import Deployment

MEETS: Mapping[str, str] = {
    "codes.documented": "every answer of the operation is held against the codes",
    "codes.success": "a plain removal of what stands meets it",
    "effect.removed": "what a 204 removed is looked at, then and at the end",
    "effect.nothing-else": "what stands beside it is looked at after a removal",
    "effect.refusal-is-inert": "a refused request meets it, and what that changed is seen",
    "effect.repeat": "a removal is repeated where it shows",
    "identifier.not-the-address": "the literal in place of the ID meets it",
    "identifier.uuid": "what is no ID in its one spelling meets it",
    "identifier.canonical": "another spelling of the ID meets it",
    "body.refused": "a removal with content meets it",
    "body.inert": "content that names another association meets it",
    "access.authenticated": "a token that is none meets it",
    "access.forbidden": "a removal by who may not remove meets it",
    "access.foreign": "a removal by another tenant meets it",
    "method.refused": "another method on the path meets it",
    "method.override": "a switch to another method meets it",
    "deallocation.delete-refused": "DELETE is asked for while something stands, as far as answers told",
    "deallocation.put-refused": "PUT is asked for while something stands, as far as answers told",
    "deallocation.until-the-last": "a de-allocation is asked for between the removals of several associations",
    "deallocation.delete-after": "DELETE is asked for once every removal was granted",
    "deallocation.put-after": "PUT is asked for once every removal was granted",
    "lifecycle.model": "a sequence of operations meets it",
    "concurrency.linearizable": "operations that overlap meet it",
}
"""Why a clause may show the fault of another one, where the fault says nothing more particular: what its tests do."""

Hook = TypeVar("Hook", bound=type[Deployment])


@dataclass(frozen=True, slots=True)
class Fault:
    """A deviation: it must break ``breaks``, the first is to blame, and may break ``also``.

    ``fleeting`` says why an address of a later reproduction cannot show it.
    ``verdict`` is the worst that a run on it can find: a deployment that shows nothing is ``inconclusive``,
    not at fault. A fault that is not ``certain`` needs luck to be met: a race without a window. ``reasons`` says
    why a clause of ``also`` may show it.
    """

    name: str
    description: str
    breaks: tuple[str, ...]
    also: tuple[str, ...]
    hook: type[Deployment]
    verdict: str = "fail"
    certain: bool = True
    reasons: Mapping[str, str] = field(default_factory=dict)
    fleeting: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """A freedom taken: ``target`` is what its description says otherwise, ``settings`` how it is served."""

    name: str
    description: str
    hook: type[Deployment]
    target: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


class UnknownNameError(KeyError):
    """No fault or variant has this name; the message names those that come near."""

    def __str__(self) -> str:
        return str(self.args[0])


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """The name in kebab case."""


Item = TypeVar("Item", bound=Named)


def name_of(hook: type[Deployment]) -> str:
    """Give the kebab-case name of a class."""
    return re.sub(r"(?<!^)(?=[A-Z])|(?<=[a-uw-z])(?=[0-9])", "-", hook.__name__).lower()


def description_of(hook: type[Deployment]) -> str:
    """Give the first paragraph of a class's docstring in one line."""
    return " ".join((hook.__doc__ or "").split("\n\n")[0].split())


class Registry:
    """Faults in the order in which they are written down."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.variants: list[Variant] = []

    def breaks(
        self,
        *clauses: str,
        also: Mapping[str, str] | tuple[str, ...] = (),
        verdict: str = "fail",
        certain: bool = True,
        fleeting: str = "",
    ) -> Callable[[Hook], Hook]:
        """Register a class as a fault that breaks the clauses.

        ``also`` maps what may show it to the reason, which is :data:`MEETS` where only the clauses are named.
        """

        def register(hook: Hook) -> Hook:
            reasons = dict(also) if isinstance(also, Mapping) else {clause: MEETS[clause] for clause in also}
            others = tuple(clause for clause in dict.fromkeys(also) if clause not in clauses)
            fault = Fault(
                name_of(hook), description_of(hook), clauses, others, hook, verdict, certain, reasons, fleeting
            )
            self.faults.append(fault)
            return hook

        return register

    def lawful(
        self, target: Mapping[str, Any] | None = None, settings: Mapping[str, Any] | None = None
    ) -> Callable[[Hook], Hook]:
        """Register a class as a lawful variant."""

        def register(hook: Hook) -> Hook:
            variant = Variant(name_of(hook), description_of(hook), hook, target or {}, settings or {})
            self.variants.append(variant)
            return hook

        return register


def named(items: Iterable[Item], name: str, kind: str) -> Item:
    """Give the item of a name.

    Raises:
        UnknownNameError: There is none.
    """
    known = {item.name: item for item in items}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else f"--list-{kind}s shows them all"
    raise UnknownNameError(f"no {kind} is named {name}; {hint}")


registry = Registry()
breaks, lawful = registry.breaks, registry.lawful
