"""Models under management: runs and versions in MLflow, later the custom-model contract, gate and sandbox.

Importing this package loads nothing heavy; MLflow itself is imported when a registry is first used.
"""
