"""What a run costs: time, processor and memory, against a bare loop and against Schemathesis alone.

It measures and compares, and judges nothing: no figure of it is a verdict, and none is asserted by a test.
"""
