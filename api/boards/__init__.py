"""Boards: pinned answers that people arrange, filter, discuss and share."""
