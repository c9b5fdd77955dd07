"""Loads the plugin, and nothing else."""

pytest_plugins = ["conformance.plugin"]
