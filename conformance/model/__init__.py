"""What the operations mean, and whether a history agrees: pure, and knowing nothing of HTTP.

``history`` reads and writes what happened, ``sequential`` and ``register`` say what may happen one operation
at a time, ``linearize`` searches for an order that explains an overlapping history, ``explain`` makes the
smallest history that none explains. Only the standard library is used here, but for ``cli``, the command
``conformance check-history``.
"""
