"""The slow checker that the quick one is compared with: every order, nothing remembered."""

from collections.abc import Hashable, Sequence

from conformance.model.history import Operation
from conformance.model.linearize import Model, Partition


def explained(model: Model, history: Sequence[Operation]) -> bool:
    """Whether some order explains each part of the history."""
    return all(explained_part(model, part) for part in model.parts(history))


def explained_part(model: Model, part: Partition) -> bool:
    """Whether some order explains the part."""
    return _some_order(model, part.initial, list(part.operations))


def _some_order(model: Model, state: Hashable, left: list[Operation]) -> bool:
    if all(operation.pending for operation in left):
        return True
    for operation in left:
        others = [other for other in left if other is not operation]
        if any(other.returned is not None and other.returned < operation.invoked for other in others):
            continue
        for following in model.step(state, operation.input, operation.answer):
            if _some_order(model, following, others):
                return True
    return False
