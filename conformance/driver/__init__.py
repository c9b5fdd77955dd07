"""Acts on a target on behalf of a test: known state, observing, arranging, narrowing down.

It refuses to know pytest, and to judge: what it sees goes to ``judge`` and into the ruling log.
"""
