"""``python -m conformance`` is the console script."""

from conformance.cli import main

main()
