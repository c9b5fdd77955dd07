"""A run from its first look at the target to its report: workers, progress, results, several targets.

It refuses to know pytest: ``plugin`` turns what pytest says into what it hears.
"""
