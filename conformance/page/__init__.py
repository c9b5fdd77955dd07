"""What a published page or a WADL file says of an operation, held against ``spec/openapi.yaml``.

It reads files and talks to nobody. It judges no target and corrects no document: whoever reads the differences
decides which side is wrong.
"""
