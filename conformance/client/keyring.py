"""The tokens of a run: those at hand, and new ones in place of those that are no longer good.

A target that refuses a good token is at fault, and a second try must not hide that. So a token is renewed only when
somebody else than the target says that it is none any more: the identity service that gave it, or the file that holds
another one by now (spec/README.md, decision 12).
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Mapping

from conformance.errors import Unjudgeable, Unreachable
from conformance.evidence import Redactor
from conformance.identity import Identity
from conformance.target import Secret, Target, token_in


class Keyring:
    """The credentials of one process. Threads may share it."""

    def __init__(self, target: Target, redactor: Redactor) -> None:
        self._target = target
        self._redactor = redactor
        self._tokens = dict(target.tokens)
        self._identities: dict[str, Identity] = {}
        self._given_the_benefit: set[str] = set()
        self._renewals: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def tokens(self) -> Mapping[str, Secret]:
        """Credential name -> the token that is sent for it now."""
        return self._tokens

    def renewed(self, name: str, refused: str) -> Secret | None:
        """The token to send in place of one that was answered 401; None if that answer has to stand.

        Raises:
            Unjudgeable: the token is no longer good, and the identity service gives no other.
        """
        with self._lock:
            if self._tokens[name] != refused:
                return self._tokens[name]  # another thread was refused first
            fresh = self._from_file(name) if name in self._target.files else self._from_cloud(name, refused)
            if fresh is None or fresh == refused:
                return None
            self._redactor.learn(fresh)
            self._tokens[name] = fresh
            self._renewals[name] += 1
            return fresh

    def notes(self) -> list[str]:
        """What the operator should know of it."""
        return [
            f"the {name} token did not last for the whole run; a process renewed it {number} time{'s'[: number != 1]}"
            for name, number in sorted(self._renewals.items())
        ]

    def _from_file(self, name: str) -> Secret | None:
        with contextlib.suppress(ValueError):  # it is just being written, or gone: the answer stands
            return token_in(self._target.files[name])
        return None

    def _from_cloud(self, name: str, refused: str) -> Secret | None:
        if name not in self._target.clouds:
            return None
        identity = self._identity(name)
        honoured = identity.honours(refused)
        if honoured or (honoured is None and name in self._given_the_benefit):
            return None
        if honoured is None:
            self._given_the_benefit.add(name)
        try:
            return Secret(identity.login())
        except Unreachable as error:
            raise Unjudgeable(f"the {name} token was refused and could not be renewed: {error}") from error

    def _identity(self, name: str) -> Identity:
        if name not in self._identities:
            self._identities[name] = Identity(self._target.clouds[name], self._target.limits.timeout_seconds)
        return self._identities[name]
