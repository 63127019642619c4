"""Paths over relationships: shortest, unambiguous, and safe."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import Invalid
from semantic.catalog.model import Catalog
from semantic.joins import JoinGraph, graph_of


def catalog(*relationships: str, kinds: dict[str, str] | None = None) -> Catalog:
    """`name: a > b` is many-to-one, `a = b` one-to-one, `a x b` many-to-many; a trailing `!` marks the default."""
    parsed: list[dict[str, Any]] = []
    names: list[str] = []
    cardinality = {">": "many_to_one", "=": "one_to_one", "x": "many_to_many"}
    for text in relationships:
        name, rest = text.split(": ")
        left, kind, right = rest.removesuffix("!").split()
        names += [left, right]
        parsed.append(
            {"name": name, "from_dataset": left, "from_fields": [f"{name}_id"], "to_dataset": right, "to_fields": ["id"],
             "cardinality": cardinality[kind], "default": rest.endswith("!")}
        )  # fmt: skip
    datasets = [
        {"name": n, "database": "d", "table": n, "label": n, "kind": (kinds or {}).get(n, "fact"), "fields": []}
        for n in dict.fromkeys(names)
    ]
    return Catalog.model_validate({"datasets": datasets, "relationships": parsed})


def way(graph: JoinGraph, base: str, target: str, *via: str, **options: bool) -> str:
    return " ".join(step.name for step in graph.path(base, target, via, **options))


class TestPath:
    def test_follows_the_chain_to_the_one_side(self) -> None:
        graph = JoinGraph(catalog("o: line > order", "c: order > customer", "r: customer > region"))
        assert way(graph, "line", "region") == "o c r"
        assert graph.is_to_one(("o", "c", "r"))

    def test_walks_back_to_the_many_side(self) -> None:
        graph = JoinGraph(catalog("o: line > order", "p: line > product"))
        assert way(graph, "order", "product") == "~o p"
        assert not graph.is_to_one(("~o", "p"))

    def test_prefers_a_longer_way_that_does_not_multiply(self) -> None:
        graph = JoinGraph(catalog("a: fact > x", "b: x > y", "back: y > fact"))
        assert way(graph, "fact", "y") == "a b"

    def test_one_to_one_is_walked_both_ways(self) -> None:
        graph = JoinGraph(catalog("s: detail = customer"))
        assert graph.reaches_to_one("customer", "detail")
        assert way(graph, "customer", "detail") == "~s"

    def test_parallel_relationships_are_ambiguous_and_listed(self) -> None:
        graph = JoinGraph(catalog("departs: flight > airport", "arrives: flight > airport"))
        with pytest.raises(Invalid) as raised:
            way(graph, "flight", "airport")
        assert raised.value.code == "ambiguous_join"
        assert raised.value.suggestions == ("departs", "arrives")

    def test_a_default_settles_it(self) -> None:
        graph = JoinGraph(catalog("departs: flight > airport!", "arrives: flight > airport", "c: airport > country"))
        assert way(graph, "flight", "country") == "departs c"

    def test_via_settles_it_and_the_rest_is_found(self) -> None:
        graph = JoinGraph(catalog("departs: flight > airport", "arrives: flight > airport", "c: airport > country", "f: ticket > flight"))
        assert way(graph, "ticket", "country", "arrives") == "f arrives c"

    def test_the_same_relationship_twice_is_not_ambiguous(self) -> None:
        made = catalog("c: order > customer")
        twin = made.relationships[0].model_copy(update={"name": "c2"})
        assert way(JoinGraph(made.model_copy(update={"relationships": (*made.relationships, twin)})), "order", "customer") == "c"

    def test_a_diamond_is_ambiguous(self) -> None:
        graph = JoinGraph(catalog("a: line > order", "b: line > shipment", "c: order > customer", "d: shipment > customer"))
        with pytest.raises(Invalid) as raised:
            way(graph, "line", "customer")
        assert set(raised.value.suggestions) == {"a > c", "b > d"}

    def test_two_facts_are_not_joined_over_a_shared_dimension(self) -> None:
        graph = JoinGraph(catalog("a: order > customer", "b: visit > customer", kinds={"customer": "dimension"}))
        with pytest.raises(Invalid) as raised:
            way(graph, "order", "visit")
        assert raised.value.code == "no_join_path"
        assert way(graph, "order", "visit", crossing=True) == "a ~b"
        assert way(graph, "order", "visit", "a", "b") == "a ~b"

    def test_a_bridge_may_follow_a_dimension(self) -> None:
        graph = JoinGraph(catalog("p: line > product", "x: tagging > product", "t: tagging > tag", kinds={"tagging": "bridge"}))
        assert way(graph, "line", "tag") == "p ~x t"

    def test_a_dataset_is_related_to_itself_towards_either_side(self) -> None:
        graph = JoinGraph(catalog("boss: staff > staff"))
        assert way(graph, "staff", "staff") == ""
        assert way(graph, "staff", "staff", "boss") == "boss"
        assert way(graph, "staff", "staff", "boss", to_children=True) == "~boss"
        assert way(graph, "staff", "staff", "boss", "boss") == "boss boss"

    def test_many_to_many_multiplies_both_ways(self) -> None:
        graph = JoinGraph(catalog("m: film x actor"))
        assert not graph.is_to_one(("m",))
        assert not graph.is_to_one(("~m",))

    def test_unknown_relationship(self) -> None:
        graph = JoinGraph(catalog("c: order > customer"))
        with pytest.raises(Invalid) as raised:
            way(graph, "order", "customer", "nope")
        assert raised.value.suggestions == ("c",)

    def test_a_large_graph_is_searched_in_time(self) -> None:
        names = [f"r{i}_{j}: t{i} > t{j}" for i in range(25) for j in range(i)]
        graph = JoinGraph(catalog(*names))
        assert len(graph.path("t24", "t0")) == 1


def test_the_graph_is_made_once_per_catalog() -> None:
    made = catalog("c: order > customer")
    assert graph_of(made) is graph_of(made)
    assert made == catalog("c: order > customer")
