"""Shared frozen values, the error tree, settings, the clock and the state store. Imports nothing of ours."""
