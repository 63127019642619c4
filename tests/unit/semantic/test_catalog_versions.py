"""Publishing and rolling back, over a history in memory."""

from __future__ import annotations

import pytest

from core.errors import Conflict, Invalid, NotFound
from semantic.catalog.model import Catalog, CatalogField, Dataset, RatioMetric
from semantic.catalog.versions import publish, rollback


class Memory:
    def __init__(self) -> None:
        self.kept: list[Catalog] = []
        self.restored: list[int | None] = []

    def current(self) -> Catalog | None:
        return self.kept[-1] if self.kept else None

    def get(self, version: int) -> Catalog:
        if not 1 <= version <= len(self.kept):
            raise NotFound(f"no version {version}")
        return self.kept[version - 1]

    def append(self, catalog: Catalog, *, note: str, expected_version: int, restored_from: int | None) -> int:
        if expected_version != len(self.kept):
            raise Conflict(f"version {len(self.kept)} is current")
        self.kept.append(catalog.changed(version=expected_version + 1))
        self.restored.append(restored_from)
        return expected_version + 1


def catalog(label: str) -> Catalog:
    field = CatalogField.model_validate({"name": "id", "column": "id", "type": "integer", "role": "key", "label": "id"})
    return Catalog(datasets=(Dataset(name="orders", database="d", table="orders", label=label, fields=(field,)),))


class TestPublish:
    def test_each_change_is_a_version_and_says_what_changed(self) -> None:
        history = Memory()
        assert publish(history, catalog("order")).version == 1
        second = publish(history, catalog("sale"))
        assert second.version == 2
        assert [str(c) for c in second.changes] == ["changed datasets/orders/label: order -> sale"]

    def test_an_equal_catalog_writes_nothing(self) -> None:
        history = Memory()
        publish(history, catalog("order"))
        again = publish(history, catalog("order"))
        assert (again.version, again.changes, len(history.kept)) == (1, (), 1)

    def test_a_broken_catalog_changes_nothing_and_says_where(self) -> None:
        history = Memory()
        broken = catalog("order").changed(metrics=(RatioMetric(name="r", label="r", numerator="a", denominator="b"),))
        with pytest.raises(Invalid, match="/metrics/r") as caught:
            publish(history, broken)
        assert caught.value.path == "/metrics/r"
        assert history.kept == []

    def test_an_edit_of_an_older_version_is_a_conflict(self) -> None:
        history = Memory()
        publish(history, catalog("a"))
        publish(history, catalog("b"))
        with pytest.raises(Conflict):
            publish(history, catalog("c"), expected_version=1)
        assert len(history.kept) == 2


class TestRollback:
    def test_the_old_content_becomes_a_new_version(self) -> None:
        history = Memory()
        publish(history, catalog("a"))
        publish(history, catalog("b"))
        back = rollback(history, 1)
        assert back.version == 3
        assert history.kept[2].datasets == history.kept[0].datasets
        assert history.restored == [None, None, 1]

    def test_rolling_back_to_what_is_in_force_writes_nothing(self) -> None:
        history = Memory()
        publish(history, catalog("a"))
        assert rollback(history, 1).changes == ()
        assert len(history.kept) == 1

    def test_an_unknown_version_is_not_found(self) -> None:
        with pytest.raises(NotFound):
            rollback(Memory(), 7)
