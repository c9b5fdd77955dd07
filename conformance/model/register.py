"""A compare-and-set register as a model: what the published histories of key-value stores are judged by.

====================================== ========================= ===========================
input                                  output of an ``ok``       what a ``fail`` says
====================================== ========================= ===========================
``{"f": "read"}``                      the value read, as it is  nothing
                                       or ``{"value": v}``
``{"f": "write", "value": v}``         not looked at             nothing was written
``{"f": "cas", "value": [old, new]}``  not looked at             another value than ``old``
                                                                 was met
====================================== ========================= ===========================

The register starts as null. An ``ok`` read without output tells nothing. Values are any JSON; 1 and true
differ. A cas of unknown outcome sets the value if it meets ``old``, and does nothing otherwise.
"""

import json
from collections.abc import Hashable
from typing import Any, Final

from conformance.model.history import UNKNOWN, UNSAID, Operation, Refused
from conformance.model.linearize import Model


def step(state: Hashable, input_: Any, output: Any) -> tuple[Hashable, ...]:
    """The states that may follow ``state``."""
    match input_["f"]:
        case "read":
            return _read(state, output)
        case "write":
            return (state,) if isinstance(output, Refused) else (_hashable(input_["value"]),)
        case _:
            old, new = input_["value"]
            return _cas(state, _hashable(old), _hashable(new), output)


def observes(input_: Any, output: Any) -> bool:
    """Reads and refusals change nothing."""
    return input_["f"] == "read" or isinstance(output, Refused)


def complaint(operation: Operation) -> str:
    """What is expected, if the register knows no such input."""
    match operation.input:
        case {"f": "read"} | {"f": "write", "value": _} | {"f": "cas", "value": [_, _]}:
            return ""
    return '{"f": "read"}, {"f": "write", "value": v} or {"f": "cas", "value": [old, new]}'


def _read(state: Hashable, output: Any) -> tuple[Hashable, ...]:
    if isinstance(output, Refused) or output in (UNKNOWN, UNSAID):
        return (state,)
    value = output["value"] if isinstance(output, dict) and set(output) == {"value"} else output
    return (state,) if _hashable(value) == state else ()


def _cas(state: Hashable, old: Hashable, new: Hashable, output: Any) -> tuple[Hashable, ...]:
    met = state == old
    if isinstance(output, Refused):
        return () if met else (state,)
    if met:
        return (new,)
    return (state,) if output is UNKNOWN else ()


def _hashable(value: Any) -> Hashable:
    """A JSON value by which states can be told apart; Python holds that 1 == True."""
    if value is None or (isinstance(value, int | str) and not isinstance(value, bool)):
        return value
    return ("json", json.dumps(value, sort_keys=True))


REGISTER: Final = Model("register", None, step, observes=observes, complaint=complaint)
