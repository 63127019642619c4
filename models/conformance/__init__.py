"""The public conformance suite: `check_model` says whether a model keeps the contract, on its author's machine and again in the sandbox."""

from models.conformance.check import check_model
from models.conformance.report import Check, Report

__all__ = ["Check", "Report", "check_model"]
