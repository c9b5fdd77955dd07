"""The generated fault space: a fault is a trigger and a misbehaviour, put together from tables by a seed.

What a trigger may see is an ``Occasion``; what happens then is a ``Misbehaviour``; a ``Composition`` of both
is a deployment. Nothing here is taken from the suite's own lists of what to send: the space states for itself
what can matter to a service, and ``witness`` tells by playing whether a client could notice.
"""
