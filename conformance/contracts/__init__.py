"""Supporting contracts, a folder each: its clauses, the tests that judge them, its operation, and faults that break it.

:mod:`conformance.contract` registers them. A folder refuses to change how the removal is judged.
"""
