"""Calibrated confidence: how often readings like this one are right, learned from questions on made-up businesses."""
