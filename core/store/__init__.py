"""The state store: who may ask, what was asked, what runs, what was found. SQLite (WAL) or PostgreSQL, one code path.

Repositories are modules of functions `f(connection, tenant, ...)`; they return frozen values and never SQLAlchemy rows.
Every statement on tenant data is made by `scope`, which is the one place that adds the tenant's condition.
"""

from core.store.store import Store

__all__ = ["Store"]
