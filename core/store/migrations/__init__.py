"""Alembic's folder, packaged; run by core.store.migrate."""
