"""What the operator of an installation decides, and no tenant can: a tenant may edit its catalog, never this."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from core.ids import TenantId, tenant_database

SYSTEM_DATABASES = frozenset(("system", "information_schema", "default_system", "_temporary_and_external_tables"))
_TENANT_PREFIX = "tenant_"


@dataclass(frozen=True, slots=True)
class Trust:
    """tenant_columns: the only columns of shared tables that may say whose a row is.
    shared_databases: where shared tables may lie; None allows every database that is neither the server's nor a tenant's.
    pseudonym_key: secret behind `hash` column rules; empty, such columns are masked.
    """

    tenant_columns: frozenset[str] = frozenset(("tenant_id",))
    shared_databases: frozenset[str] | None = None
    pseudonym_key: str = ""

    def pseudonym_key_of(self, tenant: TenantId) -> str:
        """The tenant's own key, so that equal values of two tenants have different pseudonyms; empty without a secret."""
        return hmac.new(self.pseudonym_key.encode(), tenant.encode(), hashlib.sha256).hexdigest() if self.pseudonym_key else ""

    def allows(self, database: str, tenant_column: str | None, tenant: TenantId) -> bool:
        """Whether a table there, told apart by that column (None: by its database), shows this tenant its own rows only."""
        if database.lower() in SYSTEM_DATABASES:
            return False
        if database.startswith(_TENANT_PREFIX) or tenant_column is None:
            return database == tenant_database(tenant)
        return tenant_column in self.tenant_columns and (self.shared_databases is None or database in self.shared_databases)


DEFAULT_TRUST = Trust()
