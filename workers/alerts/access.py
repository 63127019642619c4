"""Who may see an incident: its figures were made with the rights of the rule's author, which may be more than the reader has."""

from __future__ import annotations

from core.ids import UserId
from core.principal import Principal
from semantic.catalog.model import Catalog
from semantic.catalog.visible import applies, visible_to


def may_see(reader: Principal, metric: str, author: UserId | None, catalog: Catalog) -> bool:
    """The author always; others when the metric is theirs to see and no rule of the catalog narrows what they see."""
    if author is not None and reader.user == author:
        return True
    if any(applies(reader, p) for p in catalog.row_policies) or any(applies(reader, r) for r in catalog.column_rules):
        return False
    return metric in {m.name for m in visible_to(catalog, reader).metrics}
