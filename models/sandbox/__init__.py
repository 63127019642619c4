"""Runs a custom model behind walls: its own process without network, secrets or other files, with limits, killed on breach.

Only workers of queue `sandbox` start one.
"""
